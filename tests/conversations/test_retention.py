"""What was kept long enough goes, the rest stays, and who writes meanwhile hardly notices."""

import asyncio
import time
from itertools import count

import pytest
from sqlalchemy import func, insert, select, update

from balie.agents.model import invitations, sessions
from balie.app import clockguard, commands, upkeep
from balie.app.house import House, clock
from balie.app.settings import Settings
from balie.contacts.model import contacts, visitors
from balie.conversations.acts import Post
from balie.conversations.model import Conversation, conversations, files
from balie.conversations.projection import to_row
from balie.conversations.reactions import GIANT
from balie.kernel.actor import SystemActor, VisitorActor
from balie.kernel.errors import NotFoundError
from balie.kernel.events import ConversationStarted, MessagePosted
from balie.kernel.ids import ENTROPY_BYTES, new_id
from balie.organisations.commands import OrganisationChange
from balie.store.schema import events
from balie.store.scope import EVERYWHERE

DAY = 86_400_000
OLD = 366
YOUNG = 364


class Keeping:
    """A house without doors, filled with the past."""

    def __init__(self, house: House, organisation: str) -> None:
        self.house, self.organisation, self.now = house, organisation, clock()
        self._chance = count(1)

    def id_of(self, days: float) -> str:
        entropy = next(self._chance).to_bytes(ENTROPY_BYTES, "big")
        return new_id(self.now - int(days * DAY), entropy)

    async def put(self, table, *rows):
        await self.house.store.write(
            lambda c: c.execute(insert(table), list(rows)).rowcount, of=EVERYWHERE
        )

    def said(
        self, days, *, status="closed", messages=3, visitor=None, contact=None
    ) -> Conversation:
        at = self.now - int(days * DAY)
        return Conversation(
            id=self.id_of(days + 1),
            organisation_id=self.organisation,
            site_id="site",
            visitor_id=visitor or self.id_of(days + 1),
            contact_id=contact,
            started_at=at - DAY,
            updated_at=at,
            status=status,
            closed_at=at if status == "closed" else None,
            last_seq=messages,
        )

    async def keep(self, *states: Conversation):
        names = [column.name for column in conversations.columns]
        await self.put(conversations, *(dict(zip(names, to_row(s), strict=True)) for s in states))
        await self.put(
            events,
            *(
                {
                    "organisation_id": self.organisation,
                    "conversation_id": state.id,
                    "seq": seq,
                    "at": state.updated_at,
                    "author_id": f"visitor:{state.visitor_id}",
                    "author": '{"kind":"visitor"}',
                    "payload": '{"type":"message.posted","text":"hallo"}',
                }
                for state in states
                for seq in range(1, state.last_seq + 1)
            ),
        )

    def visitor(self, days, **more):
        return {
            "id": self.id_of(days),
            "organisation_id": self.organisation,
            "site_id": "site",
            "created_at": self.now - int(days * DAY),
            "verified": False,
            "time_zone": "",
            "device": "",
            "browser": "",
            "system": "",
            **more,
        }

    def contact(self, days, external_id):
        return {
            "id": self.id_of(days),
            "organisation_id": self.organisation,
            "external_id": external_id,
            "created_at": self.now - int(days * DAY),
        }

    def file(self, days, conversation=None, *, written=True):
        key = self.id_of(days)
        if written:
            self.house.blobs.write(key, b"inhoud")
        return {
            "id": key,
            "organisation_id": self.organisation,
            "author_id": "visitor:x",
            "conversation_id": conversation,
            "name": "a.txt",
            "media_type": "text/plain",
            "size": 6,
            "sha256": "",
            "created_at": self.now - int(days * DAY),
        }

    async def left(self, table) -> set[str]:
        return set(
            await self.house.store.read(
                lambda c: c.execute(select(table.c.id)).scalars().all(), of=EVERYWHERE
            )
        )

    async def number(self, table) -> int:
        query = select(func.count()).select_from(table)
        return await self.house.store.read(lambda c: c.execute(query).scalar_one(), of=EVERYWHERE)

    def has_bytes(self, key: str) -> bool:
        return self.house.blobs.path(key).exists()


@pytest.fixture
async def keeping(tmp_path):
    house = commands.open_house(Settings(data_dir=tmp_path))
    await house.open()
    made = await house.organisations.create_organisation("Fietsenwinkel", "nl")
    clockguard.remember(house.folder, clock())
    yield Keeping(house, made.id)
    await house.close()


