"""Who was erased does not come back as who he was, and a session that is over holds no socket."""

import pytest
from sqlalchemy import func, select, update
from tests.people import fresh_id
from tests.places import looking
from tests.town import PNG, open_town

from balie.agents.model import SESSION_ABSOLUTE_MS, sessions
from balie.app.house import clock
from balie.contacts import tokens
from balie.contacts.commands import Proof
from balie.contacts.model import new_visitor
from balie.conversations.commands import post
from balie.kernel.errors import UnauthorisedError
from balie.kernel.events import ConversationStarted
from balie.realtime.protocol.frames import Close
from balie.store.schema import metadata
from balie.store.scope import EVERYWHERE

OPENING = ConversationStarted(site="x")


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


async def test_a_tab_that_was_closed_meanwhile_starts_anew(town):
    side = town.sides["noord"]
    owner, token = side.browsers["owner"], side.visitors["eva"]
    before = await town.visitor_socket(side, "eva")
    visitor = before.heard[0]["visitor"]["id"]
    before.connection.leave()
    answer = await owner.put(f"/api/v1/visitors/{visitor}/erasure", json={})
    assert answer.status_code == 200, answer.text

    back = await town.visitor_socket(side, "eva")
    assert (back.ended, back.kinds()) == (Close.UNAUTHORISED, [])
    http = town.browser(Authorization=f"Bearer {token}")
    message = {"client_message_id": fresh_id(), "conversation": None, "text": "weer ik"}
    for ask in (
        http.get("/api/v1/visitor/conversations"),
        http.post("/api/v1/visitor/messages", json=message),
        http.put("/api/v1/visitor/identity", json={"name": "Eva"}),
    ):
        assert (await ask).status_code == 401
    # Others notice nothing.
    other = await town.visitor_socket(town.sides["zuid"], "eva")
    assert other.ended is None


async def test_what_was_under_way_when_he_was_erased_brings_nobody_back(town):
    """Each of these was let in before the erasure, and is written after it."""
    house, side = town.house, town.sides["noord"]
    actor = tokens.read(house.secret, side.visitors["eva"], clock())
    key = fresh_id()
    known = new_visitor(actor, clock(), "nl", "", "")
    opened = post(actor, None, key, "weer ik", with_files=False, opening=OPENING)
    file = await town.browser(Authorization=f"Bearer {side.visitors['eva']}").post(
        "/api/v1/files", content=PNG, headers={"Content-Type": "image/png"}
    )
    erasure = await side.browsers["owner"].put(f"/api/v1/visitors/{actor.visitor_id}/erasure")
    assert erasure.status_code == 200, erasure.text
    for late in (
        house.contacts.remember(known),
        house.contacts.recognise(known, Proof("klant-1", "Eva")),
        house.conversations.with_files(opened, [file.json()["id"]]),
        house.conversations.run(opened),
    ):
        with pytest.raises(UnauthorisedError):
            await late
    with looking(house.store.driver) as connection:
        for table, column, value in (
            ("visitors", "id", actor.visitor_id),
            ("contacts", "external_id", "klant-1"),
            ("conversations", "visitor_id", actor.visitor_id),
            ("events", "author_id", f"visitor:{actor.visitor_id}"),
            ("files", "author_id", f"visitor:{actor.visitor_id}"),
        ):
            known = metadata.tables[table]
            query = select(func.count()).where(known.c[column] == value)
            assert connection.execute(query).scalar_one() == 0, table


@pytest.mark.parametrize("column", [sessions.c.last_seen_at, sessions.c.created_at])
async def test_a_console_does_not_outlive_its_sign_in(town, column):
    side = town.sides["noord"]
    console = await town.agent_socket(side, "agent")
    other = await town.agent_socket(side, "owner")
    await town.house.end_expired_sessions()
    assert (console.ended, other.ended) == (None, None)
    long_ago = clock() - SESSION_ABSOLUTE_MS
    mine = update(sessions).where(sessions.c.id == console.connection.session_id)
    await town.house.store.write(
        lambda c: c.execute(mine.values({column: long_ago})).rowcount, of=EVERYWHERE
    )
    await town.house.end_expired_sessions()
    assert (console.ended, other.ended) == (Close.UNAUTHORISED, None)
