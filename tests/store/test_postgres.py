"""PostgreSQL: one organisation's rows are out of another's sight, and what machines do is survived."""

import asyncio
import time
import warnings
from contextlib import asynccontextmanager
from functools import partial

import psycopg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, SAWarning
from tests import places
from tests.clusters import Cluster
from tests.contracts.test_log import ANNA, NOON, OPENING, VISITOR, Log, key
from tests.store.test_migrations import differences, every_room

from balie.contacts import ledger
from balie.contacts.model import contacts
from balie.conversations import rules
from balie.conversations.commands import post
from balie.conversations.model import conversations
from balie.kernel.errors import (
    BalieError,
    MalformedError,
    TakenError,
    UnavailableError,
)
from balie.kernel.events import AgentName
from balie.store import guard, migrations
from balie.store.driver import UnusableError
from balie.store.line import raw
from balie.store.postgres import PostgresDriver
from balie.store.schema import events, metadata
from balie.store.scope import EVERYWHERE
from balie.store.writer import OutcomeUnknownError

assert every_room  # all tables are known only when every room's nouns are


@asynccontextmanager
async def opened(place):
    log = Log(place)
    log.store.start()
    try:
        yield log
    finally:
        await log.store.stop()


@pytest.fixture
def place(tmp_path):
    made = places.Place(tmp_path, "postgresql")
    yield made
    made.close()


@pytest.fixture
async def log(place):
    async with opened(place) as log:
        yield log


# Its shape.


def test_a_migrated_store_is_as_the_rooms_describe_it(place):
    driver = place.open()
    assert driver.migrate() == migrations.newest()
    with warnings.catch_warnings(action="ignore", category=SAWarning):
        found = differences(driver.owner)  # it knows no xid8
    extra = [
        (change, name)
        for table in ("events", "notices")
        for change, name in (
            ("remove_index", f"ix_{table}_transaction"),
            ("remove_column", "transaction_id"),
        )
    ]
    assert sorted((each[0], each[-1].name) for each in found) == sorted(extra)


def test_two_who_migrate_at_once_do_it_once():
    url = places.cluster().database(empty=True)

    async def both():
        drivers = [PostgresDriver(url), PostgresDriver(url)]
        assert not drivers[0].is_there()
        return await asyncio.gather(*(asyncio.to_thread(each.migrate) for each in drivers))

    assert asyncio.run(both()) == [migrations.newest()] * 2
    assert PostgresDriver(url).is_there()
    assert not PostgresDriver(url).is_used()


async def test_times_beyond_2038_and_text_in_the_order_of_its_bytes(log):
    rows = [
        {"id": each, "organisation_id": "o1", "external_id": each, "created_at": NOON * 2}
        for each in ("b", "a", "B", "é", "A", "_")
    ]
    await log.store.write(lambda c: c.execute(insert(contacts), rows).rowcount, of="o1")
    query = select(contacts.c.id, contacts.c.created_at).order_by(contacts.c.id)
    found = await log.store.read(lambda c: c.execute(query).all(), of="o1")
    assert [each.id for each in found] == sorted(each["id"] for each in rows)
    assert {each.created_at for each in found} == {NOON * 2}


# Row-level security.


def test_every_table_of_an_organisation_is_guarded(place):
    owned = {table.name for table in metadata.tables.values() if "organisation_id" in table.c}
    # All tables are an organisation's.
    assert owned == set(metadata.tables)
    with place.open().owner.connect() as connection:
        query = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
        assert set(connection.execute(text(query)).scalars()) == owned


@pytest.mark.parametrize("table", list(metadata.tables.values()), ids=lambda table: table.name)
def test_a_query_without_an_organisation_fails(place, table):
    driver = place.open()
    with places.looking(driver) as connection:
        connection.execute(insert(table), [filled(table)])
    refuses_who_names_nobody(driver, table)


def filled(table):
    """A row with something in every column that needs it."""
    values = {int: 1, str: "o1", bytes: b"x", bool: False, float: 1.0}
    return {
        column.name: values[column.type.python_type]
        for column in table.columns
        if not (column.nullable or column is table.autoincrement_column)
    }


def refuses_who_names_nobody(driver, table):
    with (
        driver.readers.connect() as connection,
        pytest.raises(DBAPIError, match="whose rows"),
    ):
        connection.execute(select(table))


