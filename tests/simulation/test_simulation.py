"""A fixed sample of simulated worlds, and the proof that the checker sees faults that are there."""

import re
from pathlib import Path

import pytest
from tests.simulation import storage
from tests.simulation.bugs import BUGS
from tests.simulation.search import Search, replay
from tests.simulation.world import World

REPOSITORY = Path(__file__).resolve().parents[2]
BOUND = 600
"""Seeds within which every planted fault must be found."""


def explain(search: Search, start: int, count: int) -> str:
    return "\n".join(
        f"{kind}: {what}\n  again: {replay(seed)}"
        for seed, findings in search.broken(start, count)
        for kind, what in findings[:3]
    )


def test_nothing_is_lost_doubled_or_out_of_order():
    assert explain(Search(), start=0, count=600) == ""


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_nothing_is_in_many_more_worlds():
    assert explain(Search(), start=1_000_000, count=50_000) == ""


@pytest.mark.parametrize("bug", BUGS)
def test_the_checker_finds(bug: str):
    assert next(Search(bug).broken(0, BOUND), None), f"{bug} was not found in {BOUND} worlds"


def test_a_world_is_the_same_every_time():
    def log_of(seed: int):
        disk = storage.Disk()
        world = World(seed, disk)
        world.run()
        return disk.log(), world.clockwork.steps

    assert log_of(7) == log_of(7)


def test_the_faults_are_those_that_the_document_names():
    document = (REPOSITORY / "docs" / "reliability.md").read_text().split("## Power loss")[0]
    named = re.findall(r"^\| `(\w+)` \| (.+) \|$", document, re.MULTILINE)
    assert named == [(name, plant.__doc__) for name, plant in BUGS.items()]
