"""A company's proxy that lets pages through and refuses whatever wants to become a socket."""

import asyncio
import contextlib
from typing import Self
from urllib.parse import urlsplit


class RefusingProxy:
    """Plain HTTP only: each request by a connection of its own; CONNECT and Upgrade are answered with 403."""

    def __init__(self) -> None:
        self.refused = 0
        self.streams = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        if method == "CONNECT" or any(line.lower().startswith("upgrade:") for line in lines):
            self.refused += 1
            writer.write(
                b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            await writer.drain()
            return
        where = urlsplit(target)
        path = where.path + (f"?{where.query}" if where.query else "")
        self.streams += where.path.startswith("/sse/") and "/sessions/" not in where.path
        kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
        await self._forward(
            reader,
            writer,
            where.port or 80,
            "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "connection: close", "", ""]),
        )

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, head: str
    ) -> None:
        # Whatever the name, it is this machine.
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        outer.write(head.encode("latin-1"))
        asking = asyncio.create_task(pipe(reader, outer))
        try:
            await pipe(inner, writer)
        finally:
            asking.cancel()
            outer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
