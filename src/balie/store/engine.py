"""The store: reads on a few threads, writes through the one writer, appends to the log.

`read` and `write` take a function of a SQLAlchemy connection and run it off the event loop. A `write` is
one transaction of its own kind of job and shares the group commit of the appends around it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection

from balie.kernel.errors import BusyError
from balie.store.driver import Driver
from balie.store.journal import Journal
from balie.store.log import Append, Appended, Projection, State, Touch
from balie.store.readers import Readers
from balie.store.scope import EVERYWHERE, NOBODY
from balie.store.writer import Done, Outcome, Writer

S = TypeVar("S", bound=State)
T = TypeVar("T")

SCRUB_TRIES = 50
SCRUB_PAUSE = 0.1
PROBE_FOR = 1.0
"""Seconds for which a store that could be written is believed to be sound."""


class Store(Protocol):
    """What queries and commands need of a database, whatever the driver."""

    async def read(self, query: Callable[[Connection], T], *, of: str) -> T:
        """Run `query` in a read transaction that sees the rows `of` an organisation, or EVERYWHERE. Raises
        BusyError when too many wait."""
        ...

    async def write(self, command: Callable[[Connection], T], *, of: str) -> T:
        """Run `command` in a write transaction and return when it is on disk. What `command` raises is
        raised here and nothing is written. It may run twice."""
        ...

    async def rewrite(self, command: Callable[[Connection], tuple[list[str], T]], *, of: str) -> T:
        """A `write` that changes conversations beside the log (erasure, retention); `command` also names
        the conversations that it changed."""
        ...

    async def settle(self) -> None:
        """Tidy up after a large write, so that no later one has to."""
        ...

    async def scrub(self) -> bool:
        """Leave no byte of what was deleted on disk. False when others were too busy; ask again later."""
        ...


class LogStore(Generic[S]):
    """A store in any database. `start` and `stop` it inside the event loop that uses it."""

    def __init__(self, driver: Driver, projection: Projection[S]) -> None:
        self.driver = driver
        self._writer = Writer(driver, driver.journal(projection), self._deliver)
        self._readers = Readers(driver, self._deliver)
        self.tally = self._writer.tally
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sound_until = 0.0
        self.on_appended: Callable[[Appended[S]], None] = _ignore
        self.on_touched: Callable[[S], None] = _ignore

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        self._readers.start()

    async def stop(self) -> None:
        """Write what is queued and let go of the database."""
        await asyncio.to_thread(self._writer.stop)
        await asyncio.to_thread(self._readers.stop)
        await asyncio.sleep(0)
        self.driver.dispose()

    async def read(self, query: Callable[[Connection], T], *, of: str) -> T:
        future: asyncio.Future[T] = self._running_loop.create_future()
        self._readers.submit(query, of, _settle(future))
        return await future

    async def write(self, command: Callable[[Connection], T], *, of: str) -> T:
        result: T = await self._queued(lambda done: WriteJob(command, of, done))
        return result

    async def rewrite(self, command: Callable[[Connection], tuple[list[str], T]], *, of: str) -> T:
        result: T = await self._queued(lambda done: RewriteJob(command, of, done))
        return result

    async def settle(self) -> None:
        await asyncio.to_thread(self.driver.settle)

    async def scrub(self) -> bool:
        for _ in range(SCRUB_TRIES):
            if await asyncio.to_thread(self.driver.scrub):
                return True
            await asyncio.sleep(SCRUB_PAUSE)
        return False

    async def probe(self) -> None:
        """Write what changes nothing, to see whether anything can be written. Raises
        UnavailableError. One write serves all who ask within PROBE_FOR."""
        if time.monotonic() < self._sound_until:
            return
        await self.write(self.driver.probe, of=EVERYWHERE)
        self._sound_until = time.monotonic() + PROBE_FOR

    def waiting(self) -> tuple[int, int]:
        """How many jobs wait to be written, and how many queries to be read."""
        return len(self._writer), len(self._readers)

    async def append(self, append: Append[S]) -> Appended[S]:
        """Add events; returns when they are on disk. Raises what `decide` raises."""
        appended: Appended[S] = await self._queued(
            lambda done: AppendJob(append, done, self.on_appended)
        )
        return appended

    def submit(
        self,
        append: Append[S],
        done: Callable[[Appended[S] | None, BaseException | None], None],
    ) -> None:
        """As `append`, with a callback in the event loop; appends keep the order of their submission.
        Raises BusyError when too many wait."""
        self._writer.submit(AppendJob(append, done, self.on_appended))

    def touch(self, touch: Touch[S]) -> None:
        """Change a row beside the log, some time soon. Dropped, not raised, when too many wait: marks are
        soft and come again."""
        try:
            self._writer.submit(TouchJob(touch, self.on_touched))
        except BusyError:
            return

    async def _queued(
        self, job: Callable[[Callable[[Any, BaseException | None], None]], Any]
    ) -> Any:
        future: asyncio.Future[Any] = self._running_loop.create_future()
        self._writer.submit(job(_settle(future)))
        return await future

    @property
    def _running_loop(self) -> asyncio.AbstractEventLoop:
        assert self._loop is not None, "start the store first"
        return self._loop

    def _deliver(self, outcomes: list[Outcome]) -> None:
        """Called by a thread of the store: one wake-up of the loop for a whole batch."""
        self._running_loop.call_soon_threadsafe(_tell, outcomes)


class WriteJob:
    safe = False
    conversation_id = None
    message_id = None

    def __init__(
        self,
        command: Callable[[Connection], Any],
        of: str,
        done: Done,
    ) -> None:
        self._command = command
        self.of: tuple[str, ...] = (of,)
        self.done = done

    def run(self, connection: Connection, _journal: Journal[Any]) -> Any:
        return self._command(connection)


class RewriteJob(WriteJob):
    def __init__(self, command: Callable[[Connection], Any], of: str, done: Done) -> None:
        super().__init__(command, of, done)
        self.of = (of, NOBODY)

    def run(self, connection: Connection, journal: Journal[Any]) -> Any:
        changed, result = self._command(connection)
        journal.forget_conversations(changed)
        return result


class AppendJob:
    safe = True

    def __init__(
        self,
        append: Append[Any],
        tell: Done,
        publish: Callable[[Appended[Any]], None],
    ) -> None:
        self._append = append
        # What is NOBODY's is found, and refused; out of sight it would be begun anew.
        self.of = (append.organisation_id, NOBODY)
        self.conversation_id = append.conversation_id
        self.message_id = append.client_message_id
        self._tell = tell
        self._publish = publish

    def run(self, _connection: Connection, journal: Journal[Any]) -> Any:
        return journal.append(self._append)

    def done(self, result: Any, error: BaseException | None) -> None:
        # The sender hears `ack` before anyone, he too, hears the event.
        self._tell(result, error)
        if result is not None and not result.repeated:
            self._publish(result)


class TouchJob:
    safe = True

    def __init__(self, touch: Touch[Any], publish: Callable[[Any], None]) -> None:
        self._touch = touch
        self.of = (touch.organisation_id,)
        self.conversation_id = touch.conversation_id
        self.message_id = None
        self._publish = publish

    def run(self, _connection: Connection, journal: Journal[Any]) -> Any:
        return journal.touch(self._touch)

    def done(self, result: Any, _error: BaseException | None) -> None:
        if result is not None:
            self._publish(result)


def _tell(outcomes: list[Outcome]) -> None:
    for done, result, error in outcomes:
        done(result, error)


def _settle(future: "asyncio.Future[Any]") -> Done:
    def done(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    return done


def _ignore(_: Any) -> None:
    pass
