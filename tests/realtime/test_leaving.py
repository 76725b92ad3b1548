"""Who has left is forgotten at once, and not when the garbage collector comes by."""

import asyncio
import gc
from collections import Counter

import httpx
import pytest
import uvicorn
from tests.people import Talker, fresh_id
from tests.town import open_town
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from balie.app.patience import PatientProtocol
from balie.realtime.protocol.session import Session
from balie.realtime.visitor import VisitorConnection
from balie.realtime.ws import Socket, _Protocol


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


@pytest.fixture
async def address(town):
    """Where the town is on a real network."""
    config = uvicorn.Config(town.application, ws=town.application.sockets)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0
    )
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def kept():
    kinds = (PatientProtocol, RequestResponseCycle, Socket, _Protocol, Session, VisitorConnection)
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, kinds))


async def says_goodbye(one):
    await one.close()


async def breaks_off(one):
    one._socket.transport.abort()


async def is_sent_away(one):
    await one.expect_close()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("leave", [says_goodbye, breaks_off, is_sent_away])
async def test_nothing_of_a_connection_outlives_it(town, address, leave, monkeypatch):
    monkeypatch.setattr("balie.realtime.visitor.GONE_AFTER", 0.1)
    side, before = town.sides["noord"], kept()
    hello = {"type": "hello", "site": side.site.key, "token": side.visitors["eva"]}
    came = [
        await Talker(f"ws://{address}/ws/visitor", {"Origin": town.origin}, hello).open()
        for _ in range(3)
    ]
    for one in came:
        await one.post("hallo", conversation=side.conversation)
    assert kept() - before == Counter(Socket=3, _Protocol=3, Session=3, VisitorConnection=3)
    if leave is is_sent_away:
        end_all(town)
    for one in came:
        await leave(one)
    await say_more(town, side)
    async with asyncio.timeout(10):
        while kept() - before:  # noqa: ASYNC110 - nobody tells of what is forgotten
            await asyncio.sleep(0.05)
    for one in came:
        await one.close()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/api/v1/session"])
async def test_nothing_of_a_request_outlives_its_connection(address, path):
    before = kept()
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        for _ in range(3):
            await client.get(path)
        assert kept() - before == Counter(PatientProtocol=1, RequestResponseCycle=1)
    async with asyncio.timeout(10):
        while kept() - before:  # noqa: ASYNC110 - nobody tells of what is forgotten
            await asyncio.sleep(0.05)


def end_all(town):
    for socket in tuple(town.application.sockets.sockets):
        socket.end(1012, "restarting")


async def say_more(town, side):
    """The writer keeps its last batch until the next."""
    mo = town.browser(Authorization=f"Bearer {side.visitors['mo']}")
    said = {"client_message_id": fresh_id(), "text": "hoi"}
    assert (await mo.post("/api/v1/visitor/messages", json=said)).status_code == 200
    await asyncio.sleep(0)
