"""What a console may ask for over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from balie.contacts.model import Visitor
from balie.contacts.queries import find_visitor
from balie.conversations import commands, queries, told
from balie.conversations.acts import AnyCommand, Close, Release, Reopen, Tag, Take, Untag
from balie.conversations.api.services import (
    AckView,
    Acting,
    EventList,
    Id,
    NewMessage,
    Place,
    Services,
    ack_view,
    as_json,
    for_agents,
)
from balie.conversations.model import Conversation, Status
from balie.conversations.views import row
from balie.edge.policy import Policy
from balie.edge.text import clean_line
from balie.kernel.errors import MalformedError
from balie.kernel.events import (
    AgentName,
    ConversationStarted,
    Device,
    EventTracked,
    PageViewed,
)
from balie.kernel.shapes import Row

AGENT = {"policy": Policy.AGENT}

TAG_LENGTH = 40


class RowList(msgspec.Struct, frozen=True):
    """A page of an agent's list."""

    data: list[Row]
    next_cursor: str | None = None


class NewNote(msgspec.Struct, frozen=True):
    """As the frame `note`."""

    client_message_id: Id
    text: str


class Assignment(msgspec.Struct, frozen=True, rename={"taken_from": "from"}):
    """To whom, oneself when left out; `from` names whose it may be taken from."""

    agent: Id | None = None
    taken_from: Id | None = None


class PageSeenView(msgspec.Struct, frozen=True):
    url: str
    title: str
    at: int


class TrackedView(msgspec.Struct, frozen=True):
    """Something that the page told; `detail` is any JSON."""

    name: str
    at: int
    detail: Any = None


class VisitorView(msgspec.Struct, frozen=True, kw_only=True):
    """Who he is; `verified` when a signed token of the site said so."""

    id: str
    name: str | None
    email: str | None
    verified: bool
    external_id: str | None
    online: bool
    first_seen_at: int


class EarlierView(msgspec.Struct, frozen=True, kw_only=True):
    """Another conversation of the same visitor."""

    id: str
    status: Status
    started_at: int
    closed_at: int | None
    agent: AgentName | None
    preview: str


