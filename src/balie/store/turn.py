"""Work that one of several processes does at a time.

Whoever has the turn holds an advisory lock, on a connection of its own. The server takes it back when that
process dies, and when nothing was heard of it for SILENT_MS: one that was stopped in the middle keeps nobody
waiting. When it goes on, it changes nothing more: every transaction of such work confirms first that the turn
is still its own, under a second lock that the transactions of its successor take as well.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Protocol

from sqlalchemy import Connection, Engine

from balie.kernel.errors import BusyError
from balie.store.schema import cursor_of

SILENT_MS = 20_000
"""Longer than a transaction may be idle, so that none outlives the turn that it confirmed."""
SWEEPING = 0x5EEB
_STEP = SWEEPING + 1

_HELD = (
    "SELECT pg_try_advisory_xact_lock(?) AND EXISTS ("
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = ? AND pid = ?"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


class NotOursError(BusyError):
    """Another process does this work now."""


class Turn(Protocol):
    """Not to be taken twice at once."""

    def take(self) -> bool:
        """Whether the turn is this process's now."""
        ...

    def keep(self) -> None:
        """Say that this process is alive."""
        ...

    def confirm(self, connection: Connection) -> None:
        """In a transaction of the work: raise NotOursError where the turn was lost."""
        ...

    def let_go(self) -> None: ...


class OnlyTurn:
    """Where no other process does such work."""

    def take(self) -> bool:
        return True

    def keep(self) -> None:
        pass

    def confirm(self, connection: Connection) -> None:
        pass

    def let_go(self) -> None:
        pass


class SharedTurn:
    """One of all processes over a PostgreSQL."""

    def __init__(self, engine: Engine, silent_ms: int) -> None:
        self._engine = engine
        self._silent_ms = silent_ms
        self._connection: Connection | None = None
        self._pid = 0
        self._using = threading.Lock()

    def take(self) -> bool:
        with self._using:
            with contextlib.ExitStack() as on_failure:
                connection = self._engine.connect().execution_options(begin="")
                on_failure.callback(connection.close)
                connection.exec_driver_sql(f"SET idle_session_timeout = {self._silent_ms}")
                taking = f"SELECT pg_try_advisory_lock({SWEEPING})"
                if not connection.exec_driver_sql(taking).scalar_one():
                    return False
                # Not what the driver was told when it connected: that may be a pooler's own number.
                self._pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                self._connection = connection
                on_failure.pop_all()
            return True

    def keep(self) -> None:
        with self._using, contextlib.suppress(Exception):
            # What is lost is noticed by the next transaction.
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")

    def confirm(self, connection: Connection) -> None:
        [held] = cursor_of(connection).execute(_HELD, (_STEP, SWEEPING, self._pid)).fetchone()
        if not held:
            raise NotOursError("the turn was lost; another process goes on")

    def let_go(self) -> None:
        with self._using, contextlib.suppress(Exception):
            connection, self._connection, self._pid = self._connection, None, 0
            if connection is not None:
                # Closed as a whole, so that the lock goes with it whatever state it is in.
                connection.invalidate()
                connection.close()


@contextlib.asynccontextmanager
async def having(turn: Turn) -> AsyncIterator[None]:
    """Do something while it is this process's turn. Raises NotOursError where it is another's."""
    if not await asyncio.to_thread(turn.take):
        raise NotOursError("another process does this now; nothing was done")
    keeping = asyncio.get_running_loop().create_task(_keep(turn))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.to_thread(turn.let_go)


async def _keep(turn: Turn) -> None:
    while True:
        await asyncio.sleep(SILENT_MS / 4_000)
        await asyncio.to_thread(turn.keep)
