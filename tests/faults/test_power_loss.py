"""The power fails: what was acknowledged is there, and the database is whole."""

import shutil

import pytest
from tests.faults.power import cut_many

strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace: sudo apt-get install --yes strace"
)


@strace
def test_nothing_acknowledged_is_lost():
    broken = {seed: found for seed, found in cut_many(0, 60, messages=200) if found}
    assert broken == {}


@strace
@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_nothing_acknowledged_is_lost_in_many_cuts():
    broken = {seed: found for seed, found in cut_many(10_000, 1_000) if found}
    assert broken == {}


@strace
def test_a_store_that_syncs_less_is_seen_to_lose():
    found = [found for _, found in cut_many(0, 20, messages=200, synchronous="NORMAL") if found]
    assert any(each.startswith("lost:") for problems in found for each in problems)
