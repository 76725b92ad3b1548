"""One life of the server: the real door, sockets, sessions, hub and commands, in simulated time."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.simulation import storage
from tests.simulation.clockwork import Process

from balie.contacts.commands import ContactCommands
from balie.conversations.commands import ConversationCommands
from balie.conversations.views import row, wire_event
from balie.edge.limits import Limiter, Rate
from balie.edge.settings import EdgeSettings
from balie.kernel.actor import AgentActor, VisitorActor
from balie.kernel.errors import BalieError, UnauthorisedError
from balie.kernel.shapes import AgentSelf, Desk, Named
from balie.realtime import visitor as visitor_door
from balie.realtime.hub import Hub
from balie.realtime.protocol import frames as f
from balie.realtime.services import AgentEntry, Services, SiteDoor
from balie.realtime.ws import SocketDoor

ORGANISATION = "o0000000-0000-7000-8000-000000000000"
SITE = SiteDoor("50000000-0000-7000-8000-000000000000", ORGANISATION, ("https://shop.example",))
SECRET = b"a secret of the simulation"
PAGE = 4
"""Events to a page over HTTP here, so that filling takes several."""


class ModelContacts:
    """Remembers visitors as quickly as the model of the log."""

    def __init__(self, store: storage.Store) -> None:
        self.store = store

    async def remember(self, _visitor: Any) -> None:
        await self.store.pause()


class Server:
    """A process. `crash` ends it at once, `drain` as a new version would."""

    def __init__(self, world: Any) -> None:
        self.world = world
        chance = world.chance
        self.process = Process(world.clockwork)
        self.store = storage.Store(
            world.disk, self.process, chance.uniform0, world.store_fails, world.reading
        )
        self.hub = Hub()
        self.commands = ConversationCommands(self.store, self.clock)
        self.store.on_appended = self.hub.committed
        self.store.on_touched = self.hub.touched
        self.door = SocketDoor(self.services())
        self.inboxes: dict[int, asyncio.Queue[Any]] = {}

    def clock(self) -> int:
        return self.world.clockwork.now

    def services(self) -> Services:
        async def find_site(key: str) -> SiteDoor | None:
            return SITE if key == "K" else None

        async def colleagues(_organisation: str) -> tuple[Any, ...]:
            return ()

        async def desk(_organisation: str) -> Desk:
            return Desk("here")

        rate = self.world.rate
        model = isinstance(self.world.disk, storage.Disk)
        return Services(
            store=self.store,
            conversations=self.commands,
            contacts=ModelContacts(self.store)
            if model
            else ContactCommands(self.store, self.clock, self.world.chance.randbytes),
            hub=self.hub,
            clock=self.clock,
            entropy=self.world.chance.randbytes,
            secret=SECRET,
            edge=EdgeSettings("https://balie.example"),
            find_site=find_site,
            admit_agent=self.admit,
            agent_alive=lambda *_: None,
            agent_left=lambda *_: None,
            colleagues=colleagues,
            desk=desk,
            post_limit=Limiter(rate),
            start_limit=Limiter(Rate(burst=100_000, refill_ms=1)),
            limits=self.world.limits,
        )

    async def admit(self, _cookie: str, ticket: str) -> AgentEntry:
        actor = self.world.agents.get(ticket)
        if actor is None:
            raise UnauthorisedError("no such agent")
        await self.store.pause()
        return AgentEntry(
            actor,
            AgentSelf(actor.agent_id, actor.name, "a@balie.example", "agent", "nl"),
            Named(ORGANISATION, "Kade 9"),
        )

    # Sockets.

    def accept(self, number: int, kind: str, send_down: Callable[[dict[str, Any]], None]) -> None:
        """A client has connected; messages to it go to `send_down`."""
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self.inboxes[number] = queue
        queue.put_nowait({"type": "websocket.connect"})
        origin = b"https://shop.example" if kind == "visitor" else b"https://balie.example"
        scope = {
            "type": "websocket",
            "path": f"/ws/{kind}",
            "client": ("192.0.2.1", 1),
            "headers": [(b"origin", origin)],
        }

        async def send(message: dict[str, Any]) -> None:
            if not self.process.dead:
                send_down(message)

        async def serve() -> None:
            await self.door(scope, queue.get, send)

        self.process.enter(lambda: self.process.create_task(serve()))

    def receive(self, number: int, text: str) -> None:
        """A message has come from a client."""
        queue = self.inboxes.get(number)
        if queue is not None:
            message = {"type": "websocket.receive", "text": text}
            self.process.enter(queue.put_nowait, message)

    def lost(self, number: int) -> None:
        """The server has noticed that a connection is gone."""
        queue = self.inboxes.pop(number, None)
        if queue is not None:
            self.process.enter(queue.put_nowait, {"type": "websocket.disconnect"})

    # HTTP, as far as people here use it.

    def ask(self, work: Any, answer: Callable[[Any, BaseException | None], None]) -> None:
        """Run a request; `answer` gets its result unless the process dies before."""

        async def serve() -> None:
            try:
                result = await work
            except BalieError as error:
                answer(None, error)
            else:
                answer(result, None)

        self.process.enter(lambda: self.process.create_task(serve()))

    async def page(self, actor: Any, conversation: str, after: int | None, before: int | None):
        """`GET …/events`: the part that a client fills big holes with."""

        def query(disk: Any) -> list[bytes]:
            envelopes = self.world.read_events(disk, actor, conversation)
            if after is not None:
                chosen = [each for each in envelopes if each.seq > after][:PAGE]
            else:
                chosen = [each for each in envelopes if each.seq < before][-PAGE:]
            visitor = isinstance(actor, VisitorActor)
            return [wire_event(each, for_visitor=visitor) for each in chosen]

        return await self.store.read(query)

    async def inbox(self, actor: AgentActor) -> list[Any]:
        """`GET /conversations`: what an agent's list starts with."""
        states = await self.store.read(lambda disk: self.world.read_states(disk, actor))
        return [row(state, online=False) for state in states]

    # Endings.

    def crash(self) -> None:
        self.process.kill()

    def drain(self) -> None:
        """Announce the end and close; what is queued is still written and told."""
        notice = visitor_door.encode(f.Draining(1_000))
        self.process.enter(self.hub.broadcast, notice)
        for listener in self.hub.everyone():
            self.process.enter(listener.end, f.Close.RESTART, "restarting")
