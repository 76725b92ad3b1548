"""The demo shop as a web application of its own, on an origin of its own.

It plays the customer's website: Balie is reached only through the one line that any site would
paste, and through the calls of `static/shop.js`.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment
from litestar import HttpMethod, Litestar, Request, Response, get, route
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import Message, Scope

from balie.demo.cart import Cart, read_cart, write_cart
from balie.demo.catalogue import Catalogue, catalogue
from balie.demo.language import LANGUAGES, language_of
from balie.demo.moments import Moment, read_moment, write_moment
from balie.demo.pages import STATIC_FILES, address, environment, read_static, render
from balie.demo.views import NOT_FOUND, REFUSED, VIEWS, Answer, GoTo, Show, Visit

AnyRequest = Request[Any, Any, Any]

SHOP_NAME = "Tegenwind"
SHOP_TIME = ZoneInfo("Europe/Amsterdam")
CART_COOKIE = "cart"
CART_LIFE = 7 * 24 * 3600
MOMENT_COOKIE = "moment"
MOMENT_LIFE = 60
MOST_BYTES = 16_384
MOST_FIELDS = 40
LONGEST_VALUE = 200
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

log = logging.getLogger(__name__)


class Shop(msgspec.Struct, frozen=True):
    """What every request of the shop needs."""

    catalogue: Catalogue
    templates: Environment
    site_key: str
    sign_identity: Callable[[dict[str, object]], str]
    clock: Callable[[], datetime]


def shop_app(
    *,
    balie_url: str,
    site_key: str,
    sign_identity: Callable[[dict[str, object]], str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Litestar:
    """The shop with Balie from `balie_url` (an origin, such as `http://localhost:8000`) on its pages.

    `sign_identity` turns claims into a JWT; `clock` gives the present with its time zone.
    Raises ValueError where `balie_url` is not an origin.
    """
    origin = _origin(balie_url)
    shop = Shop(catalogue(), environment(origin, site_key), site_key, sign_identity, clock)
    return Litestar(
        route_handlers=[*_page_routes(shop), _static_route()],
        exception_handlers={Exception: _designed_error(shop)},
        before_send=[_guard(_policy(origin))],
        request_max_body_size=MOST_BYTES,
        openapi_config=None,
        logging_config=None,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("http", "https") or url.rstrip("/") != origin:
        raise ValueError(f"balie_url must be an origin such as http://localhost:8000, not {url!r}")
    if not re.fullmatch(r"[A-Za-z0-9.\-:\[\]]+", parts.netloc):
        raise ValueError(f"balie_url has a host that no header can carry: {url!r}")
    return origin


def _page_routes(shop: Shop) -> list[HTTPRouteHandler]:
    return [
        _page_route(shop, page, language) for page in shop.catalogue.paths for language in LANGUAGES
    ]


def _page_route(shop: Shop, page: str, language: str) -> HTTPRouteHandler:
    path = re.sub(r"\{(\w+)\}", r"{\1:str}", shop.catalogue.paths[page][language])
    methods = [HttpMethod.GET, HttpMethod.HEAD]
    if ("POST", page) in VIEWS:
        methods.append(HttpMethod.POST)

    @route(path, http_method=methods, name=f"{page}-{language}")
    async def show_page(request: AnyRequest) -> Response[str]:
        posted = request.method == "POST"
        if posted and request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return _respond(shop, _read_visit(shop, request, page, {}), REFUSED)
        visit = _read_visit(shop, request, page, await _read_form(request) if posted else {})
        return _respond(shop, visit, VIEWS["POST" if posted else "GET", page](visit))

    return show_page


async def _read_form(request: AnyRequest) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(status_code=415)
    body = (await request.body()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as many:
        raise HTTPException(status_code=400) from many
    return _clean(dict(pairs))


def _clean(values: Mapping[str, str]) -> dict[str, str]:
    return {name: CONTROL.sub("", value)[:LONGEST_VALUE] for name, value in values.items()}


def _read_visit(shop: Shop, request: AnyRequest, page: str, form: dict[str, str]) -> Visit:
    return Visit(
        page=page,
        language=language_of(request.url.path),
        params={name: str(value) for name, value in request.path_params.items()},
        query=_read_query(request.scope["query_string"]),
        form=form,
        cart=read_cart(request.cookies.get(CART_COOKIE, ""), shop.catalogue.products),
        moment=read_moment(request.cookies.get(MOMENT_COOKIE, ""), shop.catalogue.products),
        now=shop.clock().astimezone(SHOP_TIME),
        catalogue=shop.catalogue,
        site_key=shop.site_key,
        sign_identity=shop.sign_identity,
    )


def _read_query(query: bytes) -> dict[str, str]:
    """The values of a query; one with too many of them counts as none."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return _clean(dict(pairs))


