"""What may happen in a conversation, and what it leads to. Pure: `decide` then `evolve`, no I/O, no clock.

who            while it does not exist   while open                    while closed
Post visitor   started, message          message                       reopened, message
Post agent     not found                 (assigned,) message           reopened, (assigned,) message
Note agent     not found                 note                          note
Take agent     not found                 assigned; taken if another's  closed
Release agent  not found                 released                      closed
Close anyone   not found                 closed                        nothing
Reopen agent   not found                 nothing                       reopened
Rate visitor   not found                 rated                         rated
Tag, Untag     not found                 tagged, untagged              tagged, untagged
Identify       not found                 identified                    identified
See visitor    not found                 page viewed                   nothing
Describe, Track  not found              described, tracked            nothing

Anyone else is refused (`GIVEN_BY`), whatever his door lets him ask.
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from balie.conversations import told
from balie.conversations.acts import (
    AnyCommand,
    Close,
    Command,
    Describe,
    Identify,
    Note,
    Post,
    Rate,
    Release,
    Reopen,
    See,
    Tag,
    Take,
    Track,
    Untag,
)
from balie.conversations.model import PREVIEW, Conversation
from balie.kernel import events as happened
from balie.kernel.actor import Actor, AgentActor, SystemActor, VisitorActor
from balie.kernel.errors import ClosedError, ForbiddenError, NotFoundError, TakenError, TooLongError
from balie.kernel.events import AgentName, AnyPayload, Envelope

GIVEN_BY: dict[type[Command], tuple[type[Actor], ...]] = {
    Post: (VisitorActor, AgentActor),
    Note: (AgentActor,),
    Take: (AgentActor,),
    Release: (AgentActor,),
    Close: (VisitorActor, AgentActor, SystemActor),
    Reopen: (AgentActor,),
    Rate: (VisitorActor,),
    Tag: (AgentActor,),
    Untag: (AgentActor,),
    Identify: (VisitorActor,),
    See: (VisitorActor,),
    Describe: (VisitorActor,),
    Track: (VisitorActor,),
}
"""Who may give which command, whatever door it comes through."""


def decide(state: Conversation | None, command: AnyCommand) -> Sequence[AnyPayload]:
    """The events that `command` leads to. Raises NotFoundError, ForbiddenError, ClosedError or TakenError."""
    if state is None:
        return _begin(command)
    if not may_reach(command.actor, state):
        raise NotFoundError("no such conversation")
    if not isinstance(command.actor, GIVEN_BY[type(command)]):
        raise ForbiddenError("this is for others to do")
    return _DECISIONS[type(command)](state, command)


def may_reach(actor: Actor, state: Conversation) -> bool:
    """Whether the conversation exists for `actor`."""
    if actor.organisation_id != state.organisation_id:
        return False
    if isinstance(actor, VisitorActor):
        return actor.visitor_id == state.visitor_id or (
            actor.contact_id is not None and actor.contact_id == state.contact_id
        )
    return True


def _begin(command: AnyCommand) -> Sequence[AnyPayload]:
    if isinstance(command, Post) and isinstance(command.actor, VisitorActor) and command.opening:
        return command.opening, command.message
    raise NotFoundError("no such conversation")


def _post(state: Conversation, command: Post) -> Sequence[AnyPayload]:
    before: list[AnyPayload] = []
    if state.status == "closed":
        before.append(happened.ConversationReopened())
    if isinstance(command.actor, AgentActor) and (state.agent_id is None or before):
        # Whoever answers first, has it.
        before.append(happened.ConversationAssigned(agent=_name(command.actor)))
    return *before, command.message


def _note(_state: Conversation, command: Note) -> Sequence[AnyPayload]:
    return (command.note,)


def _take(state: Conversation, command: Take) -> Sequence[AnyPayload]:
    _refuse_closed(state)
    if state.agent_id == command.agent.id:
        return ()
    if state.agent_id not in (None, command.taken_from):
        who = state.agent_name or "a colleague"
        raise TakenError(f"{who} has it already", holder=state.agent_id)
    return (happened.ConversationAssigned(agent=command.agent),)


def _release(state: Conversation, _command: Release) -> Sequence[AnyPayload]:
    _refuse_closed(state)
    return (happened.ConversationReleased(),) if state.agent_id else ()


def _close(state: Conversation, command: Close) -> Sequence[AnyPayload]:
    if state.status == "closed":
        return ()
    return (happened.ConversationClosed(by=_side(command.actor)),)


def _reopen(state: Conversation, command: Reopen) -> Sequence[AnyPayload]:
    if state.status == "open":
        return ()
    assert isinstance(command.actor, AgentActor)
    return (
        happened.ConversationReopened(),
        happened.ConversationAssigned(agent=_name(command.actor)),
    )


def _rate(_state: Conversation, command: Rate) -> Sequence[AnyPayload]:
    return (command.rating,)


def _tag(state: Conversation, command: Tag) -> Sequence[AnyPayload]:
    known = command.tag in state.tag_list
    return () if known else (happened.ConversationTagged(tag=command.tag),)


def _untag(state: Conversation, command: Untag) -> Sequence[AnyPayload]:
    known = command.tag in state.tag_list
    return (happened.ConversationUntagged(tag=command.tag),) if known else ()


def _identify(state: Conversation, command: Identify) -> Sequence[AnyPayload]:
    said, known = command.identity, state
    if known.visitor_verified and not said.verified:
        return ()
    same = (said.name, said.email, said.verified, said.visitor, said.contact) == (
        known.visitor_name,
        known.visitor_email,
        known.visitor_verified,
        known.visitor_id,
        known.contact_id,
    )
    return () if same else (said,)


def _see(state: Conversation, command: See) -> Sequence[AnyPayload]:
    if state.status == "closed" or state.page_url == command.page.url:
        return ()
    return (command.page,)


def _describe(state: Conversation, command: Describe) -> Sequence[AnyPayload]:
    said = command.described
    if state.status == "closed":
        return ()
    after = told.merged(state.attributes, said.attributes)
    if after == state.attributes:
        return ()
    if len(after.encode()) > told.MAX_BYTES:
        raise TooLongError(f"attributes are at most {told.MAX_BYTES} bytes of JSON together")
    return (said,)


def _track(state: Conversation, command: Track) -> Sequence[AnyPayload]:
    return () if state.status == "closed" else (command.tracked,)


_DECISIONS: dict[type, Callable[[Conversation, Any], Sequence[AnyPayload]]] = {
    Post: _post,
    Note: _note,
    Take: _take,
    Release: _release,
    Close: _close,
    Reopen: _reopen,
    Rate: _rate,
    Tag: _tag,
    Untag: _untag,
    Identify: _identify,
    See: _see,
    Describe: _describe,
    Track: _track,
}


def _refuse_closed(state: Conversation) -> None:
    if state.status == "closed":
        raise ClosedError("this conversation is closed; reopen it first")


def _name(actor: AgentActor) -> AgentName:
    return AgentName(id=actor.agent_id, name=actor.name, picture=actor.picture)


def _side(actor: Actor) -> happened.ClosedBy:
    if isinstance(actor, SystemActor):
        return "system"
    return "visitor" if isinstance(actor, VisitorActor) else "agent"


# What events do to the state.


def evolve(state: Conversation | None, organisation_id: str, envelope: Envelope) -> Conversation:
    """The state after one more event."""
    payload = envelope.payload
    if isinstance(payload, happened.ConversationStarted):
        return _started(organisation_id, envelope, payload)
    assert state is not None
    changes = _EVOLUTIONS[type(payload)](state, envelope, payload)
    return replace(state, last_seq=envelope.seq, updated_at=envelope.at, **changes)


Changes = dict[str, Any]
"""Fields of a conversation by name, as they shall be. One copy of it is made for all of them."""


def _started(
    organisation_id: str, envelope: Envelope, payload: happened.ConversationStarted
) -> Conversation:
    page = payload.page
    return Conversation(
        id=envelope.conversation_id,
        organisation_id=organisation_id,
        site_id=payload.site,
        visitor_id=envelope.author.id or "",
        contact_id=payload.contact,
        visitor_name=payload.name,
        visitor_email=payload.email,
        visitor_verified=payload.verified,
        started_at=envelope.at,
        updated_at=envelope.at,
        last_seq=envelope.seq,
        language=payload.language,
        page_url=page.url if page else "",
        page_title=page.title if page else "",
    )


def _posted(state: Conversation, envelope: Envelope, payload: happened.MessagePosted) -> Changes:
    seq, at = envelope.seq, envelope.at
    said: Changes = {
        "message_seq": seq,
        "message_at": at,
        "message_author": envelope.author.kind,
        "message_text": preview(payload),
    }
    if envelope.author.kind == "visitor":
        said["waiting_since"] = state.waiting_since or at
        said["agent_unread"] = state.agent_unread + 1
        said["visitor_unread"] = 0
        said["visitor_read"] = said["visitor_delivered"] = seq
    else:
        said["waiting_since"] = None
        said["visitor_unread"] = state.visitor_unread + 1
        said["agent_unread"] = 0
        said["agent_read"] = said["agent_delivered"] = seq
    return said


def _assigned(
    _state: Conversation, _envelope: Envelope, payload: happened.ConversationAssigned
) -> Changes:
    agent = payload.agent
    return {"agent_id": agent.id, "agent_name": agent.name, "agent_picture": agent.picture}


def _released(_state: Conversation, _envelope: Envelope, _payload: AnyPayload) -> Changes:
    return {"agent_id": None, "agent_name": None, "agent_picture": None}


def _closed(_state: Conversation, envelope: Envelope, _payload: AnyPayload) -> Changes:
    return {
        "status": "closed",
        "closed_at": envelope.at,
        "waiting_since": None,
        "agent_unread": 0,
    }


def _reopened(state: Conversation, envelope: Envelope, payload: AnyPayload) -> Changes:
    # Who had it may be gone by now; it waits for whoever is here.
    return _released(state, envelope, payload) | {"status": "open", "closed_at": None}


def _rated(
    _state: Conversation, _envelope: Envelope, payload: happened.ConversationRated
) -> Changes:
    return {"rating": payload.score}


def _tagged(
    state: Conversation, _envelope: Envelope, payload: happened.ConversationTagged
) -> Changes:
    return {"tags": "\n".join(sorted({*state.tag_list, payload.tag}))}


def _untagged(
    state: Conversation, _envelope: Envelope, payload: happened.ConversationUntagged
) -> Changes:
    return {"tags": "\n".join(tag for tag in state.tag_list if tag != payload.tag)}


def _identified(
    state: Conversation, _envelope: Envelope, payload: happened.VisitorIdentified
) -> Changes:
    return {
        "visitor_id": payload.visitor or state.visitor_id,
        "contact_id": payload.contact,
        "visitor_name": payload.name,
        "visitor_email": payload.email,
        "visitor_verified": payload.verified,
    }


def _viewed(_state: Conversation, _envelope: Envelope, payload: happened.PageViewed) -> Changes:
    return {"page_url": payload.url, "page_title": payload.title}


def _described(
    state: Conversation, _envelope: Envelope, payload: happened.VisitorDescribed
) -> Changes:
    return {"attributes": told.merged(state.attributes, payload.attributes)}


def _unchanged(_state: Conversation, _envelope: Envelope, _payload: AnyPayload) -> Changes:
    return {}


_EVOLUTIONS: dict[type, Callable[[Conversation, Envelope, Any], Changes]] = {
    happened.MessagePosted: _posted,
    happened.NotePosted: _unchanged,
    happened.ConversationAssigned: _assigned,
    happened.ConversationReleased: _released,
    happened.ConversationClosed: _closed,
    happened.ConversationReopened: _reopened,
    happened.ConversationRated: _rated,
    happened.ConversationTagged: _tagged,
    happened.ConversationUntagged: _untagged,
    happened.VisitorIdentified: _identified,
    happened.PageViewed: _viewed,
    happened.VisitorDescribed: _described,
    happened.EventTracked: _unchanged,
}


def preview(message: happened.MessagePosted) -> str:
    """The message on one line, for lists."""
    text = message.text or ", ".join(file.name for file in message.files)
    return " ".join(text[: 2 * PREVIEW].split())[:PREVIEW]