async def test_no_more_is_seen_or_changed_than_of_whom_one_said(log):
    await log.begin()
    row = {"id": "v2", "organisation_id": "o2", "external_id": "x", "created_at": 1}
    everybody = select(contacts.c.id)
    await log.store.write(lambda c: c.execute(insert(contacts), [row]).rowcount, of="o2")
    for of, seen in (("o1", []), ("o2", ["v2"]), (EVERYWHERE, ["v2"]), ("", [])):
        if of:
            found = await log.store.read(lambda c: list(c.execute(everybody).scalars()), of=of)
            assert found == seen
    gone = await log.store.write(lambda c: c.execute(contacts.delete()).rowcount, of="o1")
    assert gone == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        await log.store.write(lambda c: c.execute(insert(contacts), [row | {"id": "v3"}]), of="o1")
    nobodys = select(text("1")).select_from(conversations)
    assert await log.store.read(lambda c: c.execute(nobodys).all(), of="o2") == []
    with pytest.raises(DBAPIError, match="whose rows"):
        await log.store.read(lambda c: c.execute(everybody).all(), of="")


async def test_queries_side_by_side_each_see_their_own(log):
    for of in ("o1", "o2"):
        row = {"id": of, "organisation_id": of, "external_id": of, "created_at": 1}
        await log.store.write(lambda c, r=row: c.execute(insert(contacts), [r]).rowcount, of=of)
    everybody = select(contacts.c.id).order_by(contacts.c.id)

    async def see(of):
        return await log.store.read(lambda c: list(c.execute(everybody).scalars()), of=of)

    async def fail(of):
        with pytest.raises(DBAPIError):
            await log.store.read(lambda c: c.execute(text("SELECT 1 / 0")).all(), of=of)

    answers = await asyncio.gather(
        *(see(("o1", "o2", EVERYWHERE)[number % 3]) for number in range(60)),
        *(fail("o1") for _ in range(5)),
        *(see("o2") for _ in range(20)),
    )
    assert answers[:60] == [["o1"], ["o2"], ["o1", "o2"]] * 20
    assert answers[65:] == [["o2"]] * 20


def test_own_indexes_are_used_behind_the_guard(place):
    driver = place.open()
    with places.looking(driver) as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for query, index in (
            (
                "SELECT * FROM events WHERE conversation_id = 'a' AND seq > 5",
                "uq_events_conversation",
            ),
            (
                "SELECT * FROM events WHERE client_message_id = ANY('{a,b}')",
                "uq_events_client_message",
            ),
            ("SELECT * FROM conversations WHERE id = ANY('{a,b}')", "pk_conversations"),
            ("SELECT * FROM sessions WHERE token_hash = 'x'", "uq_sessions_token_hash"),
        ):
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {query}").scalars())
            assert f"using {index}" in plan or f"on {index}" in plan, plan
            # The scope is asked for once a statement, not once a row.
            assert "InitPlan" in plan, plan


def test_who_passes_by_row_level_security_takes_on_a_role_that_does_not():
    url = places.cluster().database(empty=True).replace("balie_owner@", "admin@")
    driver = PostgresDriver(url)
    driver.migrate()
    with driver.readers.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == guard.ROLE
    with places.looking(driver) as connection:
        connection.execute(insert(contacts), [filled(contacts)])
    refuses_who_names_nobody(driver, contacts)
    driver.dispose()


def test_who_passes_by_and_may_make_no_role_is_told_what_to_run():
    cluster = places.cluster()
    url = cluster.database(empty=True).replace("balie_owner@", "bypasser@")
    database = url.rpartition("/")[2]
    cluster.run(
        "DROP ROLE IF EXISTS bypasser",
        "CREATE ROLE bypasser LOGIN BYPASSRLS",
        f"ALTER DATABASE {database} OWNER TO bypasser",
    )
    with pytest.raises(UnusableError, match="run as an administrator") as told:
        PostgresDriver(url).migrate()
    cluster.drop(url)
    cluster.run("DROP ROLE bypasser")
    assert "CREATE ROLE balie_rooms" in str(told.value)


# What a text cannot hold.


async def test_half_a_surrogate_pair_is_malformed(log):
    words = "half \ud800"
    row = {"id": "x", "organisation_id": "o1", "external_id": words, "created_at": 1}
    with pytest.raises(MalformedError):
        await log.store.write(lambda c: c.execute(insert(contacts), [row]), of="o1")
    query = select(contacts.c.id).where(contacts.c.external_id == words)
    with pytest.raises(MalformedError):
        await log.store.read(lambda c: c.execute(query).all(), of="o1")
    assert (await log.begin()) is not None


async def test_what_no_text_of_the_database_holds_is_kept_as_a_mark(log):
    row = {"id": "x", "organisation_id": "o1", "external_id": "a\0b", "created_at": 1}
    await log.store.write(lambda c: c.execute(insert(contacts), [row]).rowcount, of="o1")
    query = select(contacts.c.external_id)
    assert await log.store.read(lambda c: c.execute(query).scalar(), of="o1") == "a\ufffdb"


