"""From the log to jobs: one reader over all workers, and no event is missed or made twice.

Reading is done by the store's readers, so that who writes messages waits for nothing but a few rows. The
cursor's advance and the jobs share one transaction; of two feeders that read the same events, one moves the
cursor, and the other's jobs are not written.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog
from sqlalchemy import Connection

from balie.jobs import queue
from balie.jobs.model import NewJob
from balie.kernel.errors import BalieError
from balie.kernel.ports import Clock
from balie.store import cursors
from balie.store.engine import Store
from balie.store.following import Logged, end_of_log, log_after
from balie.store.scope import EVERYWHERE

log = structlog.get_logger("balie.jobs")

Taker = Callable[[Logged], Iterable[NewJob]]
"""What becomes of an event."""
FindTaker = Callable[[Connection], Taker | None]
"""Who wants events, as the database says it; None when nobody does."""

STEP = 500
"""Events that are read at once."""
POLL = 1.0
"""Seconds after which the log is looked at without having been told to."""
PAUSE = 0.02
"""Seconds between two looks, so that a busy log is read in larger pieces."""
IDLE_MS = 30_000
"""How often the cursor follows the log while nobody wants anything."""


class _Read:
    """What one look at the log found."""

    def __init__(self, place: cursors.Place | None, position: str, wishes: list[NewJob]) -> None:
        self.place, self.position, self.wishes = place, position, wishes
        self.wanted = True
        self.full = False


class Feeder:
    """`start` and `stop` it inside the event loop. `on_fed` is told when there are new jobs."""

    def __init__(self, store: Store, clock: Clock, name: str, find_taker: FindTaker) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._find_taker = find_taker
        self._woken = asyncio.Event()
        self._idle_since = 0
        self._task: asyncio.Task[None] | None = None
        self.on_fed: Callable[[], None] = _nothing

    async def start(self) -> None:
        """Begin; what is said after this is heard, however late the first look comes."""
        await self._store.write(lambda c: cursors.begin_at_end(c, self._name), of=EVERYWHERE)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop between two transactions."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """The log has grown."""
        self._woken.set()

    async def _run(self) -> None:
        while True:
            wanted = True
            try:
                wanted = await self.feed()
            except BalieError as error:
                log.warning("the log cannot be read now", error=error.detail)
            except Exception:
                # Whatever it is, the next look may find it gone.
                log.exception("feeding failed")
            await self._wait(wanted=wanted)

    async def _wait(self, *, wanted: bool) -> None:
        """Until the log grows; where nobody wants it, or nobody says so, for POLL."""
        await asyncio.sleep(PAUSE if wanted else POLL)
        if wanted:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._woken.wait()
        self._woken.clear()

    async def feed(self) -> bool:
        """Make jobs of all that was said since. Returns whether anybody wants to hear of it."""
        while True:
            read = await self._store.read(self._look, of=EVERYWHERE)
            if read.place is None:
                await self._store.write(
                    lambda c: cursors.begin_at_end(c, self._name), of=EVERYWHERE
                )
                continue
            if self._is_worth_writing(read, read.place):
                await self._put(read, read.place)
            if not read.full:
                return read.wanted

    def _look(self, connection: Connection) -> _Read:
        place = cursors.find_place(connection, self._name)
        if place is None:
            return _Read(None, "", [])
        taker = self._find_taker(connection)
        if taker is None:
            read = _Read(place, end_of_log(connection), [])
            read.wanted = False
            return read
        found, position = log_after(connection, place.position, STEP)
        read = _Read(place, position, [wish for logged in found for wish in taker(logged)])
        read.full = len(found) == STEP
        return read

    def _is_worth_writing(self, read: _Read, place: cursors.Place) -> bool:
        if read.position == place.position:
            return False
        if read.wanted:
            return True
        # Nobody hears these; the cursor need not be written for each.
        now = self._clock()
        if abs(now - self._idle_since) < IDLE_MS:
            return False
        self._idle_since = now
        return True

    async def _put(self, read: _Read, place: cursors.Place) -> None:
        now = self._clock()

        def write(connection: Connection) -> int | None:
            if not cursors.move(connection, self._name, place, read.position):
                return None
            return queue.add(connection, read.wishes, now)

        made = await self._store.write(write, of=EVERYWHERE)
        if made:
            self.on_fed()


def _nothing() -> None:
    pass
