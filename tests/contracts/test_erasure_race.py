"""Who is erased by one process while another writes him down for the first time does not come back."""

import asyncio
import time

import pytest
from sqlalchemy import func, select
from tests import places
from tests.people import fresh_id
from tests.places import looking
from tests.town import open_town

from balie.app.house import House
from balie.contacts import ledger
from balie.conversations.commands import post
from balie.conversations.model import conversations
from balie.kernel.actor import VisitorActor
from balie.kernel.erasure import Person
from balie.kernel.errors import UnauthorisedError
from balie.kernel.events import ConversationStarted


@pytest.fixture
async def town(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "chosen", "postgresql")
    async with open_town(tmp_path) as built:
        yield built


async def test_an_erasure_waits_for_who_is_being_written_down(town, monkeypatch):
    first, side = town.house, town.sides["noord"]
    second = House(first.settings)
    await second.open()
    actor = VisitorActor(
        organisation_id=side.organisation_id, site_id=side.site.id, visitor_id=fresh_id()
    )
    person = Person(organisation_id=side.organisation_id, visitor_ids=frozenset({actor.visitor_id}))
    asked = asyncio.Event()
    loop, really = asyncio.get_running_loop(), ledger.refuse_erased_id

    def slowly(cursor, organisation_id, visitor_id):
        really(cursor, organisation_id, visitor_id)
        loop.call_soon_threadsafe(asked.set)
        # Long enough for an erasure that does not wait.
        time.sleep(1.0)

    monkeypatch.setattr("balie.conversations.commands.refuse_erased_id", slowly)
    opening = ConversationStarted(site=side.site.id)
    command = post(actor, None, fresh_id(), "hallo", with_files=False, opening=opening)
    writing = asyncio.create_task(first.conversations.run(command))
    await asked.wait()
    await second.erasing._erase_rest(person, set(), 1, "test")
    await asyncio.gather(writing, return_exceptions=True)
    with looking(first.store.driver) as connection:
        mine = conversations.c.visitor_id == actor.visitor_id
        query = select(func.count()).select_from(conversations).where(mine)
        assert connection.execute(query).scalar_one() == 0
    monkeypatch.undo()
    again = post(actor, None, fresh_id(), "nog eens", with_files=False, opening=opening)
    with pytest.raises(UnauthorisedError):
        await first.conversations.run(again)
    await second.close()
