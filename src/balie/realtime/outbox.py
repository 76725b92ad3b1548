"""What waits to be sent to one client: bounded, and sent together where it can be."""

from collections import deque

MAX_BYTES = 256 * 1024
"""A client that lets more than this pile up is too slow; it is closed and resumes later."""
MAX_MESSAGE = 48 * 1024
"""Frames are put together into one message up to this size."""


class Outbox:
    """Frames on their way out."""

    __slots__ = ("_frames", "bytes")

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def put(self, frame: bytes) -> bool:
        """False when it no longer fits: the client is too slow."""
        self._frames.append(frame)
        self.bytes += len(frame)
        return self.bytes <= MAX_BYTES

    def take(self) -> bytes:
        """The next message: one frame, or an array of frames."""
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
