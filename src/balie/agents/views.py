"""The shapes in which agents go over the wire. Times are milliseconds since 1970 UTC."""

import msgspec

from balie.agents import rules
from balie.agents.commands import Link
from balie.agents.model import Agent, Invitation, InvitationKind, Session
from balie.agents.presence import State
from balie.kernel.actor import Role
from balie.organisations.model import Language, Organisation


class AgentSelf(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An agent as he sees himself. `settings` is what the console stored, any JSON object up to 4 KiB."""

    id: str
    name: str
    email: str
    role: Role
    language: Language
    picture: str | None = None
    settings: msgspec.Raw


class OrganisationName(msgspec.Struct, frozen=True):
    id: str
    name: str


class SessionView(msgspec.Struct, frozen=True):
    """Who is signed in, and where he works."""

    agent: AgentSelf
    organisation: OrganisationName


class OpenLink(msgspec.Struct, frozen=True):
    """A one-time link that is out."""

    expires_at: int


class AgentView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An agent as colleagues see him; `email` and `invitation` are for administrators."""

    id: str
    name: str
    email: str | None = None
    role: Role
    language: Language
    picture: str | None = None
    disabled: bool
    active: bool
    """Has chosen a password."""
    state: State
    invitation: OpenLink | None = None


class AgentList(msgspec.Struct, frozen=True):
    data: list[AgentView]
    next_cursor: str | None = None


class Invited(msgspec.Struct, frozen=True):
    """An agent and the link to hand to him. It is shown this once."""

    agent: AgentView
    invitation: Link


class SignInSession(msgspec.Struct, frozen=True, kw_only=True):
    """One of one's own sessions. `device` is browser and system; `address` is cut short."""

    id: str
    device: str
    address: str
    created_at: int
    last_seen_at: int
    current: bool


class SessionList(msgspec.Struct, frozen=True):
    data: list[SignInSession]
    next_cursor: str | None = None


class InvitationView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a one-time link opens."""

    kind: InvitationKind
    name: str
    email: str
    language: Language
    organisation: OrganisationName
    invited_by: str | None = None
    expires_at: int


class TicketView(msgspec.Struct, frozen=True):
    """Opens one socket within 30 seconds."""

    ticket: str


class PictureView(msgspec.Struct, frozen=True):
    picture: str


def self_view(agent: Agent) -> AgentSelf:
    return AgentSelf(
        id=agent.id,
        name=agent.name,
        email=agent.email,
        role=agent.role,
        language=agent.language,
        picture=agent.picture,
        settings=msgspec.Raw(agent.settings.encode()),
    )


def session_view(agent: Agent, organisation: Organisation) -> SessionView:
    return SessionView(self_view(agent), OrganisationName(organisation.id, organisation.name))


def agent_view(
    agent: Agent, state: State = "offline", *, whole: bool, link_expires_at: int | None = None
) -> AgentView:
    return AgentView(
        id=agent.id,
        name=agent.name,
        email=agent.email if whole else None,
        role=agent.role,
        language=agent.language,
        picture=agent.picture,
        disabled=agent.disabled,
        active=agent.active,
        state=state,
        invitation=OpenLink(link_expires_at) if whole and link_expires_at is not None else None,
    )


def sign_in_session(session: Session, current_id: str) -> SignInSession:
    return SignInSession(
        id=session.id,
        device=rules.device_name(session.user_agent),
        address=session.address,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        current=session.id == current_id,
    )


def invitation_view(
    invitation: Invitation, agent: Agent, organisation: Organisation
) -> InvitationView:
    return InvitationView(
        kind=invitation.kind,
        name=agent.name,
        email=agent.email,
        language=agent.language,
        organisation=OrganisationName(organisation.id, organisation.name),
        invited_by=invitation.invited_by,
        expires_at=invitation.expires_at,
    )
