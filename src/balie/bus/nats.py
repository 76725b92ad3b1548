"""Hints over core NATS. It keeps nothing, so nothing that matters is entrusted to it.

The connection is made in the background and for ever: at the start NATS may be away, and later it may go and
come back. What cannot be sent at once is dropped.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from nats.aio.client import Client

from balie.bus.hints import Hint

RETRY_AFTER = 1
PENDING_BYTES = 1_024 * 1_024

log = structlog.get_logger("balie.bus")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Hint).decode


class NatsHints:
    """One connection. `subject` is what the processes of one installation have in common."""

    def __init__(self, url: str, subject: str) -> None:
        self._url = url
        self._subject = subject
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._hear: Callable[[Hint], None] = lambda _: None

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    def start(self, hear: Callable[[Hint], None]) -> None:
        self._hear = hear
        self._task = asyncio.get_running_loop().create_task(self._connect())

    def tell(self, hint: Hint) -> None:
        client = self._client
        if client is None or not client.is_connected:
            return
        # What the library's own `publish` awaits is only its flusher; a task for each hint costs more than it.
        task = asyncio.get_running_loop().create_task(client.publish(self._subject, _encode(hint)))
        task.add_done_callback(_forgive)

    async def stop(self) -> None:
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            with contextlib.suppress(Exception):
                await self._client.close()

    async def _connect(self) -> None:
        while True:
            client = Client()
            try:
                await client.connect(
                    self._url,
                    name="balie",
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RETRY_AFTER,
                    connect_timeout=5,
                    ping_interval=5,
                    max_outstanding_pings=2,
                    pending_size=PENDING_BYTES,
                    error_cb=_note,
                    disconnected_cb=self._gone,
                    reconnected_cb=self._back,
                )
                await client.subscribe(self._subject, cb=self._received)
            except Exception as error:  # noqa: BLE001 - whatever it is, there is a log to read
                log.warning("NATS is out of reach; the log is read instead", error=repr(error))
                with contextlib.suppress(Exception):
                    await client.close()
                await asyncio.sleep(RETRY_AFTER)
                continue
            self._client = client
            return

    async def _gone(self) -> None:
        if not self._stopping:
            log.warning("NATS is gone; the log is read instead")

    async def _back(self) -> None:
        log.warning("NATS is back")

    async def _received(self, message: Any) -> None:
        try:
            hint = _decode(message.data)
        except msgspec.MsgspecError:
            log.warning("somebody else speaks on our subject", subject=self._subject)
            return
        self._hear(hint)


def _forgive(task: "asyncio.Task[None]") -> None:
    # A hint that does not leave is one that nobody needed.
    if not task.cancelled():
        task.exception()


async def _note(error: Exception) -> None:
    log.debug("NATS", error=repr(error))
