"""An agent's connection: an open console."""

from msgspec.structs import replace

from balie.conversations import commands
from balie.conversations.acts import Note, Post
from balie.edge.limits import limit_key
from balie.edge.origins import same_origin
from balie.kernel.actor import AgentActor
from balie.kernel.errors import ForbiddenError
from balie.kernel.events import AgentName
from balie.realtime.connection import Connection, Transport
from balie.realtime.protocol import effects as do
from balie.realtime.protocol import frames as f
from balie.realtime.protocol.session import encode
from balie.realtime.services import Services


class AgentConnection(Connection):
    """A console. Needs the session's cookie in the handshake and a ticket in `hello`."""

    kind = "agent"

    def __init__(
        self,
        services: Services,
        transport: Transport,
        *,
        origin: str,
        address: str,
        cookies: str,
    ) -> None:
        super().__init__(services, transport)
        self._origin = origin
        self._address = address
        self.cookies = cookies
        self.actor: AgentActor | None = None
        self.agent_id = ""
        self.session_id = ""
        self._is_to_list_again = False

    async def greet(self, hello: f.AgentHello) -> list[do.Effect]:
        services = self.services
        services.start_limit.take(f"hello:{limit_key(self._address)}", services.clock())
        if not same_origin(self._origin, services.edge.origins):
            raise ForbiddenError("open the console at its own address")
        entry = await services.admit_agent(self.cookies, hello.ticket)
        self.actor, self.agent_id = entry.actor, entry.actor.agent_id
        self.session_id, self.organisation_id = entry.actor.session_id, entry.actor.organisation_id
        with self.holding() as held:
            services.hub.join_agent(self)
            services.agent_alive(entry.actor, self.id, True, "available")  # noqa: FBT003
            welcome = f.AgentWelcome(
                session=self.id,
                now=services.clock(),
                heartbeat_ms=services.heartbeat_ms,
                agent=entry.self_view,
                organisation=entry.organisation,
                agents=await services.colleagues(self.organisation_id),
            )
        return [*self.session.greeted(encode(welcome), hello.resume), *map(do.Send, held)]

    def list_rows(self, frame: bytes) -> None:
        """Send rows on, or, where too much waits already, ask for the lists anew when there is room."""
        if self._is_to_list_again:
            return
        if self._outbox.takes(len(frame)):
            self.push(frame)
        else:
            self._is_to_list_again = True
            self.later(self._list_again())

    async def _list_again(self) -> None:
        await self._outbox.room()
        self._is_to_list_again = False
        self.push(encode(f.ConversationsGone(())))

    def rename(self, name: AgentName) -> None:
        self.actor = replace(self._greeted_actor, name=name.name, picture=name.picture)

    @property
    def limit_key(self) -> str:
        return f"agent:{self.agent_id}"

    def plain_command(self, frame: f.Post | f.Note) -> Post | Note:
        if isinstance(frame, f.Post):
            return super().plain_command(frame)
        actor = self._greeted_actor
        return commands.note(actor, frame.conversation, frame.client_message_id, frame.text)

    def tell(self, frame: f.Mark | f.TypingOn | f.PageMoved | f.Alive) -> None:
        actor = self._greeted_actor
        if isinstance(frame, f.Mark):
            self.mark(frame)
        elif isinstance(frame, f.TypingOn):
            self.type_on(frame, f.TypingBy(kind="agent", id=actor.agent_id, name=actor.name))
        elif isinstance(frame, f.Alive):
            self.services.agent_alive(actor, self.id, frame.awake, frame.status)

    @property
    def _greeted_actor(self) -> AgentActor:
        assert self.actor is not None
        return self.actor

    def leave(self) -> None:
        super().leave()
        if self.actor is not None:
            self.services.hub.leave_agent(self, tuple(self.session.following))
            self.services.agent_left(self.actor, self.id)