async def test_old_conversations_go_closed_or_open_and_young_ones_stay(keeping):
    old, silent = keeping.said(OLD), keeping.said(OLD, status="open")
    young, waiting = keeping.said(YOUNG), keeping.said(YOUNG, status="open")
    await keeping.keep(old, silent, young, waiting)
    papers = [keeping.file(OLD, old.id), keeping.file(YOUNG, young.id)]
    await keeping.put(files, *papers)

    expected = await upkeep.count_all(keeping.house)
    assert expected[keeping.organisation] == {
        "conversations": 2,
        "events": 6,
        "files": 1,
        "visitors": 0,
        "contacts": 0,
    }
    assert await keeping.left(conversations) == {each.id for each in (old, silent, young, waiting)}
    went = await upkeep.sweep_all(keeping.house)
    assert went[keeping.organisation] == {"conversations": 2, "events": 6, "files": 1}
    assert await keeping.left(conversations) == {young.id, waiting.id}
    assert await keeping.number(events) == 6
    assert [keeping.has_bytes(paper["id"]) for paper in papers] == [False, True]


async def test_each_organisation_keeps_as_long_as_it_chose(keeping):
    actor = SystemActor(organisation_id=keeping.organisation)
    await keeping.house.organisations.change_organisation(
        actor, OrganisationChange(retention_days=10)
    )
    other = await keeping.house.organisations.create_organisation("Bakker", "nl")
    mine = keeping.said(11)
    theirs = Keeping(keeping.house, other.id).said(12)
    await keeping.keep(mine, theirs)
    await upkeep.sweep_all(keeping.house)
    assert await keeping.left(conversations) == {theirs.id}


async def test_visitors_and_contacts_go_with_their_last_conversation(keeping):
    forgotten, browsing, back, idle = (keeping.visitor(OLD) for _ in range(4))
    fresh = keeping.visitor(YOUNG)
    known, lost = keeping.contact(OLD, "K1"), keeping.contact(OLD, "K2")
    browsing["contact_id"] = known["id"]
    await keeping.put(
        visitors,
        *({"contact_id": None, **each} for each in (forgotten, browsing, back, idle, fresh)),
    )
    await keeping.put(contacts, known, lost)
    await keeping.keep(
        keeping.said(OLD, visitor=forgotten["id"], contact=lost["id"]),
        keeping.said(OLD, visitor=back["id"]),
        keeping.said(1, visitor=back["id"]),
        keeping.said(1, visitor=browsing["id"], contact=known["id"]),
    )
    expected = await upkeep.count_all(keeping.house)
    went = await upkeep.sweep_all(keeping.house)
    for kind in ("visitors", "contacts"):
        assert went[keeping.organisation][kind] == expected[keeping.organisation][kind]
    assert await keeping.left(visitors) == {browsing["id"], back["id"], fresh["id"]}
    assert await keeping.left(contacts) == {known["id"]}


async def test_a_giant_goes_in_pieces_out_of_reach(keeping):
    giant = keeping.said(OLD, messages=GIANT * 2 + 17)
    await keeping.keep(giant)
    await upkeep.sweep_all(keeping.house)
    assert await keeping.number(events) == 0
    assert await keeping.number(conversations) == 0


async def test_what_remained_of_a_giant_is_nobodys_and_is_finished_later(keeping):
    giant = keeping.said(1, status="open", messages=GIANT + 1)
    await keeping.keep(giant)
    await keeping.house.store.write(
        lambda c: c.execute(update(conversations).values(organisation_id="", visitor_id="")),
        of=EVERYWHERE,
    )
    actor = VisitorActor(
        organisation_id=keeping.organisation, site_id="site", visitor_id=giant.visitor_id
    )
    with pytest.raises(NotFoundError):
        await keeping.house.conversations.run(
            Post(
                actor=actor,
                conversation_id=giant.id,
                client_message_id=keeping.id_of(0),
                message=MessagePosted(text="nog iets"),
            )
        )
    await upkeep.sweep_all(keeping.house)
    assert await keeping.number(events) == await keeping.number(conversations) == 0


