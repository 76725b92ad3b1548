"""Tries at a password are counted in the store: together, whoever asks, and no more than the buckets hold."""

import asyncio

import pytest
from sqlalchemy import select
from tests.contracts.test_log import Log
from tests.places import looking

from balie.agents.model import tries
from balie.agents.tries import FORGOTTEN_MS, Tries
from balie.edge.limits import Rate
from balie.edge.ports import Ports
from balie.kernel.errors import RateLimitedError

THREE, TEN = Rate(burst=3, refill_ms=1_000), Rate(burst=10, refill_ms=1_000)
WISHES = [(THREE, "piet@1.2.3.4"), (TEN, "piet")]


@pytest.fixture
async def counters(place):
    """Two processes over one store, and their clock."""
    now = [0]
    logs = [Log(place), Log(place)]
    for log in logs:
        log.store.start()
    yield [Tries(Ports(log.store, lambda: now[0], bytes)) for log in logs], now, logs[0].store
    for log in logs:
        await log.store.stop()


async def test_they_are_counted_together(counters):
    (here, there), now, _ = counters
    assert [await each.take(WISHES) for each in (here, there, here)] == [2, 1, 0]
    with pytest.raises(RateLimitedError) as refusal:
        await there.take(WISHES)
    assert 0 < refusal.value.retry_after_ms <= 1_001
    now[0] = 1_000
    assert await there.take(WISHES) == 0


async def test_however_many_try_at_once_no_more_get_through(counters):
    (here, there), _, _ = counters
    asked = await asyncio.gather(
        *(each.take(WISHES) for each in (here, there) * 10), return_exceptions=True
    )
    assert sorted(each for each in asked if isinstance(each, int)) == [0, 1, 2]
    assert all(isinstance(each, int | RateLimitedError) for each in asked)


async def test_who_is_blocked_takes_nothing_from_the_account(counters):
    (here, _), _, _ = counters
    for _ in range(3):
        await here.take(WISHES)
    for _ in range(20):
        with pytest.raises(RateLimitedError):
            await here.take(WISHES)
    assert await here.take([(TEN, "piet")]) == 6


async def test_a_right_password_forgives(counters):
    (here, there), _, _ = counters
    for _ in range(3):
        await here.take(WISHES)
    await there.give_back("piet@1.2.3.4", [(TEN, "piet")])
    assert await here.take(WISHES) == 2
    assert await here.take([(TEN, "piet")]) == 6


async def test_what_is_long_ago_does_not_stay_and_names_nobody(counters):
    (here, _), now, store = counters
    await here.take(WISHES)
    now[0] = FORGOTTEN_MS + 1
    await here.take([(TEN, "jan")])
    with looking(store.driver) as connection:
        keys = connection.execute(select(tries.c.key)).scalars().all()
    assert len(keys) == 1
    assert "jan" not in keys[0]
