"""The demo shop: every page, the cart without JavaScript, and what strangers send."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from balie.demo.cart import MOST_LINES, read_cart, write_cart
from balie.demo.catalogue import catalogue
from balie.demo.pages import read_static
from balie.demo.shop import shop_app
from balie.demo.views import PAGE_OF

BALIE = "http://localhost:8000"
THURSDAY = datetime(2025, 6, 12, 8, 0, tzinfo=UTC)
VOID = {"meta", "link", "input", "br", "img", "hr"}
PAINTED = {"path", "circle", "rect", "ellipse"}
CALLS: list[dict[str, object]] = []


def sign(claims: dict[str, object]) -> str:
    CALLS.append(claims)
    return "header.payload.signature"


@pytest.fixture(scope="module")
def app() -> Litestar:
    return shop_app(balie_url=BALIE, site_key="site-1", sign_identity=sign, clock=lambda: THURSDAY)


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient]:
    CALLS.clear()
    with TestClient(app, base_url="http://shop.localhost", raise_server_exceptions=False) as opened:
        yield opened


def every_path() -> list[str]:
    shop = catalogue()
    found = []
    for language in ("nl", "en"):
        for name, path in shop.paths.items():
            if "{number}" in path[language]:
                numbers = ("TW-30518", "TW-29907", "TW-27333")
                found += [path[language].format(number=number) for number in numbers]
            elif "{slug}" in path[language]:
                found += [
                    path[language].format(slug=product.slug)
                    for product in shop.products.values()
                    if PAGE_OF[product.category] == name
                ]
            elif name != "checkout":
                found.append(path[language])
    return found


class Page(HTMLParser):
    """Reads a page strictly: every element closed in order, every id once."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in PAINTED, f"<{tag}/> closes itself"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "script":
            self.text += data
        else:
            assert not data.strip(), f"inline script: {data}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def check_structure(page: Page, language: str) -> None:
    assert page.all("html")[0]["lang"] == language
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.elements:
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("aria-describedby", "aria-labelledby", "for"):
            assert set((attrs.get(name) or "").split()) <= set(ids)
    assert not page.all("style")


def check_balie_line(html: str) -> None:
    line = f'<script async src="{BALIE}/balie.js" data-site="site-1"></script>'
    assert html.splitlines().count(line) == 1
    assert html.count(BALIE) == 1


