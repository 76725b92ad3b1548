"""What the command line does, one function a command."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NoReturn, TypeVar

import msgspec

from balie.agents import setup
from balie.agents.commands import Link
from balie.agents.setup import Beginning, Begun, create_organisation_site_owner
from balie.app import data, founding, log, stopping
from balie.app.house import House
from balie.app.places import Place
from balie.app.server import Application, bind, serve
from balie.app.settings import Settings
from balie.app.stores import refuse_missing
from balie.app.supervisor import become
from balie.app.tracing import Tracing, configured
from balie.demo.shop import SHOP_NAME, shop_app
from balie.kernel.errors import ConflictError
from balie.store import migrations

T = TypeVar("T")

SHOP_HOST = "shop.localhost"


class DemoReady(msgspec.Struct, frozen=True):
    """What `balie demo --json` prints when it is ready to serve."""

    url: str
    shop_url: str
    console_url: str
    site_key: str
    agents: list[founding.Login]


def run_demo(settings: Settings, *, as_json: bool, workers: int = 1) -> None:
    """Serve Balie with a demo shop in it, until SIGTERM or SIGINT. Raises PortTakenError, DataError, and what
    `run_workers` raises."""
    log.configure(_quiet(settings))
    if workers > 1:
        _refuse_several(settings)
        ready = with_house(settings, partial(_prepare, settings), founding=True)
        _become_several(settings, workers, _announcement(ready, as_json=as_json))
    _hold(settings)
    with bind(settings.host, settings.port) as listener:
        _serve_demo(
            settings,
            listener,
            lambda ready: print(_announcement(ready, as_json=as_json), flush=True),
        )


def run_demo_worker(settings: Settings, place: Place) -> None:
    """Be one of several."""
    log.configure(_quiet(settings))
    settings = _as_worker(settings, place)
    with place.socket() as listener:
        _serve_demo(settings, listener, lambda _: place.say_ready(), line=place.line)


def _quiet(settings: Settings) -> str:
    return "warning" if settings.log_level == "info" else settings.log_level


async def _prepare(settings: Settings, house: House) -> DemoReady:
    demo = await founding.prepare_demo(house, SHOP_NAME, f"http://{_shop_host(settings)}")
    return _ready(settings, demo)


def _shop_host(settings: Settings) -> str:
    return f"{SHOP_HOST}:{settings.port}"


def _ready(settings: Settings, demo: founding.Demo) -> DemoReady:
    return DemoReady(
        url=settings.own_origin,
        shop_url=f"http://{_shop_host(settings)}",
        console_url=f"{settings.own_origin}/app",
        site_key=demo.site_key,
        agents=demo.agents,
    )


def _serve_demo(
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[DemoReady], None],
    line: int | None = None,
) -> None:
    shop_host = _shop_host(settings)

    async def main(house: House) -> None:
        if line is not None:
            stopping.when_closed(line)
        await house.open()
        demo = await founding.prepare_demo(house, SHOP_NAME, f"http://{shop_host}")
        shop = shop_app(
            balie_url=settings.own_origin,
            site_key=demo.site_key,
            sign_identity=lambda claims: founding.sign_identity(demo, claims),
        )
        application = Application(house, shop=shop, shop_host=shop_host)
        try:
            await serve(application, house, listener, lambda: ready(_ready(settings, demo)))
        finally:
            await house.close()
            stopping.finish()

    _run(main(open_house(settings, configured())))


def run_server(settings: Settings) -> None:
    """Serve Balie until SIGTERM or SIGINT. Raises PortTakenError, DataError."""
    log.configure(settings.log_level)
    _hold(settings)

    def ready() -> None:
        print(f"Balie serves on {settings.own_origin}", flush=True)

    with bind(settings.host, settings.port) as listener:
        _serve_until_told(settings, listener, ready)


def run_workers(settings: Settings, count: int) -> NoReturn:
    """Serve Balie with `count` processes, until SIGTERM or SIGINT; SIGHUP replaces them one after the other.
    Never returns. Raises ConflictError without PostgreSQL, PortTakenError, DataError, UnusableError."""
    _refuse_several(settings)
    log.configure(settings.log_level)
    # What stands in their way is said once, and before any of them starts.
    House(settings).store.driver.migrate()
    _become_several(settings, count, f"Balie serves on {settings.own_origin} with {count} workers")


def _refuse_several(settings: Settings) -> None:
    if not settings.database_url:
        raise ConflictError(
            "several workers need a database that they can share; set BALIE_DATABASE_URL to a PostgreSQL"
        )


def _become_several(settings: Settings, count: int, told: str) -> NoReturn:
    bind(settings.host, settings.port).close()
    listeners = [bind(settings.host, settings.port, shared=True) for _ in range(count)]
    command = [sys.executable, "-m", "balie.cli", *sys.argv[1:]]
    become([each.detach() for each in listeners], command, told)


def run_worker(settings: Settings, place: Place) -> None:
    """Be one of them."""
    log.configure(settings.log_level)
    settings = _as_worker(settings, place)
    with place.socket() as listener:
        _serve_until_told(settings, listener, place.say_ready, line=place.line)


def _as_worker(settings: Settings, place: Place) -> Settings:
    log.name_worker(place.number)
    if not settings.metrics_port:
        return settings
    return msgspec.structs.replace(settings, metrics_port=settings.metrics_port + place.number)


def _serve_until_told(
    settings: Settings, listener: socket.socket, ready: Callable[[], None], line: int | None = None
) -> None:
    async def main(house: House) -> None:
        if line is not None:
            stopping.when_closed(line)
        await house.open()
        try:
            await serve(Application(house), house, listener, ready)
        finally:
            await house.close()
            stopping.finish()

    _run(main(open_house(settings, configured())))


def _hold(settings: Settings) -> None:
    """Be the one server of a file; a database on a server has room for many."""
    if not settings.database_url:
        data.hold(data.prepare(settings.data_dir))


def open_house(settings: Settings, tracing: Tracing | None = None) -> House:
    """The rooms, over a store that has been brought up to date."""
    house = House(settings, tracing=tracing)
    house.store.driver.migrate()
    return house


def initialise(settings: Settings, wish: Beginning) -> Begun:
    """Make the first organisation, its site and its owner."""
    return with_house(
        settings,
        lambda house: create_organisation_site_owner(house.organisations, house.agents, wish),
        founding=True,
    )


def reset_password(settings: Settings, email: str) -> Link:
    """A one-time link with which somebody chooses another password."""
    return with_house(settings, lambda house: setup.reset_password(house.agents, email))


def migrate_store(settings: Settings, back_to: str | None = None) -> str:
    """Bring the store up to date, or `back_to` the revision of an older version, and say which it has. Raises
    ConflictError for a revision that it cannot go back to, DataError where a server runs on the file."""
    refuse_missing(settings)
    driver = House(settings).store.driver
    if back_to is None:
        return driver.migrate()
    if back_to not in migrations.revisions():
        raise ConflictError(
            f"{back_to} is no revision; there are {', '.join(migrations.revisions())}"
        )
    held = None if settings.database_url else data.hold(data.prepare(settings.data_dir))
    try:
        # Where the rooms are a role of their own, that may not change tables.
        return migrations.go_back(getattr(driver, "owner", driver.readers), back_to)
    finally:
        if held is not None:
            os.close(held)


def with_house(
    settings: Settings, work: Callable[[House], Awaitable[T]], *, founding: bool = False
) -> T:
    """Do something once with all rooms, beside a server that may be running. Raises DataError where there is
    no store, unless one is to be made."""
    log.configure("error")
    if not founding:
        refuse_missing(settings)
    house = open_house(settings)

    async def main() -> T:
        await house.open()
        try:
            return await work(house)
        finally:
            await house.close()

    return asyncio.run(main())


def _run(main: Any) -> None:
    # What start-up made lives as long as the process; looking at it again costs time at every collection.
    gc.freeze()
    # A batch of messages makes many objects and no rings; the usual 700 would have it looked for all the time.
    gc.set_threshold(20_000, 20, 10)
    # The writer's thread must get its turn soon, or every commit waits for the event loop.
    sys.setswitchinterval(0.0005)
    import uvloop  # noqa: PLC0415 - only a server needs it

    uvloop.run(main)


def _announcement(ready: DemoReady, *, as_json: bool) -> str:
    return msgspec.json.encode(ready).decode() if as_json else say_ready(ready)


def say_ready(ready: DemoReady) -> str:
    """What a newcomer needs: where to look, and who can sign in."""
    wide = max(len(one.email) for one in ready.agents)
    logins = "\n".join(f"    {one.email:<{wide}}   {one.password}" for one in ready.agents)
    return f"""
  Balie stands at the desk.

    The shop      {ready.shop_url}
    The console   {ready.console_url}

  Sign in as one of them; their passwords stand beside them.

{logins}

  Stop with Ctrl-C. Your conversations are kept.
"""
