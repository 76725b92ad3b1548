"""A query whose line went silent ends; one that takes long is left alone."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.faults.on_line import Line
from tests.places import cluster

from balie.store.postgres import PostgresDriver


@pytest.fixture
async def line():
    made = Line(cluster().port)
    yield made
    await made.close()


@pytest.fixture
async def driver(line):
    url = cluster().database().replace(str(cluster().port), str(await line.open()))
    made = PostgresDriver(url)
    yield made
    made.dispose()


async def test_who_waits_for_nobody_is_woken_and_who_is_served_waits_on(driver, line):
    slow = asyncio.create_task(asyncio.to_thread(ask, driver, "SELECT 7 FROM pg_sleep(6)"))
    await asyncio.sleep(0.5)
    # Not in this thread, which has the line's other end.
    lost = await asyncio.to_thread(driver.readers.connect)
    with lost:
        assert await asyncio.to_thread(answer, lost, "SELECT 1") == 1
        line.silence_newest()
        async with asyncio.timeout(30):
            with pytest.raises(DBAPIError) as told:
                await asyncio.to_thread(answer, lost, "SELECT 2")
        assert driver.is_lost(told.value)
        lost.invalidate()
    assert await slow == 7
    assert await asyncio.to_thread(ask, driver, "SELECT 3") == 3


def ask(driver, query):
    with driver.readers.connect() as connection:
        return answer(connection, query)


def answer(connection, query):
    return connection.execute(text(query)).scalar_one()
