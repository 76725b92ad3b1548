"""Without sockets: the same talk over server-sent events and posts."""

import asyncio
import json

import httpx
import pytest
from tests.people import Agent, fresh_id, visitor

DATABASES = ("sqlite", "postgresql")


@pytest.fixture
def demo(own_demo):
    """Each test has a demo of its own."""
    return own_demo


class Streamer:
    """A visitor behind a network that blocks sockets."""

    def __init__(self, demo):
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{demo.port}", headers={"Origin": demo.url}, timeout=10
        )
        self.hello = {"type": "hello", "site": demo.site}
        self.heard = asyncio.Queue()
        self.closed = None

    async def listen(self):
        async with self.http.stream("POST", "/sse/visitor", json=self.hello) as answer:
            assert answer.status_code == 200
            kind = "message"
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    told = json.loads(line[6:])
                    if kind == "close":
                        self.closed = told["code"]
                        continue
                    for frame in told if isinstance(told, list) else [told]:
                        self.heard.put_nowait(frame)

    async def expect(self, kind):
        while (frame := await asyncio.wait_for(self.heard.get(), 5))["type"] != kind:
            pass
        if kind == "welcome":
            self.session = frame["session"]
            self.http.headers["Authorization"] = f"Bearer {frame['visitor']['token']}"
        return frame


async def test_a_visitor_talks_without_a_socket(demo):
    ana = Streamer(demo)
    listening = asyncio.create_task(ana.listen())
    welcome = await ana.expect("welcome")
    session, key = welcome["session"], fresh_id()
    frame = {"type": "post", "client_message_id": key, "conversation": None, "text": "hallo"}
    answer = await ana.http.post(f"/sse/sessions/{session}", json=[frame, {"type": "ping"}])
    assert answer.status_code == 202
    await ana.expect("pong")  # at once; the ack waits for the disk
    ack = await ana.expect("ack")
    assert (ack["client_message_id"], ack["seq"]) == (key, 2)

    tom = await Agent(demo, demo.logins[0]).sign_in()
    said = await tom.http.post(
        f"/api/v1/conversations/{ack['conversation']}/messages",
        json={"client_message_id": fresh_id(), "text": "Goedemiddag"},
    )
    assert said.status_code == 200, said.text
    events = (await ana.expect("events"))["events"]
    assert events[-1]["data"]["text"] == "Goedemiddag"
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await ana.http.aclose()
    await tom.leave()


async def test_the_id_of_a_stream_is_not_enough_to_speak_on_it(demo):
    ana = Streamer(demo)
    listening = asyncio.create_task(ana.listen())
    await ana.expect("welcome")
    own = ana.http.headers["Authorization"]
    eva = await visitor(demo).open()
    others = f"Bearer {eva.welcome['visitor']['token']}"
    path = f"/sse/sessions/{ana.session}"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:

        async def post(**headers):
            return (await http.post(path, json=[{"type": "ping"}], headers=headers)).status_code

        assert await post() == 401
        assert await post(Origin=demo.url) == 401
        assert await post(Origin=demo.url, Authorization="Bearer x") == 401
        assert await post(Origin=demo.url, Authorization=others) == 401
        assert await post(Origin="http://evil.example", Authorization=own) == 403
        assert ana.heard.empty()
        assert await post(Authorization=own) == 202
        assert await post(Origin=demo.url, Authorization=own) == 202
    await ana.expect("pong")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await ana.http.aclose()
    await eva.close()


async def test_only_his_own_session_speaks_on_the_stream_of_an_agent(demo):
    tom = await Agent(demo, demo.logins[0]).sign_in()
    again = await Agent(demo, demo.logins[0]).sign_in()
    ticket = (await tom.http.post("/api/v1/socket-tickets")).json()["ticket"]
    hello = {"type": "hello", "ticket": ticket}
    async with tom.http.stream("POST", "/sse/agent", json=hello) as answer:
        lines = answer.aiter_lines()
        async for line in lines:
            if line.startswith("data: "):
                told = json.loads(line[6:])
                # What follows at once may come with it.
                welcome = told[0] if isinstance(told, list) else told
                break
        path = f"/sse/sessions/{welcome['session']}"
        ping = [{"type": "ping"}]
        bare = {"Cookie": ""}
        assert (await again.http.post(path, json=ping)).status_code == 401
        async with httpx.AsyncClient(base_url=tom.http.base_url) as http:
            own = {"Origin": demo.url}
            assert (await http.post(path, json=ping, headers=own | bare)).status_code == 401
        assert (await tom.http.post(path, json=ping)).status_code == 202
    await tom.leave()
    await again.leave()


async def test_strangers_have_no_stream(demo):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        no_origin = await http.post("/sse/visitor", json={"type": "hello", "site": demo.site})
        assert no_origin.status_code == 403
        foreign = await http.post(
            "/sse/agent",
            json={"type": "hello", "ticket": "x"},
            headers={"Origin": "https://x.example"},
        )
        assert foreign.status_code == 403
        assert (await http.post("/sse/sessions/none", json=[])).status_code == 404
        assert (await http.get("/sse/visitor")).status_code == 405
        big = await http.post("/sse/visitor", content=b"x" * 70_000, headers={"Origin": demo.url})
        assert big.status_code == 413


async def test_a_bad_hello_ends_the_stream_with_its_code(demo):
    ana = Streamer(demo)
    ana.hello = {"type": "hello", "site": "nobody"}
    await asyncio.wait_for(ana.listen(), 5)
    assert ana.closed == 4403
    await ana.http.aclose()


async def test_a_socket_and_a_stream_hear_each_other(demo):
    eva = await visitor(demo).open()
    ack = await eva.post("vanaf een telefoon")
    ana = Streamer(demo)
    ana.hello |= {
        "token": eva.welcome["visitor"]["token"],
        "resume": [{"conversation": ack["conversation"], "last_seq": 0}],
    }
    listening = asyncio.create_task(ana.listen())
    events = (await ana.expect("events"))["events"]
    assert events[-1]["data"]["text"] == "vanaf een telefoon"
    await eva.post("en nog iets", ack["conversation"])
    assert (await ana.expect("events"))["events"][-1]["data"]["text"] == "en nog iets"
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await ana.http.aclose()
    await eva.close()
