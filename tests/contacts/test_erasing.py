"""Who is one person, who is not, and what the ledger remembers of him."""

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select

from balie.app import commands, privacy
from balie.app.settings import Settings
from balie.contacts import ledger
from balie.contacts.ledger import Entry, LedgerFile, subject_of
from balie.contacts.model import contacts, visitors
from balie.conversations.model import Conversation, conversations, files
from balie.conversations.projection import to_row
from balie.kernel.erasure import Person
from balie.kernel.errors import MalformedError, NotFoundError
from balie.store.schema import events
from balie.store.scope import EVERYWHERE

COLUMNS = [column.name for column in conversations.columns]


class Records:
    """A house with hand-made rows of two organisations; ids are short words."""

    def __init__(self, house, mine, other):
        self.house, self.mine, self.other = house, mine, other

    async def put(self, table, **row):
        await self.house.store.write(
            lambda c: c.execute(insert(table), [row]).rowcount, of=EVERYWHERE
        )

    async def visitor(self, key, contact=None, email=None, organisation=None):
        await self.put(
            visitors,
            id=key,
            organisation_id=organisation or self.mine,
            site_id="s",
            created_at=1,
            contact_id=contact,
            email=email,
            verified=contact is not None,
            time_zone="",
            device="",
            browser="",
            system="",
        )

    async def contact(self, key, email=None):
        await self.put(
            contacts, id=key, organisation_id=self.mine, external_id=key, created_at=1, email=email
        )

    async def conversation(self, key, visitor, contact=None, wrote=(), organisation=None):
        state = Conversation(
            id=key,
            organisation_id=organisation or self.mine,
            site_id="s",
            visitor_id=visitor,
            contact_id=contact,
            started_at=1,
            updated_at=1,
            last_seq=len(wrote),
        )
        await self.put(conversations, **dict(zip(COLUMNS, to_row(state), strict=True)))
        for seq, author in enumerate(wrote, 1):
            await self.put(
                events,
                organisation_id=state.organisation_id,
                conversation_id=key,
                seq=seq,
                at=1,
                author_id=author,
                author="{}",
                payload='{"type":"message.posted","text":"hallo"}',
            )

    async def file(self, key, author, conversation=None):
        await self.put(
            files,
            id=key,
            organisation_id=self.mine,
            author_id=author,
            conversation_id=conversation,
            name="a",
            media_type="text/plain",
            size=1,
            sha256="",
            created_at=1,
        )

    def seed(self, *visitor_ids, contact=()):
        return Person(
            organisation_id=self.mine,
            visitor_ids=frozenset(visitor_ids),
            contact_ids=frozenset(contact),
        )

    async def find(self, *visitor_ids, contact=()):
        return await self.house.erasing.find(self.seed(*visitor_ids, contact=contact))


@pytest.fixture
async def records(tmp_path):
    house = commands.open_house(Settings(data_dir=tmp_path))
    await house.open()
    mine = await house.organisations.create_organisation("Fietsenwinkel", "nl")
    other = await house.organisations.create_organisation("Bakker", "nl")
    yield Records(house, mine.id, other.id)
    await house.close()


async def test_who_proved_to_be_the_same_contact_is_the_same_person(records):
    await records.contact("k")
    await records.visitor("phone", contact="k")
    await records.visitor("laptop", contact="k")
    await records.visitor("stranger")
    await records.conversation("one", "phone", contact="k")
    await records.conversation("two", "laptop", contact="k")
    await records.conversation("three", "stranger")
    by_visitor = await records.find("phone")
    assert by_visitor.visitor_ids == {"phone", "laptop"}
    assert by_visitor.conversation_ids == {"one", "two"}
    assert await records.find(contact=("k",)) == by_visitor


