"""How far each side has got and read a conversation. Pure, and beside the log: marks are no events."""

from msgspec.structs import replace

from balie.conversations.model import Conversation, Side


def marked(state: Conversation, side: Side, delivered: int, read: int) -> Conversation | None:
    """The state after `side` has got and read so much; None when that was known. Marks only grow, and
    never past the end."""
    read = min(read, state.last_seq)
    delivered = min(max(delivered, read), state.last_seq)
    if side == "visitor":
        return _marked_by_visitor(state, delivered, read)
    return _marked_by_agent(state, delivered, read)


def _marked_by_visitor(state: Conversation, delivered: int, read: int) -> Conversation | None:
    if delivered <= state.visitor_delivered and read <= state.visitor_read:
        return None
    return replace(
        state,
        visitor_delivered=max(delivered, state.visitor_delivered),
        visitor_read=max(read, state.visitor_read),
        visitor_unread=0 if read >= state.message_seq else state.visitor_unread,
    )


def _marked_by_agent(state: Conversation, delivered: int, read: int) -> Conversation | None:
    if delivered <= state.agent_delivered and read <= state.agent_read:
        return None
    return replace(
        state,
        agent_delivered=max(delivered, state.agent_delivered),
        agent_read=max(read, state.agent_read),
        agent_unread=0 if read >= state.message_seq else state.agent_unread,
    )
