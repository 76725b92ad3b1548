"""A socket whose other end is silent, slow or gone."""

import asyncio
from types import SimpleNamespace

import pytest
from websockets.protocol import State

from balie.realtime.outbox import ENOUGH, MAX_BYTES, ROOM
from balie.realtime.ws import GONE_AFTER, PING_AFTER, Socket

HEARD_WITHIN = 45.0
PINGED = b"\x89\x00"


class Wire:
    """A transport that remembers."""

    def __init__(self):
        self.written, self.aborted, self.closing = b"", False, False

    def write(self, data):
        self.written += data

    def abort(self):
        self.aborted = self.closing = True

    def is_closing(self):
        return self.closing

    def resume_reading(self):
        pass


@pytest.fixture
async def socket():
    door = SimpleNamespace(services=None, left=lambda _socket: None)
    made = Socket(door, set())
    made.connection_made(Wire())
    made._protocol.state = State.OPEN
    made._heard_at = made._asked_at = 0.0
    yield made
    made.connection_lost(None)


async def test_a_silent_client_is_asked_and_then_given_up(socket):
    wire = socket._transport
    socket.check(PING_AFTER / 2)
    assert wire.written == b""
    socket.check(PING_AFTER)
    assert wire.written == PINGED
    socket.check(PING_AFTER + 1)
    assert wire.written == PINGED
    socket.check(GONE_AFTER - 1)
    assert not wire.aborted
    socket.check(GONE_AFTER)
    assert wire.aborted
    assert GONE_AFTER + 2.5 < HEARD_WITHIN


async def test_a_client_that_answers_stays(socket):
    for moment in range(0, 300, 5):
        socket.check(moment)
        socket._heard_at = moment
    assert not socket._transport.aborted


async def test_frames_of_one_turn_leave_together(socket):
    socket.push(b'{"type":"a"}')
    socket.push(b'{"type":"b"}')
    await asyncio.sleep(0)
    assert socket._transport.written == (b'\x81\x1b[{"type":"a"},{"type":"b"}]')


async def test_who_reads_too_slowly_is_closed_with_1013(socket):
    socket.pause_writing()
    for _ in range(MAX_BYTES // 1024 + 2):
        socket.push(b"x" * 1024)
    await asyncio.sleep(0)
    assert socket._transport.written[:4] == b"\x88" + socket._transport.written[1:2] + b"\x03\xf5"


async def test_what_waits_is_sent_before_a_goodbye(socket):
    socket.push(b"{}")
    socket.end(1012, "restarting")
    socket.push(b"too late")
    await asyncio.sleep(0)
    assert socket._transport.written == b"\x81\x02{}" + b"\x88\x0c\x03\xf4restarting"


async def test_events_wait_elsewhere_while_a_client_reads_slowly(socket):
    socket.pause_writing()
    assert socket.outbox.takes(ENOUGH)
    socket.push(b"x" * (ROOM + 1))
    assert not socket.outbox.takes(ENOUGH)
    waiting = asyncio.create_task(socket.outbox.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    socket.resume_writing()
    await asyncio.wait_for(waiting, 1)


async def test_whoever_waits_for_room_is_let_go_when_the_line_is_lost(socket):
    socket.pause_writing()
    socket.push(b"x" * (ROOM + 1))
    waiting = asyncio.create_task(socket.outbox.room())
    await asyncio.sleep(0)
    socket.connection_lost(None)
    await asyncio.wait_for(waiting, 1)
