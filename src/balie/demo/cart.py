"""The shopping cart: a small cookie that anybody may have written.

The cookie is a list of `slug_size_paint_quantity`, joined by dots. What the catalogue does not know
is left out, so a stale or forged cookie gives a smaller cart and never an error.
"""

from collections.abc import Iterable

import msgspec

from balie.demo.catalogue import Product

MOST_LINES = 20
MOST_OF_ONE = 9
QUANTITIES = {str(number): number for number in range(1, MOST_OF_ONE + 1)}
LONGEST_COOKIE = 2000
FREE_DELIVERY_FROM = 5000
DELIVERY = 495


class Line(msgspec.Struct, frozen=True):
    product: Product
    size: str
    paint: str
    quantity: int

    @property
    def key(self) -> str:
        return f"{self.product.slug}_{self.size}_{self.paint}"

    @property
    def price(self) -> int:
        return self.product.price * self.quantity


class Cart(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...] = ()

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def goods(self) -> int:
        return sum(line.price for line in self.lines)

    @property
    def delivery(self) -> int:
        return 0 if self.goods >= FREE_DELIVERY_FROM or not self.lines else DELIVERY

    @property
    def total(self) -> int:
        return self.goods + self.delivery

    def with_quantity(self, key: str, quantity: int) -> "Cart":
        """The same cart with `quantity` of one line; none of it is left at 0."""
        kept = [
            msgspec.structs.replace(line, quantity=quantity) if line.key == key else line
            for line in self.lines
        ]
        return Cart(tuple(line for line in kept if line.quantity > 0))

    def with_one_more(self, added: Line) -> "Cart":
        for line in self.lines:
            if line.key == added.key:
                return self.with_quantity(line.key, min(line.quantity + 1, MOST_OF_ONE))
        return Cart((*self.lines, added)[:MOST_LINES])


def choose(product: Product, size: str, paint: str, quantity: int = 1) -> Line | None:
    """A line for the cart, or None where the product has no such size or colour."""
    sizes = [one.label for one in product.sizes] or [""]
    if size not in sizes or paint not in product.paints or quantity not in QUANTITIES.values():
        return None
    return Line(product=product, size=size, paint=paint, quantity=quantity)


def read_cart(cookie: str, products: dict[str, Product]) -> Cart:
    if len(cookie) > LONGEST_COOKIE:
        return Cart()
    lines = {line.key: line for line in _read_lines(cookie, products)}
    return Cart(tuple(lines.values())[:MOST_LINES])


def _read_lines(cookie: str, products: dict[str, Product]) -> Iterable[Line]:
    for part in cookie.split("."):
        slug, *rest = part.split("_")
        product = products.get(slug)
        if product is None or len(rest) != 3 or rest[2] not in QUANTITIES:
            continue
        line = choose(product, rest[0], rest[1], QUANTITIES[rest[2]])
        if line:
            yield line


def write_cart(cart: Cart) -> str:
    return ".".join(f"{line.key}_{line.quantity}" for line in cart.lines)
