"""What a visitor's browser may do over HTTP."""

from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from balie.contacts import tokens
from balie.contacts.identity import verify
from balie.contacts.model import Visitor, new_visitor
from balie.contacts.queries import find_visitor
from balie.conversations import commands, queries, told
from balie.conversations.acts import Close, Describe, Rate, Track
from balie.conversations.api.services import (
    AckView,
    NewMessage,
    Services,
    Visiting,
    ack_view,
)
from balie.conversations.model import Conversation
from balie.edge.policy import Policy
from balie.edge.text import clean_email, clean_optional_line
from balie.kernel.actor import VisitorActor
from balie.kernel.errors import MalformedError
from balie.kernel.events import ConversationRated, ConversationStarted, VisitorIdentified
from balie.kernel.shapes import VisitorSelf
from balie.organisations.queries import find_keys, find_site

VISITOR = {"policy": Policy.VISITOR}


class IdentityClaim(msgspec.Struct, frozen=True):
    """Either a `token` signed by the site's server, or what the visitor says of himself."""

    token: Annotated[str, Meta(max_length=8_192)] | None = None
    name: Annotated[str, Meta(max_length=300)] | None = None
    email: Annotated[str, Meta(max_length=300)] | None = None


class Attributes(msgspec.Struct, frozen=True):
    """What the page says of its visitor, by name; null takes a name back."""

    attributes: dict[str, Any]


class NewEvent(msgspec.Struct, frozen=True):
    """Something that happened on the page; `detail` is any JSON."""

    name: Annotated[str, Meta(max_length=300)]
    detail: Any = None


class NewRating(msgspec.Struct, frozen=True):
    score: Annotated[int, Meta(ge=1, le=5)]
    comment: Annotated[str, Meta(max_length=2_000)] = ""


@post("/visitor/messages", opt=VISITOR, status_code=200)
async def post_own_message(
    visitor: Visiting,
    services: Services,
    request: Request[Any, Any, Any],
    data: JSONBody[NewMessage],
) -> AckView:
    """Say something; without a conversation, start one."""
    services.post_limit.take(f"visitor:{visitor.visitor_id}", services.ports.clock())
    opening = None
    if data.conversation is None:
        opening = await _opening(services, visitor, request.headers.get("user-agent", ""))
    bare = commands.post(
        visitor,
        data.conversation,
        data.client_message_id,
        data.text,
        with_files=bool(data.files),
        opening=opening,
    )
    command = await services.conversations.with_files(bare, data.files)
    return ack_view(data.client_message_id, await services.conversations.run(command))


async def _opening(services: Services, actor: VisitorActor, user_agent: str) -> ConversationStarted:
    known = await _known(services, actor, user_agent)
    await services.contacts.remember(known)
    return ConversationStarted(
        site=actor.site_id,
        language=known.language,
        name=known.name,
        email=known.email,
        verified=known.verified,
        contact=known.contact_id,
    )


async def _known(services: Services, actor: VisitorActor, user_agent: str) -> Visitor:
    known = await find_visitor(services.store, actor, actor.visitor_id)
    return known or new_visitor(actor, services.ports.clock(), None, user_agent, "")


@put("/visitor/identity", opt=VISITOR)
async def identify(
    visitor: Visiting,
    services: Services,
    request: Request[Any, Any, Any],
    data: JSONBody[IdentityClaim],
) -> VisitorSelf:
    """Say or prove who one is. A proof answers with a new token; the old one then opens nothing."""
    known = await _known(services, visitor, request.headers.get("user-agent", ""))
    if data.token is not None:
        return await _proved(services, visitor, known, data.token)
    return await _said(services, visitor, known, data)