@pytest.mark.parametrize("path", every_path())
def test_page_is_there_and_well_formed(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    check_structure(Page(answer.text), "en" if path.startswith("/en") else "nl")
    check_balie_line(answer.text)
    assert "set-cookie" not in answer.headers


def test_every_link_inside_the_shop_leads_somewhere(client: TestClient) -> None:
    client.post(
        "/winkelmand", data={"action": "add", "slug": "bel", "size": "", "paint": "klaproos"}
    )
    seen: set[str] = set()
    todo = ["/", "/en"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        page = Page(answer.text)
        wanted = [attrs.get("href") for attrs in page.all("a") + page.all("link")]
        todo += [href.split("#")[0] for href in wanted if href and href.startswith("/")]
    assert len(seen) > 80


def test_language_switch_shows_the_same_page(client: TestClient) -> None:
    page = Page(client.get("/accessoires/bel").text)
    assert {"hreflang": "en", "href": "/en/accessories/bel"}.items() <= page.all("link")[-1].items()
    assert "Ahoi bell" in client.get("/en/accessories/bel").text


def test_both_languages_have_every_text() -> None:
    for key, words in catalogue().words.items():
        assert all((words.nl.strip(), words.en.strip())), key
        assert "!" not in words.nl + words.en


def add(client: TestClient, **chosen: str) -> int:
    form = {"action": "add", "slug": "bries", "size": "57", "paint": "zee"} | chosen
    return client.post("/winkelmand", data=form, follow_redirects=False).status_code


def test_cart_without_javascript(client: TestClient) -> None:
    first = client.post(
        "/winkelmand",
        data={"action": "add", "slug": "bries", "size": "57", "paint": "zee"},
        follow_redirects=False,
    )
    assert (first.status_code, first.headers["location"]) == (303, "/winkelmand")
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie

    assert add(client) == 303
    page = Page(client.get("/winkelmand").text)
    held = json.loads(page.all("body")[0]["data-balie-cart"] or "")
    assert held["total"] == 2 * 89900
    assert held["items"] == [
        {"sku": "bries_57_zee", "name": "Bries", "quantity": 2, "price": 89900}
    ]
    client.post("/winkelmand", data={"key": "bries_57_zee", "quantity": "5"})
    assert "€ 4.495" in client.get("/winkelmand").text.replace("\N{NO-BREAK SPACE}", " ")

    client.post("/winkelmand", data={"key": "bries_57_zee", "remove": "bries_57_zee"})
    assert "Uw mand is nog leeg" in client.get("/winkelmand").text
    assert "cart" not in client.cookies


def told(client: TestClient, path: str, name: str) -> object:
    found = Page(client.get(path).text).all("body")[0].get(f"data-balie-{name}")
    return None if found is None else json.loads(found)


def test_every_page_tells_the_cart_and_an_empty_one_where_it_became_empty(
    client: TestClient,
) -> None:
    assert "data-balie-cart" not in client.get("/fietsen").text
    add(client)
    for path in ("/", "/fietsen", "/en/cart", "/afrekenen"):
        held = told(client, path, "cart")
        assert isinstance(held, dict)
        assert held["total"] == 89900
    client.post("/winkelmand", data={"remove": "bries_57_zee"}, follow_redirects=False)
    for path in ("/winkelmand", "/en/thank-you"):
        assert 'data-balie-cart="null"' in client.get(path).text


def test_what_just_happened_is_told_once_in_the_language_of_the_page(client: TestClient) -> None:
    add(client)
    assert told(client, "/winkelmand", "moment") == [
        "In de winkelmand",
        "Bries (€\N{NO-BREAK SPACE}899)",
    ]
    assert told(client, "/winkelmand", "moment") is None
    add(client, slug="bidon", size="", paint="bosbes")
    add(client, slug="bidon", size="", paint="bosbes")
    last = DETAILS | {"step": "payment", "delivery": "home", "payment": "later"}
    client.post("/en/checkout", data=last, follow_redirects=False)
    happened = told(client, "/en/thank-you", "moment")
    assert happened == ["Order placed", "Bries, 2 \N{MULTIPLICATION SIGN} Slok bottle (€918.90)"]


@pytest.mark.parametrize("forged", ["", "added", "added.gone_57_zee_1", "paid.bries_57_zee_1"])
def test_a_forged_moment_tells_nothing(client: TestClient, forged: str) -> None:
    client.cookies.set("moment", forged)
    assert told(client, "/winkelmand", "moment") is None


def test_delivery_costs_below_fifty_euros(client: TestClient) -> None:
    add(client, slug="bidon", size="", paint="bosbes")
    page = client.get("/en/cart").text
    assert "€4.95" in page
    assert "€14.90" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "99"},
        {"paint": "goud"},
        {"slug": "nietbestaand"},
        {"size": ""},
        {"action": "steal"},
    ],
)
def test_what_is_not_for_sale_is_refused(client: TestClient, wrong: dict[str, str]) -> None:
    assert add(client, **wrong) == 400
    assert "cart" not in client.cookies


DETAILS = {
    "name": "Anna Bos",
    "email": "anna@example.org",
    "street": "Dijk 1",
    "postcode": "1234 AB",
    "town": "Weerdam",
}


def test_checkout_goes_in_three_steps_and_empties_the_cart(client: TestClient) -> None:
    add(client)
    assert "Stap 1 van 3" in client.get("/afrekenen").text
    second = client.post("/afrekenen", data=DETAILS | {"step": "details"})
    assert "Stap 2 van 3" in second.text
    assert 'value="Anna Bos"' in second.text
    third = client.post("/afrekenen", data=DETAILS | {"step": "delivery", "delivery": "home"})
    assert "Stap 3 van 3" in third.text
    done = client.post(
        "/afrekenen",
        data=DETAILS | {"step": "payment", "delivery": "home", "payment": "later"},
        follow_redirects=False,
    )
    assert (done.status_code, done.headers["location"]) == (303, "/bedankt")
    assert "cart" not in client.cookies


