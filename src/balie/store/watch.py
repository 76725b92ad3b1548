"""Connections to PostgreSQL whose other end is gone, although the network takes what is sent.

A server or a network that vanishes is noticed by the kernel (`tcp_user_timeout`, keepalives). A proxy, pooler
or balancer in between may answer for a database that it does not reach any more, and then a query waits for
ever. Who waits for long is therefore looked up, over a fresh connection, in the list of what the server works
at. A query that it knows may take its time; one that it does not know has lost its line, which is cut: the
query fails, and the next one has a new connection.
"""

import contextlib
import os
import socket
import threading
import time
from typing import Any
from weakref import WeakSet

import psycopg
import structlog
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

LOOK_EVERY = 0.5
LONG = 1.5
"""Seconds from which on a query is looked up."""
ASK_WITHIN = 2.0
"""Seconds in which a server that is there answers."""

_AT_WORK = (
    "SELECT pid, state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead', state_change::text"
    " FROM pg_stat_activity WHERE pid = ANY(%s)"
)

log = structlog.get_logger("balie.store")

Seen = dict[int, tuple[bool, str]]
"""By backend: whether it works at something, and since when it does what it does."""


class Watch:
    """Looks after connections that are added. `owner` opens fresh ones."""

    def __init__(self, owner: Engine) -> None:
        self._owner = owner
        self._lines: WeakSet[Any] = WeakSet()
        self._since: dict[int, float] = {}
        self._idle: dict[int, str] = {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, line: Any, backend: int) -> None:
        """Look after a psycopg connection, whose server process is `backend`."""
        line.balie_backend = backend
        self._lines.add(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="balie-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            try:
                self.look(time.monotonic())
            except Exception:
                log.exception("looking after connections failed")

    def look(self, now: float) -> None:
        """Cut the lines of those who wait for nobody."""
        waiting = {
            line.balie_backend: line
            for line in tuple(self._lines)
            if line.pgconn.transaction_status == TransactionStatus.ACTIVE
        }
        self._since = {backend: self._since.get(backend, now) for backend in waiting}
        long = [backend for backend, since in self._since.items() if now - since >= LONG]
        self._idle = {backend: self._idle[backend] for backend in long if backend in self._idle}
        if not long:
            return
        seen = self._ask(long)
        for backend in long:
            if self._is_unknown(backend, seen):
                _cut(waiting[backend])

    def _is_unknown(self, backend: int, seen: Seen | None) -> bool:
        """Whether the server had nothing to do for it twice in a row, or twice was not there: it may just have
        ended a query, or been busy."""
        works, since = (False, "") if seen is None else seen.get(backend, (False, ""))
        if works:
            self._idle.pop(backend, None)
            return False
        before = self._idle.get(backend)
        self._idle[backend] = since
        return before == since

    def _ask(self, backends: list[int]) -> Seen | None:
        """What the server does for them; None where it is out of reach."""
        answers: list[Seen | None] = []
        asking = threading.Thread(
            target=lambda: answers.append(self._answer(backends)), name="balie-ask", daemon=True
        )
        asking.start()
        asking.join(ASK_WITHIN)
        return answers[0] if answers else None

    def _answer(self, backends: list[int]) -> Seen | None:
        try:
            with self._owner.connect() as connection:
                line = connection.connection.driver_connection
                assert isinstance(line, psycopg.Connection)
                rows = line.execute(_AT_WORK, [backends]).fetchall()
        except DBAPIError as error:
            # One that refuses us is there: nothing is known of the others.
            is_there = getattr(error.orig, "sqlstate", None) is not None
            return dict.fromkeys(backends, (True, "")) if is_there else None
        return {pid: (bool(works), str(since)) for pid, works, since in rows}


def _cut(line: Any) -> None:
    log.warning("a connection to the database is dead, and given up")
    with contextlib.suppress(OSError, psycopg.Error):
        # The thread that waits still owns the connection: it is woken, not robbed.
        held = socket.socket(fileno=os.dup(line.pgconn.socket))
        with held:
            held.shutdown(socket.SHUT_RDWR)