# Several workers.


async def test_two_workers_number_one_conversation_without_holes(place):
    async with opened(place) as one, opened(place) as other:
        conversation = await one.begin()
        logs = [one, other]
        said = await asyncio.gather(
            *(logs[number % 2].say(conversation, number) for number in range(1, 301))
        )
        assert sorted(each.last.seq for each in said) == list(range(3, 303))
        assert len(await all_events(one, conversation)) == 302
        assert (await one.row(conversation)).last_seq == 302


async def test_what_one_worker_stored_the_other_knows_for_a_repeat(place):
    async with opened(place) as one, opened(place) as other:
        conversation = await one.begin()
        first = await one.say(conversation, 1)
        again = await other.say(conversation, 1)
        assert again.repeated
        assert again.last == first.last
        both = await asyncio.gather(
            *(log.say(conversation, number) for number in range(2, 60) for log in (one, other))
        )
        assert sum(each.repeated for each in both) == 58
        await one.check(conversation)


async def test_one_conversation_begun_on_two_workers_is_one(place):
    async with opened(place) as one, opened(place) as other:
        for number in range(40):
            opening = post(VISITOR, None, key(number), "hoi", opening=OPENING)
            both = await asyncio.gather(one.commands.run(opening), other.commands.run(opening))
            assert sorted(each.repeated for each in both) == [False, True]
            await one.check(opening.conversation_id)


async def test_batches_that_cross_each_other_end(place):
    async with opened(place) as one, opened(place) as other:
        conversations = [await one.begin(number) for number in range(20)]
        there, back = conversations, conversations[::-1]
        await asyncio.wait_for(
            asyncio.gather(
                *(one.say(each, 100 + n) for n in range(10) for each in there),
                *(other.say(each, 200 + n) for n in range(10) for each in back),
            ),
            30,
        )
        for conversation in conversations:
            await one.check(conversation)


async def test_one_of_many_takes_on_two_workers_wins(place):
    async with opened(place) as one, opened(place) as other:
        for number in range(10):
            conversation = await one.begin(number)

            async def take(log, name, conversation=conversation):
                agent = type(ANNA)(organisation_id="o1", agent_id=name, name=name, role="agent")
                command = rules.Take(
                    actor=agent, conversation_id=conversation, agent=AgentName(id=name, name=name)
                )
                return await log.commands.run(command)

            tries = [take((one, other)[n % 2], f"a{n}") for n in range(20)]
            answers = await asyncio.gather(*tries, return_exceptions=True)
            assert sum(isinstance(each, TakenError) for each in answers) == 19
            await one.check(conversation)


async def test_entries_of_the_ledger_are_numbered_in_the_order_of_commits(place):
    async with opened(place) as one, opened(place) as other:
        found = []

        async def watch():
            seen = 0
            while len(found) < 40:
                after = partial(ledger.entries_after, number=seen)
                seen, entries = await one.store.read(after, of=EVERYWHERE)
                found.extend(entries)

        async def record(log, number):
            entry = ledger.Entry("o1", "visitor", f"s{number}", number, "test")
            await log.store.write(lambda c: ledger.record(c, [entry]), of="o1")

        writes = (record((one, other)[n % 2], n) for n in range(40))
        await asyncio.wait_for(asyncio.gather(watch(), *writes), 20)
        assert len({each.subject for each in found}) == 40


# What machines do.


@pytest.fixture
def own_cluster():
    made = Cluster()
    yield made
    made.remove()


async def test_connections_that_were_ended_are_opened_again_unseen(log):
    conversation = await log.begin()
    for number in range(1, 20):
        places.cluster().end_all()
        said, page = await asyncio.gather(
            log.say(conversation, number), log.events(conversation), return_exceptions=True
        )
        assert not isinstance(said, BaseException), said
        assert not isinstance(page, BaseException), page
    await log.check(conversation)


async def test_a_server_that_is_gone_is_unavailable_and_its_return_is_noticed(own_cluster):
    class There:
        kind = "postgresql"

        def open(self):
            return PostgresDriver(url)

    url = own_cluster.database()
    async with opened(There()) as log:
        conversation = await log.begin()
        await log.store.probe()
        own_cluster.stop()
        begun = time.monotonic()
        for attempt in (
            log.say(conversation, 1),
            log.events(conversation),
            log.store.write(lambda _: None, of="o1"),
        ):
            with pytest.raises(UnavailableError):
                await attempt
        log.store._sound_until = 0
        with pytest.raises(UnavailableError):
            await log.store.probe()
        assert time.monotonic() - begun < 3
        own_cluster.start()
        back = await until_it_answers(lambda: log.say(conversation, 1))
        assert back.last.seq == 3
        await log.store.probe()
        await log.check(conversation)


