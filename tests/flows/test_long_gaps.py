"""However much somebody missed, however slowly he reads: he gets all of it, on one connection."""

import asyncio
import contextlib
import json
import socket

import pytest
from tests.people import Agent, Talker, fresh_id, visitor
from websockets.asyncio.client import connect

SETTINGS = {
    "BALIE_MESSAGES_PER_SECOND": "10000",
    "BALIE_MESSAGE_BURST": "10000",
    "BALIE_CONNECTION_BURST": "10000",
}
LONGEST = 16_000


@pytest.fixture
async def agent(demo):
    signed_in = await Agent(demo, demo.logins[0]).sign_in()
    yield signed_in
    await signed_in.leave()


class SlowTalker(Talker):
    """Reads a message now and then, over a line that holds little."""

    async def open(self, **more):
        self.heard, self.closed_with = [], None
        host, port = self._url.removeprefix("ws://").partition("/")[0].split(":")
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        line.connect((host, int(port)))
        self._socket = await connect(
            self._url,
            sock=line,
            additional_headers=self._headers,
            compression=None,
            ping_interval=None,
            max_queue=1,
        )
        self._reader = asyncio.create_task(self._read())
        await self.send(self.hello | more)
        self.welcome = await self.expect("welcome")
        return self

    async def _read(self):
        with contextlib.suppress(Exception):
            async for message in self._socket:
                told = json.loads(message)
                async with self._news:
                    self.heard += told if isinstance(told, list) else [told]
                    self._news.notify_all()
                await asyncio.sleep(0.02)
        async with self._news:
            self.closed_with = self._socket.close_code
            self._news.notify_all()


async def say(talker, text, conversation=None):
    """As `Talker.post`, but every character as itself: escaped, the longest texts make too long a frame."""
    key = fresh_id()
    frame = {"type": "post", "client_message_id": key, "conversation": conversation, "text": text}
    await talker.send(json.dumps(frame, ensure_ascii=False))
    return await talker.expect("ack", within=30, client_message_id=key)


async def conversation_of(talker, texts):
    first = last = await say(talker, texts[0])
    for text in texts[1:]:
        last = await say(talker, text, first["conversation"])
    return first["conversation"], last["seq"]


async def until_heard(talker, wanted, within=60):
    """Read until each conversation was heard up to its end; the numbers that came, in their order."""
    heard = {conversation: [] for conversation in wanted}
    async with asyncio.timeout(within):
        while any(numbers[-1:] != [wanted[each]] for each, numbers in heard.items()):
            frame = await talker.expect("events", within)
            heard[frame["conversation"]] += [event["seq"] for event in frame["events"]]
    return heard


@pytest.mark.parametrize(
    "text", ["a" * LONGEST, "\N{GRINNING FACE}" * LONGEST], ids=["ascii", "emoji"]
)
async def test_a_gap_of_megabytes_is_filled_on_one_connection(demo, agent, text):
    talker = await visitor(demo).open()
    conversation, last = await conversation_of(talker, [f"{n} {text[:-9]}" for n in range(90)])
    token = talker.welcome["visitor"]["token"]
    await talker.close()
    for reader in (await agent.console(), await visitor(demo, token).open()):
        await reader.send({"type": "resume", "conversation": conversation, "last_seq": 0})
        heard = await until_heard(reader, {conversation: last})
        assert heard[conversation] == list(range(1, last + 1))
        assert reader.closed_with is None
        await reader.close()


async def test_a_console_comes_back_to_many_busy_conversations_at_once(demo, agent):
    texts = [f"{n} " + "w" * 290 for n in range(20)]
    talkers = [await visitor(demo).open() for _ in range(100)]
    ends = dict(await asyncio.gather(*(conversation_of(talker, texts) for talker in talkers)))
    for talker in talkers:
        await talker.close()
    resume = [{"conversation": each, "last_seq": 0} for each in ends]
    console = await agent.console(resume=resume)
    heard = await until_heard(console, ends)
    assert all(numbers == list(range(1, ends[each] + 1)) for each, numbers in heard.items())
    assert console.closed_with is None
    await console.close()


async def test_who_reads_slowly_is_not_cut_off_by_a_burst(demo, agent):
    talker = await visitor(demo).open()
    opened = await talker.post("hallo")
    quick = await agent.console()
    slow = SlowTalker(quick._url, quick._headers, quick.hello)
    ticket = await agent.http.post("/api/v1/socket-tickets")
    slow.hello = slow.hello | {"ticket": ticket.json()["ticket"]}
    await slow.open(resume=[{"conversation": opened["conversation"], "last_seq": 0}])
    said = [
        say(talker, "\N{GRINNING FACE}" * (LONGEST - 9) + str(n), opened["conversation"])
        for n in range(150)
    ]
    last = max(ack["seq"] for ack in await asyncio.gather(*said))
    heard = await until_heard(slow, {opened["conversation"]: last})
    assert heard[opened["conversation"]] == list(range(1, last + 1))
    assert slow.closed_with is None
    for each in (slow, quick, talker):
        await each.close()
