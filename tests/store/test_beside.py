"""Indexes that PostgreSQL makes while others write, and half of one is made anew."""

import asyncio

import pytest
from sqlalchemy import text
from tests import places

from balie.conversations.model import conversations
from balie.store.migrations import beside
from balie.store.migrations.steps import all_migrations
from balie.store.postgres import PostgresDriver

NAMES = {"ix_conversations_started", "ix_conversations_tags"}
INVALID = (
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_conversations_tags'::regclass"
)


@pytest.fixture
def driver():
    made = PostgresDriver(places.cluster().database())
    yield made
    made.dispose()


def made(driver):
    with driver.owner.connect() as connection:
        found = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisvalid"
        return NAMES & set(connection.execute(text(found)).scalars())


def run(driver, statement):
    with driver.owner.connect() as connection, connection.begin():
        connection.execute(text(statement))


def test_what_lacks_is_made_at_the_next_start_and_not_again(driver):
    run(driver, "DROP INDEX ix_conversations_started")
    assert made(driver) == {"ix_conversations_tags"}
    driver.migrate()
    assert made(driver) == NAMES
    assert beside.make_missing(driver.owner, [conversations]) == []


def test_half_an_index_is_made_anew(driver):
    with places.cluster().connect(driver.owner.url.database) as admin:
        admin.execute(INVALID)
    assert made(driver) == {"ix_conversations_started"}
    assert beside.make_missing(driver.owner, [conversations]) == ["ix_conversations_tags"]
    assert made(driver) == NAMES


def test_who_comes_second_does_not_wait(driver):
    run(driver, "DROP INDEX ix_conversations_tags")
    with driver.owner.connect().execution_options(begin="") as first:
        assert beside._may(first, "pg_try_advisory_lock")
        assert beside.make_missing(driver.owner, [conversations]) == []
    assert beside.make_missing(driver.owner, [conversations]) == ["ix_conversations_tags"]


def test_two_who_start_at_once_both_come_up(driver):
    for name in NAMES:
        run(driver, f"DROP INDEX {name}")

    async def both():
        drivers = [
            PostgresDriver(driver.owner.url.render_as_string(hide_password=False)) for _ in range(2)
        ]
        await asyncio.gather(*(asyncio.to_thread(each.migrate) for each in drivers))

    asyncio.run(both())
    assert made(driver) == NAMES


def test_a_migration_tells_of_them_and_nobody_waits():
    [told] = [each for each in all_migrations("postgresql") if each.revision == "0011"]
    assert {step.what for step in told.steps} == {
        f"makes the index {name} while others write" for name in NAMES
    }
    assert not any(step.reads for step in told.steps)
    assert all(not index.unique for index in conversations.indexes if index.info)
