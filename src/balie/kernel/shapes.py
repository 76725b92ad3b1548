"""Shapes that travel: what sockets and HTTP answers are made of. Described in `docs/protocol.md`."""

from typing import Any, Literal

import msgspec

from balie.kernel.events import AgentName, Author, AuthorKind, Page


class Marks(msgspec.Struct, frozen=True):
    """The highest seq that reached one side, and that it has read."""

    delivered: int = 0
    read: int = 0


class Receipts(msgspec.Struct, frozen=True):
    visitor: Marks
    agent: Marks


class LastMessage(msgspec.Struct, frozen=True):
    """The end of a conversation, for lists; `text` is cut to 140 characters."""

    seq: int
    at: int
    author_kind: AuthorKind
    text: str


class ConversationView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A conversation as its visitor may see it."""

    id: str
    status: Literal["open", "closed"]
    last_seq: int
    unread: int
    receipts: Receipts
    started_at: int
    agent: AgentName | None = None
    last_message: LastMessage | None = None
    waiting_since: int | None = None
    closed_at: int | None = None
    rating: int | None = None


class RowVisitor(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    id: str
    name: str | None = None
    email: str | None = None
    verified: bool
    online: bool


class Row(ConversationView, frozen=True, omit_defaults=True, kw_only=True):
    """A conversation as agents may see it in a list."""

    site: str
    visitor: RowVisitor
    language: str | None = None
    page: Page | None = None
    tags: tuple[str, ...]


class AgentState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A colleague: `away` is signed in but not available, `offline` has no live, awake console."""

    id: str
    name: str
    state: Literal["available", "away", "offline"]
    picture: str | None = None


class Desk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who sits at the desk now, as visitors may know it; at most three agents are named."""

    state: Literal["here", "away"]
    agents: tuple[AgentName, ...]


class WireEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of the log as it travels; `data` is the payload without its tag.

    What a visitor may not see is a WireEvent of the type `internal` with a `seq` and nothing else.
    """

    seq: int
    type: str
    at: int | None = None
    author: Author | None = None
    data: Any = None
    client_message_id: str | None = None


class VisitorSelf(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    id: str
    token: str
    name: str | None = None
    email: str | None = None
    verified: bool


class AgentSelf(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    name: str
    email: str
    role: Literal["owner", "admin", "agent"]
    language: str
    picture: str | None = None


class Named(msgspec.Struct, frozen=True):
    id: str
    name: str
