"""The short form of each row of the fault matrix; `make faults` runs them at length."""

import os
import shutil
import subprocess

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
    "workers-kill": Asked(rounds=1),
    "workers-pause": Asked(rounds=1, seconds=1),
    "workers-pg": Asked(rounds=3),
    "nats-lost": Asked(rounds=2, seconds=1),
    "partition": Asked(rounds=3, seconds=1),
    "mixed": Asked(rounds=3, seconds=2),
}
TRACED = {"sync-fails-once", "sync-fails"}

WITH_NETWORKS = {"partition", "mixed"}
# Of those with two workers, which take a while to begin, `mixed` stands for all.
LONG = {"sync-fails", "workers-kill", "workers-pause", "workers-pg", "nats-lost", "partition"}


def may_lay_cables():
    """Whether this machine lets us have networks of our own: not every container does."""
    name = f"balie-probe-{os.getpid()}"
    ip = shutil.which("ip")
    if ip is None:
        return False
    made = subprocess.run([ip, "netns", "add", name], check=False, capture_output=True)
    if made.returncode:
        return False
    subprocess.run([ip, "netns", "delete", name], check=True)
    return True


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in SHORT],
)
@pytest.mark.timeout(120)
async def test_a_row_finds_nothing(name):
    if name in TRACED and shutil.which("strace") is None:
        pytest.skip("needs strace: sudo apt-get install --yes strace")
    if name in WITH_NETWORKS and not may_lay_cables():
        pytest.skip("only root may make networks: ip netns add")
    if name == "disk-full" and os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    outcome = await ROWS[name].run(SHORT[name])
    assert outcome.findings == []
    assert outcome.failures == []
    assert outcome.tries > 0
    assert outcome.acked > 0
