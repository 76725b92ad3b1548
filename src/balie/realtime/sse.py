"""The door for networks that block sockets: a stream of server-sent events, and posts beside it.

The same frames, the same sessions; only the transport differs. `POST /sse/visitor` and `POST /sse/agent`
take the `hello`, `POST /sse/sessions/{session}` takes what the client sends later.
"""

import asyncio
import contextlib
import hmac
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from balie.contacts import tokens
from balie.contacts.ledger import is_erased
from balie.edge.auth import cookie_name
from balie.edge.cross_origin import answer_headers, refuse_foreign_page
from balie.edge.origins import same_origin
from balie.kernel.actor import VisitorActor
from balie.kernel.errors import (
    BalieError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    RateLimitedError,
    TooLongError,
    UnauthorisedError,
)
from balie.realtime.agent import AgentConnection
from balie.realtime.connection import Connection
from balie.realtime.doors import Scope, abandon_of, header_map, may_knock, open_connection, peer_of
from balie.realtime.outbox import Outbox
from balie.realtime.protocol.frames import MAX_FRAME_BYTES, Close
from balie.realtime.relay import Post, Shown, hashed
from balie.realtime.services import Services
from balie.realtime.visitor import VisitorConnection

COMMENT_EVERY = 15.0
MAX_BODY = 4 * MAX_FRAME_BYTES
MAX_FRAMES = 200
NO_STREAM = "no such stream; open a new one"

log = structlog.get_logger("balie.realtime")

_frames = msgspec.json.Decoder(list[msgspec.Raw])


class StreamDoor:
    """Takes streams and the posts that belong to them. A plain ASGI application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._streams: dict[str, Stream] = {}
        self._passing: set[asyncio.Task[None]] = set()
        services.relay.on_post = self._passed_on

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        path: str = scope["path"]
        headers = header_map(scope)
        allowed = await answer_headers(self._services.pages, path, headers.get("origin", ""))
        send = _adding(send, allowed)
        if scope["method"] == "OPTIONS":
            await answer(send, 204)
        elif scope["method"] != "POST":
            await refuse(send, 405, "method_not_allowed", "send POST")
        elif path.startswith("/sse/sessions/"):
            await self._take(path.removeprefix("/sse/sessions/"), headers, receive, send)
        elif not may_knock(self._services, path.removeprefix("/sse/"), headers):
            await refuse(send, 403, "forbidden", "this origin may not open a stream")
        else:
            await self._open(scope, headers, receive, send)

    async def _open(self, scope: Scope, headers: dict[str, str], receive: Any, send: Any) -> None:
        hello = await read_body(receive, MAX_FRAME_BYTES)
        if hello is None:
            await refuse(send, 413, "too_long", f"a hello has at most {MAX_FRAME_BYTES} bytes")
            return
        stream = Stream(send, abandon_of(scope))
        kind = scope["path"].removeprefix("/sse/")
        try:
            stream.connection = open_connection(
                self._services, kind, peer_of(scope), headers, stream
            )
        except RateLimitedError as error:
            await refuse(send, error.status, error.code, error.detail)
            return
        self._streams[stream.connection.id] = stream
        try:
            await stream.run(hello, receive)
        finally:
            del self._streams[stream.connection.id]
            self._services.tally.closed[stream.ended_by] += 1
            stream.connection.leave()

    async def _take(self, session: str, headers: dict[str, str], receive: Any, send: Any) -> None:
        stream = self._streams.get(session)
        if stream is not None and stream.is_ending:
            stream = None
        if stream is None and not self._services.relay.reaches(session):
            await refuse(send, 404, "not_found", NO_STREAM)
            return
        try:
            shown = self._shown(headers)
            if stream is not None:
                await self._refuse_others(stream.connection, shown)
            else:
                await self._refuse_ended(headers)
            frames = await _read_frames(receive)
        except BalieError as error:
            await refuse(send, error.status, error.code, error.detail)
            return
        await answer(send, 202)
        if stream is not None:
            await stream.take(frames)
        else:
            self._services.relay.pass_on(Post(session, shown, frames))

    def _passed_on(self, post: Post) -> None:
        """What came to another process is for a stream of this one."""
        task = asyncio.get_running_loop().create_task(self._take_passed_on(post))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _take_passed_on(self, post: Post) -> None:
        stream = self._streams.get(post.stream)
        if stream is None or stream.is_ending:
            return
        try:
            await self._refuse_others(stream.connection, post.shown)
        except BalieError as error:
            log.warning("a post was refused that another process passed on", error=error.code)
            return
        await stream.take(post.frames)

    def _shown(self, headers: dict[str, str]) -> Shown:
        """Who posts. Raises UnauthorisedError for a token that is none."""
        visitor = self._visitor(headers)
        cookie = _cookie(headers.get("cookie", ""), cookie_name(self._services.edge))
        return Shown(headers.get("origin"), visitor.visitor_id if visitor else None, hashed(cookie))

    def _visitor(self, headers: dict[str, str]) -> VisitorActor | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return None
        return tokens.read(self._services.secret, token.strip(), self._services.clock())

    async def _refuse_ended(self, headers: dict[str, str]) -> None:
        """Whose sign-in ended, or who was erased, has no stream any more, whichever process had it. Raises
        NotFoundError."""
        services, visitor = self._services, self._visitor(headers)
        if visitor is not None:
            lives = await services.store.read(
                lambda c: not is_erased(c, visitor), of=visitor.organisation_id
            )
        else:
            lives = await services.is_signed_in(headers.get("cookie", ""))
        if not lives:
            raise NotFoundError(NO_STREAM)

    async def _refuse_others(self, connection: Connection, shown: Shown) -> None:
        """Whoever posts shows who he is: the stream's id stands in an address, and so in logs.

        Raises UnauthorisedError or ForbiddenError.
        """
        own = self._services.edge.origins
        if isinstance(connection, VisitorConnection):
            _refuse_other_visitor(connection, shown)
            if not same_origin(shown.origin, own):
                await refuse_foreign_page(self._services.pages, connection.site_id, shown.origin)
        elif not same_origin(shown.origin, own):
            raise ForbiddenError("post from Balie's own origin")
        elif not self._has_same_session(connection, shown):
            raise UnauthorisedError("this stream belongs to another session")

    def _has_same_session(self, connection: Connection, shown: Shown) -> bool:
        """Whether an agent's post carries the cookie with which his stream was opened."""
        assert isinstance(connection, AgentConnection)
        known = hashed(_cookie(connection.cookies, cookie_name(self._services.edge)))
        return hmac.compare_digest(shown.cookie, known)


