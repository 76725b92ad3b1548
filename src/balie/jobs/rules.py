"""When a job is tried again, who may have it, and how many at once. Pure.

The schedule is that of Standard Webhooks 1.0 ("Deliverability and reliability"): over three days, each wait
counted from the attempt before.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
WAITS = (
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""Milliseconds after the first attempt, which is at once, and after each that follows."""
ATTEMPTS = len(WAITS) + 1
JITTER = 0.2
"""A wait grows by up to this part of it, so that what failed together does not come back together."""
LONGEST_WAIT = 24 * HOUR


class Terms(msgspec.Struct, frozen=True):
    """How long a lease lasts (milliseconds), and how many jobs a worker has in hand: in all, of one
    organisation, of one lane."""

    lease: int = 30_000
    in_all: int = 256
    per_organisation: int = 16
    per_lane: int = 4


def next_attempt(attempts: int, now: int, chance: float, asked: int | None = None) -> int | None:
    """When a job that failed for the `attempts`-th time is due again; None when that was the last time.

    `chance` is from 0 up to 1. `asked` is how many milliseconds the other side wants to be left alone: never
    sooner than that, and never later than LONGEST_WAIT for its sake.
    """
    if attempts >= ATTEMPTS:
        return None
    wait = WAITS[max(attempts, 1) - 1]
    wait += int(wait * JITTER * chance)
    return now + max(wait, min(asked or 0, LONGEST_WAIT))


class Due(msgspec.Struct, frozen=True):
    """A lane that has work, and since when."""

    organisation_id: str
    lane: str
    since: int


def share_out(
    due: Iterable[Due], held: Iterable[tuple[str, str]], terms: Terms
) -> Iterator[tuple[str, int]]:
    """How many jobs to lease from which lanes, who has waited longest first. `held`: organisation and lane of
    each job in hand."""
    held = tuple(held)
    organisations = Counter(organisation for organisation, _ in held)
    lanes = Counter(lane for _, lane in held)
    free = terms.in_all - len(held)
    for each in sorted(due, key=lambda one: one.since):
        room = min(
            free,
            terms.per_lane - lanes[each.lane],
            terms.per_organisation - organisations[each.organisation_id],
        )
        if room > 0:
            free -= room
            organisations[each.organisation_id] += room
            yield each.lane, room
