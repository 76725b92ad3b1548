"""What the queue promises on every database: one holder, fences, lanes, replay, retention, erasure."""

import asyncio

import msgspec
import pytest
from sqlalchemy import text
from tests.jobs.at_work import NOW, at_work, wish

from balie.jobs import queue, retention
from balie.jobs.model import Result, Standing
from balie.kernel.actor import SystemActor
from balie.kernel.erasure import Person, PersonErased
from balie.kernel.errors import ConflictError, NotFoundError
from balie.store.sweeps import Due

ORG = SystemActor(organisation_id="org")
DAY = 86_400_000


async def test_the_same_job_is_made_once(place):
    async with at_work(place) as works:
        assert await works.add(wish(1), wish(2)) == 2
        assert await works.add(wish(1), wish(3)) == 1
        assert len({job.id for job in await works.jobs()}) == 3
        assert await works.add(*map(wish, range(5_000))) == 4_997
        assert wish(1).id == wish(1).id != wish(1, name="other").id


async def test_a_leased_job_is_nobody_elses_until_its_lease_runs_out(place):
    async with at_work(place) as works:
        await works.add(wish(1))
        (first,) = await works.lease()
        assert (first.attempts, first.fence, first.state) == (1, 1, "leased")
        assert await works.lease() == []
        works.now += 1_001
        (second,) = await works.lease()
        assert (second.id, second.attempts, second.fence) == (first.id, 2, 2)
        for mark in (
            lambda c: queue.end(c, first, "done", Result("ok"), works.now),
            lambda c: queue.wait(c, first, works.now, Result("no")),
        ):
            assert await works.write(mark) is False, "its fence is an old one"
        assert await works.write(lambda c: queue.end(c, second, "done", Result("ok"), works.now))
        assert await works.states() == ["done"]
        assert await works.write(lambda c: queue.end(c, second, "dead", Result(), 1)) is False


async def test_what_waits_is_not_due_before_its_time(place):
    async with at_work(place) as works:
        await works.add(wish(1))
        (job,) = await works.lease()
        await works.write(lambda c: queue.wait(c, job, works.now + 500, Result("answered", 500, 7)))
        assert await works.lease() == []
        works.now += 500
        (again,) = await works.lease()
        assert (again.attempts, again.result) == (2, Result("answered", 500, 7))
        await works.write(lambda c: queue.wait(c, again, works.now, Result("r"), counts=False))
        assert (await works.jobs())[0].attempts == 1


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_many_workers_never_hold_the_same_job(place):
    async with at_work(place) as one, at_work(place) as other:
        await one.add(*map(wish, range(200)))
        taken = await asyncio.gather(
            *(works.lease(limit=7) for works in (one, other) for _ in range(20))
        )
        ids = [job.id for some in taken for job in some]
        assert len(ids) == len(set(ids))
        assert len(ids) >= 7 * 20, "who is locked is passed over, not waited for"


async def test_lanes_are_looked_at_not_jobs(place):
    async with at_work(place) as works:
        await works.add(*(wish(n, "org/full") for n in range(500)))
        works.now += 5
        await works.add(wish(1, "other/one", "other"))
        due = await works.read(lambda c: queue.find_due(c, works.now))
        assert [(each.organisation_id, each.lane, each.since) for each in due] == [
            ("org", "org/full", NOW),
            ("other", "other/one", NOW + 5),
        ]
        assert await works.read(lambda c: queue.find_due(c, NOW - 1)) == []


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_looking_for_lanes_reads_only_the_index(place):
    async with at_work(place) as works:
        plan = await works.read(
            lambda c: [
                row.detail
                for row in c.execute(text(f"EXPLAIN QUERY PLAN {queue._LANES.text}"), {"now": 1})
            ]
        )
        looks = [line for line in plan if "jobs" in line]
        assert looks
        assert all("SEARCH" in line or "COVERING INDEX ix_jobs_due" in line for line in looks), plan