def test_checkout_says_what_is_missing_and_keeps_what_was_typed(client: TestClient) -> None:
    add(client)
    typed = DETAILS | {"step": "details", "email": "anna", "postcode": "12"}
    answer = client.post("/en/checkout", data=typed)
    assert answer.status_code == 422
    page = Page(answer.text)
    check_structure(page, "en")
    wrong = [one["name"] for one in page.all("input") if one.get("aria-invalid") == "true"]
    assert wrong == ["email", "postcode"]
    assert 'value="anna"' in answer.text
    assert 'value="Anna Bos"' in answer.text


def test_checkout_cannot_skip_a_step(client: TestClient) -> None:
    add(client)
    answer = client.post("/afrekenen", data={"step": "payment", "payment": "bank"})
    assert answer.status_code == 422
    assert "Stap 1 van 3" in answer.text


def test_checkout_goes_back(client: TestClient) -> None:
    add(client)
    answer = client.post("/afrekenen", data=DETAILS | {"step": "delivery", "back": "1"})
    assert "Stap 1 van 3" in answer.text
    assert 'value="Anna Bos"' in answer.text


def test_nothing_to_check_out_leads_to_the_cart(client: TestClient) -> None:
    assert client.get("/afrekenen", follow_redirects=False).headers["location"] == "/winkelmand"


def test_only_account_pages_carry_the_customers_proof(client: TestClient) -> None:
    page = Page(client.get("/account").text)
    assert page.all("body")[0]["data-balie-token"] == "header.payload.signature"
    assert [
        {
            "sub": "klant-2041",
            "name": "Femke Terpstra",
            "email": "femke.terpstra@example.org",
            "aud": "site-1",
            "iat": int(THURSDAY.timestamp()),
            "exp": int(THURSDAY.timestamp()) + 3600,
        }
    ] == CALLS
    client.get("/")
    assert len(CALLS) == 1


@pytest.mark.parametrize(
    "path", ["/fietsen/nergens", "/en/parts/luwte", "/weg", "/account/bestellingen/1"]
)
def test_what_does_not_exist_gets_a_designed_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    check_structure(Page(answer.text), "en" if path.startswith("/en") else "nl")
    assert (
        "This path ends here" if path.startswith("/en") else "Deze weg loopt dood"
    ) in answer.text


HOSTILE = [
    "<script>alert(1)</script>\"'>",
    "{{7*7}}${7*7}",
    "../../../../etc/passwd",
    "\x00\x1b[31m\r\nSet-Cookie: a=b",
    "\u202e\ud7ff\U0001f6b2" * 50,
    "9" * 5000,
    "-1",
    "1e400",
    "nan",
    "inf",
]


def assert_harmless(answer: object, sent: str) -> None:
    assert answer.status_code < 500
    assert "<script>alert" not in answer.text
    assert "a=b" not in answer.headers.get("set-cookie", "")
    if "text/html" in answer.headers.get("content-type", "") and answer.text:
        Page(answer.text)
        assert "49$49" not in answer.text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "path", ["/fietsen/", "/en/accessories/", "/account/bestellingen/", "/static/", "/"]
)
def test_hostile_path(client: TestClient, path: str, text: str) -> None:
    assert_harmless(client.get(path + quote(text[:500], safe="")), text)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["/fietsen", "/fietsen/luwte", "/en/bicycles/windjammer"])
