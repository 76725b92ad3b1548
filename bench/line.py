"""A WebSocket client that costs the machine as little as Python allows: bytes in, messages out."""

import asyncio
import base64
import os

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def masked(payload, opcode=TEXT):
    """A client's frame. The mask is 0, which is legal and needs no work."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, 0x80 | size, 0, 0, 0, 0)) + payload
    if size < 65_536:
        return bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2) + b"\0\0\0\0" + payload
    return bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8) + b"\0\0\0\0" + payload


class Line(asyncio.Protocol):
    """One connection. `on_message` gets the bytes of each message once the handshake is over."""

    def __init__(self, request, on_message):
        self._request = request
        self._buffer = b""
        self._on_message = on_message
        self.opened = asyncio.get_running_loop().create_future()
        self.transport = None
        self.closed_with = None
        self.on_close = lambda _line: None

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, error):
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(repr(self._buffer[:200] or error)))
        self.on_close(self)

    def data_received(self, data):
        self._buffer = self._buffer + data if self._buffer else data
        if self.opened.done():
            self._take_frames()
        elif b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.opened.set_exception(ConnectionError(head.decode("latin-1")))
                return
            self.opened.set_result(self)
            self._take_frames()

    def _take_frames(self):
        data, place, end = self._buffer, 0, len(self._buffer)
        while end - place >= 2:
            size, start = data[place + 1], place + 2
            if size == 126:
                if end - place < 4:
                    break
                size, start = int.from_bytes(data[place + 2 : place + 4]), place + 4
            elif size == 127:
                if end - place < 10:
                    break
                size, start = int.from_bytes(data[place + 2 : place + 10]), place + 10
            if end - start < size:
                break
            self._frame(data[place] & 15, data[start : start + size])
            place = start + size
        self._buffer = data[place:]

    def _frame(self, opcode, payload):
        if opcode == TEXT:
            self._on_message(self, payload)
        elif opcode == PING:
            self.transport.write(masked(payload, PONG))
        elif opcode == CLOSE:
            self.closed_with = int.from_bytes(payload[:2])
            self.transport.close()

    def send(self, payload):
        self.transport.write(masked(payload))


async def open_line(port, path, headers, on_message):
    """Connect to 127.0.0.1 and shake hands."""
    key = base64.b64encode(os.urandom(16)).decode()
    fields = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
    } | headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    request = f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: Line(request, on_message), "127.0.0.1", port)
    return await line.opened
