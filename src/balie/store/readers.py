"""Reads of a SQLite store: a few threads, a connection each. What waits is read together, from one snapshot."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine

from balie.kernel.errors import BusyError
from balie.store.writer import Done, Outcome

QUEUE_LIMIT = 20_000
BATCH_LIMIT = 16
"""Few, so that a slow query holds up few others; enough, so that ten thousand who come back cost little."""

Query = tuple[Callable[[Connection], Any], str, Done]
"""What to ask, whose rows it may see, and whom to tell."""


class Readers:
    """Runs queries, each batch in one read transaction. `deliver` gets the outcomes of a batch."""

    def __init__(
        self, engine: Engine, count: int, deliver: Callable[[list[Outcome]], None]
    ) -> None:
        self._engine = engine
        self._deliver = deliver
        self._queries: SimpleQueue[Query | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"balie-reader-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def submit(self, query: Callable[[Connection], Any], of: str, done: Done) -> None:
        """Queue a query over the rows `of` an organisation. Raises BusyError when too many wait already."""
        if self._queries.qsize() >= QUEUE_LIMIT:
            raise BusyError("too much waits to be read")
        self._queries.put((query, of, done))

    def stop(self) -> None:
        """Answer what is queued, then end the threads."""
        for thread in self._threads:
            if thread.is_alive():
                self._queries.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _run(self) -> None:
        with self._engine.connect() as plain:
            connection = plain.execution_options(begin="")
            while (first := self._queries.get()) is not None:
                batch = self._gather(first)
                self._deliver(self._answer(batch, connection))

    def _gather(self, first: Query) -> list[Query]:
        batch = [first]
        while len(batch) < BATCH_LIMIT:
            try:
                query = self._queries.get_nowait()
            except Empty:
                break
            if query is None:
                # That was meant for a thread that is told to stop: for this one, as well as another.
                self._queries.put(None)
                break
            batch.append(query)
        return batch

    def _answer(self, batch: list[Query], connection: Connection) -> list[Outcome]:
        raw: Any = connection.connection.driver_connection
        try:
            raw.execute("BEGIN")
            return [_attempt(query, done, connection) for query, _, done in batch]
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers are told
            return [(done, None, error) for _, _, done in batch]
        finally:
            connection.rollback() if connection.in_transaction() else raw.rollback()


def _attempt(query: Callable[[Connection], Any], done: Done, connection: Connection) -> Outcome:
    try:
        return done, query(connection), None
    except Exception as error:  # noqa: BLE001 - the caller is told
        return done, None, error
