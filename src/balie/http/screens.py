"""The pages that people open: the front page, the console, the panel in its frame, the chat by link."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from markupsafe import Markup

from balie.agents.state import SiteState, SiteStates
from balie.edge.policy import Policy
from balie.edge.security_headers import console_policy, frame_policy
from balie.edge.settings import EdgeSettings
from balie.http.assets import Assets, Entry, asset_response
from balie.http.texts import TEXTS, choose_language
from balie.kernel.errors import NotFoundError
from balie.organisations.model import Language

PUBLIC = {"policy": Policy.PUBLIC}
ENGLISH_FIRST: tuple[Language, ...] = ("en", "nl")

AnyRequest = Request[Any, Any, Any]


class Boot(msgspec.Struct, frozen=True, kw_only=True):
    """What the panel knows when it begins; `texts` of the state are of `language` alone, and `words` are
    all that the panel says in it (`web/widget/boot.ts`).

    `hosted`: a page of its own, not a frame in somebody else's. `origins`: whose messages it may hear.
    """

    language: Language
    hosted: bool
    origins: tuple[str, ...]
    max_file_bytes: int
    state: SiteState
    words: msgspec.Raw


class ConsoleBoot(msgspec.Struct, frozen=True):
    """What the console knows when it begins (`web/console/state/boot.ts`)."""

    max_file_bytes: int


class Screens:
    """The pages and what they are made of."""

    def __init__(
        self,
        settings: EdgeSettings,
        assets: Assets,
        states: SiteStates,
        *,
        max_file_bytes: int,
        shop_url: str | None = None,
    ) -> None:
        self.settings = settings
        self.assets = assets
        self.states = states
        self.max_file_bytes = max_file_bytes
        self.shop_url = shop_url

    async def panel(self, key: str, wished: str, *, hosted: bool) -> Response[str]:
        """The panel: framed by the site's origins, or on its own when hosted."""
        encoded = await self.states.find(key)
        if encoded is None:
            return self._missing(choose_language(wished, ENGLISH_FIRST))
        site = encoded.site
        language = choose_language(wished, site.languages)
        entry = self.assets.entry("widget")
        words = self.assets.find(f"widget/languages/{language}.json")
        if entry is None or words is None:
            return self._unbuilt(language)
        boot = Boot(
            language=language,
            hosted=hosted,
            origins=() if hosted else site.origins,
            max_file_bytes=self.max_file_bytes,
            state=_in_one_language(msgspec.json.decode(encoded.body, type=SiteState), language),
            words=msgspec.Raw(words.body),
        )
        policy = frame_policy(() if hosted else site.origins, self.settings.origins)
        body = _shell(entry, language, site.name, boot=_as_data(boot), robots="noindex")
        return _html(body, policy)

    def console(self, language: Language) -> Response[str]:
        """The console; the app itself finds out who is signed in."""
        entry = self.assets.entry("console")
        if entry is None:
            return self._unbuilt(language)
        installable = self.assets.find("console/manifest.webmanifest") is not None
        manifest = "/app/manifest.webmanifest" if installable else None
        boot = _as_data(ConsoleBoot(self.max_file_bytes))
        body = _shell(entry, language, "Balie", boot=boot, robots="noindex", manifest=manifest)
        return _html(body, console_policy(self.settings.origins))

    def home(self, language: Language) -> Response[str]:
        """Where to go from here."""
        texts = TEXTS[language]
        links = [{"url": "/app", "name": texts["console"], "about": texts["console_about"]}]
        if self.shop_url:
            shop = {"url": self.shop_url, "name": texts["shop"], "about": texts["shop_about"]}
            links.insert(0, shop)
        return _plain(language, texts["home"], texts["home_lead"], links=links)

    def _missing(self, language: Language) -> Response[str]:
        texts = TEXTS[language]
        return _plain(language, texts["missing"], texts["missing_lead"], status=404, framed=True)

    def _unbuilt(self, language: Language) -> Response[str]:
        texts = TEXTS[language]
        return _plain(language, texts["unbuilt"], texts["unbuilt_lead"], status=503)


Pages = NamedDependency[Screens]


def routes(screens: Screens) -> Router:
    """The routes of all pages and assets."""
    return Router(
        path="/",
        route_handlers=[
            show_home,
            show_console,
            show_widget,
            show_chat,
            send_launcher,
            send_icon,
            send_panel_script,
            send_asset,
        ],
        dependencies={"screens": Provide(lambda: screens, sync_to_thread=False)},
        include_in_schema=False,
    )


@get("/", opt=PUBLIC)
async def show_home(screens: Pages, request: AnyRequest) -> Response[str]:
    """The front page."""
    return screens.home(_wished(request))


