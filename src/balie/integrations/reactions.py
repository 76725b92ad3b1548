"""What other programs hear of: events become deliveries, deliveries become requests."""

import time
from collections.abc import Iterable

from sqlalchemy import Connection

from balie.conversations.queries import find_events
from balie.conversations.views import wire
from balie.edge.ports import Ports
from balie.integrations import queries, rules
from balie.integrations.commands import WebhookCommands
from balie.integrations.model import QUEUE, TYPES, About, Endpoint, webhook_endpoints
from balie.jobs.feeding import Taker
from balie.jobs.model import Job, NewJob, Result
from balie.jobs.running import Dead, Done, Failed, Gone, Later, Lease, Outcome
from balie.kernel.actor import SystemActor
from balie.kernel.errors import NotFoundError
from balie.kernel.events import Envelope, encode
from balie.outbound.door import Answer, Door, RefusedError, RestingError, UnreachableError
from balie.store.following import Logged
from balie.store.keepers import Keeper

KEEPER = Keeper(
    room="integrations",
    others={webhook_endpoints.name: "where other programs are; nothing of whom they hear"},
)


class Listeners:
    """Who wants to hear of which events; read again only when somebody changed it."""

    def __init__(self) -> None:
        self._version: tuple[int, int] | None = None
        self._by_organisation: dict[str, list[Endpoint]] = {}

    def find_taker(self, connection: Connection) -> Taker | None:
        """What becomes of an event now; None when nobody listens."""
        version = queries.find_version(connection)
        if version != self._version:
            self._by_organisation = {}
            for each in queries.find_all_enabled(connection):
                self._by_organisation.setdefault(each.organisation_id, []).append(each)
            self._version = version
        return self._take if self._by_organisation else None

    def _take(self, logged: Logged) -> Iterable[NewJob]:
        kind = TYPES.get(type(logged.envelope.payload))
        for endpoint in self._by_organisation.get(logged.organisation_id, ()):
            if kind in endpoint.types and logged.envelope.at >= endpoint.since:
                yield delivery(endpoint, logged.envelope)


def delivery(endpoint: Endpoint, envelope: Envelope) -> NewJob:
    """The job of telling `endpoint` of an event."""
    about = About(
        endpoint.id,
        envelope.conversation_id,
        envelope.seq,
        TYPES[type(envelope.payload)],
    )
    return NewJob(
        organisation_id=endpoint.organisation_id,
        queue=QUEUE,
        key=f"{about.conversation}:{about.seq}:{about.endpoint}",
        lane=queries.lane_of(endpoint.organisation_id, endpoint.id),
        subject=about.conversation,
        payload=encode(about).decode(),
    )


class WebhookSender:
    """Does the jobs of the queue `webhooks`, and sends tests."""

    def __init__(self, ports: Ports, door: Door, commands: WebhookCommands) -> None:
        self._ports = ports
        self._door = door
        self._commands = commands

    async def __call__(self, job: Job, lease: Lease) -> Outcome:
        """See `balie.jobs.running.Handler`."""
        about = queries.decode_about(job.payload)
        actor = SystemActor(organisation_id=job.organisation_id)
        try:
            endpoint = await self._ports.store.read(
                lambda c: queries.find_endpoint(c, actor, about.endpoint), of=job.organisation_id
            )
            envelope = await self._event(actor, about)
        except NotFoundError:
            return Gone()
        if not endpoint.enabled:
            return Dead(Result("disabled"))
        data = {"conversation": about.conversation, "event": wire(envelope, for_visitor=False)}
        body = rules.body(about.type, envelope.at, data)
        return await self._send(endpoint, job.id, body, lease)

    async def _event(self, actor: SystemActor, about: About) -> Envelope:
        """What was said, as it is known now. Raises NotFoundError when it is forgotten."""
        before = about.seq - 1
        page = await find_events(
            self._ports.store, actor, about.conversation, after=before, limit=1
        )
        if not page.events or page.events[0].seq != about.seq:
            raise NotFoundError("no such event")
        return page.events[0]

    async def _send(
        self, endpoint: Endpoint, message_id: str, body: bytes, lease: Lease
    ) -> Outcome:
        began = time.monotonic()
        try:
            answer = await self._post(endpoint, message_id, body, lease)
        except RestingError as error:
            return Later(error.rest, Result("resting"))
        except (RefusedError, UnreachableError) as error:
            result = Result(code_of(error), None, _since(began))
            return await self._failed(endpoint, result, None)
        result = Result("answered", answer.status, _since(began))
        if rules.is_success(answer.status):
            await self._commands.succeeded(endpoint)
            return Done(result)
        return await self._failed(endpoint, result, answer)

    async def _failed(self, endpoint: Endpoint, result: Result, answer: Answer | None) -> Outcome:
        if await self._commands.failed(endpoint, result.status):
            return Dead(result)
        now = self._ports.clock()
        return Failed(result, rules.rest_of(answer.retry_after if answer else None, now))

    async def _post(
        self, endpoint: Endpoint, message_id: str, body: bytes, lease: Lease | None
    ) -> Answer:
        now = self._ports.clock()
        return await self._door.post(
            endpoint.url,
            body,
            rules.headers(message_id, body, rules.secrets_of(endpoint, now), now),
            circuit=endpoint.id,
            before_sending=lease.check if lease else lambda: None,
        )

    async def test(self, endpoint: Endpoint) -> Result:
        """Send an event of the type `webhook.test` at once, and say what came of it."""
        body = rules.body(rules.TEST_TYPE, self._ports.clock(), {"endpoint": endpoint.id})
        began = time.monotonic()
        try:
            answer = await self._post(endpoint, f"test_{self._ports.new_id()}", body, None)
        except (RefusedError, UnreachableError, RestingError) as error:
            return Result(code_of(error), None, _since(began))
        return Result("answered", answer.status, _since(began))


def code_of(error: Exception) -> str:
    """One short word for what went wrong before anybody answered."""
    if isinstance(error, UnreachableError):
        return error.code
    return "private" if isinstance(error, RefusedError) else "resting"


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1_000)