async def test_what_a_dead_worker_held_is_handed_back(place):
    async with at_work(place) as works:
        await works.add(wish(1), wish(2))
        (held,) = await works.lease(limit=1)
        assert await works.write(lambda c: queue.hand_back(c, works.now)) == 1
        assert len(await works.lease()) == 2
        assert await works.write(lambda c: queue.end(c, held, "done", Result(), 1)) is False


async def test_replay_begins_anew_under_the_same_id(place):
    async with at_work(place) as works:
        await works.add(wish(1))
        (job,) = await works.lease()
        with pytest.raises(ConflictError):
            await works.write(lambda c: queue.replay(c, ORG, job.id, works.now))
        await works.write(lambda c: queue.end(c, job, "dead", Result("timeout"), works.now))
        assert await works.lease() == []
        other = SystemActor(organisation_id="other")
        with pytest.raises(NotFoundError):
            await works.write(lambda c: queue.replay(c, other, job.id, works.now))
        await works.write(lambda c: queue.replay(c, ORG, job.id, works.now))
        (again,) = await works.lease()
        assert (again.id, again.attempts) == (job.id, 1)
        assert again.fence > job.fence


async def test_a_lane_is_listed_in_pages(place):
    async with at_work(place) as works:
        for number in range(5):
            await works.add(wish(number))
            works.now += number % 2
        await works.add(wish(9, "org/y"))
        listed, before = [], None
        while page := await works.read(
            lambda c, b=before: queue.find_lane(c, ORG, "org/x", before=b, limit=2)
        ):
            listed += page
            before = (page[-1].created_at, 0, page[-1].id)
        assert len(listed) == len({job.id for job in listed}) == 5
        assert [job.created_at for job in listed] == sorted(
            (job.created_at for job in listed), reverse=True
        )
        nobody = SystemActor(organisation_id="other")
        assert await works.read(lambda c: queue.find_lane(c, nobody, "org/x")) == []


async def test_what_has_ended_goes_after_a_week_and_dead_ones_after_a_month(place):
    async with at_work(place) as works:
        await works.add(*map(wish, range(4)))
        done, dead, gone, _held = await works.lease(limit=4)
        for job, state in ((done, "done"), (dead, "dead"), (gone, "gone")):
            await works.write(lambda c, j=job, s=state: queue.end(c, j, s, Result(), works.now))
        (sweep,) = retention.SWEEPS

        async def swept(days):
            due = Due(now=works.now + int(days * DAY))
            found = await works.read(lambda c: sweep.find(c, due, 100))
            counted = await works.read(lambda c: sweep.count(c, due))
            went = await works.write(lambda c: sweep.delete(c, due, [key for key, _ in found]))
            assert went.counts == counted
            return went.counts["ended jobs"]

        assert await swept(7) == 0
        assert await swept(7.01) == 2
        assert await swept(30) == 0
        assert await swept(30.01) == 1
        assert await works.states() == ["leased"]


async def test_who_is_erased_takes_his_jobs_with_him(place):
    async with at_work(place) as works:
        await works.add(wish(1, subject="his"), wish(2, subject="hers"))
        person = Person(organisation_id="org", conversation_ids=frozenset({"his"}))
        told = await works.read(lambda c: list(retention.export(c, person)))
        assert msgspec.to_builtins(told[0])["content"]["jobs"][0]["subject"] == "his"
        gone = await works.write(lambda c: retention.erase(c, PersonErased(person)))
        assert gone.counts == {"jobs": 1}
        assert [job.subject for job in await works.jobs()] == ["hers"]
        assert await works.read(lambda c: list(retention.export(c, person))) == []


async def test_it_is_counted_what_waits_what_was_given_up_and_since_when(place):
    async with at_work(place) as works:
        assert await works.read(lambda c: queue.count(c, NOW)) == Standing()
        await works.add(wish(1), wish(2), wish(3))
        given_up = text("UPDATE jobs SET state = 'dead', ended_at = :now WHERE id = :id")
        values = {"now": NOW, "id": wish(1).id}
        await works.write(lambda c: c.execute(given_up, values).rowcount)
        later = await works.read(lambda c: queue.count(c, NOW + 5_000))
        assert later == Standing(waiting=2, dead=1, oldest_ms=5_000)
