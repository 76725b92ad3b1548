"""What happens in a conversation: the words of the log.

An event's payload is one of the tagged structs below. The log stores the payload's JSON and knows nothing
of its fields; whoever reads it decodes with `decode_payload`. Shapes are described in `docs/protocol.md`.
"""

from typing import Any, Literal

import msgspec

AuthorKind = Literal["visitor", "agent", "bot", "system", "api"]
ClosedBy = Literal["visitor", "agent", "system"]


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did it. `picture` is a public path, or None."""

    kind: AuthorKind
    id: str | None = None
    name: str | None = None
    picture: str | None = None


SYSTEM = Author(kind="system")


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of the site as the visitor's browser reported it."""

    url: str
    title: str = ""
    referrer: str = ""


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the visitor holds; `kind` is phone, tablet or desktop."""

    kind: str = ""
    browser: str = ""
    system: str = ""
    time_zone: str = ""


class File(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that goes with a message; `size` in bytes, `width` and `height` in pixels for images."""

    id: str
    name: str
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None


class AgentName(msgspec.Struct, frozen=True, omit_defaults=True):
    """An agent as visitors may know him."""

    id: str
    name: str
    picture: str | None = None


class Payload(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """What an event says. `internal` payloads are never shown to visitors."""

    @property
    def internal(self) -> bool:
        return type(self) in INTERNAL


class ConversationStarted(Payload, frozen=True, tag="conversation.started"):
    """`site` is the site's id; name, e-mail and contact are what was known of the visitor by then."""

    site: str
    language: str | None = None
    page: Page | None = None
    device: Device | None = None
    name: str | None = None
    email: str | None = None
    verified: bool = False
    contact: str | None = None


class MessagePosted(Payload, frozen=True, tag="message.posted"):
    text: str
    files: tuple[File, ...] = ()


class NotePosted(Payload, frozen=True, tag="note.posted"):
    text: str


class ConversationAssigned(Payload, frozen=True, tag="conversation.assigned"):
    agent: AgentName


class ConversationReleased(Payload, frozen=True, tag="conversation.released"):
    pass


class ConversationClosed(Payload, frozen=True, tag="conversation.closed"):
    by: ClosedBy


class ConversationReopened(Payload, frozen=True, tag="conversation.reopened"):
    pass


class ConversationRated(Payload, frozen=True, tag="conversation.rated"):
    score: int
    comment: str = ""


class ConversationTagged(Payload, frozen=True, tag="conversation.tagged"):
    tag: str


class ConversationUntagged(Payload, frozen=True, tag="conversation.untagged"):
    tag: str


class VisitorIdentified(Payload, frozen=True, tag="visitor.identified"):
    """`verified` when a signed token of the site said so. `visitor` is the id that the visitor has from then
    on, `contact` the person he turned out to be; the page must not choose either."""

    name: str | None = None
    email: str | None = None
    verified: bool = False
    external_id: str | None = None
    visitor: str | None = None
    contact: str | None = None


class PageViewed(Payload, frozen=True, tag="page.viewed"):
    url: str
    title: str = ""
    referrer: str = ""


class VisitorDescribed(Payload, frozen=True, tag="visitor.described"):
    """What the site's page says of its visitor, by name; None takes a name back. Nobody signed it."""

    attributes: dict[str, Any]


class EventTracked(Payload, frozen=True, tag="event.tracked"):
    """Something that happened on the site's page, as the page told it; `detail` is any JSON."""

    name: str
    detail: Any = None


AnyPayload = (
    ConversationStarted
    | MessagePosted
    | NotePosted
    | ConversationAssigned
    | ConversationReleased
    | ConversationClosed
    | ConversationReopened
    | ConversationRated
    | ConversationTagged
    | ConversationUntagged
    | VisitorIdentified
    | PageViewed
    | VisitorDescribed
    | EventTracked
)


class Envelope(msgspec.Struct, frozen=True):
    """One numbered event of a conversation's log; `at` in milliseconds since 1970 UTC."""

    conversation_id: str
    seq: int
    at: int
    author: Author
    payload: AnyPayload
    client_message_id: str | None = None


INTERNAL: frozenset[type[Payload]] = frozenset(
    {
        NotePosted,
        ConversationTagged,
        ConversationUntagged,
        PageViewed,
        VisitorDescribed,
        EventTracked,
    }
)


_payload_decoder: msgspec.json.Decoder[AnyPayload] = msgspec.json.Decoder(AnyPayload)
_author_decoder = msgspec.json.Decoder(Author)
encode = msgspec.json.Encoder().encode
"""Any payload or author as JSON bytes; a payload's JSON carries its `type`."""


def decode_payload(data: bytes | str) -> AnyPayload:
    """The payload that `encode` made. Raises msgspec.DecodeError for anything else."""
    return _payload_decoder.decode(data)


def decode_author(data: bytes | str) -> Author:
    """The author that `encode` made. Raises msgspec.DecodeError for anything else."""
    return _author_decoder.decode(data)
