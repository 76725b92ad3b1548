"""The state of a site is read once, however many ask for it at the same moment."""

import asyncio

import pytest
from tests.office import open_office

from balie.agents.state import KEPT_MS


@pytest.fixture
async def office(tmp_path):
    async with open_office(tmp_path) as opened:
        yield opened


@pytest.fixture
def reads(office, monkeypatch):
    """How often the store was asked."""
    asked = []
    read = office.store.read

    async def counted(query, *, of):
        asked.append(query)
        return await read(query, of=of)

    monkeypatch.setattr(office.store, "read", counted)
    return asked


async def test_a_thousand_who_ask_at_once_cost_one_read(office, reads):
    begun = await office.begin()
    reads.clear()
    states = office.room.states
    found = await asyncio.gather(*(states.find(begun.site.key) for _ in range(1_000)))
    assert {each.etag for each in found} == {found[0].etag}
    assert len(reads) == 1
    office.now += KEPT_MS
    await asyncio.gather(*(states.find(begun.site.key) for _ in range(1_000)))
    assert len(reads) == 2


async def test_what_changed_while_it_was_read_is_read_again(office, reads):
    begun = await office.begin()
    states = office.room.states
    asking = asyncio.create_task(states.find(begun.site.key))
    await asyncio.sleep(0)
    states.forget(begun.site)
    await asking
    reads.clear()
    await states.find(begun.site.key)
    assert len(reads) == 1


async def test_a_read_that_fails_is_tried_again(office, monkeypatch):
    begun = await office.begin()
    states, read = office.room.states, office.store.read

    async def broken(_query, *, of):
        raise OSError

    monkeypatch.setattr(office.store, "read", broken)
    asked = [asyncio.create_task(states.find(begun.site.key)) for _ in range(3)]
    await asyncio.wait(asked)
    assert all(isinstance(each.exception(), OSError) for each in asked)
    monkeypatch.setattr(office.store, "read", read)
    assert await states.find(begun.site.key) is not None