class VisitorCard(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent may know of the visitor of one conversation; pages and events latest first.

    Attributes and events are what the site's page told. Nobody signed them.
    """

    visitor: VisitorView
    device: Device
    language: str | None
    time_zone: str
    page: PageSeenView | None
    pages: list[PageSeenView]
    referrer: str
    attributes: dict[str, Any]
    events: list[TrackedView]
    conversations: list[EarlierView]


class TagList(msgspec.Struct, frozen=True):
    data: list[str]


@get("/conversations", opt=AGENT)
async def list_conversations(
    actor: Acting,
    services: Services,
    view: FromQuery[queries.View] = "open",
    text: Annotated[str, QueryParameter(max_length=80)] = "",
    cursor: Annotated[str | None, QueryParameter(max_length=300)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 100,
) -> RowList:
    """A page of the list: open ones most urgent first, others latest first; with `text` those whose visitor
    has it in his name or address."""
    page = await queries.find_inbox(
        services.store, actor, view, text=text, cursor=cursor, limit=limit
    )
    return RowList(_rows(services, page.data), page.next_cursor)


def _rows(services: Services, states: Sequence[Conversation]) -> list[Row]:
    return [row(each, online=services.is_online(each.visitor_id)) for each in states]


@get("/conversations/{conversation_id:str}", opt=AGENT)
async def show_conversation(
    actor: Acting, services: Services, conversation_id: FromPath[str]
) -> Row:
    """One row of the list."""
    state = await queries.find_conversation(services.store, actor, conversation_id)
    return _rows(services, [state])[0]


@get("/conversations/{conversation_id:str}/events", opt=AGENT)
async def list_events(
    actor: Acting,
    services: Services,
    conversation_id: FromPath[str],
    after: Place = None,
    before: Place = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 100,
) -> Response[EventList]:
    """A page of events: above `after`, or the last ones below `before`, ascending.

    It has at most 256 KiB or one event, so it may be shorter than `limit`: only `last_seq` tells where the
    conversation ends.
    """
    store, place = services.store, {"after": after, "before": before}
    return as_json(
        await queries.use_events(store, actor, conversation_id, for_agents, **place, limit=limit)
    )


@post("/conversations/{conversation_id:str}/messages", opt=AGENT, status_code=200)
async def post_message(
    actor: Acting, services: Services, conversation_id: FromPath[str], data: JSONBody[NewMessage]
) -> AckView:
    """Answer the visitor."""
    if data.conversation not in (None, conversation_id):
        raise MalformedError("the address and the body name different conversations")
    services.post_limit.take(f"agent:{actor.agent_id}", services.ports.clock())
    bare = commands.post(
        actor,
        conversation_id,
        data.client_message_id,
        data.text,
        with_files=bool(data.files),
    )
    command = await services.conversations.with_files(bare, data.files)
    return ack_view(data.client_message_id, await services.conversations.run(command))


@post("/conversations/{conversation_id:str}/notes", opt=AGENT, status_code=200)
async def post_note(
    actor: Acting, services: Services, conversation_id: FromPath[str], data: JSONBody[NewNote]
) -> AckView:
    """Write down what only agents see."""
    services.post_limit.take(f"agent:{actor.agent_id}", services.ports.clock())
    command = commands.note(actor, conversation_id, data.client_message_id, data.text)
    return ack_view(data.client_message_id, await services.conversations.run(command))


@put("/conversations/{conversation_id:str}/assignment", opt=AGENT)
async def assign(
    actor: Acting,
    services: Services,
    conversation_id: FromPath[str],
    data: JSONBody[Assignment],
) -> Row:
    """Take it, or give it to a colleague. 409 `taken` when another has it."""
    agent = AgentName(actor.agent_id, actor.name, actor.picture)
    if data.agent not in (None, actor.agent_id):
        agent = await services.find_colleague(actor, str(data.agent))
    return await _run(
        services,
        Take(
            actor=actor,
            conversation_id=conversation_id,
            agent=agent,
            taken_from=data.taken_from,
        ),
    )


@delete("/conversations/{conversation_id:str}/assignment", opt=AGENT, status_code=200)
async def release(actor: Acting, services: Services, conversation_id: FromPath[str]) -> Row:
    """Put it back for whoever is free."""
    return await _run(services, Release(actor=actor, conversation_id=conversation_id))


@put("/conversations/{conversation_id:str}/closure", opt=AGENT)
async def close(actor: Acting, services: Services, conversation_id: FromPath[str]) -> Row:
    """Nothing more is to be done."""
    return await _run(services, Close(actor=actor, conversation_id=conversation_id))


@delete("/conversations/{conversation_id:str}/closure", opt=AGENT, status_code=200)
async def reopen(actor: Acting, services: Services, conversation_id: FromPath[str]) -> Row:
    """Something is to be done after all."""
    return await _run(services, Reopen(actor=actor, conversation_id=conversation_id))


@put("/conversations/{conversation_id:str}/tags/{tag:str}", opt=AGENT)
async def tag_it(
    actor: Acting, services: Services, conversation_id: FromPath[str], tag: FromPath[str]
) -> Row:
    """Label it."""
    label = clean_line(tag, TAG_LENGTH, "a label")
    return await _run(services, Tag(actor=actor, conversation_id=conversation_id, tag=label))


@delete("/conversations/{conversation_id:str}/tags/{tag:str}", opt=AGENT, status_code=200)
async def untag_it(
    actor: Acting, services: Services, conversation_id: FromPath[str], tag: FromPath[str]
) -> Row:
    """Take a label off."""
    label = clean_line(tag, TAG_LENGTH, "a label")
    return await _run(services, Untag(actor=actor, conversation_id=conversation_id, tag=label))


async def _run(services: Services, command: AnyCommand) -> Row:
    appended = await services.conversations.run(command)
    return _rows(services, [appended.state])[0]


@get("/conversations/{conversation_id:str}/visitor", opt=AGENT)
async def show_visitor(
    actor: Acting, services: Services, conversation_id: FromPath[str]
) -> VisitorCard:
    """Who the visitor is, and where he has been since the chat began."""
    store = services.store
    state = await queries.find_conversation(store, actor, conversation_id)
    known = await find_visitor(store, actor, state.visitor_id)
    path = await queries.find_path(store, actor, conversation_id)
    tracked = await queries.find_tracked(store, actor, conversation_id)
    earlier = await queries.find_earlier(store, actor, state)
    pages = [
        PageSeenView(page.url, page.title, each.at)
        for each in reversed(path)
        if (page := _page(each.payload)) is not None
    ]
    came = _page(path[0].payload) if path else None
    return VisitorCard(
        visitor=_visitor_view(services, state, known),
        device=Device(known.device, known.browser, known.system) if known else Device(),
        language=state.language,
        time_zone=known.time_zone if known else "",
        page=pages[0] if pages else None,
        pages=pages,
        referrer=came.referrer if came else "",
        attributes=told.attributes_of(state.attributes),
        events=[
            TrackedView(each.payload.name, each.at, each.payload.detail)
            for each in reversed(tracked)
            if isinstance(each.payload, EventTracked)
        ],
        conversations=[_earlier_view(each) for each in earlier],
    )


def _visitor_view(services: Services, state: Conversation, known: Visitor | None) -> VisitorView:
    return VisitorView(
        id=state.visitor_id,
        name=state.visitor_name,
        email=state.visitor_email,
        verified=state.visitor_verified,
        external_id=known.external_id if known else None,
        online=services.is_online(state.visitor_id),
        first_seen_at=known.created_at if known else state.started_at,
    )


def _earlier_view(state: Conversation) -> EarlierView:
    agent = None
    if state.agent_id is not None:
        agent = AgentName(state.agent_id, state.agent_name or "", state.agent_picture)
    return EarlierView(
        id=state.id,
        status=state.status,
        started_at=state.started_at,
        closed_at=state.closed_at,
        agent=agent,
        preview=state.message_text,
    )


def _page(payload: object) -> PageViewed | None:
    if isinstance(payload, ConversationStarted) and payload.page is not None:
        return PageViewed(payload.page.url, payload.page.title, payload.page.referrer)
    return payload if isinstance(payload, PageViewed) else None


@get("/tags", opt=AGENT)
async def list_tags(actor: Acting, services: Services) -> TagList:
    """Labels in use."""
    return TagList(await queries.find_tags(services.store, actor))


HANDLERS = [
    list_conversations,
    show_conversation,
    list_events,
    post_message,
    post_note,
    assign,
    release,
    close,
    reopen,
    tag_it,
    untag_it,
    show_visitor,
    list_tags,
]
