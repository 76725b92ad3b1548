"""What a visitor's browser may read over HTTP, and how much of it."""

from collections.abc import AsyncIterator
from datetime import UTC, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from balie.conversations import queries
from balie.conversations.api.files import disposition
from balie.conversations.api.services import (
    EventList,
    Place,
    Services,
    Visiting,
    as_json,
    for_visitors,
)
from balie.conversations.media import safe_name
from balie.conversations.model import Conversation
from balie.conversations.queries import MAX_PAGE, EventPage
from balie.conversations.transcript import Transcript, file_name
from balie.conversations.views import view
from balie.edge.auth import address_of
from balie.edge.limits import Rate, limit_key
from balie.edge.policy import Policy
from balie.kernel.actor import VisitorActor
from balie.kernel.errors import RateLimitedError
from balie.kernel.shapes import ConversationView
from balie.organisations.model import Language
from balie.organisations.queries import find_site

VISITOR = {"policy": Policy.VISITOR}

READS = Rate(burst=200, refill_ms=200)
"""Of a visitor. A transcript counts for the pages that it is made of."""

VISITORS_AT_AN_ADDRESS = 8
"""Who may read as much as each of them alone may."""

LEAST_OF_A_TRANSCRIPT = 10
"""Reads that even a short one counts for."""


class ConversationList(msgspec.Struct, frozen=True):
    """A visitor's conversations, latest first."""

    data: list[ConversationView]
    next_cursor: str | None = None


@get("/visitor/conversations", opt=VISITOR)
async def list_own(
    visitor: Visiting, services: Services, request: Request[Any, Any, Any]
) -> ConversationList:
    """Own conversations, latest first."""
    _count(services, request, visitor)
    owned = await queries.find_own_conversations(services.store, visitor)
    return ConversationList([view(each) for each in owned])


@get("/visitor/conversations/{conversation_id:str}/events", opt=VISITOR)
async def list_own_events(
    visitor: Visiting,
    services: Services,
    request: Request[Any, Any, Any],
    conversation_id: FromPath[str],
    after: Place = None,
    before: Place = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 100,
) -> Response[EventList]:
    """A page of events: above `after`, or the last ones below `before`, ascending.

    It has at most 256 KiB or one event, so it may be shorter than `limit`: only `last_seq` tells where the
    conversation ends.
    """
    _count(services, request, visitor)
    store, place = services.store, {"after": after, "before": before}
    return as_json(
        await queries.use_events(
            store, visitor, conversation_id, for_visitors, **place, limit=limit
        )
    )


@get(
    "/visitor/conversations/{conversation_id:str}/transcript", opt=VISITOR, media_type="text/plain"
)
async def show_transcript(
    visitor: Visiting,
    services: Services,
    request: Request[Any, Any, Any],
    conversation_id: FromPath[str],
    language: Annotated[str, QueryParameter(max_length=35)] = "nl",
    time_zone: Annotated[str, QueryParameter(max_length=64)] = "UTC",
) -> Stream:
    """The whole conversation as text to keep, in this language and with the times of this zone (IANA)."""
    state = await queries.find_conversation(services.store, visitor, conversation_id)
    reads = min(max(LEAST_OF_A_TRANSCRIPT, state.last_seq // MAX_PAGE), READS.burst)
    _count(services, request, visitor, reads)
    site = await services.store.read(
        lambda c: find_site(c, visitor, visitor.site_id), of=visitor.organisation_id
    )
    spoken: Language = "nl" if language.startswith("nl") else "en"
    zone = _zone(time_zone)
    name = safe_name(file_name(site.name, state.started_at, spoken, zone))
    pages = _pages(services, visitor, state, Transcript(site.name, spoken, zone))
    return Stream(
        pages, media_type="text/plain", headers={"Content-Disposition": disposition(name)}
    )


async def _pages(
    services: Services, actor: VisitorActor, state: Conversation, written: Transcript
) -> AsyncIterator[bytes]:
    """The transcript from its first word to its last, as far as it went when it was asked for."""

    def write(page: EventPage) -> tuple[bytes, int]:
        return written.page(page.events).encode(), page.events[-1].seq

    yield written.head().encode()
    after = 0
    while after < state.last_seq:
        async with services.transcribing:
            text, after = await queries.use_events(
                services.store, actor, state.id, write, after=after
            )
        yield text


def _count(
    services: Services, request: Request[Any, Any, Any], actor: VisitorActor, reads: int = 1
) -> None:
    """Raises RateLimitedError when this visitor, or all at his address together, read too much."""
    limit, now = services.read_limit, services.ports.clock()
    own, shared = f"visitor:{actor.visitor_id}", f"address:{_address(services, request)}"
    limit.take(own, now, reads)
    try:
        limit.take(shared, now, reads / VISITORS_AT_AN_ADDRESS)
    except RateLimitedError:
        # What is refused costs nothing: who waits as long as he is told, gets it.
        limit.give_back(own, now, reads)
        raise


def _address(services: Services, request: Request[Any, Any, Any]) -> str:
    return limit_key(address_of(request, services.edge))


def _zone(name: str) -> tzinfo:
    """The time zone of this name, or UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return UTC


HANDLERS = [list_own, list_own_events, show_transcript]
