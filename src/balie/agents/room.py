"""The room of agents, put together: what its routes and sockets share."""

from collections.abc import Callable

from argon2 import PasswordHasher

from balie.agents.commands import AgentCommands
from balie.agents.passwords import Passwords
from balie.agents.presence import Presence
from balie.agents.sign_in import SignIn
from balie.agents.state import SiteStates
from balie.agents.tickets import Tickets
from balie.edge.ports import Ports
from balie.edge.settings import EdgeSettings
from balie.kernel.actor import AgentActor
from balie.kernel.events import AgentName
from balie.organisations.commands import OrganisationCommands


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
        self.tickets = Tickets(ports)
        self.presence = Presence()
        self.states = SiteStates(ports, self.presence)
        self.commands.on_agent_changed.append(
            lambda agent: self.presence.renamed(AgentName(agent.id, agent.name, agent.picture))
        )
        organisations.on_site_changed.append(self.states.forget)

    def on_sessions_ended(self, hears: Callable[[list[str]], None]) -> None:
        """Be told the ids of sessions that ended, right after it is on disk."""
        self.commands.on_sessions_ended.append(hears)
        self.sign_in.on_sessions_ended.append(hears)

    async def redeem(self, ticket: str, cookie_token: str | None) -> AgentActor | None:
        """Who opens a socket with this ticket and the session cookie of its handshake, if the two belong
        together and the session still counts."""
        session_id = await self.tickets.redeem(ticket)
        actor = await self.sign_in.know(cookie_token) if session_id and cookie_token else None
        return actor if actor is not None and actor.session_id == session_id else None