def _refuse_other_visitor(connection: VisitorConnection, shown: Shown) -> None:
    if shown.visitor is None:
        raise UnauthorisedError("send the visitor's token: Authorization: Bearer TOKEN")
    if shown.visitor != connection.visitor_id:
        raise UnauthorisedError("this stream belongs to another visitor")


async def _read_frames(receive: Any) -> list[msgspec.Raw]:
    """Raises TooLongError and MalformedError."""
    body = await read_body(receive, MAX_BODY)
    if body is None:
        raise TooLongError(f"at most {MAX_BODY} bytes at once")
    try:
        frames = _frames.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise MalformedError("send a JSON array of frames") from None
    if len(frames) > MAX_FRAMES or any(len(bytes(each)) > MAX_FRAME_BYTES for each in frames):
        raise TooLongError(f"{MAX_FRAMES} frames of {MAX_FRAME_BYTES} bytes")
    # Free of the body that they were cut from.
    return [each.copy() for each in frames]


class Stream:
    """The transport of one stream: push and end, as a socket has them."""

    name = "stream"

    def __init__(self, send: Any, abandon: Callable[[], None]) -> None:
        self._send = send
        self._abandon = abandon
        self.outbox = Outbox()
        self._news = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._turn = asyncio.Lock()
        self.connection: Connection
        self.ended_by = "client"
        """The code with which Balie ended it, or `client`."""

    @property
    def is_ending(self) -> bool:
        """Whether nothing is heard on it any more, though its last words may still be on their way."""
        return self._closing is not None

    async def run(self, hello: bytes, receive: Any) -> None:
        """Serve until either side ends it."""
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                    (b"x-content-type-options", b"nosniff"),
                ],
            }
        )
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await self.connection.receive(hello)
            await self._write(gone)
        except OSError:
            # The other side is gone.
            pass
        finally:
            self.ended_by = str(self._closing[0]) if self._closing is not None else "client"
            self._closing = self._closing or (1_006, "")
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def take(self, frames: list[msgspec.Raw]) -> None:
        """Handle frames in the order in which they were posted."""
        async with self._turn:
            for frame in frames:
                if self.is_ending:
                    return
                await self.connection.receive(bytes(frame))

    def push(self, frame: bytes) -> None:
        """Send a frame some time soon; too many of them end the stream."""
        if self._closing is None and not self.outbox.put(frame):
            self.end(Close.SLOW, "you read too slowly")
        self._news.set()

    def end(self, code: int, reason: str) -> None:
        """Send what waits, unless it is too much, and end the stream with an event `close`."""
        if self._closing is None:
            self._closing = (code, reason)
            if code == Close.SLOW:
                self.outbox.clear()
            # Whoever does not read is not waited for.
            self._abandon()
        self._news.set()

    async def _write(self, gone: "asyncio.Task[None]") -> None:
        while not gone.done():
            while self.outbox:
                await self._emit(f"data: {self.outbox.take().decode()}\n\n")
            if self._closing is not None:
                code, reason = self._closing
                told = msgspec.json.encode({"code": code, "reason": reason}).decode()
                await self._emit(f"event: close\ndata: {told}\n\n", last=True)
                return
            await self._wait(gone)

    async def _wait(self, gone: "asyncio.Task[None]") -> None:
        news = asyncio.create_task(self._news.wait())
        await asyncio.wait({news, gone}, timeout=COMMENT_EVERY, return_when=asyncio.FIRST_COMPLETED)
        if not news.done():
            news.cancel()
            if not gone.done():
                await self._emit(": still here\n\n")
        self._news.clear()

    async def _emit(self, text: str, *, last: bool = False) -> None:
        await self._send(
            {"type": "http.response.body", "body": text.encode(), "more_body": not last}
        )


def _cookie(header: str, name: str) -> bytes:
    found = (each.strip().partition("=") for each in header.split(";"))
    return next((value.encode() for key, _, value in found if key == name), b"")


def _adding(send: Any, headers: dict[str, str]) -> Any:
    """`send`, with more headers on the answer."""
    if not headers:
        return send
    more = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Any, limit: int) -> bytes | None:
    """The whole body; None when it is longer than `limit`."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def refuse(send: Any, status: int, code: str, detail: str) -> None:
    """A problem (RFC 9457) as the whole answer."""
    problem = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    await answer(send, status, msgspec.json.encode(problem), b"application/problem+json")


async def answer(
    send: Any, status: int, body: bytes = b"", media_type: bytes = b"application/json"
) -> None:
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
