"""The socket door: `/ws/visitor` and `/ws/agent`, spoken by the web server's own protocol class.

There is no task and no queue between the wire and the session: a message is handled where it is read, so
that it costs microseconds. What has to wait (for a read, for room in the store's queue) becomes a task, and
nothing more is read from that socket until it is done. See ADR 0012.
"""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import structlog

from balie.edge.limits import client_address
from balie.edge.origins import same_origin
from balie.realtime import verbs
from balie.realtime.agent import AgentConnection
from balie.realtime.connection import Connection
from balie.realtime.outbox import Outbox
from balie.realtime.protocol import framing
from balie.realtime.protocol.bucket import Bucket
from balie.realtime.protocol.frames import Close
from balie.realtime.protocol.framing import BrokenError, Framing, Message
from balie.realtime.services import Services
from balie.realtime.visitor import VisitorConnection

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

log = structlog.get_logger("balie.realtime")

Scope = dict[str, Any]


def may_knock(services: Services, kind: str, headers: dict[str, str]) -> bool:
    """Whether a page of this origin may try at all."""
    if kind == "agent":
        return same_origin(headers.get("origin"), services.edge.origins)
    # Which origins a visitor may come from, the site that `hello` names will tell.
    return kind == "visitor" and "origin" in headers


def open_connection(
    services: Services, kind: str, peer: str, headers: dict[str, str], transport: Any
) -> Connection:
    """The connection of a visitor or an agent over any transport with `push` and `end`."""
    forwarded = headers.get("x-forwarded-for", "")
    address = client_address(peer, forwarded, services.edge.trusted_proxies)
    if kind == "agent":
        return AgentConnection(
            services,
            transport.push,
            transport.end,
            origin=headers.get("origin", ""),
            address=address,
            cookies=headers.get("cookie", ""),
        )
    return VisitorConnection(
        services,
        transport.push,
        transport.end,
        origin=headers.get("origin", ""),
        address=address,
        user_agent=headers.get("user-agent", ""),
    )


def peer_of(scope: Scope) -> str:
    """The address at the other end of an ASGI request; empty when there is none."""
    return scope["client"][0] if scope.get("client") else ""


def header_map(scope: Scope) -> dict[str, str]:
    """Header names in lower case; what comes twice is one list (RFC 9110, section 5.3)."""
    return _merged(scope["headers"])


