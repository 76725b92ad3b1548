"""The only writer and reader of jobs. Everything here runs inside a transaction of the caller's."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, delete, func, or_, select, text, update

from balie.jobs.model import Job, NewJob, Result, Standing, State, jobs
from balie.jobs.rules import Due
from balie.kernel.actor import Actor, SystemActor
from balie.kernel.errors import ConflictError, NotFoundError
from balie.kernel.paging import Cursor
from balie.store.keepers import chunks
from balie.store.upsert import insert

_encode = msgspec.json.Encoder().encode
_decode_result: Any = msgspec.json.Decoder(Result).decode
_k = jobs.c

NO_JOB = "no such job"
ROWS = 200
"""Jobs that one statement adds; databases bound the values of a statement."""

# One look into the index for each lane, however many jobs wait in it.
_LANES = text("""
WITH RECURSIVE lanes (lane) AS (
    SELECT (SELECT min(lane) FROM jobs WHERE ended_at IS NULL)
    UNION ALL
    SELECT (SELECT min(jobs.lane) FROM jobs WHERE jobs.ended_at IS NULL AND jobs.lane > lanes.lane)
    FROM lanes WHERE lanes.lane IS NOT NULL
), firsts AS (
    SELECT lane, (
        SELECT min(jobs.due_at) FROM jobs WHERE jobs.ended_at IS NULL AND jobs.lane = lanes.lane
    ) AS since FROM lanes WHERE lane IS NOT NULL
)
SELECT lane, since FROM firsts WHERE since <= :now
""")


def lane_of(organisation_id: str, name: str) -> str:
    """A lane of an organisation; lanes of one organisation lie side by side."""
    return f"{organisation_id}/{name}"


def add(connection: Connection, wishes: Sequence[NewJob], now: int) -> int:
    """Add jobs that are not there yet, due at once. Returns how many were."""
    rows = [
        {
            **{name: getattr(wish, name) for name in ("id", *NewJob.__struct_fields__)},
            "state": "waiting",
            "due_at": now,
            "attempts": 0,
            "fence": 0,
            "result": "{}",
            "created_at": now,
            "ended_at": None,
        }
        for wish in wishes
    ]
    made = 0
    for start in range(0, len(rows), ROWS):
        some = insert(connection, jobs).values(rows[start : start + ROWS])
        fresh = some.on_conflict_do_nothing().returning(_k.id)
        made += len(connection.execute(fresh).all())
    return made


def count(connection: Connection, now: int) -> Standing:
    """How the jobs of everybody stand."""
    live = select(func.count(), func.min(_k.due_at)).where(_k.ended_at.is_(None))
    waiting, oldest = connection.execute(live).one()
    ended = select(func.count()).where(_k.ended_at.is_not(None), _k.state == "dead")
    dead = connection.execute(ended).scalar_one()
    return Standing(waiting, dead, max(0, now - oldest) if oldest is not None else 0)


def find_due(connection: Connection, now: int) -> list[Due]:
    """The lanes of everybody that have work."""
    return [
        Due(row.lane.partition("/")[0], row.lane, row.since)
        for row in connection.execute(_LANES, {"now": now})
    ]


def lease(connection: Connection, lane: str, limit: int, now: int, until: int) -> list[Job]:
    """Take at most `limit` due jobs of a lane, so that nobody else has them before `until`."""
    due = and_(_k.lane == lane, _k.ended_at.is_(None), _k.due_at <= now)
    query = select(jobs).where(due).order_by(_k.due_at).limit(limit)
    found = connection.execute(query.with_for_update(skip_locked=True)).all()
    taken = []
    for row in found:
        mine = and_(_k.id == row.id, _k.fence == row.fence, _k.ended_at.is_(None))
        values = {
            "state": "leased",
            "due_at": until,
            "attempts": row.attempts + 1,
            "fence": row.fence + 1,
        }
        if connection.execute(update(jobs).where(mine).values(values)).rowcount:
            taken.append(msgspec.structs.replace(_job(row), **values))
    return taken


def end(connection: Connection, job: Job, state: State, result: Result, now: int) -> bool:
    """It needs no further attempt. False when the lease was somebody else's by now."""
    return _put(connection, job, state=state, ended_at=now, result=_encode(result).decode())


