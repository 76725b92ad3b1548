"""The socket door: `/ws/visitor` and `/ws/agent`.

The WebSocket protocol itself is spoken by the sans-I/O core of the library `websockets`; here is only its
shell. There is no task and no queue between the wire and the session: a message is handled where it is
read, so that it costs microseconds. What has to wait (for a read, for room in the store's queue) becomes a
task, and nothing more is read from that socket until it is done. See ADR 0006.
"""

import asyncio
import codecs
import logging
import random
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

import structlog
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from balie.kernel.errors import RateLimitedError
from balie.realtime import verbs
from balie.realtime.connection import Connection
from balie.realtime.doors import may_knock, merged, open_connection
from balie.realtime.outbox import Outbox
from balie.realtime.protocol.bucket import Bucket
from balie.realtime.protocol.frames import MAX_FRAME_BYTES, Close
from balie.realtime.services import Services

HELLO_WITHIN = 9.0
HELLO_GRACE = 1.0
PING_AFTER = 20.0
"""Seconds of silence after which a client is asked whether it is still there."""
GONE_AFTER = 40.0
"""Seconds of silence after which it is not."""
LOOK_EVERY = 2.5
CLOSE_WITHIN = 5.0
EXTRAS_A_SECOND = 10
EXTRAS_AT_ONCE = 200
"""Pings, pongs and fragments: what costs work and says nothing."""

_Decoder = codecs.getincrementaldecoder("utf-8")

log = structlog.get_logger("balie.realtime")
# What the library says of single frames is of no use in a server's log.
_silent = logging.getLogger("balie.realtime.wire")
_silent.setLevel(logging.CRITICAL)
_silent.propagate = False


