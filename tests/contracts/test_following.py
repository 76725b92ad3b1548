"""Who reads the log by cursor misses nothing, however slow a writer is."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from tests.contracts.test_log import Log

from balie.kernel.errors import MalformedError
from balie.store.following import BEGINNING, log_after
from balie.store.postgres import PostgresDriver
from balie.store.scope import EVERYWHERE


@asynccontextmanager
async def opened(place):
    log = Log(place)
    log.store.start()
    try:
        yield log
    finally:
        await log.store.stop()


async def read(log, cursor, limit=1_000):
    found, cursor = await log.store.read(lambda c: log_after(c, cursor, limit), of=EVERYWHERE)
    return [(each.envelope.conversation_id, each.envelope.seq) for each in found], cursor


async def test_every_event_is_read_once_whatever_the_step(place):
    async with opened(place) as log:
        conversations = [await log.begin(number) for number in range(5)]
        for number in range(10, 40):
            await log.say(conversations[number % 5], number)
        whole, _ = await read(log, BEGINNING)
        assert len(whole) == 5 * 2 + 30
        stepwise, cursor = [], BEGINNING
        while (found := await read(log, cursor, 7))[0]:
            stepwise += found[0]
            cursor = found[1]
        assert stepwise == whole
        assert await read(log, cursor) == ([], cursor)
        said = await log.say(conversations[0], 99)
        assert (await read(log, cursor))[0] == [(conversations[0], said.last.seq)]


async def test_what_is_no_cursor_is_refused(place):
    async with opened(place) as log:
        for cursor in ("x", "1", "1.2.3", "-1.5", "1.x"):
            with pytest.raises(MalformedError):
                await read(log, cursor)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_a_slow_writer_is_waited_for(place):
    async with opened(place) as log:
        conversation = await log.begin()
        _, cursor = await read(log, BEGINNING)
        slow = PostgresDriver(place.url)
        with slow.writes.connect() as connection, connection.begin():
            slow.enter(connection.connection.driver_connection, (EVERYWHERE,))
            # It takes its place in the log first, and commits last.
            connection.execute(
                text(
                    "INSERT INTO events (organisation_id, conversation_id, seq, at, author_id, author, payload)"
                    " SELECT organisation_id, 'slow', 1, at, author_id, author, payload FROM events LIMIT 1"
                )
            )
            await log.say(conversation, 5)
            assert await read(log, cursor) == ([], cursor), "the slow one might still commit"
        slow.writes.dispose()
        found, after = await read(log, cursor)
        assert sorted(found) == [(conversation, 3), ("slow", 1)]
        assert await read(log, after) == ([], after)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_a_reader_beside_two_busy_workers_reads_each_event_once(place):
    async with opened(place) as one, opened(place) as other:
        conversations = [await one.begin(number) for number in range(4)]
        read_ones, cursor = [], BEGINNING

        async def talk(log, numbers):
            for number in numbers:
                await log.say(conversations[number % 4], number)

        async def follow():
            nonlocal cursor
            while len(read_ones) < 4 * 2 + 200:
                found, cursor = await read(one, cursor, 13)
                read_ones.extend(found)
                await asyncio.sleep(0.001)

        await asyncio.wait_for(
            asyncio.gather(talk(one, range(10, 110)), talk(other, range(110, 210)), follow()), 30
        )
        assert len(set(read_ones)) == len(read_ones)
        for conversation in conversations:
            await one.check(conversation)
