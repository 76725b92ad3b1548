"""Whether rows name rows that there are, and of the same organisation."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Table, and_, func, literal, or_, select

from balie import wiring
from balie.agents.model import agents, invitations, sessions
from balie.app.operations.findings import Findings
from balie.app.operations.hashing import RowSum, digest_of
from balie.app.operations.snapshots import Progress, snapshot
from balie.contacts.model import contacts, visitors
from balie.conversations.model import conversations, files
from balie.organisations.model import organisations, site_keys, sites
from balie.store.driver import Driver
from balie.store.schema import cursor_of, events, metadata
from balie.store.scope import EVERYWHERE, NOBODY

assert wiring.KEEPERS, "every room's tables are known"

REFERENCES: tuple[tuple[Table, str, Table], ...] = (
    (site_keys, "site_id", sites),
    (visitors, "site_id", sites),
    (visitors, "contact_id", contacts),
    (conversations, "site_id", sites),
    (conversations, "visitor_id", visitors),
    (conversations, "contact_id", contacts),
    (files, "conversation_id", conversations),
    (sessions, "agent_id", agents),
    (invitations, "agent_id", agents),
)
PAUSE = 1.0
"""Seconds after which what was found is looked for again: a message may have been between two transactions."""
PAGE = 10_000
MANY = 1_000
"""Of one kind in one table; more are not counted."""
_HASHED_ELSEWHERE = (conversations.name,)
_EVENTS = """
SELECT e.conversation_id, e.organisation_id, c.organisation_id, count(*), max(e.position)
FROM (SELECT position, conversation_id, organisation_id FROM events WHERE position > ?
      ORDER BY position LIMIT ?) e
LEFT JOIN conversations c ON c.id = e.conversation_id
GROUP BY e.conversation_id, e.organisation_id, c.organisation_id
"""

Missing = list[tuple[str, str]]
"""Where, and what."""


class RowCheck:
    """Looks at all tables, also at those that a later version adds."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.tables: dict[str, RowSum] = {}

    def run(self, driver: Driver, progress: Progress) -> None:
        """Check them all."""
        names = sorted(metadata.tables)
        for done, name in enumerate(names):
            progress(done, len(names))
            table = metadata.tables[name]
            if table is events:
                self._walk_events(driver)
            elif table.name not in _HASHED_ELSEWHERE:
                self.tables[name] = sum_of(driver, table)
            self._look(driver, table)
        progress(len(names), len(names))

    def _look(self, driver: Driver, table: Table) -> None:
        found = list(_missing(driver, table))
        if found:
            time.sleep(PAUSE)
            still = set(_missing(driver, table))
            for where, what in [each for each in found if each in still]:
                self._findings.add("reference", where, what)

    def _walk_events(self, driver: Driver) -> None:
        total, after, suspects = RowSum(), -1, set()
        while True:
            with snapshot(driver) as connection:
                rows = cursor_of(connection).execute(_EVENTS, (after, PAGE)).fetchall()
            if not rows:
                break
            total.rows += sum(row[3] for row in rows)
            suspects |= {row[:2] for row in map(tuple, rows) if row[2] not in (row[1], NOBODY)}
            after = max(row[4] for row in rows)
        self.tables[events.name] = total
        for conversation_id, organisation_id in sorted(suspects, key=str):
            self._findings.add(
                "orphan",
                f"conversation {conversation_id}",
                f"events of organisation {organisation_id} without such a conversation of it",
            )


def _missing(driver: Driver, table: Table) -> Iterator[tuple[str, str]]:
    if table not in (organisations, events):
        yield from _without_organisation(driver, table)
    for source, column, target in REFERENCES:
        if source is table:
            yield from _without_target(driver, table, column, target)


def _without_organisation(driver: Driver, table: Table) -> Iterator[tuple[str, str]]:
    own = table.c.organisation_id
    known = select(literal(1)).where(organisations.c.organisation_id == own).exists()
    keys = tuple(table.primary_key.columns)
    query = select(*keys, own).where(own.not_in((NOBODY, EVERYWHERE)), ~known).limit(MANY)
    with snapshot(driver) as connection:
        for row in connection.execute(query).all():
            yield _name(table, row[: len(keys)]), f"no organisation {row[-1]}"


def _without_target(
    driver: Driver, table: Table, column: str, target: Table
) -> Iterator[tuple[str, str]]:
    named = table.c[column]
    same = and_(target.c.id == named, target.c.organisation_id == table.c.organisation_id)
    conditions = [named.is_not(None), table.c.organisation_id != NOBODY]
    if target is conversations:
        # A file is given to a conversation a moment before that begins.
        gone = and_(target.c.id == named, target.c.organisation_id == NOBODY)
        same = or_(same, gone)
        conditions.append(table.c.created_at < (time.time_ns() // 1_000_000) - 3_600_000)
    keys = tuple(table.primary_key.columns)
    known = select(literal(1)).where(same).exists()
    query = select(*keys, named).where(*conditions, ~known).limit(MANY)
    with snapshot(driver) as connection:
        for row in connection.execute(query).all():
            yield _name(table, row[: len(keys)]), f"{column} {row[-1]} is nowhere in {target.name}"


def _name(table: Table, key: Sequence[Any]) -> str:
    return f"{table.name} {' '.join(map(str, key))}"


def sum_of(driver: Driver, table: Table) -> RowSum:
    """Rows and hash of a whole table, page by page by its key."""
    found = RowSum()
    for rows in pages_of(driver, table):
        for row in rows:
            found.add(digest_of(row))
    return found


def pages_of(
    driver: Driver, table: Table, *, after: Sequence[Any] | None = None, size: int = PAGE
) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows of a table in the order of its key, a page to a snapshot, columns in the table's order."""
    keys = tuple(table.primary_key.columns)
    places = [list(table.columns).index(key) for key in keys]
    while True:
        query = select(*table.columns).order_by(*keys).limit(size)
        if after is not None:
            query = query.where(_behind(keys, after))
        with snapshot(driver) as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = [rows[-1][place] for place in places]


def _behind(keys: Sequence[Any], after: Sequence[Any]) -> Any:
    """Rows whose key is above `after`, spelled so that every database uses its index."""
    first, *others = keys
    if not others:
        return first > after[0]
    return or_(first > after[0], and_(first == after[0], _behind(others, after[1:])))


def count_of(driver: Driver, table: Table) -> int:
    """How many rows a table has."""
    with snapshot(driver) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
