"""All reads of agents. Each sees no further than the actor's organisation.

The exceptions are doors, where nobody is known yet: a session's token, an invitation's token, the address at
sign-in, and the public address of a picture.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from balie.agents.model import Agent, Invitation, Session, agents, invitations, pictures, sessions
from balie.agents.rules import session_lives, token_hash
from balie.kernel.actor import Actor, AgentActor
from balie.kernel.errors import NotFoundError
from balie.store.keepers import chunks

NO_AGENT = "no such agent"


def find_agents(connection: Connection, actor: Actor) -> list[Agent]:
    """The organisation's agents by name, the disabled ones too."""
    mine = agents.c.organisation_id == actor.organisation_id
    order = func.lower(agents.c.name), agents.c.id
    return [_agent(row) for row in connection.execute(select(agents).where(mine).order_by(*order))]


def find_agent(connection: Connection, actor: Actor, agent_id: str) -> Agent:
    """One agent. Raises NotFoundError, also for an agent of another organisation."""
    wanted = (agents.c.organisation_id == actor.organisation_id) & (agents.c.id == agent_id)
    row = connection.execute(select(agents).where(wanted)).first()
    if row is None:
        raise NotFoundError(NO_AGENT)
    return _agent(row)


def find_open_invitations(connection: Connection, actor: Actor, now: int) -> dict[str, int]:
    """When the open link of each agent who has one expires, by agent id."""
    wanted = (
        (invitations.c.organisation_id == actor.organisation_id)
        & invitations.c.used_at.is_(None)
        & (invitations.c.expires_at > now)
    )
    columns = invitations.c.agent_id, invitations.c.expires_at
    rows = connection.execute(select(*columns).where(wanted))
    return {row.agent_id: row.expires_at for row in rows}


def find_sessions(connection: Connection, actor: AgentActor, now: int) -> list[Session]:
    """The actor's own sessions that still count, the latest first."""
    wanted = (sessions.c.organisation_id == actor.organisation_id) & (
        sessions.c.agent_id == actor.agent_id
    )
    rows = connection.execute(
        select(sessions).where(wanted).order_by(sessions.c.last_seen_at.desc(), sessions.c.id)
    )
    return [session for session in map(_session, rows) if session_lives(session, now)]


def find_ended(connection: Connection, session_ids: Iterable[str], now: int) -> list[str]:
    """Which of these sessions count no longer: expired, or ended by another process."""
    ended = set(session_ids)
    for some in chunks(tuple(ended)):
        rows = connection.execute(select(sessions).where(sessions.c.id.in_(some)))
        ended -= {each.id for each in map(_session, rows) if session_lives(each, now)}
    return sorted(ended)


def find_by_token(connection: Connection, token: str, now: int) -> tuple[Session, Agent] | None:
    """The door of every request: whose session a token is."""
    wanted = sessions.c.token_hash == token_hash(token)
    row = connection.execute(select(sessions).where(wanted)).first()
    if row is None or not session_lives(session := _session(row), now):
        return None
    agent = _agent_by(connection, agents.c.id == session.agent_id)
    return (session, agent) if agent is not None and not agent.disabled else None


def find_by_email(connection: Connection, email: str) -> tuple[Agent, str | None] | None:
    """The door of sign-in: who uses an address, and the hash of his password."""
    row = connection.execute(select(agents).where(agents.c.email == email)).first()
    return (_agent(row), row.password_hash) if row is not None else None


def find_password_hash(connection: Connection, actor: AgentActor) -> str | None:
    """The hash of the actor's own password."""
    wanted = (agents.c.organisation_id == actor.organisation_id) & (agents.c.id == actor.agent_id)
    return connection.execute(select(agents.c.password_hash).where(wanted)).scalar()


def find_invitation(connection: Connection, token: str, now: int) -> tuple[Invitation, Agent]:
    """The door of one-time links. Raises NotFoundError for one unknown, used or expired."""
    wanted = (
        (invitations.c.token_hash == token_hash(token))
        & invitations.c.used_at.is_(None)
        & (invitations.c.expires_at > now)
    )
    row = connection.execute(select(invitations).where(wanted)).first()
    agent = _agent_by(connection, agents.c.id == row.agent_id) if row is not None else None
    if row is None or agent is None or agent.disabled:
        raise NotFoundError("this link does not work any more: ask for a new one")
    return _invitation(row), agent


def find_picture(connection: Connection, digest: str) -> bytes:
    """A picture by the hash of its bytes; whoever knows it has seen it. Raises NotFoundError."""
    wanted = pictures.c.digest == digest
    content = connection.execute(select(pictures.c.content).where(wanted).limit(1)).scalar()
    if content is None:
        raise NotFoundError("no such picture")
    return bytes(content)


def actor_of(agent: Agent, session_id: str) -> AgentActor:
    """An agent as the one who asks."""
    return AgentActor(
        organisation_id=agent.organisation_id,
        agent_id=agent.id,
        name=agent.name,
        role=agent.role,
        session_id=session_id,
        picture=agent.picture,
    )


def _agent_by(connection: Connection, wanted: Any) -> Agent | None:
    row = connection.execute(select(agents).where(wanted)).first()
    return _agent(row) if row is not None else None


def _agent(row: Row[Any]) -> Agent:
    return Agent(
        id=row.id,
        organisation_id=row.organisation_id,
        name=row.name,
        email=row.email,
        role=row.role,
        language=row.language,
        picture=row.picture,
        disabled=row.disabled_at is not None,
        active=row.password_hash is not None,
        settings=row.settings,
    )


def _session(row: Row[Any]) -> Session:
    fields = {name: getattr(row, name) for name in Session.__struct_fields__}
    return msgspec.convert(fields, Session)


def _invitation(row: Row[Any]) -> Invitation:
    fields = {name: getattr(row, name) for name in Invitation.__struct_fields__}
    return msgspec.convert(fields, Invitation)
