"""The only writer of endpoints."""

from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, and_, delete, insert, update

from balie.edge.policy import Policy, require
from balie.edge.ports import Ports
from balie.integrations import queries, rules
from balie.integrations.model import DisabledBecause, Endpoint, webhook_endpoints
from balie.jobs import queue
from balie.jobs.model import Job, jobs
from balie.kernel.actor import Actor, SystemActor
from balie.kernel.errors import ConflictError, MalformedError
from balie.outbound.door import Door, RefusedError

_e = webhook_endpoints.c


class EndpointChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of an endpoint; None leaves a field as it is."""

    url: str | None = None
    types: tuple[str, ...] | None = None
    enabled: bool | None = None


class WebhookCommands:
    """Makes and changes endpoints, for administrators; and for the sender, what their answers mean."""

    def __init__(self, ports: Ports, door: Door) -> None:
        self._ports = ports
        self._door = door
        # Those that failed after they were read by who now succeeds.
        self._failing: set[str] = set()

    async def create(self, actor: Actor, url: str, types: tuple[str, ...]) -> Endpoint:
        """A new endpoint with a secret of its own. Raises ForbiddenError, MalformedError, EmptyError, and
        ConflictError when there are too many."""
        _require_admin(actor)
        now = self._ports.clock()
        made = Endpoint(
            id=self._ports.new_id(),
            organisation_id=actor.organisation_id,
            url=self._checked_url(url),
            types=rules.checked_types(types),
            since=now,
            secret=self._new_secret(),
            created_at=now,
        )

        def write(connection: Connection) -> Endpoint:
            if len(queries.find_endpoints(connection, actor)) >= rules.ENDPOINTS:
                raise ConflictError(f"an organisation has at most {rules.ENDPOINTS} webhooks")
            row = _row(made) | {"version": now}
            connection.execute(insert(webhook_endpoints), row)
            return made

        return await self._ports.store.write(write, of=actor.organisation_id)

    async def change(self, actor: Actor, endpoint_id: str, change: EndpointChange) -> Endpoint:
        """Raises ForbiddenError, NotFoundError, MalformedError, EmptyError."""
        _require_admin(actor)
        url = None if change.url is None else self._checked_url(change.url)
        types = None if change.types is None else rules.checked_types(change.types)

        def changed(endpoint: Endpoint) -> Endpoint:
            if url is not None:
                endpoint = replace(endpoint, url=url)
            if types is not None:
                endpoint = replace(endpoint, types=types)
            if change.enabled is not None and change.enabled != endpoint.enabled:
                endpoint = self._switched(endpoint, on=change.enabled)
            return endpoint

        return await self._change(actor, endpoint_id, changed)

    async def rotate(self, actor: Actor, endpoint_id: str) -> Endpoint:
        """A new secret; the former one signs as well for a day. Raises ForbiddenError, NotFoundError."""
        _require_admin(actor)
        secret = self._new_secret()
        until = self._ports.clock() + rules.ROTATION_MS

        def changed(endpoint: Endpoint) -> Endpoint:
            former = endpoint.secret
            return replace(endpoint, secret=secret, former_secret=former, former_until=until)

        return await self._change(actor, endpoint_id, changed)

    async def delete(self, actor: Actor, endpoint_id: str) -> None:
        """The endpoint and all that is known of its deliveries. Raises ForbiddenError, NotFoundError."""
        _require_admin(actor)

        def write(connection: Connection) -> None:
            queries.find_endpoint(connection, actor, endpoint_id)
            mine = jobs.c.organisation_id == actor.organisation_id
            lane = queries.lane_of(actor.organisation_id, endpoint_id)
            connection.execute(delete(jobs).where(mine, jobs.c.lane == lane))
            connection.execute(delete(webhook_endpoints).where(_e.id == endpoint_id))

        await self._ports.store.write(write, of=actor.organisation_id)

    async def replay(self, actor: Actor, endpoint_id: str, job_id: str) -> Job:
        """Deliver once more what has ended, under the same id. Raises ForbiddenError, NotFoundError, and
        ConflictError for what has not ended."""
        _require_admin(actor)
        now = self._ports.clock()

        def write(connection: Connection) -> Job:
            queries.find_delivery(connection, actor, endpoint_id, job_id)
            return queue.replay(connection, actor, job_id, now)

        return await self._ports.store.write(write, of=actor.organisation_id)

    # What answers mean.

    async def succeeded(self, endpoint: Endpoint) -> None:
        """It answered well: what failed before is forgotten."""
        if endpoint.failing_since is not None or endpoint.id in self._failing:
            self._failing.discard(endpoint.id)
            await self._note(endpoint, failing_since=None)

    async def failed(self, endpoint: Endpoint, status: int | None) -> DisabledBecause:
        """It did not. Returns why nothing more is sent to it, if so."""
        now = self._ports.clock()
        reason = rules.disabled_by(endpoint, status, now)
        if reason:
            await self._note(endpoint, disabled_because=reason)
        elif endpoint.failing_since is None and endpoint.id not in self._failing:
            self._failing.add(endpoint.id)
            await self._note(endpoint, failing_since=now)
        return reason

    async def _note(self, endpoint: Endpoint, **values: Any) -> None:
        """Only while it is what was asked: who changed it meanwhile knows better."""
        same = and_(_e.id == endpoint.id, _e.url == endpoint.url, _e.disabled_because == "")
        values["version"] = _e.version + 1
        await self._ports.store.write(
            lambda c: c.execute(update(webhook_endpoints).where(same).values(values)).rowcount,
            of=endpoint.organisation_id,
        )

    def _switched(self, endpoint: Endpoint, *, on: bool) -> Endpoint:
        if not on:
            return replace(endpoint, disabled_because="asked")
        now = self._ports.clock()
        return replace(endpoint, disabled_because="", failing_since=None, since=now)

    async def _change(self, actor: Actor, endpoint_id: str, change: Any) -> Endpoint:
        def write(connection: Connection) -> Endpoint:
            changed: Endpoint = change(queries.find_endpoint(connection, actor, endpoint_id))
            values = _row(changed) | {"version": _e.version + 1}
            wanted = _e.id == endpoint_id
            connection.execute(update(webhook_endpoints).where(wanted).values(values))
            return changed

        return await self._ports.store.write(write, of=actor.organisation_id)

    def _checked_url(self, url: str) -> str:
        try:
            return self._door.check(url.strip()).url
        except RefusedError as error:
            raise MalformedError(f"url: {error}") from None

    def _new_secret(self) -> str:
        return rules.new_secret(self._ports.entropy(rules.SECRET_BYTES))


def _require_admin(actor: Actor) -> None:
    if not isinstance(actor, SystemActor):
        require(Policy.ADMIN, actor)


def _row(endpoint: Endpoint) -> dict[str, Any]:
    row = msgspec.structs.asdict(endpoint)
    return row | {"types": msgspec.json.encode(endpoint.types).decode()}
