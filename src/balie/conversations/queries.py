"""All reads of conversations. Each takes the actor, and finds nothing beyond what he may reach."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, tuple_

from balie.conversations import rules
from balie.conversations.authors import author_key
from balie.conversations.model import Conversation, StoredFile, conversations, files
from balie.conversations.projection import COLUMNS, from_row, load
from balie.kernel.actor import Actor, AgentActor, VisitorActor
from balie.kernel.errors import NotFoundError
from balie.kernel.events import Envelope, decode_author, decode_payload
from balie.kernel.paging import Cursor, Page, decode_cursor, encode_cursor
from balie.store.engine import Store
from balie.store.schema import cursor_of, events

T = TypeVar("T")

View = Literal["open", "waiting", "mine", "team", "closed", "all"]

MAX_PAGE = 200
MAX_PAGE_BYTES = 256 * 1024
"""Of the events in a page, as they are sent. A page holds one event at least, however long."""
_NUMBERS = 160
"""Bytes that are sent of each event besides who said what: its numbers, names and quotes."""
VISITOR_LIST = 50

# Plain SQL where everybody who comes back passes.
_LIST = f"SELECT {', '.join(COLUMNS)} FROM conversations WHERE organisation_id = ?"  # noqa: S608 - own names
_LATEST = " ORDER BY started_at DESC LIMIT ?"
_OWN = f"{_LIST} AND visitor_id = ?{_LATEST}"
_OWN_OR_PROVED = f"{_LIST} AND (visitor_id = ? OR contact_id = ?){_LATEST}"
_EVENTS = "SELECT seq, at, author, payload, client_message_id FROM events WHERE conversation_id = ?"
_EVENTS_AFTER = f"{_EVENTS} AND seq > ? ORDER BY seq LIMIT ?"
_EVENTS_BEFORE = f"{_EVENTS} AND seq < ? ORDER BY seq DESC LIMIT ?"
_LAST_SEQ = 2**62
# From each set of labels to the next one by the index: what is in use costs, not how often it is.
_NEXT_TAGS = "SELECT min(tags) FROM conversations WHERE organisation_id = ? AND tags <> ''"
_TAGS = (
    f"WITH RECURSIVE used(tags) AS ({_NEXT_TAGS} UNION ALL"  # noqa: S608 - own names
    f" SELECT ({_NEXT_TAGS} AND tags > used.tags) FROM used WHERE used.tags IS NOT NULL)"
    " SELECT tags FROM used WHERE tags IS NOT NULL LIMIT 1000"
)


async def find_conversation(store: Store, actor: Actor, conversation_id: str) -> Conversation:
    """The only door to one conversation. Raises NotFoundError, also for somebody else's."""
    return await store.read(
        lambda connection: conversation(connection, actor, conversation_id),
        of=actor.organisation_id,
    )


def conversation(connection: Connection, actor: Actor, conversation_id: str) -> Conversation:
    """As `find_conversation`, inside a transaction."""
    state = load(cursor_of(connection), conversation_id)
    if state is None or not rules.may_reach(actor, state):
        raise NotFoundError("no such conversation")
    return state


async def find_own_conversations(store: Store, actor: VisitorActor) -> list[Conversation]:
    """A visitor's conversations, latest first, at most VISITOR_LIST."""
    return await store.read(
        lambda connection: own_conversations(connection, actor), of=actor.organisation_id
    )


def own_conversations(connection: Connection, actor: VisitorActor) -> list[Conversation]:
    """As `find_own_conversations`, inside a transaction."""
    cursor, own = cursor_of(connection), (actor.organisation_id, actor.visitor_id)
    if actor.contact_id is None:
        rows = cursor.execute(_OWN, (*own, VISITOR_LIST))
    else:
        rows = cursor.execute(_OWN_OR_PROVED, (*own, actor.contact_id, VISITOR_LIST))
    return [from_row(row) for row in rows]


class EventPage(msgspec.Struct, frozen=True):
    """Events in the order of `seq`, and the end of the conversation they are part of. There may be fewer than
    were asked for, where they are long: only `last_seq` tells whether there are more."""

    events: list[Envelope]
    last_seq: int


async def find_events(
    store: Store,
    actor: Actor,
    conversation_id: str,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = MAX_PAGE,
) -> EventPage:
    """Events above `after`, or the last ones below `before`; the end of it without either.

    Raises NotFoundError for what the actor may not reach.
    """
    return await use_events(
        store, actor, conversation_id, _whole, after=after, before=before, limit=limit
    )


