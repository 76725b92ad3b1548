"""What these doors need, and the shapes that they share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Response
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from balie.contacts.commands import ContactCommands
from balie.conversations.allowance import Allowance
from balie.conversations.commands import ConversationCommands
from balie.conversations.model import Conversation
from balie.conversations.queries import EventPage
from balie.conversations.views import wire
from balie.edge.limits import Limiter, Turnstile
from balie.edge.ports import Ports
from balie.edge.settings import EdgeSettings
from balie.kernel.actor import AgentActor, VisitorActor
from balie.kernel.events import AgentName
from balie.kernel.shapes import WireEvent
from balie.store.blobs import Blobs
from balie.store.engine import LogStore
from balie.store.log import Appended

Id = Annotated[str, Meta(min_length=36, max_length=36)]
Place = Annotated[int | None, QueryParameter(ge=0, le=2**53 - 1)]
"""Between two events, as `seq` counts them; no more than a client's numbers can hold."""


@dataclass(slots=True)
class ConversationServices:
    """Handed in by the composition root. `is_online` and `on_replaced` reach live connections."""

    ports: Ports
    edge: EdgeSettings
    store: LogStore[Conversation]
    conversations: ConversationCommands
    contacts: ContactCommands
    blobs: Blobs
    secret: bytes
    post_limit: Limiter
    """Messages, by visitor or agent; shared with the sockets."""
    told_limit: Limiter
    """What pages tell of a visitor, by visitor."""
    upload_limit: Limiter
    """Files brought, by visitor or agent, and by address."""
    uploading: Turnstile
    """Files on their way in, by address."""
    allowance: Allowance
    """Bytes that may be brought."""
    read_limit: Limiter
    """Reads of visitors, by visitor and by address; a page of events is one."""
    transcribing: asyncio.Semaphore
    """Pages of transcripts being written: they are the work of a thread that everybody else waits beside."""
    max_file_bytes: int
    is_online: Callable[[str], bool]
    find_colleague: Callable[[AgentActor, str], Awaitable[AgentName]]
    """An agent of the same organisation who may be given a conversation; raises NotFoundError."""
    on_replaced: Callable[[str], None]
    """Told a visitor id that counts no longer."""


Services = NamedDependency[ConversationServices]
Acting = NamedDependency[AgentActor]
Visiting = NamedDependency[VisitorActor]


class NewMessage(msgspec.Struct, frozen=True):
    """As the frame `post`."""

    client_message_id: Id
    text: str
    conversation: Id | None = None
    files: tuple[Id, ...] = ()


class AckView(msgspec.Struct, frozen=True):
    """As the frame `ack`."""

    client_message_id: str
    conversation: str
    seq: int
    at: int


class EventList(msgspec.Struct, frozen=True):
    """A page of events, ascending; `last_seq` is the end of the conversation."""

    data: list[WireEvent]
    last_seq: int


def ack_view(client_message_id: str, appended: Appended[Conversation]) -> AckView:
    said = appended.last
    return AckView(client_message_id, said.conversation_id, said.seq, said.at)


def for_visitors(page: EventPage) -> bytes:
    """An EventList as JSON, as visitors may see it."""
    return _event_list(page, for_visitor=True)


def for_agents(page: EventPage) -> bytes:
    """An EventList as JSON."""
    return _event_list(page, for_visitor=False)


def _event_list(page: EventPage, *, for_visitor: bool) -> bytes:
    shown = [wire(each, for_visitor=for_visitor) for each in page.events]
    return msgspec.json.encode(EventList(shown, page.last_seq))


def as_json(encoded: Any) -> Response[Any]:
    """An answer that is JSON already."""
    return Response(encoded, media_type=MediaType.JSON)
