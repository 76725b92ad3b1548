"""The web server put together: every room's API behind one gate, pages, assets, health."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from litestar import Litestar, Response, get
from litestar.di import NamedDependency, Provide
from litestar.types import ControllerRouterHandler

from balie.agents import api as agents_api
from balie.agents.room import AgentRoom
from balie.edge.auth import Authenticator, Gate, cookie_name, current_agent, current_visitor
from balie.edge.cross_origin import Pages
from balie.edge.policy import Policy, route_policies
from balie.edge.ports import Ports
from balie.edge.problem import EXCEPTION_HANDLERS
from balie.edge.security_headers import SecurityHeaders
from balie.edge.settings import EdgeSettings
from balie.http import openapi, screens
from balie.http.assets import Assets
from balie.kernel.errors import UnavailableError
from balie.organisations import api as organisations_api
from balie.organisations.commands import OrganisationCommands

BODY_LIMIT = 64 * 1024
STATIC = Path(__file__).parent.parent / "static"

METRICS_TYPE = "text/plain; version=0.0.4"
"""Prometheus' text format, which every reader of it takes."""

Lifespan = Callable[[], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class HttpDeps:
    """What the web server is made of. `routers` and `authenticators` are those of further rooms;
    `is_ready` says whether the store can be used."""

    ports: Ports
    settings: EdgeSettings
    organisations: OrganisationCommands
    agents: AgentRoom
    is_ready: Callable[[], Awaitable[bool]]
    metrics: Callable[[], bytes]
    pages: Pages | None = None
    routers: Sequence[ControllerRouterHandler] = ()
    authenticators: Sequence[Authenticator] = ()
    dependencies: dict[str, Provide] = field(default_factory=dict)
    shop_url: str | None = None
    max_file_bytes: int
    static: Path = STATIC
    on_startup: Sequence[Lifespan] = ()
    on_shutdown: Sequence[Lifespan] = ()


def build_http(deps: HttpDeps) -> Litestar:
    """The web server. Raises UndeclaredError when any route has no policy."""
    renderer = openapi.Renderer()
    shown = screens.Screens(
        deps.settings,
        Assets(deps.static),
        deps.agents.states,
        max_file_bytes=deps.max_file_bytes,
        shop_url=deps.shop_url,
    )
    app = Litestar(
        route_handlers=[
            organisations_api.routes(deps.ports, deps.organisations),
            *agents_api.routes(deps.agents),
            screens.routes(shown),
            healthz,
            readyz,
            metrics,
            *deps.routers,
        ],
        guards=[Gate(deps.settings, [*deps.authenticators, deps.agents.sign_in], deps.pages)],
        dependencies={
            "actor": Provide(current_agent),
            "visitor": Provide(current_visitor),
            "is_ready": Provide(lambda: deps.is_ready, sync_to_thread=False),
            "figures": Provide(deps.metrics, sync_to_thread=False),
            **deps.dependencies,
        },
        exception_handlers=EXCEPTION_HANDLERS,
        before_send=[SecurityHeaders(deps.settings, deps.pages)],
        request_max_body_size=BODY_LIMIT,
        openapi_config=openapi.config(renderer, version("balie")),
        on_startup=list(deps.on_startup),
        on_shutdown=list(deps.on_shutdown),
        debug=False,
        logging_config=None,
    )
    renderer.describe(route_policies(app.routes), cookie_name(deps.settings))
    return app


@get("/healthz", opt={"policy": Policy.PUBLIC}, include_in_schema=False)
async def healthz() -> Response[str]:
    """The process answers."""
    return Response("ok", media_type="text/plain", headers={"Cache-Control": "no-store"})


@get("/readyz", opt={"policy": Policy.PUBLIC}, include_in_schema=False)
async def readyz(is_ready: NamedDependency[Callable[[], Awaitable[bool]]]) -> Response[str]:
    """The process can do its work."""
    if not await is_ready():
        raise UnavailableError("not ready to work")
    return Response("ready", media_type="text/plain", headers={"Cache-Control": "no-store"})


@get("/metrics", opt={"policy": Policy.OPERATOR}, include_in_schema=False)
async def metrics(figures: NamedDependency[bytes]) -> Response[bytes]:
    """This process in figures, for Prometheus."""
    return Response(figures, media_type=METRICS_TYPE, headers={"Cache-Control": "no-store"})
