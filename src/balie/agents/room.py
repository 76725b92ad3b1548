"""The room of agents, put together: what its routes and sockets share."""

from collections.abc import Callable

from argon2 import PasswordHasher

from balie.agents.commands import AgentCommands
from balie.agents.model import Agent
from balie.agents.passwords import Passwords
from balie.agents.presence import Change, Presence, Status
from balie.agents.queries import find_agent, find_agents
from balie.agents.sign_in import SignIn
from balie.agents.state import SiteStates
from balie.agents.tickets import Tickets
from balie.edge.auth import cookie_name, cookie_value
from balie.edge.ports import Ports
from balie.edge.settings import EdgeSettings
from balie.kernel.actor import AgentActor, SystemActor
from balie.kernel.errors import UnauthorisedError
from balie.kernel.events import AgentName
from balie.kernel.shapes import AgentState, Desk
from balie.organisations.commands import OrganisationCommands
from balie.organisations.model import Organisation
from balie.organisations.queries import find_organisation


class AgentRoom:
    """One of each, knowing of each other what they must."""

    def __init__(
        self,
        ports: Ports,
        settings: EdgeSettings,
        organisations: OrganisationCommands,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self.ports = ports
        self.settings = settings
        self.passwords = Passwords(ports.entropy, hasher)
        self.commands = AgentCommands(ports, self.passwords, settings.origin)
        self.sign_in = SignIn(ports, self.passwords, settings)
        self.tickets = Tickets(ports.entropy)
        self.presence = Presence()
        self.states = SiteStates(ports, self.presence)
        self.on_sessions_ended(self.tickets.forget)
        self.commands.on_agent_changed.append(
            lambda agent: self.presence.renamed(AgentName(agent.id, agent.name, agent.picture))
        )
        organisations.on_site_changed.append(self.states.forget)

    def on_sessions_ended(self, hears: Callable[[list[str]], None]) -> None:
        """Be told the ids of sessions that ended, right after it is on disk."""
        self.commands.on_sessions_ended.append(hears)
        self.sign_in.on_sessions_ended.append(hears)

    async def admit(
        self, cookie_header: str, ticket: str
    ) -> tuple[AgentActor, Agent, Organisation]:
        """Who opens a socket with this ticket and the cookies of its handshake.

        Raises UnauthorisedError unless the two belong together and the session still counts.
        """
        session_id = self.tickets.redeem(ticket, self.ports.clock())
        token = cookie_value(cookie_header, cookie_name(self.settings))
        actor = await self.sign_in.know(token) if session_id and token else None
        if actor is None or actor.session_id != session_id:
            raise UnauthorisedError("sign in first, and ask for a new ticket")
        known = actor
        agent = await self.ports.store.read(lambda c: find_agent(c, known, known.agent_id))
        return actor, agent, await self.ports.store.read(lambda c: find_organisation(c, known))

    def alive(
        self, actor: AgentActor, connection: str, *, awake: bool, status: Status
    ) -> list[Change]:
        """A sign of life of a socket; returns whose state changed."""
        name = AgentName(actor.agent_id, actor.name, actor.picture)
        now = self.ports.clock()
        return self.presence.seen(
            actor.organisation_id, name, connection, now, awake=awake, status=status
        )

    def left(self, connection: str) -> list[Change]:
        """A socket that closed; returns whose state changed."""
        return self.presence.left(connection, self.ports.clock())

    async def colleagues(self, organisation_id: str) -> tuple[AgentState, ...]:
        """Everybody of an organisation who is not disabled, with his state."""
        inside = SystemActor(organisation_id=organisation_id)
        found = await self.ports.store.read(lambda c: find_agents(c, inside))
        now = self.ports.clock()
        return tuple(
            AgentState(agent.id, agent.name, self.presence.state(agent.id, now), agent.picture)
            for agent in found
            if not agent.disabled
        )

    def desk(self, organisation_id: str) -> Desk:
        """Who sits at the desk now, for visitors."""
        return self.presence.desk(organisation_id, self.ports.clock())
