"""What ends or begins at one of two processes is heard at the other."""

import asyncio
import time

import httpx
import pytest
from tests.pairs import SECOND, follow, running, until
from tests.people import Agent, fresh_id, visitor
from tests.places import Nats

from balie.realtime.protocol.frames import Close


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    nats = Nats()
    with running(tmp_path_factory.mktemp("hinted"), nats) as pair:
        yield pair
    nats.stop()


@pytest.fixture
async def tom(pair):
    agent = await Agent(pair.second, pair.second.logins[0]).sign_in()
    yield agent
    await agent.leave()


async def test_an_erasure_here_is_heard_there(pair, tom):
    console = await tom.console()
    talker = await visitor(pair.second).open()
    conversation = (await talker.post("wis mij"))["conversation"]
    await follow(console, conversation)
    owner = await Agent(pair.first, pair.first.logins[0]).sign_in()
    began = time.monotonic()
    answer = await owner.http.put(f"/api/v1/visitors/{talker.welcome['visitor']['id']}/erasure")
    assert answer.status_code == 200, answer.text
    gone = await console.expect("gone", within=2)
    assert gone["conversations"] in ([conversation], [])
    assert await talker.expect_close() == Close.UNAUTHORISED
    assert time.monotonic() - began < 2
    assert (await tom.http.get(f"/api/v1/conversations/{conversation}")).status_code == 404
    for each in (console, owner):
        await each.close() if each is console else await each.leave()


async def test_a_post_of_who_signed_out_is_refused_there_as_here(pair):
    origin = {"Origin": pair.first.url}
    agent = await Agent(pair.first, pair.first.logins[1]).sign_in()
    ticket = (await agent.http.post("/api/v1/socket-tickets")).json()["ticket"]
    cookies = dict(agent.http.cookies.items())

    def door(demo):
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{demo.port}", headers=origin, cookies=cookies, timeout=10
        )

    async with door(pair.first) as here, door(pair.second) as there:
        hello = {"type": "hello", "ticket": ticket}
        async with here.stream("POST", "/sse/agent", json=hello) as stream:
            lines = stream.aiter_lines()
            session = None
            async for line in lines:
                if '"welcome"' in line:
                    session = line.partition('"session":"')[2].partition('"')[0]
                    break
            path = f"/sse/sessions/{session}"
            alive = [{"type": "alive", "awake": True}]
            async with asyncio.timeout(2):
                while (await there.post(path, json=alive)).status_code != 202:
                    pass
            assert (await here.delete("/api/v1/session")).status_code == 204
            told = [(await each.post(path, json=alive)).status_code for each in (there, here)]
            assert told == [404, 404]
    await agent.leave()


async def test_a_conversation_that_went_on_here_before_it_was_heard_of_is_announced_here(pair, tom):
    first = await visitor(pair.first).open()
    tab = await visitor(pair.second, first.welcome["visitor"]["token"]).open()
    for _ in range(15):
        begun = (await first.post("nieuw", None))["conversation"]
        path = f"/api/v1/conversations/{begun}/messages"
        answers = await asyncio.gather(
            *(
                tom.http.post(path, json={"client_message_id": fresh_id(), "text": f"antwoord {n}"})
                for n in range(4)
            )
        )
        assert {each.status_code for each in answers} == {200}
        await until(lambda begun=begun: begun in announced(tab), within=2 * SECOND)
    for end in (first, tab):
        await end.close()


def announced(tab):
    return {frame["conversation"]["id"] for frame in tab.heard if frame["type"] == "conversation"}
