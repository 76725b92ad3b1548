"""The schedule, and who gets how many. Pure."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from balie.jobs.rules import (
    ATTEMPTS,
    JITTER,
    LONGEST_WAIT,
    WAITS,
    Due,
    Terms,
    next_attempt,
    share_out,
)

chances = st.floats(0, 1, exclude_max=True)
moments = st.integers(0, 2**45)


def test_the_schedule_is_that_of_standard_webhooks():
    seconds, minutes, hours = 1_000, 60_000, 3_600_000
    assert (
        5 * seconds, 5 * minutes, 30 * minutes, 2 * hours, 5 * hours, 10 * hours, 14 * hours,
        20 * hours, 24 * hours,
    ) == WAITS  # fmt: skip
    assert ATTEMPTS == 10


@given(st.integers(1, ATTEMPTS - 1), moments, chances)
def test_a_wait_is_never_shorter_and_a_fifth_longer_at_most(attempts, now, chance):
    wait = next_attempt(attempts, now, chance) - now
    assert WAITS[attempts - 1] <= wait <= WAITS[attempts - 1] * (1 + JITTER)


@given(st.integers(ATTEMPTS, 99), moments, chances, st.none() | st.integers(0, 10**12))
def test_after_the_last_attempt_there_is_no_other(attempts, now, chance, asked):
    assert next_attempt(attempts, now, chance, asked) is None


@given(st.integers(1, ATTEMPTS - 1), moments, chances, st.integers(0, 10**12))
def test_who_wants_to_be_left_alone_is_within_reason(attempts, now, chance, asked):
    usual = next_attempt(attempts, now, chance)
    due = next_attempt(attempts, now, chance, asked)
    assert due == max(usual, now + min(asked, LONGEST_WAIT))


def test_jitter_spreads():
    assert len({next_attempt(3, 0, chance / 100) for chance in range(100)}) > 90


places = st.tuples(st.integers(0, 5), st.integers(0, 3)).map(
    lambda pair: (f"org{pair[0]}", f"org{pair[0]}/{pair[1]}")
)


@given(
    st.lists(st.tuples(places, moments), max_size=30, unique_by=lambda one: one[0]),
    st.lists(places, max_size=20),
    st.builds(
        Terms,
        in_all=st.integers(1, 40),
        per_organisation=st.integers(1, 9),
        per_lane=st.integers(1, 5),
    ),
)
def test_nobody_has_more_than_his_share(due, held, terms):
    due = [Due(organisation, lane, since) for (organisation, lane), since in due]
    shares = dict(share_out(due, held, terms))
    lanes, organisations = Counter(), Counter()
    for organisation, lane in held:
        lanes[lane] += 1
        organisations[organisation] += 1
    before = organisations.copy()
    for lane, room in shares.items():
        assert room > 0
        assert lanes[lane] + room <= terms.per_lane
        organisations[lane.partition("/")[0]] += room
    grown = [each for each in organisations if organisations[each] > before[each]]
    assert all(organisations[each] <= terms.per_organisation for each in grown)
    assert len(held) + sum(shares.values()) <= max(terms.in_all, len(held))


def test_who_waited_longest_goes_first_and_a_full_lane_is_passed_over():
    terms = Terms(in_all=6, per_organisation=4, per_lane=3)
    due = [Due("a", "a/1", 1), Due("a", "a/2", 2), Due("b", "b/1", 3)]
    assert list(share_out(due, [], terms)) == [("a/1", 3), ("a/2", 1), ("b/1", 2)]
    held = [("a", "a/1")] * 3
    assert list(share_out(due, held, terms)) == [("a/2", 1), ("b/1", 2)]
