"""What a client misses is read once, however often and however wildly it asks."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from balie.conversations import queries
from balie.kernel.actor import VisitorActor
from balie.kernel.events import Author, Envelope, MessagePosted
from balie.realtime.connection import Connection
from balie.realtime.outbox import Outbox
from balie.realtime.protocol.session import Limits
from balie.realtime.relay import NoRelay
from balie.realtime.tally import LiveTally

CONVERSATION = "c0000000-0000-7000-8000-000000000001"
VISITOR = "a0000000-0000-7000-8000-000000000001"
SAID = [
    Envelope(CONVERSATION, seq, 1_000, Author("visitor", VISITOR), MessagePosted("hallo"), None)
    for seq in (1, 2)
]


class Line:
    """A transport that keeps what is sent."""

    name = "socket"

    def __init__(self):
        self.outbox = Outbox()
        self.sent = []

    def push(self, frame):
        self.sent.append(msgspec.json.decode(frame)["type"])

    def end(self, code, reason):
        self.sent.append((code, reason))


class Visitor(Connection):
    """A visitor's connection that was let in already."""

    kind = "visitor"
    greet = tell = limit_key = None


@pytest.fixture
def asked(monkeypatch):
    """From where the log was read, one entry a read."""
    reads = []

    async def find_gap(_store, _actor, _conversation, after, _limit):
        reads.append(after)
        await asyncio.sleep(0)
        return queries.EventPage(SAID[after:], len(SAID))

    monkeypatch.setattr(queries, "find_gap", find_gap)
    return reads


@pytest.fixture
def visitor(asked):
    hub = SimpleNamespace(follow=lambda *_: None, unfollow=lambda *_: None)
    services = SimpleNamespace(
        limits=Limits(),
        entropy=bytes,
        clock=lambda: 0,
        hub=hub,
        store=None,
        tally=LiveTally(),
        relay=NoRelay(),
    )
    connection = Visitor(services, Line())
    connection.actor = VisitorActor(organisation_id="o", site_id="s", visitor_id=VISITOR)
    connection.line = connection.push.__self__
    connection.perform(connection.session.greeted(b'{"type":"welcome"}', []))
    return connection


async def resume(visitor, *numbers):
    for last_seq in numbers:
        frame = {"type": "resume", "conversation": CONVERSATION, "last_seq": last_seq}
        await visitor.receive(msgspec.json.encode(frame))
    for _ in range(50):
        await asyncio.sleep(0)


async def test_who_asks_many_times_at_once_is_answered_once(visitor, asked):
    await resume(visitor, *[0] * 200)
    assert visitor.line.sent == ["welcome", "events"]
    assert asked == [0]


async def test_only_the_last_of_many_questions_is_answered(visitor, asked):
    await resume(visitor, 0, 1, 0, 1)
    assert visitor.line.sent == ["welcome", "events"]
    assert asked == [1]


async def test_a_claim_of_more_than_there_is_does_not_make_balie_read_on(visitor, asked):
    await resume(visitor, 10**12)
    await resume(visitor, 0)
    assert visitor.line.sent == ["welcome", "resync", "events"]
    assert asked == [10**12, 0]


async def test_a_silly_claim_does_not_hide_what_comes_next(visitor, asked):
    await resume(visitor, 10**12)
    visitor.hear(CONVERSATION, 3, 3, lambda: b'{"type":"events"}')
    assert visitor.line.sent == ["welcome", "resync", "events"]
    assert asked == [10**12]