@get(["/app", "/app/{path:path}"], opt=PUBLIC)
async def show_console(
    screens: Pages, request: AnyRequest, path: FromPath[str] = ""
) -> Response[str] | Response[bytes]:
    """The console at every address of its own, and the files that have lasting names there."""
    name = f"console{path}"
    if "." in path.rsplit("/", 1)[-1]:
        return _asset(screens, request, name)
    return screens.console(_wished(request))


@get("/widget/{key:str}", opt=PUBLIC)
async def show_widget(screens: Pages, request: AnyRequest, key: FromPath[str]) -> Response[str]:
    """The panel, for a frame on one of the site's pages."""
    return await screens.panel(key, _asked_language(request), hosted=False)


@get("/chat/{key:str}", opt=PUBLIC)
async def show_chat(screens: Pages, request: AnyRequest, key: FromPath[str]) -> Response[str]:
    """The chat by link alone."""
    return await screens.panel(key, _asked_language(request), hosted=True)


@get("/balie.js", opt=PUBLIC)
async def send_launcher(screens: Pages, request: AnyRequest) -> Response[bytes]:
    """The launcher."""
    return _asset(screens, request, "balie.js")


@get("/favicon.ico", opt=PUBLIC)
async def send_icon(screens: Pages, request: AnyRequest) -> Response[bytes]:
    """The mark, as a drawing; every browser that Balie runs in reads those."""
    return _asset(screens, request, "console/icon.svg")


@get("/balie-panel.js", opt=PUBLIC)
async def send_panel_script(screens: Pages, request: AnyRequest) -> Response[bytes]:
    """The launcher's second script; its address carries the hash of its content as `v`."""
    return _asset(screens, request, "balie-panel.js", versioned="v" in request.query_params)


@get("/assets/{path:path}", opt=PUBLIC)
async def send_asset(screens: Pages, request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
    """A file of a built app."""
    return _asset(screens, request, path.lstrip("/"))


def _asset(
    screens: Screens, request: AnyRequest, path: str, *, versioned: bool = False
) -> Response[bytes]:
    asset = screens.assets.find(path)
    if asset is None:
        raise NotFoundError("no such file")
    headers = request.headers
    return asset_response(
        asset,
        path,
        headers.get("accept-encoding", ""),
        headers.get("if-none-match"),
        versioned=versioned,
    )


def _wished(request: AnyRequest) -> Language:
    return choose_language(_asked_language(request), ENGLISH_FIRST)


def _asked_language(request: AnyRequest) -> str:
    """What the address asks for, then what the browser asks for."""
    asked = str(request.query_params.get("language", ""))[:35].replace(";", "")
    # Sorting by weight is stable, so what comes first of equal weight stays first.
    return f"{asked},{request.headers.get('accept-language', '')}"


def _in_one_language(state: SiteState, language: Language) -> SiteState:
    texts = {language: state.texts[language]} if language in state.texts else {}
    return msgspec.structs.replace(state, texts=texts)


def _as_data(boot: Boot | ConsoleBoot) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = msgspec.json.encode(boot).decode()
    return Markup(  # noqa: S704 - what HTML could mistake is escaped right here
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def _shell(entry: Entry, language: Language, title: str, **more: object) -> str:
    values = {"boot": None, "robots": None, "manifest": None} | more
    return (
        _templates()
        .get_template("shell.html")
        .render(
            entry=entry,
            language=language,
            title=title,
            noscript=TEXTS[language]["noscript"],
            **values,
        )
    )


def _plain(
    language: Language,
    heading: str,
    lead: str,
    *,
    links: list[dict[str, str]] | None = None,
    status: int = 200,
    framed: bool = False,
) -> Response[str]:
    style = _text_of("plain.css")
    body = (
        _templates()
        .get_template("plain.html")
        .render(
            language=language,
            title=f"{heading} · Balie",
            heading=heading,
            lead=lead,
            links=links or [],
            style=Markup(style),  # noqa: S704 - our own file
        )
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = console_policy(styles=[f"'sha256-{digest}'"])
    # A frame that cannot be filled says why, wherever it stands; there is nothing to click in it.
    return _html(
        body,
        policy.replace("frame-ancestors 'none'", "frame-ancestors *") if framed else policy,
        status,
    )


def _html(body: str, policy: str, status: int = 200) -> Response[str]:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return Response(body, media_type="text/html", status_code=status, headers=headers)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FunctionLoader(_text_of),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )


@cache
def _text_of(name: str) -> str:
    return files("balie.http").joinpath("pages", name).read_text("utf-8")
