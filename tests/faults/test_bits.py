"""A turned bit is found or harms nobody; the long form is `python -m tests.faults.bits`."""

import asyncio
import random

import pytest
from tests.faults.bits import Flips


@pytest.fixture(scope="module")
def flips(tmp_path_factory):
    made = Flips(tmp_path_factory.mktemp("flips"), seed=1)
    made.prepare()
    return made


@pytest.mark.long
def test_bits_anywhere_are_found_or_harmless(flips):
    for _ in range(20):
        flips.flip()
    assert flips.failures == []


def test_bits_in_what_somebody_said_are_found(flips):
    content = (flips.whole / "balie.sqlite3").read_bytes()
    said = b"3 canary-noord"
    start = content.index(said)
    flips.outcomes.clear()
    for _ in range(6):
        # Not the highest: half a letter is no text, and that is another finding.
        flips.flip_at(start + random.randrange(len(said)), random.randrange(5))
    assert flips.failures == []
    assert set(flips.outcomes) <= {"found"}


def test_bits_in_the_words_of_the_schema_are_told_plainly(flips):
    content = (flips.whole / "balie.sqlite3").read_bytes()
    flips.outcomes.clear()
    flips.flip_at(content.index(b"WHERE status = 'open'") + 2, 7)
    assert flips.failures == []
    assert set(flips.outcomes) == {"could not be read"}


def test_the_judge_sees_words_of_others(flips):
    """The checker can fail: an organisation's events given to the other are seen."""
    noord = flips.organisation("noord")
    flips.before["organisations"][0]["id"] = flips.organisation("zuid")
    try:
        flips.look_as_each(flips.whole, "nothing turned")
    finally:
        flips.before["organisations"][0]["id"] = noord
    assert any("was shown words" in each for each in flips.failures)
    assert asyncio.run(flips.ask(flips.whole, "noord"))
    flips.failures.clear()
