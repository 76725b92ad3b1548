"""How conversations and their events look from outside: to their visitor, and to agents."""

from typing import Any

import msgspec
from msgspec.structs import replace

from balie.conversations.model import Conversation
from balie.kernel.events import (
    INTERNAL,
    AgentName,
    AnyPayload,
    ConversationStarted,
    Envelope,
    Page,
    Payload,
    VisitorIdentified,
    encode,
)
from balie.kernel.shapes import (
    ConversationView,
    LastMessage,
    Marks,
    Receipts,
    Row,
    RowVisitor,
    WireEvent,
)


def wire_event(envelope: Envelope, *, for_visitor: bool) -> bytes:
    """One event as JSON of the shape *event* in docs/protocol.md."""
    return encode(wire(envelope, for_visitor=for_visitor))


def wire(envelope: Envelope, *, for_visitor: bool) -> WireEvent:
    """One event as it travels."""
    payload = envelope.payload
    if for_visitor:
        if type(payload) in INTERNAL:
            return WireEvent(envelope.seq, "internal")
        if isinstance(payload, VisitorIdentified):
            payload = replace(payload, visitor=None, contact=None)
    tag = _TAGS[type(payload)]
    return WireEvent(
        envelope.seq,
        tag,
        envelope.at,
        envelope.author,
        _NOTHING
        if for_visitor and isinstance(payload, ConversationStarted)
        else _untagged(payload, tag),
        envelope.client_message_id,
    )


# Where somebody came from and what he holds is for agents.
_NOTHING = msgspec.Raw(b"{}")


def _untagged(payload: AnyPayload, tag: str) -> msgspec.Raw:
    """The payload's JSON without the tag, which `encode` always puts first."""
    encoded = encode(payload)
    rest = encoded[len('{"type":""') + len(tag) :]
    return msgspec.Raw(b"{" + (rest[1:] if rest.startswith(b",") else rest))


_TAGS: dict[type, str] = {
    kind: str(kind.__struct_config__.tag) for kind in Payload.__subclasses__()
}


def view(state: Conversation) -> ConversationView:
    """As its visitor may see it."""
    return ConversationView(**_common(state), unread=state.visitor_unread)


def row(state: Conversation, *, online: bool) -> Row:
    """As agents may see it in a list."""
    return Row(
        **_common(state),
        unread=state.agent_unread,
        site=state.site_id,
        visitor=RowVisitor(
            id=state.visitor_id,
            name=state.visitor_name,
            email=state.visitor_email,
            verified=state.visitor_verified,
            online=online,
        ),
        language=state.language,
        page=Page(url=state.page_url, title=state.page_title) if state.page_url else None,
        tags=state.tag_list,
    )


def _common(state: Conversation) -> dict[str, Any]:
    return {
        "id": state.id,
        "status": state.status,
        "last_seq": state.last_seq,
        "receipts": receipts(state),
        "started_at": state.started_at,
        "agent": _agent(state),
        "last_message": _last_message(state),
        "waiting_since": state.waiting_since,
        "closed_at": state.closed_at,
        "rating": state.rating,
    }


def receipts(state: Conversation) -> Receipts:
    """How far both sides have got and read."""
    return Receipts(
        visitor=Marks(state.visitor_delivered, state.visitor_read),
        agent=Marks(state.agent_delivered, state.agent_read),
    )


def _agent(state: Conversation) -> AgentName | None:
    if state.agent_id is None:
        return None
    return AgentName(state.agent_id, state.agent_name or "", state.agent_picture)


def _last_message(state: Conversation) -> LastMessage | None:
    if not state.message_seq:
        return None
    return LastMessage(
        state.message_seq,
        state.message_at,
        state.message_author,  # type: ignore[arg-type]
        state.message_text,
    )
