"""The socket that ships, with nobody behind it: what is said comes back.

Reading, joining, checking, writing and closing are those of `balie.realtime.ws`; only who comes in and what is
done with a message differ, and the bounds are wide enough for the test suite's megabytes.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from balie.app.house import clock
from balie.realtime.tally import LiveTally
from balie.realtime.ws import Socket

LARGEST = 64 * 1024 * 1024


class Echo(Socket):
    """One socket that answers everything with itself."""

    def __init__(self, door: Any) -> None:
        super().__init__(door, set())
        self._protocol.parser_max_size = LARGEST
        self._protocol.max_message_size = LARGEST
        self._binary: list[bytes] | None = None

    def _shake_hands(self, request: Request) -> None:
        self._protocol.send_response(self._protocol.accept(request))
        self.connection = SimpleNamespace(take=self._say, leave=lambda: None)  # type: ignore[assignment]

    def _message(self, frame: Frame) -> Any:
        """Bytes as well as text, which the product refuses."""
        if frame.opcode is Opcode.BINARY or self._binary is not None:
            return self._joined(frame)
        return super()._message(frame)

    def _joined(self, frame: Frame) -> bytes | None:
        if frame.opcode not in (Opcode.BINARY, Opcode.CONT):
            return None
        parts = [*(self._binary or ()), bytes(frame.data)]
        self._binary = None if frame.fin else parts
        return b"".join(parts) if frame.fin else None

    def _count_extra(self) -> None:
        """As many pings and fragments as anybody likes."""

    def _say(self, message: str | bytes) -> None:
        if self._protocol.state is not State.OPEN:
            return
        if isinstance(message, bytes):
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message.encode())
        self._write()


class Door:
    """As much of a door as a socket asks for."""

    def __init__(self) -> None:
        self.services = SimpleNamespace(clock=clock, tally=LiveTally())

    def left(self, socket: Socket) -> None:
        """Nobody counts them here."""


async def serve() -> asyncio.Server:
    """Listen on a free port of the loopback."""
    door = Door()
    return await asyncio.get_running_loop().create_server(lambda: Echo(door), "127.0.0.1", 0)