async def until_it_answers(attempt):
    async with asyncio.timeout(5):
        while True:
            try:
                return await attempt()
            except UnavailableError:
                await asyncio.sleep(0.05)


async def test_nothing_that_was_acknowledged_is_lost_or_doubled_when_the_server_falls(own_cluster):
    class There:
        kind = "postgresql"

        def open(self):
            return PostgresDriver(url)

    url = own_cluster.database()
    async with opened(There()) as log:
        conversation = await log.begin()
        acked, number, ending = {}, 0, False

        async def talk():
            nonlocal number
            while not ending:
                number += 1
                mine = number
                while True:
                    try:
                        acked[mine] = (await log.say(conversation, mine)).last.seq
                        break
                    except BalieError:
                        await asyncio.sleep(0.02)

        talking = [asyncio.create_task(talk()) for _ in range(8)]
        for act in ("backend", "stop", "end", "stop"):
            await asyncio.sleep(0.5)
            if act == "backend":
                await asyncio.to_thread(own_cluster.kill_a_backend)
            elif act == "end":
                await asyncio.to_thread(own_cluster.end_all)
            else:
                await asyncio.to_thread(own_cluster.stop)
                await asyncio.to_thread(own_cluster.start)
        await asyncio.sleep(0.5)
        ending = True
        await asyncio.wait_for(asyncio.gather(*talking), 20)
        found = {each.client_message_id: each.seq for each in await all_events(log, conversation)}
        assert {key(mine): seq for mine, seq in acked.items()}.items() <= found.items()
        assert len(acked) > 20


async def all_events(log, conversation):
    query = select(events).where(events.c.conversation_id == conversation).order_by(events.c.seq)
    rows = await log.store.read(lambda c: c.execute(query).all(), of=EVERYWHERE)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    ids = [row.client_message_id for row in rows if row.client_message_id]
    assert len(ids) == len(set(ids))
    return rows


async def test_a_commit_whose_end_nobody_heard_is_found_as_a_repeat(log, monkeypatch):
    conversation = await log.begin()
    commit, lost = log.store._writer._end, []

    def deaf(connection):
        commit(connection)
        if not lost:
            lost.append(True)
            raw(connection).close()
            raise OutcomeUnknownError

    monkeypatch.setattr(log.store._writer, "_end", deaf)
    said = await log.say(conversation, 1)
    assert said.repeated
    assert said.last.seq == 3
    lost.clear()
    row = {"id": "x", "organisation_id": "o1", "external_id": "x", "created_at": 1}
    with pytest.raises(UnavailableError, match="look whether"):
        await log.store.write(lambda c: c.execute(insert(contacts), [row]).rowcount, of="o1")
    await log.check(conversation)


async def test_a_worker_that_was_stopped_while_it_held_a_lock_holds_nobody_up_for_long(place, log):
    conversation = await log.begin()
    with psycopg.connect(place.url, autocommit=True) as stopped:
        stopped.execute("SET idle_in_transaction_session_timeout = '1s'")
        stopped.execute(
            "BEGIN; SET LOCAL balie.scope = '*'; SELECT id FROM conversations FOR UPDATE"
        )
        said = await asyncio.wait_for(log.say(conversation, 1), 4)
        assert said.last.seq == 3
        with pytest.raises(psycopg.Error, match="idle-in-transaction"):
            stopped.execute("SELECT 1")


async def test_a_server_that_takes_no_writes_is_unavailable_but_can_be_read(log):
    conversation = await log.begin()
    database = log.store.driver.readers.url.database
    places.cluster().run(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    places.cluster().end_all()
    assert len(await log.events(conversation)) == 2
    await log.say(conversation, 1)  # a transaction that says it writes, may
    places.cluster().run(f"ALTER DATABASE {database} RESET default_transaction_read_only")


def test_too_old_a_server_is_refused(place, monkeypatch):
    monkeypatch.setattr("balie.store.postgres.OLDEST", 99)
    with pytest.raises(UnusableError, match="needs 99 or newer"):
        place.open().migrate()


@pytest.mark.parametrize("url", ["postgresql://h:port/x", "postgresql://[::1/x", "postgresql:/"])
def test_an_address_that_is_none_is_told(url):
    with pytest.raises(UnusableError, match="postgresql://user:password@host/database"):
        PostgresDriver(url)
