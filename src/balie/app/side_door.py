"""A second port for whoever watches this process: `/metrics`, `/healthz`, `/readyz`, and nothing else.

Where several processes share the first port, nobody knows which one answers there; here each has its own.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import uvicorn

from balie.http.routes import METRICS_TYPE

Answer = Callable[[], Awaitable[tuple[int, bytes]]]


class SideDoor:
    """Serves `answers`, by path, at a listening socket. Make it inside the event loop."""

    def __init__(self, listener: socket.socket, answers: dict[str, Answer]) -> None:
        self._answers = answers
        config = uvicorn.Config(
            self._serve,
            loop="uvloop",
            interface="asgi3",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = _Quiet(config)
        self._task = asyncio.get_running_loop().create_task(self._server.serve([listener]))

    async def close(self) -> None:
        """Serve no longer."""
        self._server.should_exit = True
        await self._task

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002
        answer = self._answers.get(scope["path"])
        known = answer is not None and scope["method"] in ("GET", "HEAD")
        status, body = await answer() if known and answer is not None else (404, b"nothing here\n")
        headers = [
            (b"content-type", f"{METRICS_TYPE}; charset=utf-8".encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Quiet(uvicorn.Server):
    """Leaves signals to the other server of this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
