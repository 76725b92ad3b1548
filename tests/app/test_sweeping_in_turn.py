"""Of several processes over one database one deletes what was kept long enough, and tells the others in the
same transaction."""

import pytest
from sqlalchemy import text
from tests.conversations.test_retention import OLD, Keeping
from tests.places import address, cluster

from balie.app import clockguard, commands, upkeep
from balie.app.house import clock
from balie.app.settings import Settings
from balie.conversations.model import conversations
from balie.store.notices import notices
from balie.store.scope import EVERYWHERE
from balie.store.turn import SWEEPING, NotOursError


@pytest.fixture
async def keeping(tmp_path):
    settings = Settings(data_dir=tmp_path, database_url=address(tmp_path, "postgresql"))
    house = commands.open_house(settings)
    await house.open()
    made = await house.organisations.create_organisation("Fietsenwinkel", "nl")
    clockguard.remember(house.folder, clock())
    yield Keeping(house, made.id)
    await house.close()


async def told(keeping):
    query = text("SELECT body FROM notices WHERE kind = 'conversations_gone'")
    return await keeping.house.store.read(lambda c: list(c.execute(query).scalars()), of=EVERYWHERE)


async def test_nothing_is_deleted_while_another_process_does_it(keeping):
    old = keeping.said(OLD)
    await keeping.keep(old)
    other = keeping.house.store.driver.turn()
    assert other.take()
    with pytest.raises(NotOursError):
        await upkeep.sweep_all(keeping.house)
    await upkeep.Upkeep(keeping.house)._sweep()
    assert await keeping.left(conversations) == {old.id}
    other.let_go()
    await upkeep.sweep_all(keeping.house)
    assert await keeping.left(conversations) == set()
    [body] = await told(keeping)
    assert old.id in body


async def test_who_loses_the_turn_deletes_no_more_and_tells_nothing(keeping, monkeypatch):
    old = keeping.said(OLD)
    await keeping.keep(old)
    real = upkeep._plan

    async def plan(house):
        # As if this process had been stopped for long: the server has let it go.
        cluster().run(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            f" AND objid = {SWEEPING} AND database = (SELECT oid FROM pg_database WHERE datname ="
            f" '{keeping.house.settings.database_url.rpartition('/')[2]}')"
        )
        return await real(house)

    monkeypatch.setattr(upkeep, "_plan", plan)
    with pytest.raises(NotOursError):
        await upkeep.sweep_all(keeping.house, trust_clock=True)
    assert await keeping.left(conversations) == {old.id}
    assert await told(keeping) == []
    assert await keeping.number(notices) == 0
