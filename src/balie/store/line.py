"""A thread's own connection: opened when it is needed, and again when it was lost."""

import time
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from balie.kernel.errors import UnavailableError

PAUSE = 0.2
"""Seconds for which nobody knocks again where nobody answered."""

log = structlog.get_logger("balie.store")


class Line:
    """Not for two threads. Transactions are begun and ended without the toolkit, which costs more than a
    message."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._closed_until = 0.0

    def open(self) -> Connection:
        """The connection. Raises UnavailableError."""
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def lose(self) -> None:
        """Never use it again: it is broken, or nobody knows what state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Give it back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> Connection:
        if time.monotonic() < self._closed_until:
            raise UnavailableError("the database is out of reach")
        try:
            return self._engine.connect().execution_options(begin="")
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be asked
            self._closed_until = time.monotonic() + PAUSE
            log.warning("the database is out of reach", error=repr(error))
            raise UnavailableError("the database is out of reach") from None


def raw(connection: Connection) -> Any:
    """The driver's own connection behind the toolkit's."""
    return connection.connection.driver_connection
