"""People who use Balie in tests: a server process, visitors and agents over real sockets and HTTP."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from balie.kernel.ids import ENTROPY_BYTES, new_id


def fresh_id() -> str:
    """An id of this moment, as a client makes them."""
    return new_id(time.time_ns() // 1_000_000, secrets.token_bytes(ENTROPY_BYTES))


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Demo:
    """A running `balie demo`: a process of its own, over a data directory that outlives it."""

    folder: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    database: str | None = None
    """Kind of it, as `tests/places.py` names them."""
    process: subprocess.Popen[str] | None = None
    told: dict[str, Any] = field(default_factory=dict)
    errors: Any = None
    """A file for its standard error; None for that of the tests."""
    program: tuple[str, ...] = (str(Path(sys.executable).with_name("balie")),)
    """What runs it: this version, or another."""

    def start(self) -> "Demo":
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BALIE_")}
        self.process = subprocess.Popen(
            [
                *self.program,
                "demo",
                "--json",
                f"--port={self.port}",
                f"--data-dir={self.folder}",
                *self._workers(),
            ],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment | _database(self.folder, self.database) | self.settings,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the demo did not start"
        self.told = json.loads(line)
        return self

    def _workers(self) -> list[str]:
        from tests import places  # noqa: PLC0415 - as below

        several = (self.database or places.chosen) == places.WORKERS
        return ["--workers=2"] if several else []

    def stop(self) -> int:
        code = self._end(signal.SIGTERM)
        if code:
            warnings.warn(f"the demo stopped with exit code {code}; its log says why", stacklevel=2)
        return code

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, sign: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(sign)
        # Longer than the process gives itself, so that it can say what it waits for.
        code = self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    @property
    def url(self) -> str:
        return str(self.told["url"])

    @property
    def shop(self) -> str:
        return str(self.told["shop_url"])

    @property
    def site(self) -> str:
        return str(self.told["site_key"])

    @property
    def logins(self) -> list[dict[str, str]]:
        return list(self.told["agents"])


def _database(folder: Path, kind: str | None) -> dict[str, str]:
    # Imported here: where all is in files, no driver for a server is needed.
    from tests import places  # noqa: PLC0415

    url = places.address(folder, kind)
    hints = {"BALIE_NATS_URL": places.nats()} if (kind or places.chosen) == places.WORKERS else {}
    return {"BALIE_DATABASE_URL": url} | hints if url else {}


PATIENT = {"BALIE_MESSAGE_BURST": "1000", "BALIE_CONNECTION_BURST": "1000"}
"""For tests who come and talk more often than people do."""


@contextlib.contextmanager
def running_demo(
    folder: Path, settings: dict[str, str], database: str | None = None
) -> Iterator[Demo]:
    """A demo that runs until the end, unless somebody ends it before."""
    demo = Demo(folder, settings=settings, database=database).start()
    yield demo
    if demo.process is not None:
        demo.stop()


class Talker:
    """One end of a socket: sends frames, collects what comes, waits for what is expected."""

    def __init__(self, url: str, headers: dict[str, str], hello: dict[str, Any]) -> None:
        self._url = url
        self._headers = headers
        self.hello = hello
        self.heard: list[dict[str, Any]] = []
        self.welcome: dict[str, Any] = {}
        self._news = asyncio.Condition()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.closed_with: int | None = None

    async def open(self, **more: Any) -> "Talker":
        self.heard, self.closed_with = [], None
        self._socket = await connect(
            self._url, additional_headers=self._headers, compression=None, ping_interval=None
        )
        self._reader = asyncio.create_task(self._read())
        await self.send(self.hello | more)
        self.welcome = await self.expect("welcome")
        return self

    async def _read(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(Exception):
            async for message in self._socket:
                told = json.loads(message)
                async with self._news:
                    self.heard += told if isinstance(told, list) else [told]
                    self._news.notify_all()
        async with self._news:
            self.closed_with = self._socket.close_code
            self._news.notify_all()

    async def send(self, frame: dict[str, Any] | str | bytes) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def expect(self, kind: str, within: float = 5.0, **fields: Any) -> dict[str, Any]:
        """The first frame of this kind with these fields that was not expected before."""

        def found() -> dict[str, Any] | None:
            for index, frame in enumerate(self.heard):
                if frame["type"] == kind and fields.items() <= frame.items():
                    return self.heard.pop(index)
            return None

        async with asyncio.timeout(within), self._news:
            while (frame := found()) is None:
                assert self.closed_with is None, f"closed with {self.closed_with}"
                await self._news.wait()
            return frame

    async def expect_close(self, within: float = 5.0) -> int:
        async with asyncio.timeout(within), self._news:
            while self.closed_with is None:
                await self._news.wait()
        return self.closed_with

    async def post(
        self, text: str, conversation: str | None = None, key: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """Say something and wait for its ack."""
        key = key or fresh_id()
        await self.send(
            {
                "type": "post",
                "client_message_id": key,
                "conversation": conversation,
                "text": text,
                **more,
            }
        )
        return await self.expect("ack", client_message_id=key)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader


def visitor(demo: Demo, token: str | None = None, **hello: Any) -> Talker:
    """A visitor of the demo shop."""
    frame = {"type": "hello", "site": demo.site, "language": "nl", **hello}
    if token is not None:
        frame["token"] = token
    return Talker(f"ws://127.0.0.1:{demo.port}/ws/visitor", {"Origin": demo.url}, frame)


class Agent:
    """Somebody signed in: HTTP with the session's cookie, and a console's socket."""

    def __init__(self, demo: Demo, login: dict[str, str]) -> None:
        self._demo = demo
        self._login = login
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{demo.port}",
            headers={"Origin": demo.url, "Host": demo.url.removeprefix("http://")},
            # Sooner than the server, which drops an idle connection after five seconds.
            limits=httpx.Limits(keepalive_expiry=2),
        )

    async def sign_in(self) -> "Agent":
        answer = await self.http.post("/api/v1/session", json=self._login)
        assert answer.status_code < 300, answer.text
        return self

    async def console(self, **hello: Any) -> Talker:
        answer = await self.http.post("/api/v1/socket-tickets")
        assert answer.status_code < 300, answer.text
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        talker = Talker(
            f"ws://127.0.0.1:{self._demo.port}/ws/agent",
            {"Origin": self._demo.url, "Cookie": cookies},
            {"type": "hello", "ticket": answer.json()["ticket"], **hello},
        )
        return await talker.open()

    async def leave(self) -> None:
        await self.http.aclose()
