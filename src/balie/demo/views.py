"""What each page of the demo shop shows: from one visit to the data of one template."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from balie.demo import promises
from balie.demo.cart import QUANTITIES, Cart, choose
from balie.demo.catalogue import Catalogue, Product
from balie.demo.checkout import CHOICES, DETAILS, STEPS, Checkout, advance
from balie.demo.customer import CUSTOMER, identity_claims, orders
from balie.demo.language import metres
from balie.demo.moments import Moment

CATEGORY_OF = {"bicycle": "bicycles", "part": "parts", "accessory": "accessories"}
PAGE_OF = {category: page for page, category in CATEGORY_OF.items()}

FAVOURITES = ("luwte", "mistral", "meewind", "windjammer")
GOES_WITH = {
    "city": ("slot", "mand", "cape"),
    "electric": ("slot", "helm", "fietstas"),
    "touring": ("fietstas", "bidon", "pomp"),
    "sport": ("bidon", "helm", "pomp"),
    "family": ("helm", "bel", "slot"),
    "parts": ("pomp", "bel", "slot"),
    "accessories": ("koplamp", "bel", "zadel"),
}


class Visit(msgspec.Struct, frozen=True):
    """One request, read and cleaned; `now` is the time in the shop."""

    page: str
    language: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    cart: Cart
    moment: Moment | None
    now: datetime
    catalogue: Catalogue
    site_key: str
    sign_identity: Callable[[dict[str, object]], str]


class Show(msgspec.Struct, frozen=True):
    """Answer with a page."""

    template: str
    data: dict[str, object] = {}
    status: int = 200


class GoTo(msgspec.Struct, frozen=True):
    """Answer with the way to another page, which tells of `moment`; `cart` replaces the visitor's own."""

    page: str
    cart: Cart | None = None
    moment: Moment | None = None


Answer = Show | GoTo
NOT_FOUND = Show("error.html", {"kind": "lost"}, status=404)
REFUSED = Show("error.html", {"kind": "refused"}, status=400)


def home(visit: Visit) -> Answer:
    favourites = [visit.catalogue.products[slug] for slug in FAVOURITES]
    return Show("home.html", {"favourites": favourites, "hero": visit.catalogue.products["bries"]})


def category(visit: Visit) -> Answer:
    everything = visit.catalogue.of(visit.page)
    kinds = list(dict.fromkeys(product.kind for product in everything))
    kind = visit.query.get("kind", "")
    kind = kind if kind in kinds and len(kinds) > 1 else ""
    typed = visit.query.get("height", "")
    height = promises.read_height(typed) if visit.page == "bicycles" else None
    products = visit.catalogue.of(visit.page, kind)
    if height:
        products = [product for product in products if promises.sizes_for(height, product)]
    data: dict[str, object] = {"products": products, "kinds": kinds, "kind": kind, "typed": typed}
    data |= {"height": height, "fitting": _fitting_sizes(height, products)}
    return Show("category.html", data)


def _fitting_sizes(height: int | None, products: list[Product]) -> dict[str, list[str]]:
    if not height:
        return {}
    return {
        product.slug: [size.label for size in promises.sizes_for(height, product)]
        for product in products
    }


def product(visit: Visit) -> Answer:
    found = visit.catalogue.find(CATEGORY_OF[visit.page], visit.params["slug"])
    if found is None:
        return NOT_FOUND
    near = [visit.catalogue.products[slug] for slug in GOES_WITH[found.kind] if slug != found.slug]
    data: dict[str, object] = {"product": found, "goes_with": near}
    data["delivery"] = promises.delivery_sentence(visit.now, found, visit.language)
    return Show("product.html", data | _height_answer(visit, found))


