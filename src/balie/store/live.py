"""Hearing what several workers add to a table, from now on and for as long as one lives: by position, and
waiting for nobody.

Positions are given before a commit, so 7 may be there before 6 is. What is not there yet is a gap, and is
looked for again until it appears. A gap ends for good when every transaction of the moment in which it was
noticed has ended: what has not appeared by then was rolled back, or deleted. So a long transaction of somebody
else makes gaps remembered for longer, and nothing heard later. Who must go on after a restart uses
`balie.store.following`.

Rows of one transaction, and of one that began after it had ended, come in that order.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from balie.store.schema import cursor_of, is_shared

WINDOW = 10_000
"""Positions before the end in which somebody may still be writing when one begins to listen."""
GRACE_MS = 10_000
"""A gap stays for this long at least: a position is given a moment before its transaction has a number."""
MOST_GAPS = 2_000
"""Beyond these the oldest are given up; clients fill the holes that they see."""

_SNAPSHOT = (
    "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint"
    " FROM pg_current_snapshot() s"
)


class Gap(msgspec.Struct, frozen=True):
    """The positions from `first` to `last` were not there at `since`; those who may have had them have numbers
    below `below`."""

    first: int
    last: int
    below: int
    since: int


class Place(msgspec.Struct, frozen=True):
    """Everything up to `top` was read, but what stands in `gaps`."""

    top: int = 0
    gaps: tuple[Gap, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """What is read, and which columns; the position comes first in each row."""

    name: str
    columns: str


class Grown(msgspec.Struct, frozen=True):
    """An event, without what it says."""

    organisation_id: str
    conversation_id: str
    seq: int


LOG = Table("events", "organisation_id, conversation_id, seq")


def end_of_log(connection: Connection, now: int) -> Place:
    """The place of who wants to hear only what is said from now on."""
    return begin(connection, LOG, now)


def grown_after(
    connection: Connection, place: Place, limit: int, now: int
) -> tuple[list[Grown], Place]:
    """What was said since, at most `limit` events and some that came late; and the next place."""
    rows, place = look(connection, LOG, place, limit, now)
    return [Grown(*row[1:]) for row in rows], place


def begin(connection: Connection, table: Table, now: int) -> Place:
    """Where who listens from now on begins."""
    cursor = cursor_of(connection)
    top = _end(cursor, table)
    if not is_shared(cursor):
        return Place(top)
    first = max(1, top - WINDOW)
    query = f"SELECT position FROM {table.name} WHERE position >= ?"  # noqa: S608 - own names
    known = [position for (position,) in cursor.execute(query, (first,))]
    _, below = cursor.execute(_SNAPSHOT).fetchone()
    return Place(top, tuple(without([Gap(first, top, below, now)], known)))


def look(
    connection: Connection, table: Table, place: Place, limit: int, now: int
) -> tuple[list[Any], Place]:
    """What has appeared since: of gaps, and at most `limit` rows behind the top; and the next place."""
    cursor = cursor_of(connection)
    late = _appeared(cursor, table, place.gaps)
    query = (
        f"SELECT position, {table.columns} FROM {table.name}"  # noqa: S608 - own names
        " WHERE position > ? ORDER BY position LIMIT ?"
    )
    new = cursor.execute(query, (place.top, limit)).fetchall()
    if not is_shared(cursor):
        return new, Place(new[-1][0]) if new else place
    # After a failover to a standby that lagged behind, positions are given again.
    top = new[-1][0] if new else min(place.top, _end(cursor, table))
    gaps = without(place.gaps, (row[0] for row in late))
    holes = tuple(_holes(place.top, [row[0] for row in new]))
    if gaps or holes:
        oldest, below = cursor.execute(_SNAPSHOT).fetchone()
        gaps = [gap for gap in gaps if gap.below > oldest or now - gap.since < GRACE_MS]
        gaps += [Gap(first, last, below, now) for first, last in holes]
    return [*late, *new], Place(top, tuple(gaps[-MOST_GAPS:]))


def _end(cursor: Any, table: Table) -> int:
    query = f"SELECT coalesce(max(position), 0) FROM {table.name}"  # noqa: S608 - own names
    (position,) = cursor.execute(query).fetchone()
    return int(position)


def _appeared(cursor: Any, table: Table, gaps: Sequence[Gap]) -> list[Any]:
    if not gaps:
        return []
    query = (
        f"SELECT position, {table.columns}"  # noqa: S608 - own names
        " FROM unnest(?::bigint[], ?::bigint[]) AS g(first, last)"
        f" JOIN {table.name} ON position BETWEEN g.first AND g.last ORDER BY position"
    )
    ends = ([gap.first for gap in gaps], [gap.last for gap in gaps])
    rows: list[Any] = cursor.execute(query, ends).fetchall()
    return rows


def _holes(top: int, positions: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The numbers that ascending positions leave out, the one behind the top being the first expected."""
    for position in positions:
        if position > top + 1:
            yield top + 1, position - 1
        top = position


def without(gaps: Iterable[Gap], positions: Iterable[int]) -> list[Gap]:
    """Ascending gaps, without positions that are there by now."""
    left, found = list(gaps), sorted(positions)
    whole: list[Gap] = []
    for gap in left:
        first = gap.first
        while found and found[0] <= gap.last:
            position = found.pop(0)
            if position < first:
                continue
            if position > first:
                whole.append(msgspec.structs.replace(gap, first=first, last=position - 1))
            first = position + 1
        if first <= gap.last:
            whole.append(msgspec.structs.replace(gap, first=first))
    return whole
