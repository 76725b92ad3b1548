"""The demo customer, who is always signed in, and his orders."""

from datetime import date, datetime, timedelta

import msgspec

from balie.demo.cart import Cart, Line, choose
from balie.demo.catalogue import Product
from balie.demo.promises import next_workday

TOKEN_LIFE = timedelta(hours=1)


class Customer(msgspec.Struct, frozen=True):
    number: str
    name: str
    email: str
    street: str
    town: str


CUSTOMER = Customer(
    number="klant-2041",
    name="Femke Terpstra",
    email="femke.terpstra@example.org",
    street="Molenpad 7",
    town="8899 ZZ Weerdam",
)


class Order(msgspec.Struct, frozen=True):
    """`state` is `on_the_way`, `delivered` or `service`; `due` is the day that belongs to it."""

    number: str
    placed: date
    state: str
    due: date
    cart: Cart


def orders(today: date, products: dict[str, Product]) -> list[Order]:
    """The same three orders always, as old as seen from `today`."""

    def line(slug: str, size: str, quantity: int = 1) -> Line:
        chosen = choose(products[slug], size, products[slug].paints[0], quantity)
        assert chosen, f"{slug} is sold in size {size}"
        return chosen

    return [
        Order(
            "TW-30518",
            today - timedelta(days=2),
            "on_the_way",
            next_workday(today),
            Cart((line("meewind", "51"), line("fietstas", ""))),
        ),
        Order(
            "TW-29907",
            today - timedelta(days=41),
            "delivered",
            today - timedelta(days=38),
            Cart((line("koplamp", ""), line("buitenband", "", 2), line("bel", ""))),
        ),
        Order(
            "TW-27333",
            today - timedelta(days=230),
            "delivered",
            today - timedelta(days=226),
            Cart((line("tochtje", "20"), line("helm", ""))),
        ),
    ]


def identity_claims(site_key: str, now: datetime) -> dict[str, object]:
    """What the shop vouches for about its customer, to be signed as a JWT."""
    return {
        "sub": CUSTOMER.number,
        "name": CUSTOMER.name,
        "email": CUSTOMER.email,
        "aud": site_key,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFE).timestamp()),
    }
