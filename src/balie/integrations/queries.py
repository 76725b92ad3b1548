"""All reads of endpoints. Each sees no further than the actor's organisation; the feeder's looks at all."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, func, select

from balie.integrations.model import QUEUE, About, Endpoint, webhook_endpoints
from balie.jobs import queue
from balie.jobs.model import Job, State
from balie.kernel.actor import Actor
from balie.kernel.errors import NotFoundError
from balie.kernel.paging import Cursor

_e = webhook_endpoints.c
_decode_types: Any = msgspec.json.Decoder(tuple[str, ...]).decode
decode_about: Any = msgspec.json.Decoder(About).decode

NO_ENDPOINT = "no such webhook"


def lane_of(organisation_id: str, endpoint_id: str) -> str:
    """The lane of an endpoint's deliveries."""
    return queue.lane_of(organisation_id, f"{QUEUE}/{endpoint_id}")


def find_endpoints(connection: Connection, actor: Actor) -> list[Endpoint]:
    """The organisation's endpoints, oldest first."""
    mine = select(webhook_endpoints).where(_e.organisation_id == actor.organisation_id)
    return [_endpoint(row) for row in connection.execute(mine.order_by(_e.id))]


def find_endpoint(connection: Connection, actor: Actor, endpoint_id: str) -> Endpoint:
    """One endpoint. Raises NotFoundError, also for one of somebody else."""
    wanted = and_(_e.organisation_id == actor.organisation_id, _e.id == endpoint_id)
    row = connection.execute(select(webhook_endpoints).where(wanted)).first()
    if row is None:
        raise NotFoundError(NO_ENDPOINT)
    return _endpoint(row)


def find_deliveries(
    connection: Connection,
    actor: Actor,
    endpoint_id: str,
    *,
    states: tuple[State, ...] = (),
    before: Cursor | None = None,
    limit: int = 50,
) -> list[Job]:
    """Deliveries to an endpoint, youngest first. Raises NotFoundError."""
    find_endpoint(connection, actor, endpoint_id)
    lane = lane_of(actor.organisation_id, endpoint_id)
    return queue.find_lane(connection, actor, lane, states=states, before=before, limit=limit)


def find_delivery(connection: Connection, actor: Actor, endpoint_id: str, job_id: str) -> Job:
    """One delivery to this endpoint. Raises NotFoundError."""
    find_endpoint(connection, actor, endpoint_id)
    job = queue.find_job(connection, actor, job_id)
    if job.lane != lane_of(actor.organisation_id, endpoint_id):
        raise NotFoundError("no such delivery")
    return job


def find_version(connection: Connection) -> tuple[int, int]:
    """Something that is another when any endpoint of anybody is."""
    row = connection.execute(select(func.count(), func.coalesce(func.sum(_e.version), 0))).one()
    return int(row[0]), int(row[1])


def find_all_enabled(connection: Connection) -> list[Endpoint]:
    """Those of everybody that hear: for the feeder, never for a door."""
    enabled = select(webhook_endpoints).where(_e.disabled_because == "")
    return [_endpoint(row) for row in connection.execute(enabled)]


def _endpoint(row: Row[Any]) -> Endpoint:
    fields = {name: getattr(row, name) for name in Endpoint.__struct_fields__}
    return Endpoint(**fields | {"types": _decode_types(row.types)})
