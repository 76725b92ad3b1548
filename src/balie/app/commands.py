"""What the command line does, one function a command."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from balie.agents import setup
from balie.agents.commands import Link
from balie.agents.setup import Beginning, Begun, create_organisation_site_owner
from balie.app import data, founding, log, stopping
from balie.app.house import House
from balie.app.server import Application, bind, serve
from balie.app.settings import Settings
from balie.app.stores import refuse_missing
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


def run_demo(settings: Settings, *, as_json: bool) -> None:
    """Serve Balie with a demo shop in it, until SIGTERM or SIGINT. Raises PortTakenError, DataError."""
    log.configure("warning" if settings.log_level == "info" else settings.log_level)
    _hold(settings)
    shop_host = f"{SHOP_HOST}:{settings.port}"

    async def main(house: House, listener: socket.socket) -> None:
        await house.open()
        demo = await founding.prepare_demo(house, SHOP_NAME, f"http://{shop_host}")
        shop = shop_app(
            balie_url=settings.own_origin,
            site_key=demo.site_key,
            sign_identity=lambda claims: founding.sign_identity(demo, claims),
        )
        application = Application(house, shop=shop, shop_host=shop_host)
        ready = DemoReady(
            url=settings.own_origin,
            shop_url=f"http://{shop_host}",
            console_url=f"{settings.own_origin}/app",
            site_key=demo.site_key,
            agents=demo.agents,
        )
        try:
            await serve(application, house, listener, lambda: _announce(ready, as_json=as_json))
        finally:
            await house.close()
            stopping.finish()

    with bind(settings.host, settings.port) as listener:
        _run(main(open_house(settings, configured()), listener))


def run_server(settings: Settings) -> None:
    """Serve Balie until SIGTERM or SIGINT. Raises PortTakenError, DataError."""
    log.configure(settings.log_level)
    _hold(settings)

    async def main(house: House, listener: socket.socket) -> None:
        await house.open()
        try:
            await serve(
                Application(house),
                house,
                listener,
                lambda: print(f"Balie serves on {settings.own_origin}", flush=True),
            )
        finally:
            await house.close()
            stopping.finish()

    with bind(settings.host, settings.port) as listener:
        _run(main(open_house(settings, configured()), listener))


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


def _announce(ready: DemoReady, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(ready).decode(), flush=True)
        return
    print(say_ready(ready), flush=True)


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
