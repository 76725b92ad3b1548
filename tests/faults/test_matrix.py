"""The short form of each row of the fault matrix; `make faults` runs them at length."""

import os
import shutil

import pytest
from tests.faults.matrix import ROWS
from tests.faults.rows import Asked

SHORT = {
    "wal-race": Asked(seconds=1),
    "disk-full": Asked(rounds=1, seconds=0.5),
    "sync-fails-once": Asked(rounds=1),
    "sync-fails": Asked(rounds=1),
    "pause": Asked(rounds=1, seconds=2),
    "clock": Asked(rounds=2, seconds=1),
    "frames": Asked(seconds=4),
    "pg-terminate": Asked(rounds=1, seconds=1),
}
TRACED = {"sync-fails-once", "sync-fails"}

LONG = {"sync-fails"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in SHORT],
)
@pytest.mark.timeout(120)
async def test_a_row_finds_nothing(name):
    if name in TRACED and shutil.which("strace") is None:
        pytest.skip("needs strace: sudo apt-get install --yes strace")
    if name == "disk-full" and os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    outcome = await ROWS[name].run(SHORT[name])
    assert outcome.findings == []
    assert outcome.failures == []
    assert outcome.tries > 0
    assert outcome.acked > 0
