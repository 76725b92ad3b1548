"""The server is killed under load and comes back: what was acknowledged is there, once and in order."""

import pytest
from tests.faults.kill import run


@pytest.mark.timeout(240)
async def test_nothing_is_lost_doubled_or_out_of_order_when_the_server_is_killed():
    tally = await run(rounds=3, seed=1)
    assert tally.findings == []
    assert tally.kills == 3
    assert tally.acked > 200


@pytest.mark.long
@pytest.mark.timeout(7_200)
async def test_nothing_is_when_it_is_killed_often():
    tally = await run(rounds=200, seed=2)
    assert tally.findings == []