def test_hostile_query(client: TestClient, path: str, text: str) -> None:
    for name in ("kind", "height", "lang"):
        assert_harmless(client.get(path, params={name: text, "kind": text}), text)
    assert_harmless(client.get(path + "?" + "&".join(["height=1"] * 500)), text)
    assert_harmless(client.get(path + "?height=%ff%fe&%zz=%"), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_form(client: TestClient, text: str) -> None:
    add(client)
    for field in ("action", "slug", "size", "paint", "key", "quantity", "remove"):
        form = {"action": "add", "slug": "bries", "size": "57", "paint": "zee"} | {field: text}
        assert_harmless(client.post("/winkelmand", data=form), text)
    for field in (*DETAILS, "step", "delivery", "payment", "back"):
        form = DETAILS | {"step": "details"} | {field: text}
        assert_harmless(client.post("/afrekenen", data=form), text)


@pytest.mark.parametrize(
    "cookie",
    [
        "x",
        "bries_57_zee_0",
        "bries_57_zee_12",
        "bries_57_zee_²",
        "bries_57_zee_",
        "bries_57",
        "<script>alert(1)</script>",
        "." * 1999,
        "_" * 1999,
        "bries_57_zee_1." * 5000,
    ],
)
def test_hostile_cookie(client: TestClient, cookie: str) -> None:
    raw = f"cart={cookie}".encode()
    answer = client.get("/winkelmand", headers={b"cookie": raw})
    assert answer.status_code == 200
    assert "Uw mand is nog leeg" in answer.text


def test_cart_never_holds_more_than_it_may() -> None:
    shop = catalogue()
    lines = [
        f"{one.slug}_{size.label}_{paint}_9"
        for one in shop.of("bicycles")
        for size in one.sizes
        for paint in one.paints
    ]
    cart = read_cart(".".join(lines)[:2000], shop.products)
    assert len(cart.lines) == MOST_LINES
    assert read_cart(write_cart(cart), shop.products) == cart


def test_form_from_another_site_is_refused(client: TestClient) -> None:
    form = {"action": "add", "slug": "bries", "size": "57", "paint": "zee"}
    answer = client.post("/winkelmand", data=form, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 400
    assert "cart" not in client.cookies


def test_other_bodies_are_refused_with_a_page(client: TestClient) -> None:
    assert client.post("/winkelmand", json={"action": "add"}).status_code == 415
    assert client.post("/winkelmand", files={"slug": b"x"}).status_code == 415
    many = "&".join(f"a{number}=1" for number in range(100))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/winkelmand", content=many, headers=kind).status_code == 400
    large = client.post("/winkelmand", content="a=" + "x" * 100_000, headers=kind)
    assert large.status_code == 413
    check_structure(Page(large.text), "nl")


@pytest.mark.parametrize("path", ["/", "/weg", "/static/shop.css", "/winkelmand"])
def test_headers_allow_balie_and_nothing_else(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    for source in ("script-src", "img-src"):
        assert policy[source] == f"'self' {BALIE}"
    for source in ("connect-src", "frame-src"):
        assert policy[source] == BALIE
    assert policy["style-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


def test_a_failure_shows_a_page_and_no_detail() -> None:
    def fail(claims: dict[str, object]) -> str:
        raise RuntimeError("the secret reason")

    app = shop_app(balie_url=BALIE, site_key="site-1", sign_identity=fail)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/en/account")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    check_structure(Page(answer.text), "en")


def test_head_answers_like_get(client: TestClient) -> None:
    assert client.head("/fietsen").status_code == 200


@pytest.mark.parametrize("url", ["localhost:8000", "http://h/x", "javascript:1", "http://h; *", ""])
def test_balie_url_must_be_an_origin(url: str) -> None:
    with pytest.raises(ValueError, match="balie_url"):
        shop_app(balie_url=url, site_key="k", sign_identity=sign)


def test_style_sheet_stays_small_and_whole() -> None:
    sheet = read_static("shop.css").decode()
    assert len(sheet) < 20_000
    assert sheet.count("{") == sheet.count("}")
    for paint in {paint for one in catalogue().products.values() for paint in one.paints}:
        assert f".paint-{paint}{{" in sheet
        assert f"--p-{paint}:" in sheet
    for paint in {paint for one in catalogue().of("bicycles") for paint in one.paints}:
        assert f"#p-{paint}:checked" in sheet
