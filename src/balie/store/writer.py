"""The single writer of a SQLite store: one thread, one connection, group commit.

Whatever waits when the writer is free becomes one transaction, synced once. Nobody is told before that
sync. A job that fails takes none of its neighbours with it.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from balie.kernel.errors import BalieError, BusyError, UnavailableError
from balie.store.journal import Journal

QUEUE_LIMIT = 20_000
BATCH_LIMIT = 512
PAUSE = 0.0005
"""Seconds that a batch waits for company, while one transaction follows another at less than this."""
ENOUGH = 64
"""Jobs that wait for nobody."""

log = structlog.get_logger("balie.store")

Done = Callable[[Any, BaseException | None], None]
Outcome = tuple[Done, Any, BaseException | None]


class Job(Protocol):
    """Something to do inside a transaction, and whom to tell afterwards.

    `safe`: it raises only before it has written anything, so it needs no savepoint. `of`: whose rows it may
    see and change.
    """

    safe: bool
    of: str

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
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="balie-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job. Raises BusyError when too many wait already."""
        if self._stopping or self._jobs.qsize() >= QUEUE_LIMIT:
            raise BusyError("too much waits to be written")
        self._jobs.put(job)

    def stop(self) -> None:
        """Write what is queued, then end the thread."""
        self._stopping = True
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        with self._engine.connect() as plain:
            # Transactions are begun and ended here, without the toolkit, which costs more than a message.
            connection = plain.execution_options(begin="")
            ended = monotonic()
            while (first := self._jobs.get()) is not None or not self._jobs.empty():
                if first is None:
                    # Somebody was still submitting when we were told to stop.
                    self._jobs.put(None)
                    continue
                self._wait_for_company(monotonic() - ended)
                self._deliver(self._commit(self._gather(first), connection))
                ended = monotonic()

    def _wait_for_company(self, idle: float) -> None:
        """A transaction costs as much as ten messages. Where they come one after the other, the next is
        near, and shares it; where there is no hurry, or a crowd already, nobody waits."""
        if idle < PAUSE and self._jobs.qsize() < ENOUGH and not self._stopping:
            sleep(PAUSE)

    def _gather(self, first: Job) -> list[Job]:
        batch = [first]
        while len(batch) < BATCH_LIMIT:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                # That says stop, after this batch.
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit(self, batch: list[Job], connection: Connection) -> list[Outcome]:
        try:
            return self._transact(batch, connection)
        except Exception:  # noqa: BLE001 - whatever it is, the callers are told
            # One of them is to blame; alone, each stands for itself.
            return [self._commit_alone(job, connection) for job in batch]

    def _commit_alone(self, job: Job, connection: Connection) -> Outcome:
        self._journal.forget()
        try:
            (outcome,) = self._transact([job], connection, trusting=False)
        except Exception as error:  # noqa: BLE001 - idem
            self._journal.forget()
            return job.done, None, _as_unavailable(error)
        return outcome

    def _transact(
        self, batch: list[Job], connection: Connection, *, trusting: bool = True
    ) -> list[Outcome]:
        raw: Any = connection.connection.driver_connection
        cursor = raw.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            self._journal.begin(cursor, trusting=trusting)
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
