"""A ticket opens one socket, soon, for the session that asked for it, whichever process it comes to."""

import asyncio
import os

import pytest
from sqlalchemy import func, select
from tests.contracts.test_log import Log
from tests.places import looking

from balie.agents.model import tickets
from balie.agents.tickets import LIFE_MS, Tickets
from balie.edge.ports import Ports
from balie.kernel.actor import AgentActor

TOM = AgentActor(
    organisation_id="o", agent_id="tom", name="Tom", role="agent", session_id="session"
)


@pytest.fixture
async def boxes(place):
    """Two processes over one store, and their clock."""
    now = [0]
    logs = [Log(place), Log(place)]
    for log in logs:
        log.store.start()
    made = [Tickets(Ports(log.store, lambda: now[0], os.urandom)) for log in logs]
    yield *made, now, logs[0].store
    for log in logs:
        await log.store.stop()


async def test_once(boxes):
    here, there, _, _ = boxes
    ticket = await here.issue(TOM)
    assert await there.redeem(ticket) == "session"
    assert (await there.redeem(ticket), await here.redeem(ticket)) == (None, None)


async def test_once_however_many_ask_at_once(boxes):
    here, there, _, _ = boxes
    for _ in range(10):
        ticket = await here.issue(TOM)
        asked = await asyncio.gather(*(box.redeem(ticket) for box in (here, there) * 5))
        assert sorted(map(str, asked)) == ["None"] * 9 + ["session"]


async def test_within_thirty_seconds(boxes):
    here, there, now, _ = boxes
    early, late = await here.issue(TOM), await here.issue(TOM)
    now[0] = LIFE_MS - 1
    assert await there.redeem(early) == "session"
    now[0] = LIFE_MS
    assert await there.redeem(late) is None


async def test_made_up_ones_open_nothing(boxes):
    here, _, _, _ = boxes
    await here.issue(TOM)
    assert [await here.redeem(each) for each in ("", "made up", "x" * 10_000)] == [None] * 3


async def test_unused_ones_do_not_stay(boxes):
    here, there, now, store = boxes
    for _ in range(5):
        await here.issue(TOM)
    now[0] = LIFE_MS
    await there.issue(TOM)
    with looking(store.driver) as connection:
        assert connection.execute(select(func.count()).select_from(tickets)).scalar_one() == 1
