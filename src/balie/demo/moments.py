"""What the shop tells Balie of a visit: the cart on its pages, and once what just happened.

Such a moment travels in a cookie from the form that made it to the page that is shown next, which
tells it and takes the cookie back. Anybody may have written it, so it is read as the cart is.
"""

import msgspec

from balie.demo.cart import Cart, read_cart, write_cart
from balie.demo.catalogue import Product
from balie.demo.language import money

KINDS = ("added", "ordered")
EMPTIED_ON = ("cart", "thanks")
"""Pages that show that the cart may have become empty."""


class Moment(msgspec.Struct, frozen=True):
    """`kind` is one of KINDS, `cart` what it was about."""

    kind: str
    cart: Cart


def read_moment(cookie: str, products: dict[str, Product]) -> Moment | None:
    kind, _, goods = cookie.partition(".")
    held = read_cart(goods, products)
    return Moment(kind, held) if kind in KINDS and held.lines else None


def write_moment(moment: Moment) -> str:
    return f"{moment.kind}.{write_cart(moment.cart)}"


def cart_for_balie(held: Cart, page: str, language: str) -> str:
    """JSON for `Balie('set', {cart: …})`, amounts in cents; empty where there is nothing to tell."""
    if not held.lines:
        return "null" if page in EMPTIED_ON else ""
    items = [
        {
            "sku": line.key,
            "name": line.product.name[language],
            "quantity": line.quantity,
            "price": line.product.price,
        }
        for line in held.lines
    ]
    return msgspec.json.encode({"currency": "EUR", "total": held.total, "items": items}).decode()


def moment_for_balie(moment: Moment | None, name: str, language: str) -> str:
    """JSON for `Balie('track', name, detail)`; the detail is for people to read."""
    if moment is None:
        return ""
    goods = ", ".join(
        _say_line(line.quantity, line.product, language) for line in moment.cart.lines
    )
    paid = moment.cart.total if moment.kind == "ordered" else moment.cart.goods
    return msgspec.json.encode([name, f"{goods} ({money(paid, language)})"]).decode()


def _say_line(quantity: int, product: Product, language: str) -> str:
    name = product.name[language]
    return name if quantity == 1 else f"{quantity} × {name}"