class SocketDoor:
    """Makes the sockets of one process, and asks the silent ones whether they are still there.

    The web server calls it for every request that wants to become a WebSocket.
    """

    def __init__(self, services: Services) -> None:
        verbs.declare()
        self.services = services
        self.sockets: set[Socket] = set()
        self._watching = False

    def __call__(self, config: Any, server_state: Any, app_state: Any) -> "Socket":  # noqa: ARG002
        return Socket(self, server_state.connections)

    def entered(self, socket: "Socket") -> None:
        self.sockets.add(socket)
        if not self._watching:
            self._watching = True
            asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_around)

    def left(self, socket: "Socket") -> None:
        self.sockets.discard(socket)

    def _look_around(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for socket in tuple(self.sockets):
            socket.check(now)
        self._watching = bool(self.sockets)
        if self._watching:
            loop.call_later(LOOK_EVERY, self._look_around)


class _Protocol(ServerProtocol):
    """The library takes a goodbye between two fragments for an error. Control frames may come there
    (RFC 6455, section 5.4), and who leaves need not say the rest."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)

    def forget(self) -> None:
        """Nothing more will come. The library's parser knows its protocol, which knows its parser; so does the
        traceback of what the parser failed with."""
        self.parser.close()
        self.parser_exc = None


class Socket(asyncio.Protocol):
    """The transport of one WebSocket."""

    name = "socket"

    __slots__ = (
        "_asked_at",
        "_closing",
        "_connections",
        "_decoder",
        "_door",
        "_extras",
        "_flushing",
        "_heard_at",
        "_inbox",
        "_loop",
        "_overdue",
        "_parts",
        "_patience",
        "_protocol",
        "_transport",
        "_waiting",
        "_writable",
        "connection",
        "outbox",
    )

    def __init__(self, door: SocketDoor, connections: "set[Any]") -> None:
        self._door = door
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._protocol = _Protocol(max_size=MAX_FRAME_BYTES, logger=_silent)
        self._extras: Bucket | None = None
        self.outbox = Outbox()
        self._inbox: list[Frame] = []
        self._parts: list[str] = []
        self._decoder: codecs.IncrementalDecoder | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._overdue: asyncio.TimerHandle | None = None
        self._closing: tuple[int, str] | None = None
        self._flushing = False
        self._writable = True
        self._heard_at = self._asked_at = self._loop.time()
        # Not all at the same moment, where thousands came back together.
        self._patience = PING_AFTER * (0.75 + random.random() / 4)  # noqa: S311
        self.connection: Connection | None = None

    # Coming and going, as the event loop tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self)
        self._door.left(self)
        if self.connection is not None:
            self._count_end()
        self._closing = self._closing or (1_006, "")
        self.outbox.clear()
        if self._overdue is not None:
            self._overdue.cancel()
        if self._waiting is not None:
            self._waiting.cancel()
        if self.connection is not None:
            self.connection.leave()
        self._protocol.forget()

    def _count_end(self) -> None:
        code = str(self._closing[0]) if self._closing is not None else "client"
        self._door.services.tally.closed[code] += 1

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._flush()

    def shutdown(self) -> None:
        """The web server stops."""
        self.end(Close.RESTART, "restarting")

    # Reading.

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._protocol.receive_data(data)
        self._read()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._read()

    def _read(self) -> None:
        frames: list[Frame] = []
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                frames.append(event)
            elif isinstance(event, Request):
                self._shake_hands(event)
        if frames:
            self._handle(frames)
        self._write()

    def _handle(self, frames: list[Frame]) -> None:
        try:
            self._handle_each(frames)
        except Exception:
            log.exception("a connection failed")
            self.end(Close.FAILED, "something went wrong here")

    def _handle_each(self, frames: list[Frame]) -> None:
        connection = self.connection
        for index, frame in enumerate(frames):
            if connection is None or self._closing is not None:
                return
            message = self._message(frame)
            if message is None:
                continue
            work = connection.take(message)
            if work is not None:
                self._wait_for(work, frames[index + 1 :])
                return

    def _message(self, frame: Frame) -> str | None:
        """The text that is complete with this frame. None for what says nothing yet, or nothing at all."""
        if frame.opcode is Opcode.TEXT and frame.fin:
            return self._text(frame.data)
        if frame.opcode is Opcode.BINARY:
            self.end(Close.BINARY, "send text")
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            return self._join(frame)
        elif frame.opcode is not Opcode.CLOSE:
            self._count_extra()
        return None

    def _join(self, frame: Frame) -> str | None:
        """Pieces of a text, each looked at when it comes: what is no text already ends here."""
        self._count_extra()
        self._decoder = self._decoder or _Decoder()
        try:
            self._parts.append(self._decoder.decode(frame.data, frame.fin))
        except UnicodeDecodeError:
            self.end(Close.NOT_UTF8, "this is not UTF-8")
            return None
        if not frame.fin:
            return None
        whole, self._parts, self._decoder = "".join(self._parts), [], None
        return whole

    def _text(self, data: bytes | bytearray | memoryview) -> str | None:
        try:
            return str(data, "utf-8")
        except UnicodeDecodeError:
            self.end(Close.NOT_UTF8, "this is not UTF-8")
            return None

    def _count_extra(self) -> None:
        if self._extras is None:
            self._extras = Bucket(EXTRAS_A_SECOND, EXTRAS_AT_ONCE)
        if self._extras.take(self._door.services.clock()):
            self.end(Close.POLICY, "too many pings or fragments")

    def _wait_for(self, work: Coroutine[Any, Any, None], rest: list[Frame]) -> None:
        """Nothing more is read until `work` is done; then come the frames that were read already."""
        self._inbox = rest
        self._transport.pause_reading()
        self._waiting = self._loop.create_task(self._finish(work))

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("a connection failed")
            self.end(Close.FAILED, "something went wrong here")
        self._waiting = None
        rest, self._inbox = self._inbox, []
        self._handle(rest)
        if not self._transport.is_closing() and not self._is_waiting():
            self._transport.resume_reading()
            self._heard_at = self._loop.time()

    def _is_waiting(self) -> bool:
        return self._waiting is not None

    # The handshake.

    def _shake_hands(self, request: Request) -> None:
        headers = merged(request.headers.raw_items())
        kind = request.path.partition("?")[0].removeprefix("/ws/")
        if kind not in ("visitor", "agent"):
            response = self._protocol.reject(HTTPStatus.NOT_FOUND, "no such door\n")
        elif not may_knock(self._door.services, kind, headers):
            response = self._protocol.reject(HTTPStatus.FORBIDDEN, "not from this origin\n")
        else:
            response = self._protocol.accept(request)
        self._protocol.send_response(response)
        if self._protocol.state is State.OPEN:
            self._welcome(kind, headers)

    def _welcome(self, kind: str, headers: dict[str, str]) -> None:
        peer = self._transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        try:
            self.connection = open_connection(self._door.services, kind, address, headers, self)
        except RateLimitedError as error:
            self.end(Close.SLOW, error.detail)
            return
        self._door.entered(self)
        self._overdue = self._loop.call_later(HELLO_WITHIN, self._hello_due)

    def _hello_due(self) -> None:
        # Where thousands came back together, it may be here and not yet read.
        self._overdue = self._loop.call_later(HELLO_GRACE, self._hello_overdue)

    def _hello_overdue(self) -> None:
        if self.connection is not None:
            self.connection.perform(self.connection.session.overdue())

    # Writing.

    def push(self, frame: bytes) -> None:
        """Send a frame some time soon; too many of them end the connection."""
        if self._closing is not None:
            return
        if not self.outbox.put(frame):
            self.end(Close.SLOW, "you read too slowly")
        elif not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def end(self, code: int, reason: str) -> None:
        """Send what waits, unless it is too much, and close."""
        if self._closing is not None:
            return
        self._closing = (code, reason)
        if code == Close.SLOW:
            self.outbox.clear()
        self._loop.call_soon(self._flush)
        # Whoever does not read, or does not answer, is not waited for.
        self._loop.call_later(CLOSE_WITHIN, self._transport.abort)

    def _flush(self) -> None:
        """Everything that came up in this turn of the loop leaves together."""
        self._flushing = False
        outbox, protocol = self.outbox, self._protocol
        while outbox and self._writable and protocol.state is State.OPEN:
            protocol.send_text(outbox.take())
            self._write()
        if self._closing is not None and not outbox:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        if self._closing is None or self._protocol.state is not State.OPEN:
            return
        self._protocol.send_close(*self._closing)
        self._write()
        if self._waiting is None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _write(self) -> None:
        """Hand over what the protocol wants to say; an empty piece means that it has said all."""
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._hang_up()

    def _hang_up(self) -> None:
        """Say nothing more, but listen on: who is still sending would lose the last words otherwise."""
        if not self._transport.is_closing():
            self._transport.write_eof()
            self._loop.call_later(CLOSE_WITHIN, self._transport.abort)

    # Whether it is still there.

    def check(self, now: float) -> None:
        """Ask for a sign of life, or give up."""
        if self._closing is not None or self._waiting is not None:
            return
        silence = now - self._heard_at
        if silence >= GONE_AFTER:
            self._closing = (1_006, "")
            self._transport.abort()
        elif silence >= self._patience and self._asked_at <= self._heard_at:
            self._asked_at = now
            self._protocol.send_ping(b"")
            self._write()
