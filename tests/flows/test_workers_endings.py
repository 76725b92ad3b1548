"""What ends or begins at one of two processes is heard at the other."""

import asyncio
import time

import httpx
import pytest
from tests.pairs import SECOND, TOKEN, follow, running, texts, until
from tests.people import Agent, fresh_id, visitor
from tests.places import Nats

from balie.realtime.protocol.frames import Close


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    nats = Nats()
    with running(tmp_path_factory.mktemp("hinted"), nats) as pair:
        pair.nats = nats
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


@pytest.mark.long
async def test_twenty_sessions_that_end_here_end_there_within_a_second(pair, record_property):
    talker = await visitor(pair.first).open()
    conversation = (await talker.post("met een bijlage"))["conversation"]
    file = await attached(pair, talker, conversation)
    took = {"socket": [], "REST": [], "file": []}
    for _ in range(20):
        agent = await Agent(pair.second, pair.second.logins[1]).sign_in()
        console = await agent.console()
        there = Agent(pair.first, pair.first.logins[1])
        there.http.cookies = agent.http.cookies
        assert (await agent.http.get(file)).status_code == 200
        began = time.monotonic()
        assert (await there.http.delete("/api/v1/session")).status_code == 204
        for kind, path in (("REST", "/api/v1/session"), ("file", file)):
            assert (await agent.http.get(path)).status_code == 401
            took[kind].append(time.monotonic() - began)
        assert await console.expect_close() == Close.UNAUTHORISED
        took["socket"].append(time.monotonic() - began)
        for each in (agent, there):
            await each.leave()
    await talker.close()
    for kind, seconds in took.items():
        seconds.sort()
        record_property(kind, f"half {seconds[10]:.3f} s, last {seconds[-1]:.3f} s")
        assert seconds[-1] < SECOND, f"{kind}: the last after {seconds[-1]:.3f} s"


async def attached(pair, talker, conversation):
    """The path of a file in a conversation."""
    bearer = {
        "Authorization": f"Bearer {talker.welcome['visitor']['token']}",
        "Origin": pair.first.url,
    }
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pair.first.port}") as http:
        what = {"X-File-Name": "bon.txt", "Content-Type": "text/plain"}
        brought = await http.post("/api/v1/files", content=b"bon", headers=bearer | what)
        assert brought.status_code == 201, brought.text
        said = {"client_message_id": fresh_id(), "conversation": conversation}
        said |= {"text": "", "files": [brought.json()["id"]]}
        posted = await http.post("/api/v1/visitor/messages", json=said, headers=bearer)
        assert posted.status_code == 200, posted.text
    return f"/api/v1/files/{brought.json()['id']}"


async def test_whether_nats_is_there_is_told(pair):
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    async def told(wanted):
        async with asyncio.timeout(15):
            while f"balie_hints_connected {wanted}" not in (await http.get("/metrics")).text:
                pass

    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{pair.first.port}", headers=bearer
    ) as http:
        await told(1.0)
        pair.nats.stop()
        await told(0.0)
        pair.nats.start()
        await told(1.0)


@pytest.mark.long
async def test_what_a_message_takes_while_nats_is_away(pair, tom, record_property):
    console = await tom.console()
    talker = await visitor(pair.first).open()
    conversation = (await talker.post("eerst"))["conversation"]
    await follow(console, conversation)
    spans = {}
    for how in ("with", "without"):
        if how == "without":
            pair.nats.stop()
            await asyncio.sleep(1)
        seconds = []
        for number in range(40):
            text = f"{how} {number}"
            await talker.post(text, conversation)
            seconds.append(
                await until(lambda text=text: text in texts(console, conversation), step=0.002)
            )
            await asyncio.sleep(0.013 * (number % 19))
        spans[how] = sorted(seconds)
    pair.nats.start()
    for how, seconds in spans.items():
        record_property(f"{how} NATS", f"half {seconds[20]:.3f} s, last {seconds[-1]:.3f} s")
    assert spans["without"][-1] < SECOND
    for end in (console, talker):
        await end.close()
