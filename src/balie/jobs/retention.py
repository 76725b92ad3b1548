"""What of jobs does not stay, what is handed over, and what goes with a person."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from balie.jobs import queue
from balie.jobs.model import jobs
from balie.kernel.erasure import Gone, Person, PersonErased
from balie.store.cursors import cursors
from balie.store.keepers import Document, Keeper, chunks
from balie.store.sweeps import Due, Found, Sweep

DAY_MS = 86_400_000
KEPT_MS = 7 * DAY_MS
"""How long a job stays that is done or gone."""
DEAD_KEPT_MS = 30 * DAY_MS
"""How long a dead one can be replayed."""

_k = jobs.c


def _is_old(due: Due) -> ColumnElement[bool]:
    old = _k.ended_at < due.now - KEPT_MS
    return and_(old, or_(_k.state != "dead", _k.ended_at < due.now - DEAD_KEPT_MS))


def _find_old(connection: Connection, due: Due, limit: int) -> Found:
    query = select(_k.id).where(_k.ended_at.is_not(None), _is_old(due)).limit(limit)
    return [(str(key), 1) for key in connection.execute(query).scalars()]


def _delete_old(connection: Connection, due: Due, ids: list[str]) -> Gone:
    gone = 0
    for some in chunks(ids):
        query = delete(jobs).where(_k.id.in_(some), _k.ended_at.is_not(None), _is_old(due))
        gone += connection.execute(query).rowcount
    return Gone({"ended jobs": gone})


def _count_old(connection: Connection, due: Due) -> dict[str, int]:
    query = select(func.count()).select_from(jobs).where(_k.ended_at.is_not(None), _is_old(due))
    return {"ended jobs": connection.execute(query).scalar_one()}


SWEEPS = (Sweep(name="ended jobs", find=_find_old, delete=_delete_old, count=_count_old),)


def trace(_connection: Connection, person: Person) -> Person:
    """Jobs know of conversations only what conversations know."""
    return person


def export(connection: Connection, person: Person) -> Iterator[Document]:
    """`jobs.json`: what was told to other programs about him, and when; what it said lies in the log."""
    told = []
    for ids in chunks(person.conversation_ids):
        query = select(_k.id, _k.queue, _k.subject, _k.state, _k.created_at, _k.ended_at)
        mine = and_(_k.organisation_id == person.organisation_id, _k.subject.in_(ids))
        rows = connection.execute(query.where(mine).order_by(_k.created_at, _k.id))
        told += [dict(row) for row in rows.mappings()]
    if told:
        yield Document("jobs.json", {"jobs": told})


def erase(connection: Connection, event: PersonErased) -> Gone:
    """Nothing more is told about him, and that anything was is forgotten."""
    return Gone({"jobs": queue.forget(connection, event.person.conversation_ids)})


KEEPER = Keeper(
    room="jobs",
    tables=(jobs,),
    others={cursors.name: "how far readers have read the log; nothing of what it says"},
    trace=trace,
    export=export,
)
