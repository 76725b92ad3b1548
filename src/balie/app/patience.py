"""The web server's HTTP protocol, with an end to its patience.

uvicorn waits for ever for a request that never ends, and reads headers without a limit. Here a head (request
line and headers) is small and comes within seconds, and a body comes at no less than a certain pace. Who is
slower, or says more, is told so and let go; a slow reverse proxy does better to gather a request first. Who
asks for much and then takes nothing of it, is let go too.
"""

import asyncio
import fcntl
import sys
import termios
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from balie.realtime.doors import ABANDON

HEAD_BYTES = 32 * 1024
HEAD_LINES = 100
HEAD_WITHIN = 15.0
BODY_WITHIN = 20.0
"""Seconds for the whole of a small body; a larger one gets a second more for every BODY_PACE bytes."""
BODY_PACE = 8 * 1024
READ_WITHIN = 60.0
"""Seconds in which some of what waits for a client must get through to it."""
LAST_WITHIN = 4.0
"""Seconds to take the rest, once the server stops or the answer was ended."""

_TIMEOUT = b"408 Request Timeout"
_TOO_LARGE = b"431 Request Header Fields Too Large"


class HeadError(Exception):
    """A head that is too large; the parser stops at it."""


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, for clients that get on with it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answer: RequestResponseCycle | None = None
        self._in_head = False
        self._came = self._parsed = 0
        """Bytes of this head: in pieces that did not end it, and in lines that are complete."""
        self._refusal = b""
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(HEAD_WITHIN)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        self._stop_stall()
        super().connection_lost(exc)
        self._forget()

    def _forget(self) -> None:
        """Nothing more comes this way. What we know and what knows us would be kept until the garbage collector
        comes by."""
        self.parser = self.cycle = self.scope = None  # type: ignore[assignment]
        self._answer = None
        self.pipeline.clear()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        self._stop_stall()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: an answer may end, but not wait for who does not take it."""
        super().shutdown()
        self.abandon()

    def abandon(self) -> None:
        """Give up in a moment, where this answer still waits for its client then."""
        self.loop.call_later(LAST_WITHIN, self._give_up, self.cycle)

    def _give_up(self, answer: RequestResponseCycle | None) -> None:
        if self.flow.write_paused and self.cycle is answer:
            # Closing would wait for what is never read.
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._due is None and not self._is_answering():
            # Between two requests. Also for what begins none, such as empty lines.
            self._expect(HEAD_WITHIN)
        super().data_received(data)
        if self._in_head:
            self._came += len(data)
            if self._came > HEAD_BYTES:
                self._let_go(_TOO_LARGE)

    def handle_websocket_upgrade(self) -> None:
        self._expect_nothing()
        self._stop_timer()
        self._stop_stall()
        super().handle_websocket_upgrade()
        # Nobody will tell this protocol that the connection is lost.
        self._forget()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read, or is too large."""
        self._expect_nothing()
        if self._refusal:
            self._let_go(self._refusal)
        else:
            super().send_400_response(msg)

    # As the parser tells it.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._came = self._parsed = 0
        self._expect(HEAD_WITHIN)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._parsed += len(name) + len(value)
        if len(self.headers) > HEAD_LINES or len(self.url) + self._parsed > HEAD_BYTES:
            self._refusal = _TOO_LARGE
            raise HeadError

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._expect(BODY_WITHIN)
        super().on_headers_complete()
        extensions: dict[str, Any] = {ABANDON: self.abandon}
        self.scope["extensions"] = extensions
        self._answer = self.cycle

    def on_body(self, body: bytes) -> None:
        if self._due is not None:
            self._due += len(body) / BODY_PACE
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._expect_nothing()
        super().on_message_complete()

    def _is_answering(self) -> bool:
        return self._answer is not None and not self._answer.response_complete

    # Limits.

    def _expect(self, seconds: float) -> None:
        self._due = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._due, self._look)

    def _expect_nothing(self) -> None:
        # The timer stays: a connection that lives sees many requests, and one timer serves them all.
        self._due = None
        if self.transport.is_closing():
            self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._due is None or self.transport.is_closing():
            return
        now = self.loop.time()
        if self.flow.read_paused:
            # It is we who do not read.
            self._due = now + BODY_WITHIN
        if now < self._due:
            # Not later than that: what comes next on this connection may be due sooner.
            self._timer = self.loop.call_at(min(self._due, now + BODY_WITHIN), self._look)
            return
        self._let_go(_TIMEOUT)

    def _watch_writing(self) -> None:
        self._stop_stall()
        waiting = _untaken(self.transport)
        self._stalled = self.loop.call_later(READ_WITHIN, self._check_writing, waiting)

    def _check_writing(self, waited: int) -> None:
        if _untaken(self.transport) < waited:
            self._watch_writing()
        else:
            self._give_up(self.cycle)

    def _stop_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _let_go(self, status: bytes) -> None:
        """Say why, where something was asked and nothing was said yet, and close."""
        if self._in_head or (self._is_answering() and not self.cycle.response_started):
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        self.transport.close()


def _untaken(transport: asyncio.Transport) -> int:
    """Bytes that wait here and, where the system tells, in its own queue: that holds megabytes, which a slow
    client takes minutes for."""
    held = transport.get_write_buffer_size()
    try:
        told = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return held
    return held + int.from_bytes(told, sys.byteorder)