async def test_loose_files_go_soon_and_bytes_without_a_row_too(keeping):
    old, new = keeping.file(0.05), keeping.file(0.04)
    of_an_agent, forgotten = ({**keeping.file(days), "author_id": "agent:x"} for days in (0.9, 1.1))
    await keeping.put(files, old, new, of_an_agent, forgotten)
    orphan, brought_now = keeping.id_of(1), keeping.id_of(0)
    for key in (orphan, brought_now):
        keeping.house.blobs.write(key, b"inhoud")
    draft = keeping.house.blobs.path(keeping.id_of(1)).with_suffix(".new")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(b"half")
    went = await upkeep.sweep_all(keeping.house)
    assert went[""] == {"loose files": 2, "leftover files": 2}
    assert await keeping.left(files) == {new["id"], of_an_agent["id"]}
    assert [keeping.has_bytes(each) for each in (old["id"], new["id"], orphan, brought_now)] == [
        False,
        True,
        False,
        True,
    ]
    assert not draft.exists()


async def test_ended_sessions_and_spent_links_go(keeping):
    def session(used, made):
        key = keeping.id_of(made)
        return {
            "organisation_id": keeping.organisation,
            "id": key,
            "agent_id": "a",
            "token_hash": key,
            "created_at": keeping.now - made * DAY,
            "last_seen_at": keeping.now - used * DAY,
            "user_agent": "",
            "address": "",
        }

    def link(expires, used):
        key = keeping.id_of(8)
        return {
            "organisation_id": keeping.organisation,
            "id": key,
            "agent_id": "a",
            "kind": "password",
            "token_hash": key,
            "expires_at": keeping.now - expires * DAY,
            "used_at": None if used is None else keeping.now - used * DAY,
        }

    alive, idle, worn = session(29, 60), session(31, 60), session(1, 91)
    open_link, just_used, used, expired = link(-1, None), link(-1, 0), link(-1, 2), link(2, None)
    await keeping.put(sessions, alive, idle, worn)
    await keeping.put(invitations, open_link, just_used, used, expired)
    went = await upkeep.sweep_all(keeping.house)
    assert (went[""]["sessions"], went[""]["invitations"]) == (2, 2)
    assert await keeping.left(sessions) == {alive["id"]}
    assert await keeping.left(invitations) == {open_link["id"], just_used["id"]}


async def test_a_conversation_that_is_taken_up_again_stays(keeping):
    """Between being found and being deleted somebody may write."""
    old = keeping.said(OLD)
    await keeping.keep(old)
    plan = await upkeep._plan(keeping.house)
    sweep, due = next(each for each in plan if each[0].name == "old conversations")
    [(key, _)] = await keeping.house.store.read(lambda c: sweep.find(c, due, 10), of=EVERYWHERE)
    await keeping.house.store.write(
        lambda c: c.execute(update(conversations).values(updated_at=keeping.now)), of=EVERYWHERE
    )
    gone = await keeping.house.store.rewrite(
        lambda c: ([key], sweep.delete(c, due, [key])), of=EVERYWHERE
    )
    assert gone.conversation_ids == ()
    assert await keeping.left(conversations) == {old.id}


@pytest.mark.parametrize(
    ("number", "patience"),
    [(2_000, 1.0), pytest.param(100_000, 0.2, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
async def test_chat_goes_on_while_much_is_deleted(keeping, number, patience, record_property):
    for _ in range(0, number, 1_000):
        await keeping.keep(*(keeping.said(OLD, messages=10) for _ in range(1_000)))
    waits, running = [], True

    async def chat():
        actor = VisitorActor(
            organisation_id=keeping.organisation, site_id="site", visitor_id=keeping.id_of(0)
        )
        opening, conversation = ConversationStarted(site="site"), keeping.id_of(0)
        while running:
            start = time.perf_counter()
            await keeping.house.conversations.run(
                Post(
                    actor=actor,
                    conversation_id=conversation,
                    client_message_id=keeping.id_of(0),
                    message=MessagePosted(text="hallo"),
                    opening=opening,
                )
            )
            waits.append(time.perf_counter() - start)
            await asyncio.sleep(0.01)

    talking = asyncio.create_task(chat())
    went = await upkeep.sweep_all(keeping.house)
    running = False
    await talking
    assert went[keeping.organisation]["conversations"] == number
    assert await keeping.number(conversations) == 1
    waits.sort()
    for name, share in (("p50", 0.5), ("p99", 0.99), ("most", 1.0)):
        record_property(name, round(waits[min(len(waits) - 1, int(len(waits) * share))] * 1_000))
    assert waits[int(len(waits) * 0.99)] < patience
