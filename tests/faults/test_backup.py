"""Backups of a busy server hold what people were told; the long form is `python -m tests.faults.backup`."""

import pytest
from tests.faults.backup import run


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_backup_under_load_is_whole_when_it_is_put_back():
    tally = await run(rounds=3, seed=1)
    assert tally.findings == []
    assert tally.rounds == 3
    assert tally.messages > 200
    assert tally.files > 5
    assert max(tally.behind_ms) < 10_000
