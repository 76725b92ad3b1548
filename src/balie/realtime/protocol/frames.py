"""The frames of the live protocol, as described in `docs/protocol.md`.

`VisitorFrame` and `AgentFrame` are what clients send; `VisitorServerFrame` and
`AgentServerFrame` are what they receive. The types of the
web clients are generated from this file.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from balie.kernel.events import AuthorKind
from balie.kernel.shapes import (
    AgentSelf,
    AgentState,
    ConversationView,
    Desk,
    Named,
    Row,
    VisitorSelf,
)

MAX_FRAME_BYTES = 65_536
MAX_TEXT = 16_000
MAX_FILES = 10
MAX_FILL = 200
"""Events that `resume` is answered with over the socket; a bigger hole is answered with `resync`."""

Id = Annotated[str, Meta(min_length=36, max_length=36, pattern="^[0-9a-f-]{36}$")]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Address = Annotated[str, Meta(max_length=2_000)]
Line = Annotated[str, Meta(max_length=300)]
Language = Annotated[str, Meta(max_length=35)]


class Frame(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """The base of every frame."""


# What clients send.


class PageSeen(msgspec.Struct, frozen=True):
    url: Address
    title: Line = ""
    referrer: Address = ""


class Resumption(msgspec.Struct, frozen=True):
    conversation: Id
    last_seq: Seq


class VisitorHello(Frame, frozen=True, tag="hello"):
    site: Annotated[str, Meta(min_length=1, max_length=64)]
    token: Annotated[str, Meta(max_length=1_000)] | None = None
    language: Language | None = None
    time_zone: Annotated[str, Meta(max_length=64)] | None = None
    page: PageSeen | None = None
    resume: Annotated[tuple[Resumption, ...], Meta(max_length=50)] = ()
    client: Line = ""


class AgentHello(Frame, frozen=True, tag="hello"):
    ticket: Annotated[str, Meta(min_length=1, max_length=200)]
    resume: Annotated[tuple[Resumption, ...], Meta(max_length=300)] = ()
    client: Line = ""


class Post(Frame, frozen=True, tag="post"):
    client_message_id: Id
    conversation: Id | None
    text: str
    files: tuple[Id, ...] = ()


class Note(Frame, frozen=True, tag="note"):
    client_message_id: Id
    conversation: Id
    text: str


class Resume(Frame, frozen=True, tag="resume"):
    conversation: Id
    last_seq: Seq


class Leave(Frame, frozen=True, tag="leave"):
    conversation: Id


class Mark(Frame, frozen=True, tag="mark"):
    conversation: Id
    delivered: Seq = 0
    read: Seq = 0


class TypingOn(Frame, frozen=True, tag="typing"):
    conversation: Id
    on: bool


class PageMoved(Frame, frozen=True, tag="page"):
    url: Address
    title: Line = ""
    referrer: Address = ""


class Alive(Frame, frozen=True, tag="alive"):
    awake: bool
    status: Literal["available", "away"] = "available"


class Ping(Frame, frozen=True, tag="ping"):
    pass


VisitorFrame = Post | Resume | Leave | Mark | TypingOn | PageMoved | Ping
AgentFrame = Post | Note | Resume | Leave | Mark | TypingOn | Alive | Ping

# What the server sends.


class VisitorWelcome(Frame, frozen=True, tag="welcome"):
    session: str
    now: int
    heartbeat_ms: int
    visitor: VisitorSelf
    conversations: tuple[ConversationView, ...]
    desk: Desk


class AgentWelcome(Frame, frozen=True, tag="welcome"):
    session: str
    now: int
    heartbeat_ms: int
    agent: AgentSelf
    organisation: Named
    agents: tuple[AgentState, ...]


class Ack(Frame, frozen=True, tag="ack"):
    client_message_id: str
    conversation: str
    seq: int
    at: int


class Events(Frame, frozen=True, tag="events"):
    """`events` are JSON objects of the shape *event*, already encoded for this kind of reader."""

    conversation: str
    events: tuple[msgspec.Raw, ...]


class Resync(Frame, frozen=True, tag="resync"):
    conversation: str
    last_seq: int


class ConversationChanged(Frame, frozen=True, tag="conversation"):
    conversation: ConversationView


class Inbox(Frame, frozen=True, tag="inbox"):
    rows: tuple[Row, ...]


class ConversationsGone(Frame, frozen=True, tag="gone"):
    """Erased, or kept long enough. None named: some went, and which is not known here."""

    conversations: tuple[str, ...]


class Receipt(Frame, frozen=True, tag="receipt"):
    conversation: str
    by: Literal["visitor", "agent"]
    delivered: int
    read: int


class TypingBy(msgspec.Struct, frozen=True, omit_defaults=True):
    kind: AuthorKind
    id: str
    name: str | None = None


class Typing(Frame, frozen=True, tag="typing"):
    conversation: str
    by: TypingBy
    on: bool


class AgentPresence(Frame, frozen=True, tag="presence"):
    agents: tuple[AgentState, ...] = ()
    visitors: dict[str, bool] = {}


class VisitorPresence(Frame, frozen=True, tag="presence"):
    desk: Desk


ErrorCode = Literal[
    "malformed",
    "unknown_type",
    "too_long",
    "empty",
    "not_found",
    "conflict",
    "closed",
    "rate_limited",
    "busy",
    "unavailable",
]


class Error(Frame, frozen=True, tag="error"):
    code: ErrorCode
    detail: str
    ref: str | None = None
    retry_after_ms: int | None = None


class Draining(Frame, frozen=True, tag="draining"):
    retry_ms: int


class Pong(Frame, frozen=True, tag="pong"):
    now: int


VisitorServerFrame = (
    VisitorWelcome
    | Ack
    | Events
    | Resync
    | ConversationChanged
    | Receipt
    | Typing
    | VisitorPresence
    | Error
    | Draining
    | Pong
)
AgentServerFrame = (
    AgentWelcome
    | Ack
    | Events
    | Resync
    | Inbox
    | ConversationsGone
    | Receipt
    | Typing
    | AgentPresence
    | Error
    | Draining
    | Pong
)


class Close:
    """WebSocket close codes that Balie uses; see `docs/protocol.md`."""

    PROTOCOL = 1002
    BINARY = 1003
    NOT_UTF8 = 1007
    POLICY = 1008
    TOO_BIG = 1009
    FAILED = 1011
    RESTART = 1012
    SLOW = 1013
    BAD_HELLO = 4400
    UNAUTHORISED = 4401
    FORBIDDEN = 4403
    NO_HELLO = 4408
    RENAMED = 4409