def _respond(shop: Shop, visit: Visit, answer: Answer) -> Response[str]:
    if isinstance(answer, GoTo):
        place = address(shop.catalogue, visit.language, answer.page, {})
        cookies = [] if answer.cart is None else [_cart_cookie(answer.cart)]
        if answer.moment:
            cookies.append(_moment_cookie(answer.moment))
        return Response("", status_code=303, headers={"Location": place}, cookies=cookies)
    if answer.status == 404:
        visit = msgspec.structs.replace(visit, page="home", params={})
    html = render(shop.templates, visit, answer)
    return Response(
        html,
        status_code=answer.status,
        media_type="text/html; charset=utf-8",
        headers={"Cache-Control": "private, no-store"},
        cookies=[_moment_cookie(None)] if visit.moment else [],
    )


def _cart_cookie(cart: Cart) -> Cookie:
    return _cookie(CART_COOKIE, write_cart(cart), CART_LIFE if cart.lines else 0)


def _moment_cookie(moment: Moment | None) -> Cookie:
    """For the next page; None takes back what has been told."""
    if moment is None:
        return _cookie(MOMENT_COOKIE, "", 0)
    return _cookie(MOMENT_COOKIE, write_moment(moment), MOMENT_LIFE)


def _cookie(name: str, value: str, life: int) -> Cookie:
    return Cookie(key=name, value=value, max_age=life, httponly=True, samesite="lax")


def _static_route() -> HTTPRouteHandler:
    contents = {name: read_static(name) for name in STATIC_FILES}

    @get("/static/{name:str}", name="static")
    async def show_file(request: AnyRequest) -> Response[bytes]:
        name = str(request.path_params["name"])
        if name not in contents:
            raise NotFoundException
        return Response(
            contents[name],
            media_type=STATIC_FILES[name],
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )

    return show_file


def _designed_error(shop: Shop) -> Callable[[AnyRequest, Exception], Response[str]]:
    """A page of the shop for whatever goes wrong; only the log hears what it was."""

    def respond(request: AnyRequest, error: Exception) -> Response[str]:
        status = error.status_code if isinstance(error, HTTPException) else 500
        answer = NOT_FOUND if status in (404, 405) else REFUSED
        if status >= 500:
            log.error("The demo shop failed", exc_info=error)
            answer = Show("error.html", {"kind": "broken"})
        visit = Visit(
            page="home",
            language=language_of(request.scope["path"]),
            params={},
            query={},
            form={},
            cart=Cart(),
            moment=None,
            now=shop.clock().astimezone(SHOP_TIME),
            catalogue=shop.catalogue,
            site_key=shop.site_key,
            sign_identity=shop.sign_identity,
        )
        return _respond(shop, visit, msgspec.structs.replace(answer, status=status))

    return respond


def _policy(balie: str) -> str:
    """The strictest content policy under which Balie's line still works."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {balie}",
            "style-src 'self'",
            f"img-src 'self' {balie}",
            f"connect-src {balie}",
            f"frame-src {balie}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _guard(policy: str) -> Callable[[Message, Scope], Awaitable[None]]:
    async def add_headers(message: Message, _: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        headers["Content-Security-Policy"] = policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "strict-origin-when-cross-origin"

    return add_headers
