"""The doors of webhooks over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter

from balie.edge.auth import CurrentAgent
from balie.edge.limits import Limiter, Rate
from balie.edge.policy import Policy
from balie.edge.ports import Ports
from balie.integrations import queries
from balie.integrations.commands import EndpointChange, WebhookCommands
from balie.integrations.model import DisabledBecause, Endpoint
from balie.integrations.reactions import WebhookSender
from balie.jobs.model import Job, Result, State
from balie.kernel.paging import decode_cursor, encode_cursor

ADMIN = {"policy": Policy.ADMIN}
TESTS = Rate(burst=10, refill_ms=6_000)
"""How often an organisation may have a test sent."""
PAGE = 25


@dataclass(slots=True, frozen=True)
class WebhookServices:
    """What these doors ask of the rooms. `wake` says that there is something to be done."""

    ports: Ports
    commands: WebhookCommands
    sender: WebhookSender
    test_limit: Limiter
    wake: Callable[[], None]


class EndpointView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An endpoint without its secret; times in milliseconds. `former_until`: the former secret signs, too."""

    id: str
    url: str
    types: tuple[str, ...]
    enabled: bool
    created_at: int
    disabled_because: DisabledBecause = ""
    failing_since: int | None = None
    former_until: int | None = None


class EndpointMade(msgspec.Struct, frozen=True):
    """An endpoint, and its secret: shown this once."""

    webhook: EndpointView
    secret: str


class EndpointList(msgspec.Struct, frozen=True):
    data: list[EndpointView]
    next_cursor: str | None = None


