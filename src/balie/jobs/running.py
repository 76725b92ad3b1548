"""Doing jobs: a worker leases what is due, does it, and says how it ended.

A lease is held by a number, the fence, that grows each time somebody takes the job; who was away for too long
finds that his number is no longer the job's, and neither acts nor marks. What cannot be excluded is that a
worker dies between the act and the mark: then the same job is done again, under the same id.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog

from balie.jobs import queue
from balie.jobs.model import Job, Result, State
from balie.jobs.rules import Terms, next_attempt, share_out
from balie.kernel.errors import BalieError
from balie.kernel.ports import Clock, Entropy
from balie.store.engine import Store
from balie.store.scope import EVERYWHERE

log = structlog.get_logger("balie.jobs")

POLL = 1.0
GRACE = 3.0
"""Seconds that jobs in hand get to end when the worker stops."""
_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()


class LeaseLostError(Exception):
    """The worker was away too long; the job is somebody else's by now."""


class Lease:
    """What says whether a job is still ours."""

    def __init__(self, ends: float, clock: Callable[[], float] = elapsed) -> None:
        self._ends = ends
        self._clock = clock

    def check(self) -> None:
        """To be called right before what others will notice. Raises LeaseLostError."""
        if self._clock() >= self._ends:
            raise LeaseLostError


class Done(msgspec.Struct, frozen=True):
    """It is done."""

    result: Result


class Failed(msgspec.Struct, frozen=True):
    """It did not work this time; the other side may have asked for so many milliseconds of rest."""

    result: Result
    rest: int | None = None


class Dead(msgspec.Struct, frozen=True):
    """It will not work at any time."""

    result: Result


class Gone(msgspec.Struct, frozen=True):
    """What it was about is no more."""


class Later(msgspec.Struct, frozen=True):
    """It was not tried: the whole lane is to be left alone for so many milliseconds."""

    rest: int
    result: Result


Outcome = Done | Failed | Dead | Gone | Later
Handler = Callable[[Job, Lease], Awaitable[Outcome]]
"""Does a job of its queue. What it raises counts as Failed."""


class Runner:
    """One worker's share of the jobs. `start` and `stop` it inside the event loop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        entropy: Entropy,
        handlers: Mapping[str, Handler],
        terms: Terms | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._handlers = handlers
        self._terms = terms or Terms()
        self._held: dict[asyncio.Task[None], Job] = {}
        self._resting: dict[str, float] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, alone: bool = False) -> None:
        """Begin. `alone`: nobody else works on this store, so that what is leased was a dead one's."""
        if alone:
            now = self._clock()
            await self._store.write(lambda c: queue.hand_back(c, now), of=EVERYWHERE)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Lease no more, let what is in hand end, and leave the rest to whoever comes next."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._held:
            await asyncio.wait(self._held, timeout=GRACE)
        for task in self._held:
            task.cancel()
        await asyncio.gather(*self._held, return_exceptions=True)

    def wake(self) -> None:
        """There may be work."""
        self._woken.set()

    # Leasing.

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._take()
            except BalieError as error:
                log.warning("jobs cannot be leased now", error=error.detail)
                await asyncio.sleep(POLL)
            except Exception:
                # Whatever it is, the next look may find it gone.
                log.exception("leasing failed")
                await asyncio.sleep(POLL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._woken.wait()

    async def _take(self) -> None:
        now = self._clock()
        due = await self._store.read(lambda c: queue.find_due(c, now), of=EVERYWHERE)
        if not due:
            return
        self._resting = {lane: ends for lane, ends in self._resting.items() if ends > elapsed()}
        held = [(job.organisation_id, job.lane) for job in self._held.values()]
        awake = [each for each in due if each.lane not in self._resting]
        shares = list(share_out(awake, held, self._terms))
        if shares:
            for job, lease in await self._lease(shares):
                self._begin(job, lease)

    async def _lease(self, shares: list[tuple[str, int]]) -> list[tuple[Job, Lease]]:
        # Begun before it is asked for: it never ends here later than there.
        lease = Lease(elapsed() + self._terms.lease / 1_000)
        now = self._clock()
        until = now + self._terms.lease
        taken = await self._store.write(
            lambda c: [
                job for lane, room in shares for job in queue.lease(c, lane, room, now, until)
            ],
            of=EVERYWHERE,
        )
        return [(job, lease) for job in taken]

    def _begin(self, job: Job, lease: Lease) -> None:
        task = asyncio.get_running_loop().create_task(self._do(job, lease))
        self._held[task] = job
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._held.pop(task, None)
        self._woken.set()

    # Doing.

    async def _do(self, job: Job, lease: Lease) -> None:
        try:
            outcome = await self._try(job, lease)
            lease.check()
            if not await self._mark(job, outcome):
                _tell_lost(job)
        except LeaseLostError:
            _tell_lost(job)
        except BalieError as error:
            # It stays leased, and is done again when the lease has run out.
            log.warning("a job could not be marked", job=job.id, error=error.detail)
        except Exception:
            log.exception("a job could not be marked", job=job.id, queue=job.queue)

    async def _try(self, job: Job, lease: Lease) -> Outcome:
        handler = self._handlers.get(job.queue)
        if handler is None:
            # A newer version's, in a rolling upgrade: it is for others to do.
            return Later(60_000, Result("unknown queue"))
        try:
            return await handler(job, lease)
        except (LeaseLostError, asyncio.CancelledError):
            raise
        except BalieError as error:
            log.warning("a job failed", job=job.id, queue=job.queue, error=error.code)
        except Exception:
            log.exception("a job failed", job=job.id, queue=job.queue)
        return Failed(Result("internal"))

    async def _mark(self, job: Job, outcome: Outcome) -> bool:
        """Whether the mark was ours to make."""
        now = self._clock()
        if isinstance(outcome, Later):
            self._resting[job.lane] = elapsed() + outcome.rest / 1_000
            due = now + outcome.rest
            return await self._store.write(
                lambda c: queue.wait(c, job, due, outcome.result, counts=False),
                of=job.organisation_id,
            )
        if isinstance(outcome, Failed):
            chance = int.from_bytes(self._entropy(4)) / 2**32
            again = next_attempt(job.attempts, now, chance, outcome.rest)
            if again is not None:
                return await self._store.write(
                    lambda c: queue.wait(c, job, again, outcome.result), of=job.organisation_id
                )
        result = Result("gone") if isinstance(outcome, Gone) else outcome.result
        state = _ENDS[type(outcome)]
        return await self._store.write(
            lambda c: queue.end(c, job, state, result, now), of=job.organisation_id
        )


def _tell_lost(job: Job) -> None:
    log.warning("a lease ran out", job=job.id, queue=job.queue)


_ENDS: Mapping[type, State] = {Done: "done", Failed: "dead", Dead: "dead", Gone: "gone"}
