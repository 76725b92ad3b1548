"""A WebSocket client that sends whatever bytes it is told to, for tests of a server that must bear it."""

import asyncio
import contextlib
import json
import secrets
from base64 import b64encode

from websockets.frames import Frame, Opcode


class Raw:
    """One connection. Frames go out as given; what comes in is messages, or a close code."""

    def __init__(self, port, kind, headers):
        self._port, self._kind, self._headers = port, kind, headers
        self.status = 0
        self.head = ""
        self.closed_with = None
        self._ready = []

    async def open(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        fields = {
            "Host": f"127.0.0.1:{self._port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": b64encode(secrets.token_bytes(16)).decode(),
            "Sec-WebSocket-Version": "13",
        } | self._headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._writer.write(f"GET /ws/{self._kind} HTTP/1.1\r\n{lines}\r\n".encode())
        self.head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        self.status = int(self.head.split()[1])
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def write(self, data):
        """Bytes as they are; a server that is gone already takes none."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def send(self, frame):
        """A text message: an object as JSON, or bytes as they are."""
        data = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        await self.write(Frame(Opcode.TEXT, data).serialize(mask=True))

    async def hear(self, within=10):
        """The next frame of the server; None when it has closed."""
        while not self._ready:
            message = await asyncio.wait_for(self._message(), within)
            if message is None:
                return None
            told = json.loads(message)
            self._ready += told if isinstance(told, list) else [told]
        return self._ready.pop(0)

    async def expect(self, *kinds):
        """The next frame of one of these types; None when it has closed."""
        while (frame := await self.hear()) is not None and frame["type"] not in kinds:
            pass
        return frame

    async def _message(self):
        while self.closed_with is None:
            try:
                opcode, payload = await self._frame()
            except (asyncio.IncompleteReadError, ConnectionError):
                self.closed_with = 1006
                break
            if opcode == Opcode.TEXT:
                return payload
            if opcode == Opcode.CLOSE:
                self.closed_with = int.from_bytes(payload[:2])
        return None

    async def _frame(self):
        first, size = await self._reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2))
        elif size == 127:
            size = int.from_bytes(await self._reader.readexactly(8))
        return first & 15, await self._reader.readexactly(size)

    async def close(self):
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
