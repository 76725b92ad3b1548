"""A worker at work: what it does with each outcome, its bounds, and what it does when it was away."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from tests.jobs.at_work import at_work, wish

from balie.jobs import queue
from balie.jobs.model import Result
from balie.jobs.rules import ATTEMPTS, Terms
from balie.jobs.running import Dead, Done, Failed, Gone, Later, Lease, LeaseLostError, Runner
from balie.kernel.errors import UnavailableError

OK = Result("answered", 200, 3)


@asynccontextmanager
async def worker(works, handler, **terms):
    runner = Runner(works.store, works.clock, works.entropy, {"test": handler}, Terms(**terms))
    await runner.start()
    try:
        yield runner
    finally:
        await runner.stop()


async def until(works, condition):
    async with asyncio.timeout(10):
        while not condition(jobs := await works.jobs()):  # noqa: ASYNC110 - it is the database that changes
            await asyncio.sleep(0.01)
    return jobs


def ended(jobs):
    return bool(jobs) and all(job.ended_at is not None for job in jobs)


@pytest.mark.parametrize(
    ("outcome", "state", "code"),
    [
        (Done(OK), "done", "answered"),
        (Dead(Result("answered", 410)), "dead", "answered"),
        (Gone(), "gone", "gone"),
    ],
)
async def test_each_end(place, outcome, state, code):
    async def handler(_job, _lease):
        return outcome

    async with at_work(place) as works, worker(works, handler) as runner:
        await works.add(wish(1))
        runner.wake()
        (job,) = await until(works, ended)
        assert (job.state, job.result.code, job.attempts) == (state, code, 1)


async def test_it_is_tried_ten_times_over_three_days_and_then_dead(place):
    tries = []

    async def handler(job, _lease):
        tries.append((job.attempts, works.now))
        return Failed(Result("answered", 500))

    async with at_work(place) as works, worker(works, handler, lease=10**12) as runner:
        await works.add(wish(1))
        begun = works.now
        for attempt in range(1, ATTEMPTS + 1):
            runner.wake()
            (job,) = await until(
                works, lambda jobs, n=attempt: jobs[0].attempts == n and jobs[0].state != "leased"
            )
            works.now = max(works.now, job.due_at)
        assert job.state == "dead"
        assert [attempt for attempt, _ in tries] == list(range(1, ATTEMPTS + 1))
        assert 3 * 86_400_000 < tries[-1][1] - begun < 4 * 86_400_000
        runner.wake()
        await asyncio.sleep(0.05)
        assert len(tries) == ATTEMPTS


async def test_who_asks_for_rest_gets_it(place):
    async def handler(_job, _lease):
        return Failed(Result("answered", 429), 3_600_000)

    async with at_work(place) as works, worker(works, handler) as runner:
        await works.add(wish(1))
        runner.wake()
        (job,) = await until(works, lambda jobs: jobs[0].result.status == 429)
        assert job.due_at - works.now == 3_600_000


async def test_a_slip_of_ours_counts_as_failed(place):
    async def handler(_job, _lease):
        raise ZeroDivisionError

    async with at_work(place) as works, worker(works, handler) as runner:
        await works.add(wish(1), wish(2, "org/y", name="of a newer version"))
        runner.wake()
        jobs = await until(works, lambda jobs: all(job.result.code for job in jobs))
        assert {(job.state, job.attempts, job.result.code) for job in jobs} == {
            ("waiting", 1, "internal"),
            ("waiting", 0, "unknown queue"),
        }


async def test_a_lane_that_rests_costs_no_attempts_and_holds_up_nobody(place):
    tried = []

    async def handler(job, _lease):
        tried.append(job.lane)
        return Later(60_000, Result("resting")) if job.lane == "org/x" else Done(OK)

    async with at_work(place) as works, worker(works, handler, per_lane=2) as runner:
        await works.add(*map(wish, range(50)), *(wish(n, "b/y", "b") for n in range(20)))
        runner.wake()
        jobs = await until(works, lambda all_: sum(job.state == "done" for job in all_) == 20)
        assert tried.count("org/x") == 2
        assert all(job.attempts == 0 for job in jobs if job.lane == "org/x")


async def test_a_lane_that_hangs_holds_up_only_itself(place):
    inside = {"most": 0, "now": 0}
    release = asyncio.Event()

    async def handler(job, _lease):
        if job.lane != "org/x":
            return Done(OK)
        inside["now"] += 1
        inside["most"] = max(inside["most"], inside["now"])
        await release.wait()
        inside["now"] -= 1
        return Done(OK)

    async with at_work(place) as works, worker(works, handler, per_lane=3) as runner:
        await works.add(*map(wish, range(300)))
        runner.wake()
        async with asyncio.timeout(5):
            while inside["now"] < 3:  # noqa: ASYNC110 - a count, not a moment
                await asyncio.sleep(0.01)
        began = time.monotonic()
        await works.add(wish(1, "b/y", "b"))
        runner.wake()
        await until(works, lambda jobs: any(job.state == "done" for job in jobs))
        assert time.monotonic() - began < 1
        assert inside["most"] == 3
        release.set()


async def test_who_was_away_too_long_neither_acts_nor_marks(place):
    acted = []
    away, back = asyncio.Event(), asyncio.Event()

    async def sleeper(_job, lease):
        away.set()
        await back.wait()
        lease.check()
        acted.append("sleeper")
        return Done(OK)

    async def other(_job, _lease):
        acted.append("other")
        return Done(Result("answered", 204))

    async with at_work(place) as works, worker(works, sleeper, lease=50) as runner:
        await works.add(wish(1))
        runner.wake()
        await away.wait()
        await asyncio.sleep(0.06)
        works.now += 51
        async with worker(works, other) as second:
            second.wake()
            await until(works, ended)
        back.set()
    async with at_work(place) as works:
        (job,) = await works.jobs()
        assert acted == ["other"]
        assert (job.attempts, job.fence, job.result.status) == (2, 2, 204)


async def test_a_mark_under_an_old_fence_changes_nothing(place):
    """The act was in time, the mark was not: it was done twice, and the second mark stands."""
    acted, back = [], asyncio.Event()

    async def sleeper(job, _lease):
        acted.append(job.id)
        await back.wait()
        return Dead(OK)

    async def other(job, _lease):
        acted.append(job.id)
        return Done(OK)

    async with at_work(place) as works, worker(works, sleeper, lease=10_000) as runner:
        await works.add(wish(1))
        runner.wake()
        await until(works, lambda _: len(acted) == 1)
        works.now += 10_001
        async with worker(works, other) as second:
            second.wake()
            await until(works, ended)
        back.set()
        await asyncio.sleep(0.05)
        (job,) = await works.jobs()
        assert job.state == "done"
        assert acted == [job.id, job.id]


async def test_a_stop_lets_what_is_in_hand_end_and_leaves_the_rest(place):
    begun, proceed = asyncio.Event(), asyncio.Event()

    async def handler(_job, _lease):
        begun.set()
        await proceed.wait()
        return Done(OK)

    async with at_work(place) as works:
        await works.add(*map(wish, range(5)))
        async with worker(works, handler, per_lane=1) as runner:
            runner.wake()
            await begun.wait()
            asyncio.get_running_loop().call_later(0.05, proceed.set)
        assert await works.states() == ["done"] + ["waiting"] * 4


async def test_alone_it_takes_over_what_a_dead_one_held(place):
    async def handler(_job, _lease):
        return Done(OK)

    async with at_work(place) as works:
        await works.add(wish(1))
        assert len(await works.lease(lasts=10**9)) == 1
        runner = Runner(works.store, works.clock, works.entropy, {"test": handler})
        await runner.start(alone=True)
        await until(works, ended)
        await runner.stop()


async def test_a_store_that_cannot_be_written_is_waited_for(place, monkeypatch):
    async def handler(_job, _lease):
        return Done(OK)

    whole, refused = queue.lease, []

    def broken(*given):
        if not refused:
            refused.append(1)
            raise UnavailableError("the disk is full")
        return whole(*given)

    monkeypatch.setattr(queue, "lease", broken)
    async with at_work(place) as works, worker(works, handler) as runner:
        await works.add(wish(1))
        runner.wake()
        await until(works, ended)
        assert refused


def test_a_lease_ends_by_a_clock_that_nobody_sets():
    now = [10.0]
    lease = Lease(11.0, lambda: now[0])
    lease.check()
    now[0] = 11.0
    with pytest.raises(LeaseLostError):
        lease.check()