async def test_ids_from_before_he_was_known_are_his_and_so_is_what_they_hold(records):
    await records.contact("k")
    await records.visitor("before")
    await records.visitor("after", contact="k")
    await records.conversation("one", "after", contact="k", wrote=["visitor:before", "agent:tom"])
    await records.conversation("left behind", "before")
    await records.file("attached", "agent:tom", conversation="one")
    await records.file("loose", "visitor:before")
    await records.file("toms", "agent:tom")
    person = await records.find("after")
    assert person.visitor_ids == {"before", "after"}
    assert person.conversation_ids == {"one", "left behind"}
    assert person.file_ids == {"attached", "loose"}


async def test_somebody_else_on_the_same_browser_is_somebody_else(records):
    await records.contact("k1")
    await records.contact("k2")
    await records.visitor("first", contact="k1")
    await records.visitor("second", contact="k2")
    await records.conversation(
        "one", "second", contact="k2", wrote=["visitor:first", "visitor:second"]
    )
    assert (await records.find("second")).visitor_ids == {"second"}
    assert (await records.find("second")).contact_ids == {"k2"}


async def test_another_organisation_has_nobody_of_here(records):
    await records.visitor("theirs", organisation=records.other)
    await records.conversation("x", "theirs", organisation=records.other)
    with pytest.raises(NotFoundError):
        await records.find("theirs")
    with pytest.raises(NotFoundError):
        await records.house.erasing.erase(records.seed("theirs"), "test")
    with pytest.raises(NotFoundError):
        await records.find("nobody")


async def test_who_only_brought_a_file_can_be_erased(records):
    key = "01900000-0000-7000-8000-000000000001"
    records.house.blobs.write(key, b"inhoud")
    await records.file(key, "visitor:silent")
    _, erased = await records.house.erasing.erase(records.seed("silent"), "test")
    assert erased.counts["files"] == 1
    assert not records.house.blobs.path(key).exists()


async def test_the_command_line_finds_by_address_proved_or_said(records):
    await records.visitor("said", email="Ana@Example.nl")
    await records.contact("k", email="ana@example.nl")
    await records.visitor("proved", contact="k", email="other@example.nl")
    wanted = privacy.Wanted(email=" ANA@example.NL ", organisation="Fietsenwinkel")
    person = await privacy.find_person(records.house, wanted)
    assert person.visitor_ids == {"said", "proved"}
    with pytest.raises(MalformedError, match="--organisation"):
        await privacy.find_person(records.house, privacy.Wanted(email="ana@example.nl"))
    with pytest.raises(NotFoundError, match="no such organisation"):
        await privacy.find_person(
            records.house, privacy.Wanted(email="ana@example.nl", organisation="Slager")
        )


async def test_the_command_line_knows_whose_an_id_is(records):
    await records.visitor("theirs", organisation=records.other)
    found = await privacy.find_person(records.house, privacy.Wanted(visitor="THEIRS"))
    assert found.organisation_id == records.other
    with pytest.raises(NotFoundError):
        await privacy.find_person(
            records.house, privacy.Wanted(visitor="theirs", organisation=records.mine)
        )


async def test_the_ledger_names_nobody(records):
    await records.contact("k")
    await records.visitor("phone", contact="k")
    await records.conversation("one", "phone", contact="k")
    await records.house.erasing.erase(records.seed("phone"), "agent:tom")
    number, entries = await records.house.store.read(
        lambda c: ledger.entries_after(c, 0), of=EVERYWHERE
    )
    assert number == 3
    assert {(each.kind, each.subject, each.by) for each in entries} == {
        (kind, subject_of(kind, key), "agent:tom")
        for kind, key in (("visitor", "phone"), ("contact", "k"), ("conversation", "one"))
    }
    assert set(LedgerFile(records.house.folder / "erasures.jsonl").read()) == set(entries)
    assert await records.house.erasing.was_erased(records.mine, "phone")
    assert not await records.house.erasing.was_erased(records.other, "phone")


