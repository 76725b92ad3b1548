"""WebSocket frames (RFC 6455) as a server reads and writes them: bytes to messages and back. Pure.

Written for Balie's own needs: no extensions, small messages, and nothing is kept of a message that is too
large. Every message costs a few microseconds here, which is what the hot path is made of.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from enum import IntEnum

from balie.realtime.protocol.frames import MAX_FRAME_BYTES, Close

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTROL_BYTES = 125


class Opcode(IntEnum):
    """What a frame is (section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


TEXT, BINARY, CLOSE = int(Opcode.TEXT), int(Opcode.BINARY), int(Opcode.CLOSE)
PING, PONG = int(Opcode.PING), int(Opcode.PONG)

Message = tuple[int, bytes]
"""TEXT, CLOSE, PING or PONG, and its payload."""


class BrokenError(Exception):
    """The client broke the protocol; the connection closes with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Framing:
    """Takes what comes in, as it comes, and gives the messages in it.

    `extras` counts fragments and control frames since the last reset: what costs work and says nothing.
    """

    __slots__ = ("_buffer", "_message", "_unfinished", "extras")

    def __init__(self) -> None:
        self._buffer = b""
        self._message: bytearray | None = None
        self._unfinished = False
        self.extras = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete by now. Raises BrokenError; then nothing more is to be fed.

        What came before the breach in the same bytes is dropped: its sender is wrong and will be told so.
        """
        if self._buffer:
            data = self._buffer + data
        found: list[Message] = []
        place, end = 0, len(data)
        while end - place >= 2:
            first, second = data[place], data[place + 1]
            size, start = second & 0x7F, place + 6
            if size >= 126:
                wide = 2 if size == 126 else 8
                if end - place < 2 + wide:
                    break
                size = int.from_bytes(data[place + 2 : place + 2 + wide])
                start += wide
            # Before any of it is waited for.
            self._check(first, second, size)
            if end - start < size:
                break
            payload = unmasked(data[start : start + size], data[start - 4 : start])
            if first == 0x81 and not self._unfinished:
                found.append((TEXT, payload))
            else:
                self._take(first, payload, found)
            place = start + size
        self._buffer = data[place:]
        return found

    def _check(self, first: int, second: int, size: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise BrokenError(Close.PROTOCOL, "no extension was agreed on")
        if not second & 0x80:
            raise BrokenError(Close.PROTOCOL, "a client's frames are masked")
        if opcode >= CLOSE:
            if opcode > PONG or not first & 0x80 or size > _CONTROL_BYTES:
                raise BrokenError(Close.PROTOCOL, "not a control frame")
            return
        if opcode == BINARY:
            raise BrokenError(Close.BINARY, "frames are text")
        if opcode > BINARY or (opcode == 0) is not self._unfinished:
            raise BrokenError(Close.PROTOCOL, "not the frame that was due")
        if size + len(self._message or b"") > MAX_FRAME_BYTES:
            raise BrokenError(Close.TOO_BIG, f"a message has at most {MAX_FRAME_BYTES} bytes")

    def _take(self, first: int, payload: bytes, found: list[Message]) -> None:
        """A control frame, or a piece of a message."""
        self.extras += 1
        opcode = first & 0x0F
        if opcode >= CLOSE:
            found.append((opcode, payload))
            return
        if self._message is None:
            self._message = bytearray()
        self._message += payload
        self._unfinished = not first & 0x80
        if not self._unfinished:
            found.append((TEXT, bytes(self._message)))
            self._message = None


def unmasked(payload: bytes, mask: bytes) -> bytes:
    """What the client meant (section 5.3): every byte XORed with the mask, four at a time."""
    size = len(payload)
    if mask == b"\0\0\0\0" or not size:
        return payload
    long_mask = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(long_mask)).to_bytes(size)


def framed(opcode: int, payload: bytes) -> bytes:
    """A whole message in one frame of a server: final and unmasked."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return bytes((0x80 | opcode, 126, size >> 8, size & 0xFF)) + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8) + payload


def closing(code: int, reason: str) -> bytes:
    """A close frame."""
    return framed(CLOSE, code.to_bytes(2) + reason.encode()[: _CONTROL_BYTES - 2])


def closed_with(payload: bytes) -> int:
    """The code that a client closes with. Raises BrokenError for one that may not be sent (section 7.4)."""
    if not payload:
        return 1_000
    code = int.from_bytes(payload[:2])
    known = 1_000 <= code <= 1_003 or 1_007 <= code <= 1_014 or 3_000 <= code <= 4_999
    if len(payload) < 2 or not known:
        raise BrokenError(Close.PROTOCOL, "no such close code")
    read_text(payload[2:])
    return code


def read_text(payload: bytes) -> str:
    """The text of a message. Raises BrokenError when it is not UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise BrokenError(Close.NOT_UTF8, "text is UTF-8") from None


def accept_handshake(method: str, headers: Mapping[str, str]) -> str | None:
    """The value of Sec-WebSocket-Accept; None when this is no WebSocket handshake (section 4.2.1)."""
    key = headers.get("sec-websocket-key", "")
    try:
        genuine = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return None
    if not genuine or method != "GET" or headers.get("sec-websocket-version") != "13":
        return None
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()
