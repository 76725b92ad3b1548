"""The single writer of a process: one thread, one connection, group commit.

Whatever waits when the writer is free becomes one transaction, synced once. Nobody is told before that
sync. A job that fails takes none of its neighbours with it.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from balie.kernel.errors import BalieError, BusyError, UnavailableError
from balie.store.driver import Driver
from balie.store.journal import Journal, Wish
from balie.store.line import Line, raw
from balie.store.tally import StoreTally

QUEUE_LIMIT = 20_000
BATCH_LIMIT = 512
PAUSE = 0.0005
"""Seconds that a batch waits for company, while one transaction follows another at less than this."""
ENOUGH = 64
"""Jobs that wait for nobody."""
TRIES = 5
"""How often a job is tried alone, where the database says that it might succeed."""
CLOSED_FOR = 2.5
"""Seconds without a write after the disk failed to keep one: as long as whoever asks for readiness needs to see
it. What people say waits in their outboxes."""

log = structlog.get_logger("balie.store")

Done = Callable[[Any, BaseException | None], None]
Outcome = tuple[Done, Any, BaseException | None]


class OutcomeUnknownError(Exception):
    """The connection was lost while a transaction was being committed."""


class Job(Wish, Protocol):
    """Something to do inside a transaction, and whom to tell afterwards.

    `safe`: it raises only before it has written anything, so it needs no savepoint. `of`: whose rows it may
    see and change.
    """

    safe: bool

    @property
    def of(self) -> tuple[str, ...]: ...

    def run(self, connection: Connection, journal: "Journal[Any]") -> Any: ...

    def done(self, result: Any, error: BaseException | None) -> None: ...


class Writer:
    """Runs jobs in order. `deliver` gets a batch's outcomes, in order, once it is on disk."""

    def __init__(
        self,
        driver: Driver,
        journal: "Journal[Any]",
        deliver: Callable[[list[Outcome]], None],
    ) -> None:
        self._driver = driver
        self._journal = journal
        self._deliver = deliver
        self.tally = StoreTally()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._stopping = False
        self._closed_until = 0.0
        self._thread = threading.Thread(target=self._run, name="balie-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job. Raises BusyError when too many wait already."""
        if self._stopping or self._jobs.qsize() >= QUEUE_LIMIT:
            raise BusyError("too much waits to be written")
        self._jobs.put(job)

    def __len__(self) -> int:
        """Jobs that wait."""
        return self._jobs.qsize()

    def stop(self) -> None:
        """Write what is queued, then end the thread."""
        self._stopping = True
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        line = Line(self._driver.writes)
        ended = monotonic()
        while (first := self._jobs.get()) is not None or not self._jobs.empty():
            if first is None:
                # Somebody was still submitting when we were told to stop.
                self._jobs.put(None)
                continue
            self._wait_for_company(monotonic() - ended)
            batch, began = self._gather(first), monotonic()
            self._deliver(self._commit(batch, line))
            ended = monotonic()
            self.tally.commits.add(ended - began)
            self.tally.batches.add(len(batch))
        line.close()

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

    def _commit(self, batch: list[Job], line: Line) -> list[Outcome]:
        try:
            return self._transact(batch, line)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers are told
            # One of them is to blame; alone, each stands for itself.
            return [self._commit_alone(job, line, error) for job in batch]

    def _commit_alone(self, job: Job, line: Line, before: Exception) -> Outcome:
        error = before
        for _ in range(TRIES):
            if isinstance(error, OutcomeUnknownError) and not job.safe:
                # What is safe finds out, by its number and its id; this might be done twice.
                break
            self._journal.forget()
            try:
                (outcome,) = self._transact([job], line, trusting=False)
            except Exception as failed:  # noqa: BLE001 - idem
                error = failed
                if not self._may_pass(error):
                    break
            else:
                return outcome
        self._journal.forget()
        return job.done, None, self._as_unavailable(error)

    def _may_pass(self, error: Exception) -> bool:
        return isinstance(error, OutcomeUnknownError) or self._driver.is_passing(error)

    def _transact(self, batch: list[Job], line: Line, *, trusting: bool = True) -> list[Outcome]:
        self._renew_if_unkept()
        connection = line.open()
        at = raw(connection)
        try:
            of = {each for job in batch if job.safe for each in job.of}
            cursor = self._driver.begin_writing(at, of)
            self._journal.begin(cursor, batch, trusting=trusting)
            outcomes = [self._attempt(job, connection, of) for job in batch]
            self._journal.flush()
            self._end(connection)
        except BaseException as error:
            self._abandon(line, connection)
            self._close_if_unkept(error)
            raise
        return outcomes

    def _close_if_unkept(self, error: BaseException) -> None:
        """After a failed sync the system may hold for written what never reached the disk. So nothing is
        acknowledged before all of it was written once more, and synced."""
        if self._driver.is_unkept(error):
            self._closed_until = monotonic() + CLOSED_FOR
            log.error(
                "the disk failed to keep a write; nothing is written for now", error=repr(error)
            )

    def _renew_if_unkept(self) -> None:
        if not self._closed_until:
            return
        if monotonic() < self._closed_until or not self._is_renewed():
            raise UnavailableError("the disk failed to keep a write; nothing was stored")
        self._closed_until = 0.0
        self._journal.forget()
        log.warning("the store was written to the disk anew, and is open again")

    def _is_renewed(self) -> bool:
        try:
            return self._driver.renew()
        except Exception as error:  # noqa: BLE001 - whatever it is, the disk fails still
            self._closed_until = monotonic() + CLOSED_FOR
            log.warning("the disk fails still", error=repr(error))
            return False

    def _end(self, connection: Connection) -> None:
        try:
            connection.commit() if connection.in_transaction() else raw(connection).commit()
        except Exception as error:
            if self._driver.is_lost(error):
                raise OutcomeUnknownError from error
            raise

    def _abandon(self, line: Line, connection: Connection) -> None:
        try:
            # The toolkit may have taken part, and must know that it is over, also after a commit that failed.
            connection.rollback()
            raw(connection).rollback()
        except Exception:  # noqa: BLE001 - there is nothing left to roll back on
            line.lose()

    def _attempt(self, job: Job, connection: Connection, of: set[str]) -> Outcome:
        try:
            if job.safe:
                return job.done, job.run(connection, self._journal), None
            return job.done, self._run_apart(job, connection, of), None
        except BalieError as error:
            return job.done, None, error
        except Exception as error:
            # Without a savepoint there is no telling what of it was written.
            if job.safe or self._driver.is_broken(error):
                raise
            if not isinstance(error, DBAPIError):
                log.exception("a write failed", job=type(job).__name__)
            return job.done, None, self._driver.translate(error)

    def _run_apart(self, job: Job, connection: Connection, of: set[str]) -> Any:
        """With a savepoint, and with no other rows in sight than its own."""
        # A savepoint must not hold back what earlier jobs still have in the journal.
        self._journal.flush()
        at = raw(connection)
        with connection.begin_nested():
            self._driver.enter(at, job.of)
            try:
                return job.run(connection, self._journal)
            finally:
                if not self._driver.is_spoilt(at):
                    self._driver.enter(at, of)

    def _as_unavailable(self, error: Exception) -> BaseException:
        told = self._driver.translate(error)
        self.tally.failures += isinstance(told, UnavailableError) or not isinstance(
            told, BalieError
        )
        if isinstance(told, BalieError):
            return told
        log.error("the store cannot write", error=repr(error))
        if isinstance(error, OutcomeUnknownError):
            return UnavailableError("the database was lost at the end; look whether it was stored")
        return UnavailableError("the store cannot write now; nothing was stored")
