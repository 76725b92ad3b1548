"""What connections need of the rest of the house, handed in by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from balie.contacts.commands import ContactCommands
from balie.conversations.commands import ConversationCommands
from balie.conversations.model import Conversation
from balie.edge.cross_origin import Pages
from balie.edge.limits import Limiter, Seats
from balie.edge.settings import EdgeSettings
from balie.kernel.actor import AgentActor
from balie.kernel.ports import Clock, Entropy
from balie.kernel.shapes import AgentSelf, AgentState, Desk, Named
from balie.realtime.hub import Hub
from balie.realtime.protocol.session import Limits
from balie.realtime.relay import NoRelay, Relay
from balie.realtime.tally import LiveTally
from balie.store.engine import LogStore


class SiteDoor(msgspec.Struct, frozen=True):
    """As much of a site as its sockets must know."""

    id: str
    organisation_id: str
    origins: tuple[str, ...]


class AgentEntry(msgspec.Struct, frozen=True):
    """An agent who may come in."""

    actor: AgentActor
    self_view: AgentSelf
    organisation: Named


@dataclass(slots=True)
class Services:
    """Everything a connection asks of others. `presence` callbacks are soft state of agents."""

    store: LogStore[Conversation]
    conversations: ConversationCommands
    contacts: ContactCommands
    hub: Hub
    clock: Clock
    entropy: Entropy
    secret: bytes
    edge: EdgeSettings
    pages: Pages
    find_site: Callable[[str], Awaitable[SiteDoor | None]]
    admit_agent: Callable[[str, str], Awaitable[AgentEntry]]
    """(cookie header, ticket) → entry; raises UnauthorisedError."""
    is_signed_in: Callable[[str], Awaitable[bool]]
    """Whether the sign-in of a cookie header lasts."""
    agent_alive: Callable[[AgentActor, str, bool, str], None]
    """(actor, connection, awake, status)"""
    agent_left: Callable[[AgentActor, str], None]
    colleagues: Callable[[str], Awaitable[tuple[AgentState, ...]]]
    desk: Callable[[str], Awaitable[Desk]]
    post_limit: Limiter
    """By visitor or agent: messages."""
    start_limit: Limiter
    """By address: new connections and new conversations."""
    limits: Limits = field(default_factory=Limits)
    address_seats: Seats = field(default_factory=lambda: Seats(1_000))
    """By address: connections at the same time."""
    visitor_seats: Seats = field(default_factory=lambda: Seats(100))
    """By visitor: idem; every tab has one."""
    relay: Relay = field(default_factory=NoRelay)
    tally: LiveTally = field(default_factory=LiveTally)
    heartbeat_ms: int = 25_000