def wait(
    connection: Connection, job: Job, due_at: int, result: Result, *, counts: bool = True
) -> bool:
    """It is to be tried again at `due_at`; an attempt that does not count was none. False as `end`."""
    attempts = job.attempts if counts else job.attempts - 1
    told = _encode(result).decode()
    return _put(connection, job, state="waiting", due_at=due_at, attempts=attempts, result=told)


def _put(connection: Connection, job: Job, **values: Any) -> bool:
    mine = and_(_k.id == job.id, _k.fence == job.fence, _k.state == "leased")
    return connection.execute(update(jobs).where(mine).values(values)).rowcount == 1


def hand_back(connection: Connection, now: int) -> int:
    """Let all that are leased be leased again at once: whoever held them is dead. Returns how many."""
    held = and_(_k.state == "leased", _k.ended_at.is_(None))
    values = {"state": "waiting", "due_at": now}
    return connection.execute(update(jobs).where(held).values(values)).rowcount


def forget(connection: Connection, subjects: Iterable[str]) -> int:
    """Forget all that was or is to be done about these conversations. Returns how many jobs went."""
    return sum(
        connection.execute(delete(jobs).where(_k.subject.in_(some))).rowcount
        for some in chunks(subjects)
    )


# For people.


def find_job(connection: Connection, actor: Actor, job_id: str) -> Job:
    """One job. Raises NotFoundError, also for one of somebody else."""
    wanted = and_(_k.id == job_id, _k.organisation_id == actor.organisation_id)
    row = connection.execute(select(jobs).where(wanted)).first()
    if row is None:
        raise NotFoundError(NO_JOB)
    return _job(row)


def find_lane(
    connection: Connection,
    actor: Actor,
    lane: str,
    *,
    states: Sequence[State] = (),
    before: Cursor | None = None,
    limit: int = 50,
) -> list[Job]:
    """The jobs of a lane, youngest first, those before a cursor of (created_at, 0, id)."""
    wanted = [_k.organisation_id == actor.organisation_id, _k.lane == lane]
    if states:
        wanted.append(_k.state.in_(states))
    if before is not None:
        at, _, job_id = before
        wanted.append(or_(_k.created_at < at, and_(_k.created_at == at, _k.id < job_id)))
    query = select(jobs).where(*wanted).order_by(_k.created_at.desc(), _k.id.desc()).limit(limit)
    return [_job(row) for row in connection.execute(query)]


def find_owner(connection: Connection, job_id: str) -> SystemActor:
    """Whose job it is: for the command line, never for a door. Raises NotFoundError."""
    found = connection.execute(select(_k.organisation_id).where(_k.id == job_id)).scalar()
    if found is None:
        raise NotFoundError(NO_JOB)
    return SystemActor(organisation_id=found)


def find_all(connection: Connection, states: Sequence[State], limit: int) -> list[Job]:
    """Jobs of everybody, youngest first: for the command line, never for a door."""
    query = select(jobs).where(_k.state.in_(states)) if states else select(jobs)
    ordered = query.order_by(_k.created_at.desc(), _k.id.desc()).limit(limit)
    return [_job(row) for row in connection.execute(ordered)]


def replay(connection: Connection, actor: Actor, job_id: str, now: int) -> Job:
    """Let a job that has ended begin anew, under the same id. Raises NotFoundError, and ConflictError for one
    that has not ended."""
    job = find_job(connection, actor, job_id)
    if job.ended_at is None:
        raise ConflictError("it has not ended; it is tried again by itself")
    values = {
        "state": "waiting",
        "due_at": now,
        "attempts": 0,
        "fence": job.fence + 1,
        "ended_at": None,
    }
    connection.execute(update(jobs).where(_k.id == job_id).values(values))
    return msgspec.structs.replace(job, **values)


def _job(row: Row[Any]) -> Job:
    fields = {name: getattr(row, name) for name in Job.__struct_fields__}
    return Job(**fields | {"result": _decode_result(row.result)})
