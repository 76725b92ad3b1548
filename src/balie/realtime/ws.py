"""The socket door: `/ws/visitor` and `/ws/agent` as a plain ASGI application."""

import asyncio
from typing import Any

import structlog

from balie.edge.limits import client_address
from balie.edge.origins import same_origin
from balie.realtime import verbs
from balie.realtime.agent import AgentConnection
from balie.realtime.connection import Connection
from balie.realtime.outbox import Outbox
from balie.realtime.protocol.frames import Close
from balie.realtime.services import Services
from balie.realtime.visitor import VisitorConnection

HELLO_WITHIN = 10.0

log = structlog.get_logger("balie.realtime")

Scope = dict[str, Any]


class SocketDoor:
    """Takes WebSocket connections. Called by the server with ASGI's three arguments."""

    def __init__(self, services: Services) -> None:
        verbs.declare()
        self._services = services

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await receive()
        headers = header_map(scope)
        kind = scope["path"].removeprefix("/ws/")
        if not may_knock(self._services, kind, headers):
            await send({"type": "websocket.close", "code": Close.FORBIDDEN})
            return
        await send({"type": "websocket.accept"})
        socket = Socket(send)
        socket.connection = open_connection(self._services, kind, scope, headers, socket)
        await socket.run(receive)


def may_knock(services: Services, kind: str, headers: dict[str, str]) -> bool:
    """Whether a page of this origin may try at all."""
    if kind == "agent":
        return same_origin(headers.get("origin"), services.edge.origins)
    # Which origins a visitor may come from, the site that `hello` names will tell.
    return kind == "visitor" and "origin" in headers


def open_connection(
    services: Services, kind: str, scope: Scope, headers: dict[str, str], transport: Any
) -> Connection:
    """The connection of a visitor or an agent over any transport with `push` and `end`."""
    peer = scope["client"][0] if scope.get("client") else ""
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


def header_map(scope: Scope) -> dict[str, str]:
    """Header names in lower case; what comes twice is one list (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


class Socket:
    """The transport of one WebSocket: reads on one task, writes on another while there is something."""

    __slots__ = ("_closing", "_outbox", "_send", "_writer", "connection")

    def __init__(self, send: Any) -> None:
        self._send = send
        self._outbox = Outbox()
        self._writer: asyncio.Task[None] | None = None
        self._closing: tuple[int, str] | None = None
        self.connection: Connection

    async def run(self, receive: Any) -> None:
        """Serve until either side ends it."""
        loop = asyncio.get_running_loop()
        overdue = loop.call_later(HELLO_WITHIN, self._hello_overdue)
        try:
            await self._read(receive)
        except Exception:
            log.exception("a connection failed")
            self.end(Close.FAILED, "something went wrong here")
        finally:
            overdue.cancel()
            self.connection.leave()

    async def _read(self, receive: Any) -> None:
        connection = self.connection
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                connection.perform(connection.session.receive_binary())
            else:
                await connection.receive(text)

    def push(self, frame: bytes) -> None:
        """Send a frame some time soon; too many of them end the connection."""
        if self._closing is not None:
            return
        if not self._outbox.put(frame):
            self.end(Close.SLOW, "you read too slowly")
            return
        self._wake()

    def end(self, code: int, reason: str) -> None:
        """Send what waits, unless it is too much, and close."""
        if self._closing is not None:
            return
        self._closing = (code, reason)
        if code == Close.SLOW:
            self._outbox.clear()
        self._wake()

    def _wake(self) -> None:
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._outbox:
                await self._send({"type": "websocket.send", "text": self._outbox.take()})
            if self._closing is not None:
                code, reason = self._closing
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (OSError, RuntimeError):
            # The other side is gone; reading will notice.
            self._outbox.clear()
        finally:
            self._writer = None

    def _hello_overdue(self) -> None:
        self.connection.perform(self.connection.session.overdue())
