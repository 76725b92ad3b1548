"""What of conversations does not stay, and when it goes.

A conversation goes when its last event is older than its organisation keeps conversations, closed or open:
an open one in which nobody said anything for so long is as dead as a closed one. Then the visitors and
contacts go of whom nothing newer is left. Files that no message took go
after an hour where a visitor brought them, after a day where an agent did.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
)

from balie.contacts.model import contacts, visitors
from balie.conversations.model import conversations, files
from balie.conversations.reactions import GIANT, delete_conversations
from balie.kernel.erasure import Gone, Person
from balie.kernel.ids import ENTROPY_BYTES, new_id
from balie.store.cursors import events_went
from balie.store.keepers import chunks
from balie.store.schema import events
from balie.store.scope import NOBODY
from balie.store.sweeps import Due, Found, Sweep

LOOSE_MS = 24 * 3_600_000
LOOSE_OF_VISITORS_MS = 3_600_000
"""Visitors are anybody; a panel sends the message as soon as the file is here."""
PIECE = 500
"""Events of a giant that go in one transaction."""

_c = conversations.c


# Old conversations.


def _is_old(due: Due) -> ColumnElement[bool]:
    return and_(_c.organisation_id == due.organisation_id, _c.updated_at < due.before)


def _old(due: Due, *columns: Any) -> tuple[Select[Any], Select[Any]]:
    """Closed and open ones, each by its own index."""
    closed = and_(_c.status == "closed", _c.closed_at < due.before)
    is_open = _c.status == "open"
    return (
        select(*columns).where(_is_old(due), closed),
        select(*columns).where(_is_old(due), is_open),
    )


def _find_old(connection: Connection, due: Due, limit: int) -> Found:
    found: Found = []
    for query in _old(due, _c.id, _c.last_seq):
        rows = connection.execute(query.limit(limit - len(found)))
        found += [(row.id, min(row.last_seq, GIANT) + 1) for row in rows]
    return found


def _delete_old(connection: Connection, due: Due, ids: list[str]) -> Gone:
    return delete_conversations(connection, _is_old(due), ids)


def _count_old(connection: Connection, due: Due) -> dict[str, int]:
    counts = {"conversations": 0, "events": 0, "files": 0}
    for query in _old(due, func.count(), func.coalesce(func.sum(_c.last_seq), 0)):
        number, said = connection.execute(query).one()
        counts["conversations"] += number
        counts["events"] += said
    for query in _old(due, _c.id):
        within = files.c.conversation_id.in_(query)
        counted = select(func.count()).select_from(files).where(within)
        counts["files"] += connection.execute(counted).scalar_one()
    return counts


# All of one person.


def conversations_of(person: Person) -> Sweep:
    """His conversations as a sweep, for there may be thousands of them."""
    own = _c.organisation_id == person.organisation_id

    def queries(*columns: Any) -> Iterator[Select[Any]]:
        for ids in chunks(person.conversation_ids):
            yield select(*columns).where(own, _c.id.in_(ids))

    def find(connection: Connection, _due: Due, limit: int) -> Found:
        found: Found = []
        for query in queries(_c.id, _c.last_seq):
            rows = connection.execute(query.limit(limit - len(found)))
            found += [(row.id, min(row.last_seq, GIANT) + 1) for row in rows]
        return found

    def remove(connection: Connection, _due: Due, ids: list[str]) -> Gone:
        return delete_conversations(connection, own, ids)

    def count(connection: Connection, _due: Due) -> dict[str, int]:
        numbers = (connection.execute(query).scalar_one() for query in queries(func.count()))
        return {"conversations": sum(numbers)}

    return Sweep(name="conversations of a person", find=find, delete=remove, count=count)


# What is left of giants.


def _find_giants(connection: Connection, _due: Due, limit: int) -> Found:
    # Named by state, so that the indexes by organisation serve.
    found: Found = []
    for state in ("open", "closed"):
        query = select(_c.id).where(_c.organisation_id == NOBODY, _c.status == state).limit(limit)
        found += [(str(key), PIECE) for key in connection.execute(query).scalars()]
    return found


def _delete_piece(connection: Connection, _due: Due, ids: list[str]) -> Gone:
    gone = 0
    for key in ids:
        piece = select(events.c.position).where(events.c.conversation_id == key).limit(PIECE)
        went = connection.execute(delete(events).where(events.c.position.in_(piece))).rowcount
        gone += went
        if went < PIECE:
            gone += connection.execute(
                delete(conversations).where(_c.id == key, _c.organisation_id == NOBODY)
            ).rowcount
    events_went(connection)
    return Gone({"events": gone})


def _count_giants(connection: Connection, _due: Due) -> dict[str, int]:
    query = select(func.coalesce(func.sum(_c.last_seq), 0)).where(_c.organisation_id == NOBODY)
    return {"events": connection.execute(query).scalar_one()}


# Visitors and contacts of whom nothing newer is left.


def _is_idle_visitor(due: Due) -> ColumnElement[bool]:
    v = visitors.c
    newer = exists().where(_c.visitor_id == v.id, _c.updated_at >= due.before)
    return and_(v.organisation_id == due.organisation_id, v.created_at < due.before, ~newer)


def _is_idle_contact(due: Due) -> ColumnElement[bool]:
    k = contacts.c
    newer = exists().where(_c.contact_id == k.id, _c.updated_at >= due.before)
    seen = exists().where(visitors.c.contact_id == k.id, visitors.c.created_at >= due.before)
    return and_(
        k.organisation_id == due.organisation_id, k.created_at < due.before, ~or_(newer, seen)
    )


def _by_row(
    table: Table, name: str, condition: Callable[[Due], ColumnElement[bool]], *, bounded: bool
) -> dict[str, Any]:
    """find, delete and count of rows that stand alone; `bounded`: their ids sort by time."""

    def narrow(due: Due) -> ColumnElement[bool]:
        if not bounded:
            return condition(due)
        return and_(table.c.id < new_id(max(due.before, 0), bytes(ENTROPY_BYTES)), condition(due))

    def find(connection: Connection, due: Due, limit: int) -> Found:
        query = select(table.c.id).where(narrow(due)).limit(limit)
        return [(str(key), 1) for key in connection.execute(query).scalars()]

    def remove(connection: Connection, due: Due, ids: list[str]) -> Gone:
        wanted = delete(table).where(table.c.id.in_(ids), condition(due))
        return Gone({name: connection.execute(wanted).rowcount})

    def count(connection: Connection, due: Due) -> dict[str, int]:
        query = select(func.count()).select_from(table).where(narrow(due))
        return {name: connection.execute(query).scalar_one()}

    return {"find": find, "delete": remove, "count": count}


# Files that no message took.


def _is_loose(due: Due) -> ColumnElement[bool]:
    k = files.c
    return and_(
        k.conversation_id.is_(None),
        k.created_at < due.now - LOOSE_OF_VISITORS_MS,
        or_(k.author_id.startswith("visitor:"), k.created_at < due.now - LOOSE_MS),
    )


def _delete_loose(connection: Connection, due: Due, ids: list[str]) -> Gone:
    gone: list[str] = []
    for some in chunks(ids):
        query = delete(files).where(files.c.id.in_(some), _is_loose(due)).returning(files.c.id)
        gone += map(str, connection.execute(query).scalars())
    return Gone({"loose files": len(gone)}, file_ids=tuple(gone))


SWEEPS = (
    Sweep(
        name="old conversations",
        by_organisation=True,
        find=_find_old,
        delete=_delete_old,
        count=_count_old,
    ),
    Sweep(name="giants", find=_find_giants, delete=_delete_piece, count=_count_giants),
    Sweep(
        name="idle visitors",
        by_organisation=True,
        **_by_row(visitors, "visitors", _is_idle_visitor, bounded=True),
    ),
    Sweep(
        name="idle contacts",
        by_organisation=True,
        **_by_row(contacts, "contacts", _is_idle_contact, bounded=True),
    ),
    Sweep(
        name="loose files",
        **(_by_row(files, "loose files", _is_loose, bounded=False) | {"delete": _delete_loose}),
    ),
)
GIANTS = SWEEPS[1]
"""Also finishes what an erasure began."""
