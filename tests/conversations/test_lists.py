"""Lists that stay quick as they grow: every page once, and an index that leads to each."""

import pytest
from sqlalchemy import insert
from tests import places

from balie.conversations.model import Conversation, conversations
from balie.conversations.projection import COLUMNS, ConversationProjection, to_row
from balie.conversations.queries import _TAGS, _inbox, find_inbox, find_tags
from balie.kernel.actor import AgentActor
from balie.store.engine import LogStore

ANNA = AgentActor(organisation_id="o1", agent_id="a1", name="Anna", role="owner")
MANY = 25


def states():
    """Three of them began, and were closed, at each moment."""
    for number in range(MANY):
        for organisation in ("o1", "o2"):
            yield Conversation(
                id=f"{organisation}-{number:02}",
                organisation_id=organisation,
                site_id="s1",
                visitor_id=f"v{number}",
                started_at=number // 3,
                updated_at=100,
                status="closed",
                closed_at=200 + number // 3,
                tags=("", "b\na", "c", "z")[number % 4] if organisation == "o1" else "theirs",
            )


@pytest.fixture
async def store(tmp_path):
    place = places.Place(tmp_path)
    made = LogStore(place.open(), ConversationProjection())
    made.start()
    for state in states():
        row = dict(zip(COLUMNS, to_row(state), strict=True))
        await made.write(
            lambda c, row=row: c.execute(insert(conversations), row).rowcount,
            of=state.organisation_id,
        )
    yield made
    await made.stop()
    place.close()


@pytest.mark.parametrize("view", ["all", "closed"])
async def test_pages_hold_everything_once_latest_first(store, view):
    found, cursor = [], None
    while True:
        page = await find_inbox(store, ANNA, view, cursor=cursor, limit=4)
        found += [each.id for each in page.data]
        if (cursor := page.next_cursor) is None:
            break
    assert found == [f"o1-{number:02}" for number in reversed(range(MANY))]


async def test_labels_are_found_by_stepping_over_them(store):
    assert await find_tags(store, ANNA) == ["a", "b", "c", "z"]
    nobody = AgentActor(organisation_id="o3", agent_id="a1", name="Anna", role="owner")
    assert await find_tags(store, nobody) == []


@pytest.mark.parametrize(
    ("view", "index"),
    [("all", "ix_conversations_started"), ("closed", "ix_conversations_closed")],
)
async def test_an_index_leads_to_the_page(store, view, index):
    if store.driver.name != "SQLite":
        pytest.skip("of so few rows PostgreSQL reads all")
    query = _inbox(ANNA, view, (5, 0, "o1-17")).limit(4)
    with store.driver.readers.connect() as connection:
        words = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")]
    place = "closed_at" if view == "closed" else "started_at"
    assert plan == [
        f"SEARCH conversations USING INDEX {index} (organisation_id=? AND ({place},id)<(?,?))"
    ]


async def test_labels_are_read_from_the_index_alone(store):
    if store.driver.name != "SQLite":
        pytest.skip("of so few rows PostgreSQL reads all")
    with store.driver.readers.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {_TAGS}", ("o1", "o1")).fetchall()
    searched = [row[-1] for row in plan if "conversations" in row[-1]]
    assert len(searched) == 2
    assert all("USING COVERING INDEX ix_conversations_tags" in each for each in searched)
