"""The first organisation, its site and its owner: all of it, or nothing."""

import pytest
from sqlalchemy import func, select

from balie.agents.model import agents
from balie.kernel.errors import BalieError, ConflictError
from balie.organisations.model import organisations, sites
from balie.store.scope import EVERYWHERE


async def rows(office):
    def count(connection):
        return [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (organisations, sites, agents)
        ]

    return await office.store.read(count, of=EVERYWHERE)


async def test_an_owner_can_sign_in_at_once(office):
    begun = await office.begin()
    assert await rows(office) == [1, 1, 1]
    assert begun.owner.active
    browser = await office.enter(begun.owner)
    assert (await browser.get("/api/v1/session")).json()["agent"]["role"] == "owner"


async def test_an_address_in_use_leaves_nothing_behind(office):
    await office.begin("One")
    with pytest.raises(ConflictError):
        await office.begin("One")
    assert await rows(office) == [1, 1, 1]


@pytest.mark.parametrize("owner", ["", "x" * 300])
async def test_a_bad_name_leaves_nothing_behind(office, owner):
    with pytest.raises(BalieError):
        await office.begin(owner=owner)
    assert await rows(office) == [0, 0, 0]
