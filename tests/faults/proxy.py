"""A network that repeats, swaps, delays and breaks: a proxy that knows where a WebSocket frame ends."""

import asyncio
import contextlib
import random
from collections import Counter

FIRST_CONTROL = 8


class Proxy:
    """Between pages and the server at `port`. Shares of frames: `repeats`, `swaps`, `delays`, `cuts`."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self.port, self.chance = port, chance
        self.repeats, self.swaps, self.delays, self.cuts = 0.1, 0.1, 0.05, 0.003
        self.longest = 3.0
        self.did: Counter[str] = Counter()
        self.lines: set[asyncio.StreamWriter] = set()

    async def open(self) -> str:
        """Returns its address."""
        self.server = await asyncio.start_server(self.meet, "127.0.0.1", 0)
        return f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        self.server.close()
        while self.lines:
            self.cut_all()
            await asyncio.sleep(0.05)

    def cut_all(self) -> None:
        """Break every connection."""
        for line in tuple(self.lines):
            line.transport.abort()

    def calm(self) -> None:
        """Hand on as it comes from now on."""
        self.repeats = self.swaps = self.delays = self.cuts = 0

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        self.lines |= {writer, far_writer}
        pumps = [
            asyncio.create_task(self.pump(reader, far_writer, "up")),
            asyncio.create_task(self.pump(far_reader, writer, "down")),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for line in (writer, far_writer):
            line.transport.abort()
        self.lines -= {writer, far_writer}

    async def pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: str
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            sink.write(await source.readuntil(b"\r\n\r\n"))
            # Who it is, and the welcome, stay first.
            sink.write(await frame(source))
            while True:
                await self.hand_on(await frame(source), source, sink, way)

    async def hand_on(
        self, data: bytes, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: str
    ) -> None:
        if data[0] & 0x0F >= FIRST_CONTROL:
            sink.write(data)
            return
        if self.happens("delays", way):
            await asyncio.sleep(self.chance.uniform(0, self.longest))
        if self.happens("cuts", way):
            sink.write(data[: len(data) // 2])
            await sink.drain()
            raise ConnectionResetError
        if self.happens("swaps", way):
            with contextlib.suppress(TimeoutError):
                # A frame that has begun is read to its end.
                async with asyncio.timeout(0.2):
                    begun = await source.readexactly(1)
                sink.write(await frame(source, begun))
        sink.write(data)
        if self.happens("repeats", way):
            sink.write(data)
        await sink.drain()

    def happens(self, what: str, way: str) -> bool:
        is_so = self.chance.random() < getattr(self, what)
        self.did[f"{what} {way}"] += is_so
        return is_so


async def frame(source: asyncio.StreamReader, begun: bytes = b"") -> bytes:
    """One frame as it came (RFC 6455, section 5.2)."""
    head = begun + await source.readexactly(2 - len(begun))
    size = head[1] & 0x7F
    wide = {126: 2, 127: 8}.get(size, 0)
    head += (rest := await source.readexactly(wide))
    size = int.from_bytes(rest) if wide else size
    mask = 4 if head[1] & 0x80 else 0
    return head + await source.readexactly(mask + size)
