"""The writer of agents, their invitations and pictures. Their sessions are written in `sign_in.py`."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, exists, insert, select, update

from balie.agents import queries, rules
from balie.agents.model import (
    INVITATION_MS,
    Agent,
    Invitation,
    InvitationKind,
    agents,
    invitations,
    pictures,
    sessions,
)
from balie.agents.passwords import Passwords
from balie.agents.pictures import portrait
from balie.edge.policy import Policy, require
from balie.edge.ports import Ports
from balie.edge.text import clean_email, clean_line
from balie.kernel.actor import Actor, AgentActor, Role
from balie.kernel.errors import ConflictError
from balie.kernel.tidings import AgentChanged, SessionsEnded
from balie.organisations.model import Language
from balie.store.scope import EVERYWHERE

NAME_LIMIT = 60


class NewAgent(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to invite."""

    name: str
    email: str
    role: Role = "agent"
    language: Language = "nl"


class AgentChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of an agent; None leaves a field as it is."""

    name: str | None = None
    role: Role | None = None
    language: Language | None = None
    disabled: bool | None = None


class Link(msgspec.Struct, frozen=True):
    """A one-time link. Its token stands behind the `#`, where no server log sees it."""

    url: str
    expires_at: int


class AgentCommands:
    """Makes, invites and changes agents.

    After each commit `on_agent_changed` is told the agent (also when he got a link), and
    `on_sessions_ended` the ids of the sessions that ended with the change, so that their sockets close.
    """

    def __init__(self, ports: Ports, passwords: Passwords, origin: str) -> None:
        self._ports = ports
        self._passwords = passwords
        self._origin = origin
        self.on_agent_changed: list[Callable[[Agent], None]] = []
        self.on_sessions_ended: list[Callable[[list[str]], None]] = []

    async def create_agent(self, actor: Actor, wish: NewAgent) -> tuple[Agent, Link]:
        """A new agent and the link with which he begins.

        Raises ForbiddenError, ConflictError for an address in use, and what the rules raise.
        """
        _require_admin(actor)
        rules.refuse_invite(actor, wish.role)
        agent = self._new_agent(actor.organisation_id, wish)
        token, invitation = self._new_invitation(actor, agent, "invitation")

        def write(connection: Connection) -> None:
            self._insert(connection, agent)
            _put_invitation(connection, invitation, token)
            self._tell_others(connection, agent)

        # An address belongs to one agent in the whole installation.
        await self._ports.store.write(write, of=EVERYWHERE)
        self._tell(agent)
        return agent, self._link(token, invitation)

    async def invite(self, actor: Actor, agent_id: str) -> tuple[Agent, Link]:
        """A new one-time link, for a first password or a new one. Earlier links stop working.

        Raises ForbiddenError, NotFoundError, ConflictError for somebody who is disabled.
        """
        _require_admin(actor)
        agent = await self._ports.store.read(
            lambda c: queries.find_agent(c, actor, agent_id), of=actor.organisation_id
        )
        rules.refuse_invite(actor, agent.role)
        if agent.disabled:
            raise ConflictError("this agent is disabled: enable him first")
        kind: InvitationKind = "password" if agent.active else "invitation"
        token, invitation = self._new_invitation(actor, agent, kind)
        await self._ports.store.write(
            lambda c: _put_invitation(c, invitation, token), of=agent.organisation_id
        )
        self._tell(agent)
        return agent, self._link(token, invitation)

    async def accept(self, token: str, name: str | None, password: str) -> Agent:
        """Use a one-time link: set the password (and at a first time the name), end every session.

        Of many who use one link at once exactly one succeeds; the others get NotFoundError.
        """
        now = self._ports.clock()
        invitation, agent = await self._ports.store.read(
            lambda c: queries.find_invitation(c, token, now), of=EVERYWHERE
        )
        if name is not None and invitation.kind == "invitation":
            name = clean_line(name, NAME_LIMIT, "name")
            agent = msgspec.structs.replace(agent, name=name)
        checked = rules.checked_password(password, agent.email, agent.name)
        hashed = await self._passwords.hash(checked)

        def write(connection: Connection) -> list[str]:
            # Asked again inside the transaction: whoever is second finds it used.
            queries.find_invitation(connection, token, now)
            connection.execute(
                update(invitations).where(invitations.c.id == invitation.id).values(used_at=now)
            )
            connection.execute(
                update(agents)
                .where(agents.c.id == agent.id)
                .values(name=agent.name, password_hash=hashed)
            )
            ended = end_sessions(connection, agent.id)
            self._tell_others(connection, agent, ended)
            return ended

        self._tell(agent, await self._ports.store.write(write, of=agent.organisation_id))
        return msgspec.structs.replace(agent, active=True)

    async def change_agent(self, actor: Actor, agent_id: str, change: AgentChange) -> Agent:
        """Another name, role or language; or disable him, which ends his sessions and links.

        Raises ForbiddenError, NotFoundError, ConflictError for the last owner.
        """
        _require_admin(actor)
        name = None if change.name is None else clean_line(change.name, NAME_LIMIT, "name")

        def write(connection: Connection) -> tuple[Agent, list[str]]:
            agent = queries.find_agent(connection, actor, agent_id)
            others = [o for o in queries.find_agents(connection, actor) if o.id != agent.id]
            rules.refuse_change(actor, agent, others, role=change.role, disabled=change.disabled)
            changed = msgspec.structs.replace(
                agent,
                name=name or agent.name,
                role=change.role or agent.role,
                language=change.language or agent.language,
                disabled=agent.disabled if change.disabled is None else change.disabled,
            )
            self._save(connection, changed)
            ended = end_sessions(connection, agent.id) if changed.disabled else []
            self._tell_others(connection, changed, ended)
            return changed, ended

        changed, ended = await self._ports.store.write(write, of=actor.organisation_id)
        self._tell(changed, ended)
        return changed

    async def change_self(
        self,
        actor: AgentActor,
        *,
        name: str | None = None,
        language: Language | None = None,
        settings: dict[str, Any] | None = None,
    ) -> Agent:
        """What everybody may change about himself. Raises what the rules raise."""
        name = None if name is None else clean_line(name, NAME_LIMIT, "name")
        encoded = (
            None if settings is None else rules.checked_settings(msgspec.json.encode(settings))
        )

        def write(connection: Connection) -> Agent:
            agent = queries.find_agent(connection, actor, actor.agent_id)
            changed = msgspec.structs.replace(
                agent,
                name=name or agent.name,
                language=language or agent.language,
                settings=agent.settings if encoded is None else encoded,
            )
            self._save(connection, changed)
            self._tell_others(connection, changed)
            return changed

        changed = await self._ports.store.write(write, of=actor.organisation_id)
        self._tell(changed)
        return changed

    async def set_picture(self, actor: AgentActor, agent_id: str, image: bytes) -> Agent:
        """Give an agent a picture: one's own, or anybody's by an administrator.

        Raises ForbiddenError, NotFoundError, MalformedError for what is no image, TooLongError.
        """
        if agent_id != actor.agent_id:
            _require_admin(actor)
        agent = await self._ports.store.read(
            lambda c: queries.find_agent(c, actor, agent_id), of=actor.organisation_id
        )
        if agent_id != actor.agent_id:
            rules.refuse_change(actor, agent, [agent])
        digest, content = await asyncio.to_thread(portrait, image)
        path = f"/pictures/{digest}.webp"
        row = {
            "organisation_id": actor.organisation_id,
            "digest": digest,
            "content": content,
        }

        def write(connection: Connection) -> Agent:
            known = (pictures.c.organisation_id == actor.organisation_id) & (
                pictures.c.digest == digest
            )
            if connection.execute(select(pictures.c.digest).where(known)).first() is None:
                connection.execute(insert(pictures), row)
            before = queries.find_agent(connection, actor, agent_id)
            changed = msgspec.structs.replace(before, picture=path)
            self._save(connection, changed)
            _forget_picture(connection, before)
            self._tell_others(connection, changed)
            return changed

        changed = await self._ports.store.write(write, of=actor.organisation_id)
        self._tell(changed)
        return changed

    async def owner_to_be(
        self, wish: NewAgent, password: str
    ) -> Callable[[Connection, str], Agent]:
        """What writes, into the organisation of that id, an agent who has a password from the start; it
        raises ConflictError for an address in use. Raises what the rules raise."""
        checked = rules.checked_password(password, clean_email(wish.email), wish.name)
        hashed = await self._passwords.hash(checked)

        def write(connection: Connection, organisation_id: str) -> Agent:
            agent = self._new_agent(organisation_id, wish)
            self._insert(connection, agent, password_hash=hashed)
            return msgspec.structs.replace(agent, active=True)

        return write

    def _new_agent(self, organisation_id: str, wish: NewAgent) -> Agent:
        return Agent(
            id=self._ports.new_id(),
            organisation_id=organisation_id,
            name=clean_line(wish.name, NAME_LIMIT, "name"),
            email=clean_email(wish.email),
            role=wish.role,
            language=wish.language,
            picture=None,
            disabled=False,
            active=False,
            settings="{}",
        )

    def _insert(
        self, connection: Connection, agent: Agent, password_hash: str | None = None
    ) -> None:
        if queries.find_by_email(connection, agent.email) is not None:
            raise ConflictError("this e-mail address is in use already")
        row = self._agent_row(agent) | {"password_hash": password_hash}
        connection.execute(insert(agents), row)

    def _save(self, connection: Connection, agent: Agent) -> None:
        row = _columns(agent) | {"disabled_at": self._ports.clock() if agent.disabled else None}
        connection.execute(update(agents).where(agents.c.id == agent.id).values(**row))

    def _agent_row(self, agent: Agent) -> dict[str, Any]:
        return _columns(agent) | {
            "id": agent.id,
            "organisation_id": agent.organisation_id,
            "created_at": self._ports.clock(),
        }

    def _new_invitation(
        self, actor: Actor, agent: Agent, kind: InvitationKind
    ) -> tuple[str, Invitation]:
        invitation = Invitation(
            id=self._ports.new_id(),
            organisation_id=agent.organisation_id,
            agent_id=agent.id,
            kind=kind,
            invited_by=actor.name if isinstance(actor, AgentActor) else None,
            expires_at=self._ports.clock() + INVITATION_MS,
        )
        return rules.token_of(self._ports.entropy(rules.TOKEN_BYTES)), invitation

    def _link(self, token: str, invitation: Invitation) -> Link:
        return Link(f"{self._origin}/app/invitation#{token}", invitation.expires_at)

    def _tell_others(
        self, connection: Connection, agent: Agent, ended: list[str] | None = None
    ) -> None:
        tell = self._ports.tell
        tell(connection, agent.organisation_id, AgentChanged(agent.organisation_id, agent.id))
        if ended:
            tell(connection, agent.organisation_id, SessionsEnded(ended))

    def _tell(self, agent: Agent, ended: list[str] | None = None) -> None:
        for told in self.on_agent_changed:
            told(agent)
        if ended:
            for hears in self.on_sessions_ended:
                hears(ended)


def end_sessions(connection: Connection, agent_id: str, *, but: str | None = None) -> list[str]:
    """End an agent's sessions, all but perhaps one, and return their ids."""
    wanted = (sessions.c.agent_id == agent_id) & (sessions.c.id != (but or ""))
    ended = list(connection.execute(select(sessions.c.id).where(wanted)).scalars())
    connection.execute(delete(sessions).where(wanted))
    return ended


def _put_invitation(connection: Connection, invitation: Invitation, token: str) -> None:
    """Keep a link and drop the ones before it."""
    connection.execute(delete(invitations).where(invitations.c.agent_id == invitation.agent_id))
    row = msgspec.structs.asdict(invitation) | {"token_hash": rules.token_hash(token)}
    connection.execute(insert(invitations), row)


def _columns(agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "email": agent.email,
        "role": agent.role,
        "language": agent.language,
        "picture": agent.picture,
        "settings": agent.settings,
    }


def _forget_picture(connection: Connection, before: Agent) -> None:
    """Delete the picture that an agent had, unless a colleague (or he himself) has the very same."""
    shown = exists().where(
        agents.c.organisation_id == before.organisation_id, agents.c.picture == before.picture
    )
    digest = (before.picture or "").removeprefix("/pictures/").removesuffix(".webp")
    connection.execute(
        delete(pictures).where(
            pictures.c.organisation_id == before.organisation_id,
            pictures.c.digest == digest,
            ~shown,
        )
    )


def _require_admin(actor: Actor) -> None:
    """The route asks this too; whoever comes another way is asked here."""
    if isinstance(actor, AgentActor):
        require(Policy.ADMIN, actor)
