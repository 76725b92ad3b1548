"""How many connections one address and one visitor may have, tried on real sockets and streams."""

import json

import httpx
import pytest
from tests.raw import Raw

SLOW = 1013

pytestmark = pytest.mark.one_process("each worker counts the seats that it has itself")

SETTINGS = {"BALIE_CONNECTIONS_PER_ADDRESS": "4", "BALIE_CONNECTIONS_PER_VISITOR": "2"}


async def knock(demo, token=None):
    """A socket, and what the server says first; None when it closes."""
    socket = await Raw(demo.port, "visitor", {"Origin": demo.shop}).open()
    await socket.send({"type": "hello", "site": demo.site, "token": token})
    return socket, await socket.hear()


async def test_an_address_has_its_share_and_one_that_leaves_makes_room(demo):
    inside = [await knock(demo) for _ in range(4)]
    assert [welcome["type"] for _, welcome in inside] == ["welcome"] * 4
    turned_away, nothing = await knock(demo)
    assert nothing is None
    assert turned_away.closed_with == SLOW
    hello = json.dumps({"type": "hello", "site": demo.site})
    async with httpx.AsyncClient(base_url=demo.url, headers={"Origin": demo.shop}) as client:
        answer = await client.post("/sse/visitor", content=hello)
    assert answer.status_code == 429
    assert answer.json()["code"] == "rate_limited"
    for socket, _ in (*inside, (turned_away, None)):
        await socket.close()
    again, welcome = await knock(demo)
    assert welcome["type"] == "welcome"
    await again.close()


async def test_a_visitor_has_his_share(demo):
    first, welcome = await knock(demo)
    token = welcome["visitor"]["token"]
    second, welcome = await knock(demo, token)
    assert welcome["type"] == "welcome"
    third, nothing = await knock(demo, token)
    assert nothing is None
    assert third.closed_with == SLOW
    for socket in (first, second, third):
        await socket.close()