async def use_events(
    store: Store,
    actor: Actor,
    conversation_id: str,
    use: Callable[[EventPage], T],
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = MAX_PAGE,
) -> T:
    """What `use` makes of the page that `find_events` finds. It works where the page is read, off the event
    loop: a page of long messages takes long to encode."""

    def query(connection: Connection) -> T:
        state = conversation(connection, actor, conversation_id)
        found = _events(connection, conversation_id, after, before, min(limit, MAX_PAGE))
        return use(EventPage(found, state.last_seq))

    return await store.read(query, of=actor.organisation_id)


def _whole(page: EventPage) -> EventPage:
    return page


Stored = tuple[int, int, str, str, str | None]


def _events(
    connection: Connection,
    conversation_id: str,
    after: int | None,
    before: int | None,
    limit: int,
) -> list[Envelope]:
    cursor = cursor_of(connection)
    if after is not None:
        found = cursor.execute(_EVENTS_AFTER, (conversation_id, after, limit))
    else:
        end = _LAST_SEQ if before is None else before
        found = cursor.execute(_EVENTS_BEFORE, (conversation_id, end, limit))
    rows = _within(found, MAX_PAGE_BYTES)
    if after is None:
        rows = rows[::-1]
    return [
        Envelope(conversation_id, seq, at, decode_author(author), decode_payload(payload), key)
        for seq, at, author, payload, key in rows
    ]


def _within(found: Iterable[Stored], most_bytes: int) -> list[Stored]:
    """The first of these, as many as fit; one always does. What does not fit is not read."""
    rows: list[Stored] = []
    size = 0
    for row in found:
        _, _, author, payload, _ = row
        size += len(author.encode()) + len(payload.encode()) + _NUMBERS
        if rows and size > most_bytes:
            break
        rows.append(row)
    return rows


async def find_inbox(
    store: Store,
    actor: AgentActor,
    view: View,
    *,
    text: str = "",
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Conversation]:
    """A page of an agent's list: open ones by who waits longest, then by who wrote last; closed ones
    and all by time, latest first. `text` narrows it to visitors whose name or address holds it.

    Raises MalformedError for a cursor that is none.
    """
    bounded = max(1, min(limit, MAX_PAGE))
    query = _inbox(actor, view, decode_cursor(cursor) if cursor else None).limit(bounded + 1)
    if named := text.strip():
        query = query.where(_is_named(named))
    rows = await store.read(
        lambda connection: [from_row(row) for row in connection.execute(query)],
        of=actor.organisation_id,
    )
    more = len(rows) > bounded
    shown = rows[:bounded]
    return Page(shown, encode_cursor(_place(view, shown[-1])) if more else None)


def _is_named(text: str) -> ColumnElement[bool]:
    c = conversations.c
    return or_(
        c.visitor_name.icontains(text, autoescape=True),
        c.visitor_email.icontains(text, autoescape=True),
    )


def _inbox(actor: AgentActor, view: View, cursor: Cursor | None) -> Select[tuple[object, ...]]:
    c = conversations.c
    query = select(conversations).where(c.organisation_id == actor.organisation_id)
    if view == "all":
        query = query.order_by(c.started_at.desc(), c.id.desc())
        return query.where(_below(c.started_at, c.id, cursor)) if cursor else query
    if view == "closed":
        query = query.where(c.status == "closed").order_by(c.closed_at.desc(), c.id.desc())
        if cursor:
            query = query.where(_below(c.closed_at, c.id, cursor))
        return query
    query = query.where(c.status == "open", *_whose(actor, view))
    # Who waits comes first, longest first; the others follow, latest words first.
    query = query.order_by(c.waiting_since.is_(None), c.waiting_since, c.message_at.desc(), c.id)
    return query.where(_after(cursor)) if cursor else query


def _whose(actor: AgentActor, view: View) -> tuple[ColumnElement[bool], ...]:
    agent = conversations.c.agent_id
    match view:
        case "waiting":
            return (agent.is_(None),)
        case "mine":
            return (agent == actor.agent_id,)
        case "team":
            return (agent.is_not(None), agent != actor.agent_id)
        case _:
            return ()


def _place(view: View, last: Conversation) -> Cursor:
    if view == "closed":
        return (last.closed_at or 0, 0, last.id)
    if view == "all":
        return (last.started_at, 0, last.id)
    return (-1 if last.waiting_since is None else last.waiting_since, last.message_at, last.id)