async def test_who_comes_back_after_an_erasure_is_not_erased_by_its_ledger(records):
    """Only what is older than the erasure came out of a backup."""
    await records.visitor("phone")
    line = Entry(records.mine, "visitor", subject_of("visitor", "phone"), 0, "command line")
    file = LedgerFile(records.house.folder / "erasures.jsonl")
    file.append([line])
    assert await records.house.erasing.reconcile() == 0
    assert (await records.find("phone")).visitor_ids == {"phone"}
    file.append([Entry(records.mine, "visitor", subject_of("visitor", "phone"), 5, "command line")])
    assert await records.house.erasing.reconcile() == 1
    with pytest.raises(NotFoundError):
        await records.find("phone")
    assert await records.house.erasing.reconcile() == 0


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path):
    file = LedgerFile(tmp_path / "erasures.jsonl")
    assert file.read() == []
    one, two = (Entry("o", "visitor", key, 1, "x") for key in "ab")
    file.append([one])
    with (tmp_path / "erasures.jsonl").open("ab") as raw:
        raw.write(b'{"organisation_id": "o", "ki')
    file.append([two])
    assert file.read() == [one, two]


async def many_conversations(records, number=600):
    """A visitor with more conversations than one step takes."""
    await records.visitor("v")
    await records.visitor("other")
    await records.conversation("theirs", "other", wrote=["visitor:other"])
    rows = [f"c{each:04}" for each in range(number)]
    for key in rows[:2]:
        await records.conversation(key, "v", wrote=["visitor:v"] * 3)
    state = Conversation(
        id="", organisation_id=records.mine, site_id="s", visitor_id="v", started_at=1, updated_at=1
    )
    values = [dict(zip(COLUMNS, to_row(replace(state, id=key)), strict=True)) for key in rows[2:]]
    await records.house.store.write(
        lambda c: c.execute(insert(conversations), values).rowcount, of=EVERYWHERE
    )
    return rows


async def stored(records):
    return await records.house.store.read(
        lambda c: set(c.execute(select(conversations.c.id)).scalars()), of=EVERYWHERE
    )


async def test_thousands_of_conversations_go_in_steps_that_others_can_write_between(records):
    rows = await many_conversations(records)
    sizes = []
    records.house.erasing.on_erased.append(
        lambda _person, gone: sizes.append(len(gone.conversation_ids))
    )
    person, erased = await records.house.erasing.erase(records.seed("v"), "test")
    assert person.conversation_ids == set(rows)
    assert erased.counts["conversations"] == len(rows)
    assert erased.counts["events"] == 6
    assert await stored(records) == {"theirs"}
    assert len(sizes) > 3
    assert max(sizes) < len(rows)
    assert await records.house.erasing.was_erased(records.mine, "v")


async def test_what_a_crash_cuts_short_the_next_start_finishes(records):
    rows = await many_conversations(records)
    erasing = records.house.erasing

    class PowerCutError(Exception):
        pass

    def cut(_person, _gone):
        raise PowerCutError

    erasing.on_erased.append(cut)
    with pytest.raises(PowerCutError):
        await erasing.erase(records.seed("v"), "test")
    left = await stored(records)
    assert 1 < len(left) < len(rows)
    assert not await erasing.was_erased(records.mine, "v")
    erasing.on_erased.remove(cut)
    assert await erasing.reconcile() == 1
    assert await stored(records) == {"theirs"}
    assert await erasing.was_erased(records.mine, "v")
    assert await erasing.reconcile() == 0


async def test_what_is_said_while_a_person_is_erased_goes_too(records):
    await many_conversations(records)
    erasing = records.house.erasing
    said = []

    def say_more(_person, _gone):
        if not said:
            said.append(
                asyncio.ensure_future(records.conversation("late", "v", wrote=["visitor:v"]))
            )

    erasing.on_erased.append(say_more)
    await erasing.erase(records.seed("v"), "test")
    await said[0]
    assert await stored(records) == {"theirs"}
