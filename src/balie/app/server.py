"""The process: rooms, doors, and one port for them all."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import structlog
import uvicorn
from litestar import Litestar

from balie.app import mirror, stopping
from balie.app.house import House, clock
from balie.app.metrics import Metrics
from balie.app.patience import PatientProtocol
from balie.app.side_door import SideDoor
from balie.app.tracing import TracedApplication
from balie.app.upkeep import Upkeep
from balie.contacts import api as contacts_api
from balie.contacts.auth import VisitorAuthenticator
from balie.conversations import api as conversations_api
from balie.http.routes import HttpDeps, build_http
from balie.http.tally import HttpTally
from balie.kernel.errors import BalieError
from balie.realtime.protocol.frames import Close, Draining
from balie.realtime.protocol.session import encode
from balie.realtime.sse import StreamDoor
from balie.realtime.ws import SocketDoor

log = structlog.get_logger("balie.app")

DRAIN_MS = 2_000


class PortTakenError(RuntimeError):
    """Somebody else listens there."""


class Application:
    """Balie as one ASGI application, the shop of the demo by its host included, and the door for sockets."""

    def __init__(self, house: House, *, shop: Any = None, shop_host: str | None = None) -> None:
        self.house = house
        shop_url = f"http://{shop_host}" if shop_host else None
        self.http = _http(house, shop_url, self._figures)
        self._counted = HttpTally(self.http)
        self._served: Any = self._counted
        if house.tracing is not None:
            self._served = TracedApplication(self._counted, house.tracing)
        services = house.live_services()
        self.metrics = Metrics(house, services.tally, self._counted)
        self.sockets = SocketDoor(services)
        self._streams = StreamDoor(services)
        self._shop = shop
        self._shop_host = shop_host.partition(":")[0].encode() if shop_host else None

    def _figures(self) -> bytes:
        return self.metrics.text()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._shop is not None and self._is_for_shop(scope):
            await self._shop(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith("/sse/"):
            await self._streams(scope, receive, send)
        else:
            await self._served(scope, receive, send)

    def _is_for_shop(self, scope: Any) -> bool:
        if scope["type"] != "http":
            return False
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return bool(host.partition(b":")[0] == self._shop_host)


def _http(house: House, shop_url: str | None, metrics: Callable[[], bytes]) -> Litestar:
    return build_http(
        HttpDeps(
            ports=house.ports,
            settings=house.edge,
            organisations=house.organisations,
            agents=house.agents,
            pages=house.pages,
            is_ready=lambda: is_ready(house),
            metrics=metrics,
            routers=[
                conversations_api.routes(house.conversation_services()),
                contacts_api.routes(house.erasing),
                mirror.route(house.secret, house.edge),
            ],
            authenticators=[VisitorAuthenticator(house.store, house.secret, clock)],
            shop_url=shop_url,
            max_file_bytes=house.settings.max_file_bytes,
        )
    )


async def is_ready(house: House) -> bool:
    """Whether what is written now would be on disk."""
    try:
        await house.store.probe()
    except BalieError:
        return False
    return True


def bind(
    host: str, port: int, *, chosen_by: str = "--port or PORT=", shared: bool = False
) -> socket.socket:
    """A listening socket; `shared` with others of this user. Raises PortTakenError, in plain words, when the
    port is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
        # Listening at once makes a second start fail here, not later.
        listener.listen(2_048)
    except OSError as error:
        listener.close()
        raise PortTakenError(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another with"
            f" {chosen_by}"
        ) from None
    listener.set_inheritable(True)
    return listener


class Server(uvicorn.Server):
    """uvicorn, told to say goodbye: clients hear `draining` before their sockets close."""

    def __init__(self, config: uvicorn.Config, house: House, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._house = house
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal, and leave no other trace of it: a stop that was asked for is a success.

        Nor does a second one, while the store is being closed: the handlers stay as long as the loop.
        """
        loop = asyncio.get_running_loop()
        for each in stopping.SIGNALS:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        stopping.begin()
        await self._say_goodbye()
        await super().shutdown(sockets)

    async def _say_goodbye(self) -> None:
        hub = self._house.hub
        hub.broadcast(encode(Draining(DRAIN_MS)))
        for listener in hub.everyone():
            listener.end(Close.RESTART, "restarting")
        await asyncio.sleep(0.05)


async def serve(
    application: Application, house: House, listener: socket.socket, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=PatientProtocol,
        # Any callable that makes a protocol will do.
        ws=application.sockets,  # type: ignore[arg-type]
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = Server(config, house, ready)
    upkeep = Upkeep(house)
    async with _measured(application, house):
        await upkeep.start()
        try:
            await server.serve(sockets=[listener])
        finally:
            await upkeep.stop()


@contextlib.asynccontextmanager
async def _measured(application: Application, house: House) -> AsyncIterator[None]:
    """Look at the event loop meanwhile, and answer at the second port where there is one."""
    watch = asyncio.get_running_loop().create_task(application.metrics.watch())
    side_door = _open_side_door(application, house)
    try:
        yield
    finally:
        watch.cancel()
        if side_door is not None:
            await side_door.close()


def _open_side_door(application: Application, house: House) -> SideDoor | None:
    if not house.settings.metrics_port:
        return None

    async def metrics() -> tuple[int, bytes]:
        return 200, application.metrics.text()

    async def healthz() -> tuple[int, bytes]:
        return 200, b"ok"

    async def readyz() -> tuple[int, bytes]:
        return (200, b"ready") if await is_ready(house) else (503, b"not ready to work")

    settings = house.settings
    listener = bind(settings.metrics_host, settings.metrics_port, chosen_by="BALIE_METRICS_PORT")
    return SideDoor(listener, {"/metrics": metrics, "/healthz": healthz, "/readyz": readyz})
