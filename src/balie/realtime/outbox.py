"""What waits to be sent to one client: bounded, and sent together where it can be."""

import asyncio
from collections import deque

MAX_BYTES = 256 * 1024
"""A client that lets more than this pile up is too slow; it is closed and resumes later."""
ENOUGH = 128 * 1024
"""Events are kept back from here on, and read again when there is room."""
ROOM = 64 * 1024
"""There is room when no more than this waits."""
PIECE = 48 * 1024
"""Bytes of events that are read for a client at once; a single event may be longer."""
MAX_MESSAGE = 48 * 1024
"""Frames are put together into one message up to this size."""


class Outbox:
    """Frames on their way out."""

    __slots__ = ("_frames", "_roomy", "bytes")

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._roomy: asyncio.Event | None = None
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def put(self, frame: bytes) -> bool:
        """False when it no longer fits: the client is too slow."""
        self._frames.append(frame)
        self.bytes += len(frame)
        return self.bytes <= MAX_BYTES

    def takes(self, size: int) -> bool:
        """Whether so many bytes of what can be read again later fit now."""
        return self.bytes + size <= ENOUGH

    async def room(self) -> None:
        """Wait until the client has read most of what waits for it."""
        if self.bytes <= ROOM:
            return
        if self._roomy is None:
            self._roomy = asyncio.Event()
        await self._roomy.wait()

    def take(self) -> bytes:
        """The next message: one frame, or an array of frames."""
        message = self._next()
        self._tell_of_room()
        return message

    def _next(self) -> bytes:
        frames = self._frames
        message = frames.popleft()
        size = len(message)
        if not frames or size + len(frames[0]) > MAX_MESSAGE:
            self.bytes -= size
            return message
        together = [message]
        while frames and size + len(frames[0]) <= MAX_MESSAGE:
            frame = frames.popleft()
            size += len(frame)
            together.append(frame)
        self.bytes -= size
        return b"[%b]" % b",".join(together)

    def clear(self) -> None:
        self._frames.clear()
        self.bytes = 0
        self._tell_of_room()

    def _tell_of_room(self) -> None:
        if self._roomy is not None and self.bytes <= ROOM:
            self._roomy.set()
            self._roomy = None
