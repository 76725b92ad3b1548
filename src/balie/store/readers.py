"""Reads of a store: a few threads, a connection each. What waits is read together, from one snapshot."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection

from balie.kernel.errors import BusyError
from balie.store.driver import Driver
from balie.store.line import Line, raw
from balie.store.writer import Done, Outcome

READERS = 4
QUEUE_LIMIT = 20_000
BATCH_LIMIT = 16
"""Few, so that a slow query holds up few others; enough, so that ten thousand who come back cost little."""

Query = tuple[Callable[[Connection], Any], str, Done]
"""What to ask, whose rows it may see, and whom to tell."""


class Readers:
    """Runs queries, each batch in one read transaction. `deliver` gets the outcomes of a batch."""

    def __init__(self, driver: Driver, deliver: Callable[[list[Outcome]], None]) -> None:
        self._driver = driver
        self._deliver = deliver
        self._queries: SimpleQueue[Query | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"balie-reader-{number}", daemon=True)
            for number in range(READERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def submit(self, query: Callable[[Connection], Any], of: str, done: Done) -> None:
        """Queue a query over the rows `of` an organisation. Raises BusyError when too many wait already."""
        if self._queries.qsize() >= QUEUE_LIMIT:
            raise BusyError("too much waits to be read")
        self._queries.put((query, of, done))

    def __len__(self) -> int:
        """Queries that wait."""
        return self._queries.qsize()

    def stop(self) -> None:
        """Answer what is queued, then end the threads."""
        for thread in self._threads:
            if thread.is_alive():
                self._queries.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _run(self) -> None:
        line = Line(self._driver.readers)
        while (first := self._queries.get()) is not None:
            self._deliver(self._answer(self._gather(first), line))
        line.close()

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

    def _answer(self, batch: list[Query], line: Line) -> list[Outcome]:
        outcomes: list[Outcome] = []
        may_reconnect = True
        while len(outcomes) < len(batch):
            try:
                self._read(batch, outcomes, line)
            except Exception as error:  # noqa: BLE001 - whatever it is, the callers are told
                line.lose()
                if may_reconnect and self._driver.is_lost(error):
                    # The server may only have closed what was idle, or have been started anew.
                    may_reconnect = False
                    continue
                told = self._driver.translate(error)
                outcomes += [(done, None, told) for _, _, done in batch[len(outcomes) :]]
        return outcomes

    def _read(self, batch: list[Query], outcomes: list[Outcome], line: Line) -> None:
        """Answer those that have no outcome yet, from one snapshot; stops behind one that spoils it."""
        driver, connection = self._driver, line.open()
        at, left = raw(connection), batch[len(outcomes) :] if outcomes else batch
        _, scope, _ = left[0]
        driver.begin_reading(at, scope)
        for query, of, done in left:
            if of != scope:
                driver.enter(at, (of,))
                scope = of
            outcomes.append(outcome := self._attempt(query, done, connection))
            if outcome[2] is not None and driver.is_spoilt(at):
                break
        driver.end_reading(connection)

    def _attempt(
        self, query: Callable[[Connection], Any], done: Done, connection: Connection
    ) -> Outcome:
        try:
            return done, query(connection), None
        except Exception as error:
            if self._driver.is_lost(error):
                raise
            return done, None, self._driver.translate(error)
