"""Two processes over one PostgreSQL: who talks to one hears who talks to the other, with NATS and without."""

import asyncio
import json
import os
import signal
import time

import httpx
import pytest
from tests.pairs import SECOND, follow, running, texts, until
from tests.people import Agent, Talker, fresh_id, visitor
from tests.places import Nats, cluster


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    with running(tmp_path_factory.mktemp("plain")) as pair:
        yield pair


@pytest.fixture(scope="module")
def hinted(tmp_path_factory):
    nats = Nats()
    with running(tmp_path_factory.mktemp("hinted"), nats) as pair:
        pair.nats = nats
        yield pair
    nats.stop()


@pytest.fixture(params=[pytest.param("plain", marks=pytest.mark.long), "hinted"])
def pair(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
async def tom(pair):
    agent = await Agent(pair.second, pair.second.logins[0]).sign_in()
    yield agent
    await agent.leave()


async def test_they_talk_across(pair, tom):
    console = await tom.console()
    talker = await visitor(pair.first).open()
    ack = await talker.post("hallo")
    conversation = ack["conversation"]
    row = await console.expect("inbox")
    assert [each["id"] for each in row["rows"]] == [conversation]
    await follow(console, conversation)
    for number in range(5):
        await talker.post(f"vraag {number}", conversation)
        await console.post(f"antwoord {number}", conversation)
    said = [f"{word} {number}" for number in range(5) for word in ("vraag", "antwoord")]
    await until(lambda: len(texts(console, conversation)) >= 6)
    await until(lambda: len(texts(talker, conversation)) >= 5)
    page = await tom.http.get(f"/api/v1/conversations/{conversation}/events?after=0")
    stored = [e["data"]["text"] for e in page.json()["data"] if e["type"] == "message.posted"]
    assert stored == ["hallo", *said]
    for end in (talker, console):
        await end.close()


async def test_they_talk_across_without_nats(plain):
    tom = await Agent(plain.second, plain.second.logins[0]).sign_in()
    await test_they_talk_across(plain, tom)
    await tom.leave()


async def test_nobodys_long_transaction_makes_them_deaf(plain):
    tom = await Agent(plain.second, plain.second.logins[0]).sign_in()
    with cluster().connect() as stranger, stranger.transaction():
        # In another database of the same server; it writes, and does not end.
        stranger.execute("SELECT pg_current_xact_id()")
        console = await tom.console()
        talker = await visitor(plain.first).open()
        conversation = (await talker.post("hallo"))["conversation"]
        await console.expect("inbox", within=SECOND)
        await follow(console, conversation)
        await talker.post("nog iets", conversation)
        await until(lambda: "nog iets" in texts(console, conversation))
        await talker.send({"type": "typing", "conversation": conversation, "on": True})
        await console.expect("typing", within=SECOND, conversation=conversation, on=True)
        await desk(plain, "here")
    for end in (talker, console):
        await end.close()
    await tom.leave()


async def test_soft_things_cross_too(pair, tom):
    console = await tom.console()
    talker = await visitor(pair.first).open()
    conversation = (await talker.post("hallo"))["conversation"]
    await follow(console, conversation)
    await talker.send({"type": "typing", "conversation": conversation, "on": True})
    await console.expect("typing", within=SECOND, conversation=conversation, on=True)
    said = await console.post("dag", conversation)
    await talker.expect("events", conversation=conversation)
    mark = {"delivered": said["seq"], "read": said["seq"]}
    await talker.send({"type": "mark", "conversation": conversation, **mark})
    await console.expect("receipt", within=SECOND, by="visitor", **mark)
    await talker.close()
    gone = {"visitors": {conversation: False}}
    await console.expect("presence", within=12, **gone)
    await console.close()


async def test_the_desk_is_one(pair, tom):
    talker = await visitor(pair.first).open()
    console = await tom.console()
    await talker.expect("presence", within=2, desk=await desk(pair, "here"))
    await console.close()
    await talker.expect("presence", within=2, desk=await desk(pair, "away"))
    await talker.close()


async def desk(pair, state):
    """What the launcher of the first says, once it says so."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pair.first.port}") as http:
        async with asyncio.timeout(3):
            while True:
                told = (await http.get(f"/api/v1/sites/{pair.first.site}/state")).json()["desk"]
                if told["state"] == state:
                    return told
                await asyncio.sleep(0.05)


async def test_a_session_that_ends_here_ends_there(pair):
    agent = await Agent(pair.second, pair.second.logins[1]).sign_in()
    console = await agent.console()
    there = Agent(pair.first, pair.first.logins[1])
    there.http.cookies = agent.http.cookies
    began = time.monotonic()
    assert (await there.http.delete("/api/v1/session")).status_code == 204
    assert await console.expect_close() == 4401
    assert time.monotonic() - began < SECOND
    assert (await agent.http.get("/api/v1/session")).status_code == 401
    for each in (agent, there):
        await each.leave()


async def test_a_ticket_opens_one_socket_of_both(pair, tom):
    cookies = "; ".join(f"{name}={value}" for name, value in tom.http.cookies.items())
    ticket = (await tom.http.post("/api/v1/socket-tickets")).json()["ticket"]

    def line(demo):
        headers = {"Origin": demo.url, "Cookie": cookies}
        hello = {"type": "hello", "ticket": ticket}
        return Talker(f"ws://127.0.0.1:{demo.port}/ws/agent", headers, hello)

    opened = await asyncio.gather(
        line(pair.first).open(), line(pair.second).open(), return_exceptions=True
    )
    assert sum(isinstance(each, Talker) for each in opened) == 1
    for each in opened:
        if isinstance(each, Talker):
            await each.close()


async def test_one_message_sent_to_both_is_one(pair):
    talker = await visitor(pair.first).open()
    token = talker.welcome["visitor"]["token"]
    twin = await visitor(pair.second, token).open()
    conversation = (await talker.post("eerst"))["conversation"]
    for number in range(20):
        key = fresh_id()
        acks = await asyncio.gather(
            talker.post(f"bericht {number}", conversation, key),
            twin.post(f"bericht {number}", conversation, key),
        )
        assert acks[0]["seq"] == acks[1]["seq"]
    # Two first messages with one id are one conversation.
    key = fresh_id()
    acks = await asyncio.gather(talker.post("samen", None, key), twin.post("samen", None, key))
    assert acks[0]["conversation"] == acks[1]["conversation"]
    for end in (talker, twin):
        await end.close()


async def test_one_of_many_who_take_a_conversation_has_it(pair, tom):
    talker = await visitor(pair.first).open()
    other = await Agent(pair.first, pair.first.logins[1]).sign_in()
    for _ in range(10):
        conversation = (await talker.post("wie", None))["conversation"]
        path = f"/api/v1/conversations/{conversation}/assignment"
        taken = await asyncio.gather(
            *(each.http.put(path, json={}) for each in (tom, other) for _ in range(5))
        )
        codes = [answer.status_code for answer in taken]
        # Whoever has it may take it again; the other has none of it.
        assert sorted((set(codes[:5]), set(codes[5:])), key=max) == [{200}, {409}]
    await talker.close()
    await other.leave()


async def test_tries_to_sign_in_are_counted_together(plain):
    codes = []
    for number in range(12):
        demo = (plain.first, plain.second)[number % 2]
        agent = Agent(demo, {"email": "niemand@voorbeeld.example", "password": "fout fout fout"})
        answer = await agent.http.post("/api/v1/session", json=agent._login)
        codes.append(answer.status_code)
        await agent.leave()
    assert codes.count(401) == 5
    assert set(codes[5:]) == {429}


async def test_nats_goes_and_comes_unseen(hinted):
    agent = await Agent(hinted.second, hinted.second.logins[0]).sign_in()
    console = await agent.console()
    talker = await visitor(hinted.first).open()
    conversation = (await talker.post("eerst"))["conversation"]
    await follow(console, conversation)
    slowest, said = 0.0, 0

    async def say(count):
        nonlocal slowest, said
        for _ in range(count):
            said += 1
            text = f"bericht {said}"
            await talker.post(text, conversation)
            slowest = max(slowest, await until(lambda t=text: t in texts(console, conversation)))

    await say(5)
    hinted.nats.stop()
    await say(5)
    hinted.nats.start()
    await say(5)
    os.kill(hinted.nats.process.pid, signal.SIGSTOP)
    await say(5)
    os.kill(hinted.nats.process.pid, signal.SIGCONT)
    await say(5)
    assert slowest < SECOND
    heard = texts(console, conversation)
    assert heard == [f"bericht {number}" for number in range(1, said + 1)]
    for end in (talker, console):
        await end.close()
    await agent.leave()


@pytest.mark.long
async def test_a_killed_process_is_missed(tmp_path):
    with running(tmp_path) as pair:
        agent = await Agent(pair.second, pair.second.logins[0]).sign_in()
        await agent.console()
        assert (await desk(pair, "here"))["state"] == "here"
        pair.second.kill()
        began = time.monotonic()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pair.first.port}") as http:
            path = f"/api/v1/sites/{pair.first.site}/state"
            while (await http.get(path)).json()["desk"]["state"] != "away":
                assert time.monotonic() - began < 45
                await asyncio.sleep(0.5)
        await agent.leave()


async def test_a_post_reaches_its_stream_whichever_process_it_comes_to(pair):
    # The one that started last is where the shop is.
    page = {"Origin": pair.second.shop}

    def door(demo):
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}", headers=page, timeout=10)

    async with door(pair.first) as here, door(pair.second) as there:
        hello = {"type": "hello", "site": pair.first.site}
        async with here.stream("POST", "/sse/visitor", json=hello) as stream:
            frames = frames_of(stream)
            welcome = await anext(frames)
            path = f"/sse/sessions/{welcome['session']}"
            bearer = {"Authorization": f"Bearer {welcome['visitor']['token']}"}
            said = {"type": "post", "conversation": None, "client_message_id": fresh_id()}
            first = [said | {"text": "daar"}]
            async with asyncio.timeout(2):
                # Two who have just started hear of each other within moments.
                while (await there.post(path, json=first, headers=bearer)).status_code == 404:
                    pass
            async with asyncio.timeout(SECOND):
                ack = await anext(frames)
            assert (ack["type"], ack["client_message_id"]) == ("ack", said["client_message_id"])
            # Somebody else's post is not taken, wherever it comes to.
            other = await visitor(pair.second).open()
            theirs = {"Authorization": f"Bearer {other.welcome['visitor']['token']}"}
            forged = said | {"client_message_id": fresh_id(), "text": "niet ik"}
            await there.post(path, json=[forged], headers=theirs)
            mine = said | {"client_message_id": fresh_id(), "conversation": ack["conversation"]}
            await there.post(path, json=[mine | {"text": "wel ik"}], headers=bearer)
            async with asyncio.timeout(SECOND):
                second = await anext(frames)
            assert (second["type"], second["seq"]) == ("ack", ack["seq"] + 1)
            await other.close()
        unknown = await there.post("/sse/sessions/" + "0" * 48, json=[said], headers=bearer)
        assert unknown.status_code == 404


async def frames_of(stream):
    """The frames of a stream, one by one."""
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            told = json.loads(line[6:])
            for each in told if isinstance(told, list) else [told]:
                if each["type"] in ("welcome", "ack", "error"):
                    yield each