def _below(
    time: ColumnElement[Any], key: ColumnElement[str], cursor: Cursor
) -> ColumnElement[bool]:
    at, _, last = cursor
    # Compared as pairs, an index leads to the place; either-or would read all that comes before it.
    return tuple_(time, key) < tuple_(at, last)


def _after(cursor: Cursor) -> ColumnElement[bool]:
    c = conversations.c
    waiting, said, last = cursor
    calm = or_(c.message_at < said, and_(c.message_at == said, c.id > last))
    if waiting < 0:
        return and_(c.waiting_since.is_(None), calm)
    same = and_(c.waiting_since == waiting, calm)
    return or_(c.waiting_since.is_(None), c.waiting_since > waiting, same)


async def find_gap(
    store: Store, actor: Actor, conversation_id: str, after: int, limit: int
) -> EventPage:
    """What is missing above `after`, at most a page of it in bytes; no events when more than `limit` miss.

    Raises NotFoundError for what the actor may not reach.
    """

    def query(connection: Connection) -> EventPage:
        state = conversation(connection, actor, conversation_id)
        if not 0 < state.last_seq - after <= limit:
            return EventPage([], state.last_seq)
        found = _events(connection, conversation_id, after, None, limit)
        return EventPage(found, state.last_seq)

    return await store.read(query, of=actor.organisation_id)


async def find_file(store: Store, actor: Actor, file_id: str) -> StoredFile:
    """A file of a conversation that the actor may reach, or one that he has just brought himself.

    Raises NotFoundError for any other.
    """

    def query(connection: Connection) -> StoredFile:
        row = connection.execute(select(files).where(files.c.id == file_id)).mappings().first()
        if row is None or row["organisation_id"] != actor.organisation_id:
            raise NotFoundError("no such file")
        if row["author_id"] != author_key(actor):
            if row["conversation_id"] is None:
                raise NotFoundError("no such file")
            conversation(connection, actor, row["conversation_id"])
        return StoredFile(**row)

    return await store.read(query, of=actor.organisation_id)


async def find_tags(store: Store, actor: AgentActor) -> list[str]:
    """Labels on conversations of the organisation, in the order of the alphabet."""

    def query(connection: Connection) -> list[str]:
        found = cursor_of(connection).execute(_TAGS, (actor.organisation_id, actor.organisation_id))
        return [tags for (tags,) in found]

    found = await store.read(query, of=actor.organisation_id)
    return sorted({tag for tags in found for tag in tags.split("\n")})


async def find_earlier(
    store: Store, actor: AgentActor, state: Conversation, limit: int = 20
) -> list[Conversation]:
    """Other conversations of the same visitor, or of the person he proved to be; latest first."""
    c = conversations.c
    same = c.visitor_id == state.visitor_id
    if state.visitor_verified and state.contact_id is not None:
        same = or_(same, c.contact_id == state.contact_id)
    query = (
        select(conversations)
        .where(c.organisation_id == actor.organisation_id, same, c.id != state.id)
        .order_by(c.started_at.desc())
        .limit(limit)
    )
    return await store.read(
        lambda connection: [from_row(row) for row in connection.execute(query)],
        of=actor.organisation_id,
    )


async def find_path(store: Store, actor: AgentActor, conversation_id: str) -> list[Envelope]:
    """Where the visitor has been since the chat began: how it started and each page, at most 200."""
    return await _find_kinds(store, actor, conversation_id, ("conversation.started", "page.viewed"))


async def find_tracked(store: Store, actor: AgentActor, conversation_id: str) -> list[Envelope]:
    """What the page told since the chat began, at most the last 200."""
    return await _find_kinds(store, actor, conversation_id, ("event.tracked",))


async def _find_kinds(
    store: Store, actor: AgentActor, conversation_id: str, wanted: tuple[str, ...]
) -> list[Envelope]:
    def query(connection: Connection) -> list[Envelope]:
        conversation(connection, actor, conversation_id)
        rows = connection.execute(
            select(events.c.seq, events.c.at, events.c.author, events.c.payload)
            .where(
                events.c.conversation_id == conversation_id,
                or_(*(events.c.payload.like(f'{{"type":"{kind}"%') for kind in wanted)),
            )
            .order_by(events.c.seq.desc())
            .limit(MAX_PAGE)
        ).all()
        return [
            Envelope(conversation_id, seq, at, decode_author(author), decode_payload(payload))
            for seq, at, author, payload in reversed(rows)
        ]

    return await store.read(query, of=actor.organisation_id)
