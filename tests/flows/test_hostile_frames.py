"""Hostile frames over real sockets: a typed error or a close code that the protocol names, and no harm done."""

import asyncio
import functools
import json
import random
import zlib
from pathlib import Path

import pytest
from tests.people import Agent, Demo, fresh_id, visitor
from tests.raw import Raw
from websockets.frames import Frame, Opcode

from balie.realtime.protocol.frames import MAX_FRAME_BYTES

GENEROUS = {
    "BALIE_CONNECTIONS_PER_MINUTE": "1000000",
    "BALIE_CONNECTION_BURST": "1000000",
    "BALIE_MESSAGES_PER_SECOND": "10000",
    "BALIE_MESSAGE_BURST": "10000",
}
CLOSES = {1000, 1002, 1003, 1007, 1008, 1009, 4400}
CODES = {"malformed", "unknown_type", "too_long", "empty", "not_found", "rate_limited"}
SHORT, LONG = 1_500, 60_000
"""Mutated frames a run."""


def text(data):
    return Frame(Opcode.TEXT, data).serialize(mask=True)


@functools.cache
def deflate_bomb():
    """As much as a frame may hold of what would unpack to a thousand times its size."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(80))
    frame = bytearray(text(packed[: MAX_FRAME_BYTES - 100]))
    frame[0] |= 0x40
    return bytes(frame)


def many_keys(count):
    return text(json.dumps({f"k{n}": 0 for n in range(count)}).encode())


GENERATED = {
    "depth-100k-arrays": lambda: text(b"[" * 100_000),
    "16MiB-frame": lambda: b"\x81\xff" + (1 << 24).to_bytes(8) + bytes(4) + bytes(1 << 20),
    "10k-keys": lambda: many_keys(10_000),
    "hash-collide-ints": lambda: text(b'{"type":"mark","read":' + b"9" * 10_000 + b"}"),
    "binary-frame": lambda: Frame(Opcode.BINARY, bytes(range(256))).serialize(mask=True),
    "invalid-utf8-text": lambda: text(b"\xc0\xaf"),
    "deflate-bomb": deflate_bomb,
    "ping-flood": lambda: Frame(Opcode.PING, b"!").serialize(mask=True) * 10_000,
}
EXPECTED = {
    "depth-100k-arrays": 1009,
    "16MiB-frame": 1009,
    "10k-keys": 1009,
    "binary-frame": 1003,
    "invalid-utf8-text": 1007,
    # No extension is ever agreed on, so the bomb is refused unopened.
    "deflate-bomb": 1002,
    "ping-flood": 1008,
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = Demo(tmp_path_factory.mktemp("hostile") / "data", settings=GENEROUS).start()
    yield running
    assert running.process.poll() is None, "the server has stopped"
    running.stop()


@pytest.fixture
async def tom(demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    yield agent
    await agent.leave()


class Door:
    """Opens connections of one kind, greeted or not."""

    def __init__(self, demo, kind, tom):
        self._demo, self.kind, self._tom = demo, kind, tom

    async def open(self, *, greeted):
        hello = await self._hello() if greeted else None
        raw = await Raw(self._demo.port, self.kind, self._headers()).open()
        if hello is not None:
            await raw.send(hello)
            assert (await raw.hear())["type"] == "welcome"
        return raw

    def _headers(self):
        offered = {"Origin": self._demo.url, "Sec-WebSocket-Extensions": "permessage-deflate"}
        if self.kind == "visitor":
            return offered
        cookies = "; ".join(f"{name}={value}" for name, value in self._tom.http.cookies.items())
        return offered | {"Cookie": cookies}

    async def _hello(self):
        if self.kind == "visitor":
            return {"type": "hello", "site": self._demo.site}
        answer = await self._tom.http.post("/api/v1/socket-tickets")
        return {"type": "hello", "ticket": answer.json()["ticket"]}


@pytest.fixture(params=["visitor", "agent"])
def door(request, demo, tom):
    return Door(demo, request.param, tom)


class Neighbours:
    """A visitor and an agent who talk on while others misbehave; every word must come through."""

    def __init__(self, demo, tom):
        self._demo, self._tom = demo, tom

    async def __aenter__(self):
        self._ana = await visitor(self._demo).open()
        self._console = await self._tom.console()
        first = await self._ana.post("hallo")
        self._conversation = first["conversation"]
        await self._console.send(
            {"type": "resume", "conversation": self._conversation, "last_seq": 0}
        )
        await self._console.expect("events")
        self._over = asyncio.Event()
        self._talk = asyncio.create_task(self._talk_on())
        return self

    async def __aexit__(self, *_):
        self._over.set()
        said = await self._talk
        assert said > 0
        await self._ana.close()
        await self._console.close()

    async def _talk_on(self):
        said = 0
        while not self._over.is_set() or not said:
            await self._ana.post(f"woord {said}", self._conversation)
            heard = await self._console.expect("events")
            assert heard["events"][0]["data"]["text"] == f"woord {said}"
            said += 1
            await asyncio.sleep(0.02)
        return said


def cpu_of(demo):
    fields = Path(f"/proc/{demo.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident(demo):
    lines = Path(f"/proc/{demo.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


async def verdict(raw):
    """What became of the last frame: the code of an error, or of the close."""
    await raw.send({"type": "ping"})
    answer = await raw.expect("error", "pong")
    if answer is None:
        return raw.closed_with
    return answer.get("code", "ignored")


async def close_of(raw):
    """The code that the connection ends with."""
    while await raw.hear() is not None:
        pass
    return raw.closed_with


async def throw(door, data, *, greeted):
    async with await door.open(greeted=greeted) as raw:
        assert "permessage-deflate" not in raw.head
        await raw.write(data)
        return await (verdict(raw) if greeted else close_of(raw))


async def throw_all(door, rows, *, greeted):
    """Every row on a connection of its own, several at a time."""
    turn = asyncio.Semaphore(8)

    async def one(data):
        async with turn:
            return await throw(door, data, greeted=greeted)

    found = await asyncio.gather(*map(one, rows.values()))
    return dict(zip(rows, found, strict=True))


@pytest.mark.parametrize("greeted", [False, True], ids=["before hello", "after hello"])
async def test_the_collected_frames(demo, tom, door, greeted, testdata):
    collected = json.loads((testdata / "badinput" / "frames.json").read_bytes())
    rows = {}
    for row in collected:
        generated = row["frame"].startswith("GENERATE")
        rows[row["id"]] = (
            GENERATED[row["id"]]()
            if generated
            else text(row["frame"].encode("utf-8", "surrogatepass"))
        )
    assert len(rows) >= 27
    before = resident(demo)
    async with Neighbours(demo, tom):
        found = await throw_all(door, rows, greeted=greeted)
    for name, code in found.items():
        if name in EXPECTED:
            assert code == EXPECTED[name], name
        else:
            assert code in (CODES if greeted else {4400}), (name, code)
    assert resident(demo) - before < 16 * 1024


@pytest.mark.parametrize("name", ["depth-100k-arrays", "hash-collide-ints"])
async def test_a_costly_frame_costs_little(demo, tom, name):
    door = Door(demo, "visitor", tom)
    start = cpu_of(demo)
    for _ in range(20):
        await throw(door, GENERATED[name](), greeted=True)
    assert (cpu_of(demo) - start) / 20 < 0.05


async def test_depth_within_the_limit_is_an_error(demo, tom):
    door = Door(demo, "visitor", tom)
    assert await throw(door, text(b"[" * 60_000), greeted=True) == "malformed"
    assert await throw(door, text(b'{"type":' * 7_000), greeted=True) == "malformed"
    assert await throw(door, many_keys(5_000), greeted=True) in CODES


@pytest.mark.parametrize("greeted", [False, True], ids=["before hello", "after hello"])
async def test_the_json_suite(demo, tom, door, greeted, testdata):
    files = sorted((testdata / "badinput" / "json").glob("*.json"))
    assert len(files) > 150
    async with Neighbours(demo, tom):
        found = await throw_all(
            door, {file.name: text(file.read_bytes()) for file in files}, greeted=greeted
        )
    wrong = {
        n: c
        for n, c in found.items()
        if c not in ({"malformed", 1007} if greeted else {4400, 1007})
    }
    assert wrong == {}


def specimens(conversation):
    """A good frame of each kind."""
    known = {"conversation": conversation}
    return [
        {"type": "post", "client_message_id": fresh_id(), **known, "text": "één ☃ 🚲"},
        {
            "type": "post",
            "client_message_id": fresh_id(),
            **known,
            "text": "x",
            "files": [fresh_id()],
        },
        {"type": "note", "client_message_id": fresh_id(), **known, "text": "onder ons"},
        {"type": "resume", **known, "last_seq": 0},
        {"type": "leave", **known},
        {"type": "mark", **known, "delivered": 1, "read": 1},
        {"type": "typing", **known, "on": True},
        {"type": "page", "url": "https://shop.example/", "title": "Fietsen"},
        {"type": "alive", "awake": True, "status": "away"},
        {"type": "ping"},
    ]


def mutated(chance, data):
    """One to four wounds: bytes changed, dropped, doubled or put in."""
    wounded = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(wounded) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            wounded[place:place] = chance.randbytes(chance.randint(1, 4))
        elif kind == 1:
            del wounded[place : place + chance.randint(1, 8)]
        elif kind == 2:
            wounded[place : place + 1] = bytes([chance.choice(b'{}[]",:\\019-eEn \x00\xff')])
        else:
            wounded[place:place] = wounded[max(0, place - 20) : place]
    return bytes(wounded)


async def suffer(door, seed, count):
    """Throw mutated frames and wire bytes; returns what came of them."""
    chance = random.Random(seed)
    outcomes = {}
    raw = None
    for _ in range(count):
        if raw is None:
            raw = await door.open(greeted=chance.random() < 0.9)
        good = json.dumps(chance.choice(specimens(fresh_id()))).encode()
        if chance.random() < 0.8:
            await raw.send(mutated(chance, good))
        else:
            # The bytes on the wire, header and mask included; then enough to fill any frame begun.
            await raw.write(mutated(chance, text(good))[: chance.randint(1, 400)])
            await raw.write(Frame(Opcode.CLOSE, b"").serialize(mask=True) * 12_000)
        found = await verdict(raw)
        outcomes[found] = outcomes.get(found, 0) + 1
        if raw.closed_with is not None:
            await raw.close()
            raw = None
    if raw is not None:
        await raw.close()
    return outcomes


def bearable(outcomes):
    """Only typed errors, frames that mean nothing or something good, and named closes."""
    # A close without a code is answered by one without a code, which reads as 0 here.
    return set(outcomes) <= CODES | CLOSES | {"ignored", 0, 1006}


async def test_mutated_frames(demo, tom, door):
    async with Neighbours(demo, tom):
        outcomes = await suffer(door, 1, SHORT // 2)
    assert bearable(outcomes), sorted(map(str, outcomes))
    assert len(outcomes) >= 4, outcomes


@pytest.mark.long
@pytest.mark.timeout(3_000)
async def test_many_mutated_frames(demo, tom, door):
    async with Neighbours(demo, tom):
        every = await asyncio.gather(*(suffer(door, seed, LONG // 8) for seed in range(2, 6)))
    assert all(map(bearable, every)), every


async def test_a_foreign_origin_is_turned_away(demo):
    for kind, headers, status in (
        ("visitor", {}, 403),
        ("agent", {"Origin": "https://evil.example"}, 403),
        ("nobody", {"Origin": demo.url}, 404),
        ("visitor", {"Origin": demo.url, "Sec-WebSocket-Version": "8"}, 400),
        ("visitor", {"Origin": demo.url, "Sec-WebSocket-Key": "short"}, 400),
    ):
        async with await Raw(demo.port, kind, headers).open() as raw:
            assert raw.status == status, (kind, headers)


async def test_too_many_malformed_frames_end_the_connection(demo, tom, door):
    async with await door.open(greeted=True) as raw:
        for _ in range(30):
            await raw.send(b"{")
        assert await close_of(raw) == 1008


@pytest.mark.long
async def test_silence_before_hello_is_ended(demo, tom, door):
    async with await door.open(greeted=False) as raw:
        assert await raw.hear(within=15) is None
        assert raw.closed_with == 4408