def _height_answer(visit: Visit, found: Product) -> dict[str, object]:
    typed = visit.query.get("height", "")
    height = promises.read_height(typed)
    if not typed or not found.sizes:
        return {"typed": "", "advice": "", "advised": [], "height_wrong": False}
    if height is None:
        return {"typed": typed, "advice": "", "advised": [], "height_wrong": True}
    others = [other for other in visit.catalogue.of("bicycles") if other is not found]
    advised = [size.label for size in promises.sizes_for(height, found)]
    advice = promises.size_advice(height, found, others, visit.language)
    return {"typed": typed, "advice": advice, "advised": advised, "height_wrong": False}


def cart(_: Visit) -> Answer:
    return Show("cart.html")


def change_cart(visit: Visit) -> Answer:
    form = visit.form
    if form.get("action") == "add":
        wanted = visit.catalogue.products.get(form.get("slug", ""))
        line = choose(wanted, form.get("size", ""), form.get("paint", "")) if wanted else None
        if line is None:
            return REFUSED
        return GoTo("cart", visit.cart.with_one_more(line), Moment("added", Cart((line,))))
    key = form.get("remove") or form.get("key", "")
    quantity = "0" if form.get("remove") else form.get("quantity", "")
    if quantity != "0" and quantity not in QUANTITIES:
        return REFUSED
    return GoTo("cart", visit.cart.with_quantity(key, QUANTITIES.get(quantity, 0)))


def checkout(visit: Visit) -> Answer:
    if not visit.cart.lines:
        return GoTo("cart")
    return _show_checkout(visit, Checkout(step=STEPS[0], typed={}))


def continue_checkout(visit: Visit) -> Answer:
    if not visit.cart.lines:
        return GoTo("cart")
    state = advance(visit.form)
    if state.finished:
        return GoTo("thanks", Cart(), Moment("ordered", visit.cart))
    return _show_checkout(visit, state)


def _show_checkout(visit: Visit, state: Checkout) -> Answer:
    slowest = max(line.product.ready_in for line in visit.cart.lines)
    day = promises.delivery_day(visit.now, slowest)
    data = {"state": state, "fields": DETAILS, "choices": CHOICES, "steps": STEPS, "day": day}
    return Show("checkout.html", data, status=422 if state.wrong else 200)


def thanks(_: Visit) -> Answer:
    return Show("thanks.html")


def account(visit: Visit) -> Answer:
    mine = orders(visit.now.date(), visit.catalogue.products)
    return Show("account.html", {"orders": mine, **_signed_in(visit)})


def order(visit: Visit) -> Answer:
    mine = orders(visit.now.date(), visit.catalogue.products)
    found = next((one for one in mine if one.number == visit.params["number"]), None)
    if found is None:
        return NOT_FOUND
    built = found.due if found.state == "on_the_way" else found.due - timedelta(days=1)
    return Show("order.html", {"order": found, "built": built, **_signed_in(visit)})


def _signed_in(visit: Visit) -> dict[str, object]:
    token = visit.sign_identity(identity_claims(visit.site_key, visit.now))
    return {"customer": CUSTOMER, "balie_token": token}


def help_page(visit: Visit) -> Answer:
    every = [
        size
        for slug in ("tochtje", "luwte", "bries")
        for size in visit.catalogue.products[slug].sizes
    ]
    sizes = {
        size.label: (metres(size.shortest, visit.language), metres(size.tallest, visit.language))
        for size in sorted(every, key=lambda size: size.shortest)
    }
    hours = promises.opening_table(visit.language)
    return Show("help.html", {"hours": hours, "sizes": sizes, "today": visit.now.weekday()})


VIEWS: dict[tuple[str, str], Callable[[Visit], Answer]] = {
    ("GET", "home"): home,
    ("GET", "bicycles"): category,
    ("GET", "parts"): category,
    ("GET", "accessories"): category,
    ("GET", "bicycle"): product,
    ("GET", "part"): product,
    ("GET", "accessory"): product,
    ("GET", "cart"): cart,
    ("POST", "cart"): change_cart,
    ("GET", "checkout"): checkout,
    ("POST", "checkout"): continue_checkout,
    ("GET", "thanks"): thanks,
    ("GET", "account"): account,
    ("GET", "order"): order,
    ("GET", "help"): help_page,
}