def _merged(headers: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


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


class Socket(asyncio.Protocol):
    """The transport of one WebSocket."""

    __slots__ = (
        "_close_sent",
        "_closing",
        "_connections",
        "_door",
        "_extras",
        "_flushing",
        "_framing",
        "_heard_at",
        "_inbox",
        "_loop",
        "_outbox",
        "_overdue",
        "_ping_at",
        "_transport",
        "_waiting",
        "_writable",
        "connection",
    )

    def __init__(self, door: SocketDoor, connections: "set[Any]") -> None:
        self._door = door
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._framing = Framing()
        self._extras: Bucket | None = None
        self._outbox = Outbox()
        self._inbox: list[Message] = []
        self._waiting: asyncio.Task[None] | None = None
        self._overdue: asyncio.TimerHandle | None = None
        self._closing: tuple[int, str] | None = None
        self._close_sent = False
        self._flushing = False
        self._writable = True
        self._heard_at = self._ping_at = 0.0
        self.connection: Connection | None = None

    # Coming and going, as the event loop tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self)
        self._door.left(self)
        self._closing = self._closing or (1_006, "")
        self._outbox.clear()
        if self._overdue is not None:
            self._overdue.cancel()
        if self._waiting is not None:
            self._waiting.cancel()
        if self.connection is not None:
            self.connection.leave()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._flush()

    def shutdown(self) -> None:
        """The web server stops."""
        self.end(Close.RESTART, "restarting")

    # The handshake.

    def _shake_hands(self, request: bytes) -> None:
        head, _, rest = request.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        method, _, target = first.decode("latin-1").rpartition(" ")[0].partition(" ")
        headers = _merged(line.split(b": ", 1) for line in lines if b": " in line)
        kind = target.partition("?")[0].removeprefix("/ws/")
        accept = framing.accept_handshake(method, headers)
        if kind not in ("visitor", "agent"):
            self._turn_away("404 Not Found")
        elif accept is None:
            self._turn_away("426 Upgrade Required\r\nsec-websocket-version: 13")
        elif not may_knock(self._door.services, kind, headers):
            self._turn_away("403 Forbidden")
        else:
            self._welcome(accept, kind, headers)
            if rest:
                self._read(rest)

    def _turn_away(self, status: str) -> None:
        self._transport.write(
            f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        self._transport.close()

    def _welcome(self, accept: str, kind: str, headers: dict[str, str]) -> None:
        peer = self._transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        self.connection = open_connection(self._door.services, kind, address, headers, self)
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-accept: " + accept.encode() + b"\r\n\r\n"
        )
        self._hear(self._loop.time())
        self._door.entered(self)
        self._overdue = self._loop.call_later(HELLO_WITHIN, self._hello_due)

    def _hello_due(self) -> None:
        # Where thousands came back together, it may be here and not yet read.
        self._overdue = self._loop.call_later(HELLO_GRACE, self._hello_overdue)

    def _hello_overdue(self) -> None:
        if self.connection is not None:
            self.connection.perform(self.connection.session.overdue())

    # Reading.

    def data_received(self, data: bytes) -> None:
        if self.connection is None:
            self._shake_hands(data)
        else:
            self._hear(self._loop.time())
            self._read(data)

    def _hear(self, now: float) -> None:
        self._heard_at = now
        # Not all at the same moment, where thousands came back together.
        self._ping_at = now + PING_AFTER * (0.75 + random.random() / 4)  # noqa: S311

    def _read(self, data: bytes) -> None:
        try:
            messages = self._framing.feed(data)
            if self._framing.extras:
                self._count_extras()
        except BrokenError as error:
            self.end(error.code, error.reason)
        else:
            self._handle(messages)

    def _count_extras(self) -> None:
        if self._extras is None:
            self._extras = Bucket(EXTRAS_A_SECOND, EXTRAS_AT_ONCE)
        now = self._door.services.clock()
        for _ in range(self._framing.extras):
            if self._extras.take(now):
                raise BrokenError(Close.POLICY, "too many pings or fragments")
        self._framing.extras = 0

    def _handle(self, messages: list[Message]) -> None:
        try:
            self._handle_each(messages)
        except BrokenError as error:
            self.end(error.code, error.reason)
        except Exception:
            log.exception("a connection failed")
            self.end(Close.FAILED, "something went wrong here")

    def _handle_each(self, messages: list[Message]) -> None:
        connection = self.connection
        assert connection is not None
        for index, (opcode, payload) in enumerate(messages):
            if opcode != framing.TEXT:
                self._control(opcode, payload)
            elif self._closing is None:
                work = connection.take(framing.read_text(payload))
                if work is not None:
                    self._wait_for(work, messages[index + 1 :])
                    return

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == framing.PING:
            if self._closing is None:
                self._transport.write(framing.framed(framing.PONG, payload))
        elif opcode == framing.CLOSE:
            code = framing.closed_with(payload)
            if not self._close_sent:
                self._closing = (code, "")
                self._say_goodbye()
            self._transport.close()

    def _wait_for(self, work: Coroutine[Any, Any, None], rest: list[Message]) -> None:
        """Nothing more is read until `work` is done; then come the messages that were read already."""
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
            self._hear(self._loop.time())

    def _is_waiting(self) -> bool:
        return self._waiting is not None

    # Writing.

    def push(self, frame: bytes) -> None:
        """Send a frame some time soon; too many of them end the connection."""
        if self._closing is not None:
            return
        if not self._outbox.put(frame):
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
            self._outbox.clear()
        self._loop.call_soon(self._flush)
        # Whoever does not read, or does not answer, is not waited for.
        self._loop.call_later(CLOSE_WITHIN, self._transport.abort)

    def _flush(self) -> None:
        """Everything that came up in this turn of the loop leaves together."""
        self._flushing = False
        outbox, transport = self._outbox, self._transport
        while outbox and self._writable:
            transport.write(framing.framed(framing.TEXT, outbox.take()))
        if self._closing is not None and not outbox:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        if self._close_sent or self._closing is None or self._transport.is_closing():
            return
        self._close_sent = True
        self._transport.write(framing.closing(*self._closing))
        if self._waiting is None:
            self._transport.resume_reading()

    # Whether it is still there.

    def check(self, now: float) -> None:
        """Ask for a sign of life, or give up."""
        if self._closing is not None or self._waiting is not None:
            return
        if now - self._heard_at >= GONE_AFTER:
            self._closing = (1_006, "")
            self._transport.abort()
        elif now >= self._ping_at:
            self._ping_at = now + PING_AFTER
            self._transport.write(framing.framed(framing.PING, b""))
