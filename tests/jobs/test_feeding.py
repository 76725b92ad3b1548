"""From the log to jobs: each event once, whoever feeds, and whatever is deleted meanwhile."""

import asyncio

import pytest
from tests.jobs.at_work import at_work

from balie.conversations.model import conversations
from balie.conversations.reactions import delete_conversations
from balie.jobs import queue
from balie.jobs.feeding import Feeder
from balie.jobs.model import NewJob
from balie.kernel.errors import UnavailableError
from balie.kernel.events import MessagePosted
from balie.store import cursors
from balie.store.scope import EVERYWHERE


def taker(logged):
    envelope = logged.envelope
    if isinstance(envelope.payload, MessagePosted):
        yield NewJob(
            organisation_id=logged.organisation_id,
            queue="test",
            key=f"{envelope.conversation_id}:{envelope.seq}",
            lane=f"{logged.organisation_id}/test",
            subject=envelope.conversation_id,
        )


def feeder_of(works, find=lambda _: taker):
    return Feeder(works.store, works.clock, "test", find)


async def fed(works):
    return {(job.subject, job.id) for job in await works.jobs()}


async def test_nothing_of_before_the_beginning_and_everything_since(place):
    async with at_work(place) as works:
        conversation = await works.log.begin()
        feeder, told = feeder_of(works), []
        feeder.on_fed = lambda: told.append(1)
        await feeder.feed()
        assert await works.jobs() == [], "what was said before anybody listened is not told"
        for number in range(10, 30):
            await works.log.say(conversation, number)
        await feeder.feed()
        await feeder.feed()
        assert len(await works.jobs()) == 20
        assert len(told) == 1


async def test_two_feeders_make_each_job_once(place):
    async with at_work(place) as works:
        one, other = feeder_of(works), feeder_of(works)
        await one.feed()
        conversation = await works.log.begin()

        async def talk():
            for number in range(10, 60):
                await works.log.say(conversation, number)

        async def feed(feeder, talking):
            while not talking.done():
                await feeder.feed()

        talking = asyncio.ensure_future(talk())
        await asyncio.gather(talking, feed(one, talking), feed(other, talking))
        await one.feed()
        assert len(await works.jobs()) == 51


async def test_the_cursor_moves_only_with_the_jobs(place, monkeypatch):
    async with at_work(place) as works:
        feeder = feeder_of(works)
        await feeder.feed()
        await works.log.begin()
        whole = queue.add

        def broken(*given):
            whole(*given)
            raise UnavailableError("the disk is full")

        monkeypatch.setattr(queue, "add", broken)
        with pytest.raises(UnavailableError):
            await feeder.feed()
        monkeypatch.undo()
        assert await works.jobs() == []
        await feeder.feed()
        assert len(await works.jobs()) == 1


async def test_while_nobody_wants_anything_the_cursor_follows_now_and_then(place):
    async with at_work(place) as works:
        feeder = feeder_of(works, lambda _: None)
        await feeder.feed()
        conversation = await works.log.begin()

        async def place_now():
            return (await works.read(lambda c: cursors.find_place(c, "test"))).position

        assert await feeder.feed() is False
        before = await place_now()
        await works.log.say(conversation, 10)
        await feeder.feed()
        assert await place_now() == before, "one write for each message would be one too many"
        works.now += 30_000
        await feeder.feed()
        assert await place_now() != before
        assert await works.jobs() == []


async def remove(works, conversation):
    def command(connection):
        gone = delete_conversations(connection, conversations.c.id == conversation, [conversation])
        return [conversation], gone

    await works.store.rewrite(command, of=EVERYWHERE)


async def test_positions_that_are_given_again_are_read_again(place):
    async with at_work(place) as works:
        feeder = feeder_of(works)
        await feeder.feed()
        await works.log.begin(1)
        last = await works.log.begin(2)
        await feeder.feed()
        before = await fed(works)
        await remove(works, last)
        await works.log.begin(3)
        await feeder.feed()
        assert len(await fed(works) - before) == 1


async def test_what_was_read_before_a_deletion_does_not_move_the_cursor_after_it(place):
    async with at_work(place) as works:
        feeder = feeder_of(works)
        await feeder.feed()
        await works.log.begin(1)
        last = await works.log.begin(2)
        stale = await works.store.read(feeder._look, of=EVERYWHERE)
        await remove(works, last)
        await works.log.begin(3)
        await feeder._put(stale, stale.place)
        await feeder.feed()
        heard = {job.subject for job in await works.jobs()}
        there = await works.read(lambda c: set(c.execute(conversations.select()).scalars()))
        assert there, "there is somebody to hear of"
        rows = await works.read(lambda c: c.execute(conversations.select()).all())
        assert {row.id for row in rows} <= heard


async def test_a_running_feeder_is_woken_and_survives_a_bad_moment(place):
    async with at_work(place) as works:
        calls = []

        def find(_connection):
            calls.append(1)
            if len(calls) == 2:
                raise RuntimeError("a slip")
            return taker

        feeder = feeder_of(works, find)
        fed_now = asyncio.Event()
        feeder.on_fed = fed_now.set
        works.store.on_appended = lambda _: feeder.wake()
        await feeder.start()
        for number in range(3):
            await works.log.begin(number)
        async with asyncio.timeout(5):
            while len(await works.jobs()) < 3:
                await fed_now.wait()
                fed_now.clear()
        await feeder.stop()


async def test_what_is_said_right_after_the_start_is_heard(place, monkeypatch):
    """Also when the first look comes late."""
    async with at_work(place) as works:
        feeder = feeder_of(works)
        late = asyncio.Event()
        whole = feeder.feed

        async def feed():
            await late.wait()
            return await whole()

        monkeypatch.setattr(feeder, "feed", feed)
        await feeder.start()
        await works.log.begin()
        late.set()
        async with asyncio.timeout(5):
            while not await works.jobs():  # noqa: ASYNC110 - it is the database that changes
                await asyncio.sleep(0.01)
        await feeder.stop()
