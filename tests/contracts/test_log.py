"""The append port: what every driver of the log promises, tried on each."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import event, text
from tests.simulation import storage

from balie.conversations import rules
from balie.conversations.commands import ConversationCommands, note, post
from balie.conversations.projection import ConversationProjection
from balie.conversations.queries import find_conversation, find_events
from balie.conversations.rules import evolve
from balie.kernel.actor import AgentActor, VisitorActor
from balie.kernel.errors import (
    BusyError,
    ClosedError,
    ConflictError,
    NotFoundError,
    TakenError,
    UnavailableError,
)
from balie.kernel.events import (
    AgentName,
    ConversationRated,
    ConversationStarted,
    EventTracked,
    PageViewed,
    VisitorDescribed,
    VisitorIdentified,
)
from balie.kernel.ids import new_id
from balie.store import sole, writer
from balie.store.engine import LogStore
from balie.store.log import Touch
from balie.store.scope import EVERYWHERE

ORGANISATION = "o1"
VISITOR = VisitorActor(organisation_id=ORGANISATION, site_id="s1", visitor_id="v1")
ANNA = AgentActor(organisation_id=ORGANISATION, agent_id="anna", name="Anna", role="agent")
BRAM = AgentActor(organisation_id=ORGANISATION, agent_id="bram", name="Bram", role="agent")
OPENING = ConversationStarted(site="s1")
NOON = 1_800_000_000_000


def key(number: int) -> str:
    return new_id(NOON, number.to_bytes(10))


class Log:
    """A store in a file, and what can be done to it."""

    def __init__(self, place) -> None:
        self.now = NOON
        self.store = LogStore(place.open(), ConversationProjection())
        self.commands = ConversationCommands(self.store, lambda: self.now)

    async def begin(self, number: int = 0) -> str:
        begun = await self.commands.run(post(VISITOR, None, key(number), "hoi", opening=OPENING))
        return begun.state.id

    async def say(self, conversation: str, number: int, text: str = "hoi", actor=VISITOR):
        return await self.commands.run(post(actor, conversation, key(number), text))

    async def events(self, conversation: str):
        return (await find_events(self.store, ANNA, conversation, after=0)).events

    async def row(self, conversation: str):
        return await find_conversation(self.store, ANNA, conversation)

    async def check(self, conversation: str) -> None:
        """Numbers without holes, and a row that is what the log adds up to."""
        events = await self.events(conversation)
        assert [each.seq for each in events] == list(range(1, len(events) + 1))
        assert await self.row(conversation) == folded(events)


def folded(events):
    state = None
    for envelope in events:
        state = evolve(state, ORGANISATION, envelope)
    return state


@asynccontextmanager
async def opened(place):
    log = Log(place)
    log.store.start()
    yield log
    await log.store.stop()


@pytest.fixture
async def log(place):
    async with opened(place) as log:
        yield log


# Repeats.


async def test_a_repeat_gets_the_first_number_and_time_and_stores_nothing(log: Log):
    conversation = await log.begin()
    first = await log.say(conversation, 1)
    log.now += 60_000
    again = await log.say(conversation, 1)
    assert again.repeated
    assert not first.repeated
    assert again.last == first.last
    assert len(await log.events(conversation)) == 3
    await log.check(conversation)


async def test_a_repeated_first_message_finds_its_conversation(log: Log):
    conversation = await log.begin()
    again = await log.commands.run(post(VISITOR, None, key(0), "hoi", opening=OPENING))
    assert again.repeated
    assert again.state.id == conversation
    assert again.last.seq == 2
    assert len(await log.events(conversation)) == 2


async def test_a_repeat_is_known_after_a_restart(place):
    async with opened(place) as log:
        conversation = await log.begin()
        first = await log.say(conversation, 7)
        await log.say(conversation, 9)
    async with opened(place) as log:
        assert (await log.say(conversation, 7)).last == first.last
        # An id below the highest, that was never used.
        assert not (await log.say(conversation, 8)).repeated
        await log.check(conversation)


async def test_ids_of_a_clock_that_runs_back_are_known_too(log: Log):
    conversation = await log.begin()
    said = {number: await log.say(conversation, number) for number in (5, 3, 4, 9, 1)}
    assert not any(each.repeated for each in said.values())
    for number, first in said.items():
        again = await log.say(conversation, number)
        assert again.repeated
        assert again.last == first.last
    await log.check(conversation)


async def test_an_id_that_ran_ahead_long_ago_is_known_still(place, monkeypatch):
    monkeypatch.setattr(sole, "RECENT", 3)
    async with opened(place) as log:
        conversation = await log.begin()
        ahead = await log.say(conversation, 900)
        for number in (1, 2, 3, 4):
            await log.say(conversation, number)
    async with opened(place) as log:
        # Nothing recent is above it, so it passes for new until the unique index says no.
        beside, again = await asyncio.gather(log.say(conversation, 5), log.say(conversation, 900))
        assert not beside.repeated
        assert again.repeated
        assert again.last == ahead.last
        with pytest.raises(ConflictError):
            await log.say(conversation, 900, "iets anders")
        await log.check(conversation)


async def test_a_repeat_in_the_same_transaction_is_known(log: Log):
    conversation = await log.begin()
    answers = await asyncio.gather(*(log.say(conversation, 5) for _ in range(5)))
    assert {each.last.seq for each in answers} == {3}
    assert [each.repeated for each in answers] == [False, True, True, True, True]


async def test_the_same_id_with_another_text_is_a_conflict(log: Log):
    conversation = await log.begin()
    await log.say(conversation, 1, "één")
    with pytest.raises(ConflictError):
        await log.say(conversation, 1, "twee")
    assert len(await log.events(conversation)) == 3


async def test_the_same_id_of_another_author_is_another_message(log: Log):
    conversation = await log.begin()
    await log.say(conversation, 1)
    theirs = await log.say(conversation, 1, actor=ANNA)
    assert not theirs.repeated
    await log.check(conversation)


# Numbers.


async def test_many_at_once_get_numbers_without_holes(log: Log):
    conversation = await log.begin()
    answers = await asyncio.gather(
        *(log.say(conversation, n, actor=(VISITOR, ANNA, BRAM)[n % 3]) for n in range(1, 101)),
    )
    assert len({each.last.seq for each in answers}) == 100
    # An agent's first answer brings an assignment with it.
    assert len(await log.events(conversation)) == 2 + 100 + 1
    await log.check(conversation)


async def test_what_was_queued_first_is_numbered_first(log: Log):
    conversation = await log.begin()
    answers = await asyncio.gather(*(log.say(conversation, n) for n in range(1, 60)))
    assert [each.last.seq for each in answers] == list(range(3, 62))


async def test_one_of_many_takes_wins(log: Log):
    conversation = await log.begin()

    async def take(actor):
        name = AgentName(id=actor.agent_id, name=actor.name)
        command = rules.Take(actor=actor, conversation_id=conversation, agent=name)
        return await log.commands.run(command)

    agents = [
        AgentActor(organisation_id=ORGANISATION, agent_id=f"a{n}", name=f"A{n}", role="agent")
        for n in range(50)
    ]
    answers = await asyncio.gather(*map(take, agents), return_exceptions=True)
    assert sum(isinstance(each, TakenError) for each in answers) == 49
    assert (await log.row(conversation)).agent_id == "a0"
    await log.check(conversation)


# Everything that people can do, in any order.

AGENTS = some.sampled_from((ANNA, BRAM))
ANYONE = some.sampled_from((VISITOR, ANNA, BRAM))
# Doors refuse half a surrogate pair and U+0000 before anything comes here.
WORDS = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


def commands_of(conversation: str):
    """Commands about one conversation, as anybody may give them."""

    def named(actor):
        return AgentName(id=actor.agent_id, name=actor.name)

    def command(kind, actor, **more):
        return kind(actor=actor, conversation_id=conversation, **more)

    numbers = some.integers(1, 12).map(key)
    return some.one_of(
        some.builds(
            lambda actor, number, words: post(actor, conversation, number, f"x{number}{words[:1]}"),
            ANYONE,
            numbers,
            WORDS,
        ),
        some.builds(lambda actor, n: note(actor, conversation, n, f"note {n}"), AGENTS, numbers),
        some.builds(
            lambda actor, whose: command(rules.Take, actor, agent=named(actor), taken_from=whose),
            AGENTS,
            some.sampled_from((None, "anna", "bram")),
        ),
        some.builds(lambda actor: command(rules.Release, actor), AGENTS),
        some.builds(lambda actor: command(rules.Close, actor), ANYONE),
        some.builds(lambda actor: command(rules.Reopen, actor), AGENTS),
        some.builds(
            lambda score: command(rules.Rate, VISITOR, rating=ConversationRated(score=score)),
            some.integers(1, 5),
        ),
        some.builds(
            lambda kind, actor, tag: command(kind, actor, tag=tag),
            some.sampled_from((rules.Tag, rules.Untag)),
            AGENTS,
            some.sampled_from(("bank", "post", "retour")),
        ),
        some.builds(
            lambda name, verified: command(
                rules.Identify, VISITOR, identity=VisitorIdentified(name=name, verified=verified)
            ),
            WORDS,
            some.booleans(),
        ),
        some.builds(
            lambda url: command(rules.See, VISITOR, page=PageViewed(url=url)),
            some.sampled_from(("/a", "/b")),
        ),
        some.builds(
            lambda name, value: command(
                rules.Describe, VISITOR, described=VisitorDescribed(attributes={name: value})
            ),
            some.sampled_from(("plan", "cart")),
            some.sampled_from((None, 1, "een", {"items": []})),
        ),
        some.builds(
            lambda name: command(rules.Track, VISITOR, tracked=EventTracked(name=name)),
            some.sampled_from(("bekeken", "in wagen")),
        ),
        some.builds(
            lambda actor, delivered, read: (actor, delivered, read),
            ANYONE,
            some.integers(0, 40),
            some.integers(0, 40),
        ),
    )


FIRST = post(VISITOR, None, key(0), "hoi", opening=OPENING)
BATCHES = some.lists(some.lists(commands_of(FIRST.conversation_id), max_size=8), max_size=8)


class Bench:
    """A disk without a thread: batches in, outcomes out."""

    def __init__(self, disk) -> None:
        disk.erase()
        self.disk = disk
        self.writer = (
            storage.FileWriter(disk)
            if isinstance(disk, storage.File)
            else storage.ModelWriter(disk)
        )
        self.now = NOON
        self.commands = ConversationCommands(self, lambda: self.now)
        self.answers: list[tuple] = []

    def submit(self, append, done) -> None:
        self.writer.submit(storage.AppendJob(append, done, lambda _: None))

    def touch(self, touch: Touch) -> None:
        self.writer.submit(storage.TouchJob(touch, lambda _: None))

    def run(self, batch) -> None:
        self.now += 1
        for command in batch:
            if isinstance(command, tuple):
                actor, delivered, read = command
                self.commands.mark(actor, FIRST.conversation_id, delivered, read)
            else:
                self.commands.post_message_later(command, self.note)
        for done, result, error in self.writer.commit(self.writer.take(), fails=False):
            done(result, error)

    def note(self, appended, error) -> None:
        refusals = (ConflictError, ClosedError, TakenError, NotFoundError)
        assert error is None or isinstance(error, refusals), error
        found = appended and (appended.repeated, appended.envelopes, appended.state)
        self.answers.append((found, type(error)))


@pytest.fixture(scope="module")
def file():
    return storage.File()


@settings(max_examples=80)
@given(batches=BATCHES)
def test_any_commands_leave_a_log_without_holes_that_adds_up_to_its_row(file, batches):
    bench = Bench(file)
    bench.run([FIRST])
    for batch in batches:
        bench.run(batch)
    [log] = file.log().values()
    assert [each.seq for each in log] == list(range(1, len(log) + 1))
    row, sum_of_log = file.state(FIRST.conversation_id), folded(log)
    marks = {name: getattr(row, name) for name in row.__struct_fields__ if is_mark(name)}
    assert rules.replace(sum_of_log, **marks) == row
    assert all(0 <= marks[name] <= row.last_seq for name in marks)


def is_mark(name: str) -> bool:
    return name.endswith(("_delivered", "_read", "_unread"))


@settings(max_examples=80)
@given(batches=BATCHES)
def test_the_simulations_model_of_the_log_answers_as_the_log_does(file, batches):
    real, model = Bench(file), Bench(storage.Disk())
    for batch in ([FIRST], *batches):
        real.run(batch)
        model.run(batch)
    assert real.answers == model.answers
    assert real.disk.log() == model.disk.log()
    assert real.disk.state(FIRST.conversation_id) == model.disk.state(FIRST.conversation_id)


# When something goes wrong.


async def test_a_failing_job_takes_none_of_its_neighbours(log: Log):
    conversation = await log.begin()

    def breaks_a_rule(connection):
        connection.execute(text("UPDATE conversations SET tags = 'half'"))
        connection.execute(text("INSERT INTO events SELECT * FROM events"))

    def breaks(connection):
        connection.execute(text("UPDATE conversations SET tags = 'half'"))
        raise ZeroDivisionError

    def surprised(_state):
        raise ZeroDivisionError

    bad = log.commands._append(post(VISITOR, conversation, key(50), "x"))
    answers = await asyncio.gather(
        log.say(conversation, 1),
        log.store.write(breaks_a_rule, of=EVERYWHERE),
        log.say(conversation, 2),
        log.store.write(breaks, of=EVERYWHERE),
        log.store.append(type(bad)(**{**fields_of(bad), "decide": surprised})),
        log.say(conversation, 2, "another text"),
        log.say(conversation, 3),
        return_exceptions=True,
    )
    assert [isinstance(each, Exception) for each in answers] == [
        False,
        True,
        False,
        True,
        True,
        True,
        False,
    ]
    assert [answers[place].last.seq for place in (0, 2, 6)] == [3, 4, 5]
    assert (await log.row(conversation)).tags == ""
    await log.check(conversation)


def fields_of(struct):
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


async def test_too_much_at_once_is_refused_and_the_rest_is_written(place, monkeypatch):
    monkeypatch.setattr(writer, "QUEUE_LIMIT", 10)
    log = Log(place)
    told: list[int] = []
    opening = post(VISITOR, None, key(0), "hoi", opening=OPENING)
    log.commands.post_message_later(opening, lambda *_: told.append(0))
    for number in range(1, 10):
        log.commands.post_message_later(
            post(VISITOR, opening.conversation_id, key(number), "hoi"),
            lambda *_, number=number: told.append(number),
        )
    with pytest.raises(BusyError) as refused:
        log.commands.post_message_later(
            post(VISITOR, opening.conversation_id, key(99), "hoi"), lambda *_: told.append(99)
        )
    assert refused.value.retry_after_ms
    # Marks are soft: too many are dropped without a word.
    log.commands.mark(VISITOR, opening.conversation_id, 1, 1)
    log.store.start()
    await log.store.stop()
    assert told == list(range(10))


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_full_disk_stores_nothing_of_a_message_and_heals_without_a_restart(log: Log):
    conversation = await log.begin()
    await log.store.write(lambda connection: limit_pages(connection, 0), of=EVERYWHERE)
    refused, number = None, 100
    while refused is None:
        number += 1
        try:
            await log.say(conversation, number, "x" * 16_000)
        except UnavailableError as error:
            refused = error
    assert refused.retry_after_ms
    before = await log.events(conversation)
    with pytest.raises(UnavailableError):
        await log.say(conversation, number, "x" * 16_000)
    assert await log.events(conversation) == before
    await log.check(conversation)
    await log.store.write(lambda connection: limit_pages(connection, 1_000_000), of=EVERYWHERE)
    healed = await log.say(conversation, number, "x" * 16_000)
    assert not healed.repeated
    assert healed.last.seq == before[-1].seq + 1
    await log.check(conversation)


def limit_pages(connection, pages: int) -> None:
    """Let the file grow to so many pages and no further; it is never made smaller than it is."""
    connection.exec_driver_sql(f"PRAGMA max_page_count = {max(pages, 1)}")


def commits_fail(log: Log) -> list[bool]:
    """Make commits fail for as long as the one item of what is returned is true."""
    failing = [False]

    def guard(dbapi_connection, _record):
        dbapi_connection.set_authorizer(
            lambda action, word, *_: int(failing[0] and (action, word) == (22, "COMMIT"))
        )

    event.listen(log.store.driver.writes, "connect", guard)
    return failing


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_commit_that_fails_stores_nothing_and_spoils_nothing(place):
    log = Log(place)
    failing = commits_fail(log)
    log.store.start()
    conversation = await log.begin()
    failing[0] = True
    answers = await asyncio.gather(
        log.say(conversation, 1),
        log.store.write(
            lambda connection: connection.execute(text("SELECT 1")).scalar(), of=EVERYWHERE
        ),
        log.say(conversation, 2),
        return_exceptions=True,
    )
    assert [type(each) for each in answers] == [UnavailableError] * 3
    assert len(await log.events(conversation)) == 2
    failing[0] = False
    assert await log.store.write(lambda c: c.execute(text("SELECT 1")).scalar(), of=EVERYWHERE) == 1
    assert (await log.say(conversation, 1)).last.seq == 3
    await log.check(conversation)
    await log.store.stop()


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_after_a_failed_sync_nothing_is_acknowledged_before_all_is_written_anew(
    place, monkeypatch
):
    monkeypatch.setattr("balie.store.writer.CLOSED_FOR", 0.3)
    log, renewals = Log(place), []
    failing, renew = commits_fail(log), log.store.driver.renew
    # Where the refusal of a commit stands for a failed sync; the disk fails for a while longer.
    monkeypatch.setattr(log.store.driver, "is_unkept", lambda _error: failing[0])
    monkeypatch.setattr(
        log.store.driver, "renew", lambda: renewals.append(1) or (len(renewals) > 2 and renew())
    )
    log.store.start()
    conversation = await log.begin()
    failing[0] = True
    with pytest.raises(UnavailableError):
        await log.say(conversation, 1)
    failing[0] = False
    with pytest.raises(UnavailableError):
        await log.say(conversation, 1)
    assert renewals == []
    await asyncio.sleep(0.3)
    with pytest.raises(UnavailableError):
        await log.say(conversation, 1)
    assert renewals == [1, 1]
    assert (await log.say(conversation, 1)).last.seq == 3
    assert renewals == [1, 1, 1]
    await log.check(conversation)
    await log.store.stop()