class DeliveryView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A delivery; `id` is what the receiver saw as `webhook-id`. `due_at` is when it is tried (again)."""

    id: str
    type: str
    conversation: str
    seq: int
    state: State
    attempts: int
    created_at: int
    due_at: int | None = None
    ended_at: int | None = None
    result: Result | None = None


class DeliveryList(msgspec.Struct, frozen=True):
    data: list[DeliveryView]
    next_cursor: str | None = None


class NewEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    types: tuple[str, ...]


def routes(services: WebhookServices) -> Router:
    """The routes of this room."""
    return Router(
        path="/api/v1/webhooks",
        route_handlers=[
            list_webhooks,
            create_webhook,
            show_webhook,
            change_webhook,
            delete_webhook,
            rotate_secret,
            test_webhook,
            list_deliveries,
            replay_delivery,
        ],
        dependencies={"webhooks": Provide(lambda: services, sync_to_thread=False)},
        tags=["webhooks"],
    )


Services = NamedDependency[WebhookServices]


@get("/", opt=ADMIN)
async def list_webhooks(actor: CurrentAgent, webhooks: Services) -> EndpointList:
    """All webhooks, oldest first."""
    found = await webhooks.ports.store.read(
        lambda c: queries.find_endpoints(c, actor), of=actor.organisation_id
    )
    now = webhooks.ports.clock()
    return EndpointList([_view(each, now) for each in found])


@post("/", opt=ADMIN)
async def create_webhook(
    actor: CurrentAgent, webhooks: Services, data: JSONBody[NewEndpoint]
) -> EndpointMade:
    """Make a webhook; its secret is shown this once."""
    made = await webhooks.commands.create(actor, data.url, data.types)
    return EndpointMade(_view(made, webhooks.ports.clock()), made.secret)


@get("/{endpoint_id:str}", opt=ADMIN)
async def show_webhook(
    actor: CurrentAgent, webhooks: Services, endpoint_id: FromPath[str]
) -> EndpointView:
    """One webhook."""
    found = await webhooks.ports.store.read(
        lambda c: queries.find_endpoint(c, actor, endpoint_id), of=actor.organisation_id
    )
    return _view(found, webhooks.ports.clock())


@patch("/{endpoint_id:str}", opt=ADMIN)
async def change_webhook(
    actor: CurrentAgent,
    webhooks: Services,
    endpoint_id: FromPath[str],
    data: JSONBody[EndpointChange],
) -> EndpointView:
    """Change its address or what it hears, or switch it; what is left out stays."""
    changed = await webhooks.commands.change(actor, endpoint_id, data)
    return _view(changed, webhooks.ports.clock())


@delete("/{endpoint_id:str}", opt=ADMIN)
async def delete_webhook(
    actor: CurrentAgent, webhooks: Services, endpoint_id: FromPath[str]
) -> None:
    """Forget a webhook and its deliveries."""
    await webhooks.commands.delete(actor, endpoint_id)


@post("/{endpoint_id:str}/secret", opt=ADMIN)
async def rotate_secret(
    actor: CurrentAgent, webhooks: Services, endpoint_id: FromPath[str]
) -> EndpointMade:
    """Draw a new secret, shown this once; the former one signs beside it for 24 hours."""
    changed = await webhooks.commands.rotate(actor, endpoint_id)
    return EndpointMade(_view(changed, webhooks.ports.clock()), changed.secret)


@post("/{endpoint_id:str}/test", opt=ADMIN, status_code=200)
async def test_webhook(
    actor: CurrentAgent, webhooks: Services, endpoint_id: FromPath[str]
) -> Result:
    """Send an event of the type `webhook.test` now, and say what came of it."""
    endpoint = await webhooks.ports.store.read(
        lambda c: queries.find_endpoint(c, actor, endpoint_id), of=actor.organisation_id
    )
    webhooks.test_limit.take(actor.organisation_id, webhooks.ports.clock())
    return await webhooks.sender.test(endpoint)


@get("/{endpoint_id:str}/deliveries", opt=ADMIN)
async def list_deliveries(
    actor: CurrentAgent,
    webhooks: Services,
    endpoint_id: FromPath[str],
    wanted: Annotated[State | None, QueryParameter(name="state")] = None,
    cursor: Annotated[str | None, QueryParameter(max_length=300)] = None,
) -> DeliveryList:
    """What was and is to be delivered, youngest first; of one `state` only, if named."""
    before = decode_cursor(cursor) if cursor else None
    found = await webhooks.ports.store.read(
        lambda c: queries.find_deliveries(
            c,
            actor,
            endpoint_id,
            states=(wanted,) if wanted else (),
            before=before,
            limit=PAGE + 1,
        ),
        of=actor.organisation_id,
    )
    page = found[:PAGE]
    more = encode_cursor((page[-1].created_at, 0, page[-1].id)) if len(found) > PAGE else None
    return DeliveryList([_delivery_view(each) for each in page], more)


@post("/{endpoint_id:str}/deliveries/{delivery_id:str}/replay", opt=ADMIN, status_code=200)
async def replay_delivery(
    actor: CurrentAgent,
    webhooks: Services,
    endpoint_id: FromPath[str],
    delivery_id: FromPath[str],
) -> DeliveryView:
    """Deliver once more, under the same id, what has ended."""
    job = await webhooks.commands.replay(actor, endpoint_id, delivery_id)
    webhooks.wake()
    return _delivery_view(job)


def _view(endpoint: Endpoint, now: int) -> EndpointView:
    until = endpoint.former_until
    return EndpointView(
        id=endpoint.id,
        url=endpoint.url,
        types=endpoint.types,
        enabled=endpoint.enabled,
        created_at=endpoint.created_at,
        disabled_because=endpoint.disabled_because,
        failing_since=endpoint.failing_since,
        former_until=until if until > now else None,
    )


def _delivery_view(job: Job) -> DeliveryView:
    about = queries.decode_about(job.payload)
    return DeliveryView(
        id=job.id,
        type=about.type,
        conversation=about.conversation,
        seq=about.seq,
        state=job.state,
        attempts=job.attempts,
        created_at=job.created_at,
        due_at=job.due_at if job.state == "waiting" else None,
        ended_at=job.ended_at,
        result=job.result if job.result.code else None,
    )
