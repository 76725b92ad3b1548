"""The single writer of a SQLite store: one thread, one connection, group commit.

Whatever waits when the writer is free becomes one transaction, synced once. Nobody is told before that
sync. A job that fails takes none of its neighbours with it.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from balie.kernel.errors import BalieError, BusyError, UnavailableError
from balie.store.journal import Journal

QUEUE_LIMIT = 20_000
BATCH_LIMIT = 512

log = structlog.get_logger("balie.store")

Done = Callable[[Any, BaseException | None], None]
Outcome = tuple[Done, Any, BaseException | None]


class Job(Protocol):
    """Something to do inside a transaction, and whom to tell afterwards.

    `safe`: it raises only before it has written anything, so it needs no savepoint.
    """

    safe: bool

    def run(self, connection: Connection, journal: "Journal[Any]") -> Any: ...

    def done(self, result: Any, error: BaseException | None) -> None: ...


class Writer:
    """Runs jobs in order. `deliver` gets a batch's outcomes, in order, once it is on disk."""

    def __init__(
        self,
        engine: Engine,
        journal: "Journal[Any]",
        deliver: Callable[[list[Outcome]], None],
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._deliver = deliver
        self._jobs: deque[Job] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="balie-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job. Raises BusyError when too many wait already."""
        if len(self._jobs) >= QUEUE_LIMIT or self._stopping:
            raise BusyError("too much waits to be written")
        self._jobs.append(job)
        # The writer clears it before it looks, so whoever finds it set is seen.
        if not self._wake.is_set():
            self._wake.set()

    def stop(self) -> None:
        """Write what is queued, then end the thread."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        with self._engine.connect() as plain:
            # Transactions are begun and ended here, without the toolkit, which costs more than a message.
            connection = plain.execution_options(begin="")
            while True:
                self._wake.wait()
                self._wake.clear()
                while batch := self._take():
                    self._deliver(self._commit(batch, connection))
                if self._stopping:
                    return

    def _take(self) -> list[Job]:
        jobs = self._jobs
        return [jobs.popleft() for _ in range(min(len(jobs), BATCH_LIMIT))]

    def _commit(self, batch: list[Job], connection: Connection) -> list[Outcome]:
        try:
            return self._transact(batch, connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers are told
            self._journal.forget()
            if len(batch) > 1:
                # One of them is to blame; alone, each stands for itself.
                return [outcome for job in batch for outcome in self._commit([job], connection)]
            return [(batch[0].done, None, _as_unavailable(error))]

    def _transact(self, batch: list[Job], connection: Connection) -> list[Outcome]:
        raw: Any = connection.connection.driver_connection
        cursor = raw.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            self._journal.begin(cursor)
            outcomes = [self._attempt(job, connection) for job in batch]
            self._journal.flush()
            connection.commit() if connection.in_transaction() else raw.commit()
        except BaseException:
            # The toolkit may have taken part, and must know that it is over, also after a commit that failed.
            connection.rollback()
            raw.rollback()
            raise
        return outcomes

    def _attempt(self, job: Job, connection: Connection) -> Outcome:
        try:
            if job.safe:
                return job.done, job.run(connection, self._journal), None
            # A savepoint must not hold back what earlier jobs still have in the journal.
            self._journal.flush()
            with connection.begin_nested():
                return job.done, job.run(connection, self._journal), None
        except BalieError as error:
            return job.done, None, error
        except Exception as error:
            # Without a savepoint there is no telling what of it was written.
            if job.safe or _is_broken(error):
                raise
            if not isinstance(error, DBAPIError):
                log.exception("a write failed", job=type(job).__name__)
            return job.done, None, error


def _is_broken(error: Exception) -> bool:
    """Whether the database itself fails (disk, lock, corruption), not the statement."""
    return isinstance(error, DBAPIError) and type(error.orig).__name__ == "OperationalError"


def _as_unavailable(error: Exception) -> BaseException:
    if isinstance(error, BalieError):
        return error
    log.error("the store cannot write", error=repr(error))
    return UnavailableError("the store cannot write now; nothing was stored")