async def _proved(
    services: Services, actor: VisitorActor, known: Visitor, token: str
) -> VisitorSelf:
    site = await services.store.read(
        lambda c: find_site(c, actor, actor.site_id), of=actor.organisation_id
    )
    keys = await services.store.read(
        lambda c: find_keys(c, actor, actor.site_id), of=actor.organisation_id
    )
    proof = verify(token, site.key, keys, services.ports.clock())
    recognised, replaced = await services.contacts.recognise(known, proof)
    identity = VisitorIdentified(
        name=proof.name,
        email=proof.email,
        verified=True,
        external_id=proof.external_id,
        visitor=recognised.id,
        contact=recognised.contact_id,
    )
    close_old = partial(services.on_replaced, actor.visitor_id) if replaced else _nothing
    if known.verified and replaced:
        # Somebody else: what the one before wrote on this browser stays his, and is not looked for.
        close_old()
        return _self_view(services, recognised, None)
    await services.conversations.hand_over(actor, identity, close_old)
    former = actor.visitor_id if replaced else actor.former_id
    return _self_view(services, recognised, former)


def _nothing() -> None:
    pass


async def _said(
    services: Services, actor: VisitorActor, known: Visitor, claim: IdentityClaim
) -> VisitorSelf:
    if known.verified:
        return _self_view(services, known, actor.former_id)
    name = clean_optional_line(claim.name or "", 120, "name") or None
    email = clean_email(claim.email) if claim.email and claim.email.strip() else None
    if name is None and email is None:
        raise MalformedError("say a name or an e-mail address")
    await services.contacts.remember(known)
    await services.contacts.rename(known, name, email)
    identity = VisitorIdentified(
        name=name, email=email, visitor=actor.visitor_id, contact=known.contact_id
    )
    await services.conversations.hand_over(actor, identity, _nothing)
    known = msgspec.structs.replace(known, name=name, email=email)
    return _self_view(services, known, actor.former_id)


def _self_view(services: Services, visitor: Visitor, former_id: str | None) -> VisitorSelf:
    actor = VisitorActor(
        organisation_id=visitor.organisation_id,
        site_id=visitor.site_id,
        visitor_id=visitor.id,
        contact_id=visitor.contact_id,
        former_id=former_id,
    )
    return VisitorSelf(
        id=visitor.id,
        token=tokens.issue(services.secret, actor, services.ports.clock()),
        name=visitor.name,
        email=visitor.email,
        verified=visitor.verified,
    )


@put("/visitor/attributes", opt=VISITOR, status_code=204)
async def describe(visitor: Visiting, services: Services, data: JSONBody[Attributes]) -> None:
    """Let the agents of his open conversations see what the page says of a visitor."""
    services.told_limit.take(visitor.visitor_id, services.ports.clock())
    said = told.described(data.attributes)
    for state in await _open_conversations(services, visitor):
        await services.conversations.run(
            Describe(actor=visitor, conversation_id=state.id, described=said)
        )


@post("/visitor/events", opt=VISITOR, status_code=204)
async def track(visitor: Visiting, services: Services, data: JSONBody[NewEvent]) -> None:
    """Let the agents of his open conversations see what happened on the page."""
    services.told_limit.take(visitor.visitor_id, services.ports.clock())
    event = told.tracked(data.name, data.detail)
    for state in await _open_conversations(services, visitor):
        await services.conversations.run(
            Track(actor=visitor, conversation_id=state.id, tracked=event)
        )


async def _open_conversations(services: Services, actor: VisitorActor) -> list[Conversation]:
    owned = await queries.find_own_conversations(services.store, actor)
    return [state for state in owned if state.status == "open"]


@put("/visitor/conversations/{conversation_id:str}/closure", opt=VISITOR, status_code=204)
async def close_own(visitor: Visiting, services: Services, conversation_id: FromPath[str]) -> None:
    """End a conversation; again is fine."""
    await services.conversations.run(Close(actor=visitor, conversation_id=conversation_id))


@put("/visitor/conversations/{conversation_id:str}/rating", opt=VISITOR, status_code=204)
async def rate_own(
    visitor: Visiting,
    services: Services,
    conversation_id: FromPath[str],
    data: JSONBody[NewRating],
) -> None:
    """Say what one thinks of it; the last word counts."""
    rating = ConversationRated(score=data.score, comment=data.comment.replace("\0", ""))
    await services.conversations.run(
        Rate(actor=visitor, conversation_id=conversation_id, rating=rating)
    )


HANDLERS = [
    post_own_message,
    identify,
    describe,
    track,
    close_own,
    rate_own,
]
