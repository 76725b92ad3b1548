"""One life of the server: the real door, sockets, sessions, hub and commands, in simulated time."""

from collections.abc import Callable
from typing import Any

from tests.simulation import storage
from tests.simulation.clockwork import Process

from balie.contacts.commands import ContactCommands
from balie.conversations.commands import ConversationCommands
from balie.conversations.views import row, wire_event
from balie.edge.limits import Limiter, Rate
from balie.edge.ports import Ports
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
NARROW = 300
"""Bytes on their way down that fill a narrow line."""
PAGE = 4
"""Events to a page over HTTP here, so that filling takes several."""


HANDSHAKE = {
    kind: (
        f"GET /ws/{kind} HTTP/1.1\r\nhost: balie.example\r\nupgrade: websocket\r\n"
        "connection: Upgrade\r\nsec-websocket-version: 13\r\n"
        f"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\norigin: {origin}\r\n\r\n"
    ).encode()
    for kind, origin in (("visitor", "https://shop.example"), ("agent", "https://balie.example"))
}


class NoPages:
    """No site has pages of its own here: everybody comes through Balie's frame."""

    async def of_site(self, _site_id: str) -> frozenset[str]:
        return frozenset()

    async def known(self, _origin: str) -> bool:
        return False


class Wire:
    """The server's end of a connection, as a transport of asyncio."""

    def __init__(
        self, world: Any, process: Process, socket: Any, send_down: Callable[[bytes | None], None]
    ) -> None:
        self.world = world
        self.process = process
        self.socket = socket
        self.send_down = send_down
        self.waiting: list[bytes] | None = None
        self.unread = 0
        self.over = False

    def take(self, data: bytes) -> None:
        if self.over:
            return
        if self.waiting is not None:
            self.waiting.append(data)
        else:
            self.socket.data_received(data)

    def write(self, data: bytes) -> None:
        if not self.over and not self.process.dead:
            self.send_down(data)
            self.fill_up(len(data))

    def fill_up(self, size: int) -> None:
        """Where lines are narrow, they take no more for a while."""
        was_full = self.unread > NARROW
        self.unread += size
        if self.world.narrow and self.unread > NARROW and not was_full:
            self.socket.pause_writing()
            self.world.clockwork.after(10 + self.world.lag(), self.process.enter, self.empty)

    def empty(self) -> None:
        self.unread = 0
        if not self.over:
            self.socket.resume_writing()

    def close(self) -> None:
        if not self.over:
            self.write_end()
            self.process.call_soon(self.socket.connection_lost, None)

    # Whoever hangs up here hears no more either: the last words have been sent.
    abort = write_eof = close

    def write_end(self) -> None:
        self.over = True
        if not self.process.dead:
            self.send_down(None)

    def lose(self) -> None:
        if not self.over:
            self.over = True
            self.socket.connection_lost(None)

    def is_closing(self) -> bool:
        return self.over

    def pause_reading(self) -> None:
        self.waiting = self.waiting or []

    def resume_reading(self) -> None:
        waiting, self.waiting = self.waiting, None
        for place, data in enumerate(waiting or ()):
            if self.waiting is not None:
                self.waiting += waiting[place:]
                return
            self.take(data)

    def get_extra_info(self, _name: str) -> Any:
        return ("192.0.2.1", 1)


class Ordered(dict[Any, None]):
    """A set that is walked in the same order every time."""

    def add(self, member: Any) -> None:
        self[member] = None

    def discard(self, member: Any) -> None:
        self.pop(member, None)


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
        self.door.sockets = Ordered()
        self.connections: set[Any] = set()
        self.wires: dict[int, Wire] = {}

    def clock(self) -> int:
        return self.world.clockwork.now

    def services(self) -> Services:
        async def find_site(key: str) -> SiteDoor | None:
            return SITE if key == "K" else None

        async def colleagues(_organisation: str) -> tuple[Any, ...]:
            return ()

        async def signed_in(_cookies: str) -> bool:
            return True

        async def desk(_organisation: str) -> Desk:
            return Desk("here", ())

        rate = self.world.rate
        model = isinstance(self.world.disk, storage.Disk)
        return Services(
            store=self.store,
            conversations=self.commands,
            contacts=ModelContacts(self.store)
            if model
            else ContactCommands(Ports(self.store, self.clock, self.world.chance.randbytes)),
            hub=self.hub,
            clock=self.clock,
            entropy=self.world.chance.randbytes,
            secret=SECRET,
            edge=EdgeSettings("https://balie.example"),
            pages=NoPages(),
            find_site=find_site,
            admit_agent=self.admit,
            is_signed_in=signed_in,
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

    def accept(self, number: int, kind: str, send_down: Callable[[bytes | None], None]) -> None:
        """A client has connected; bytes for it go to `send_down`, and None where the stream ends."""
        self.process.enter(self._accept, number, kind, send_down)

    def _accept(self, number: int, kind: str, send_down: Callable[[bytes | None], None]) -> None:
        socket = self.door(None, self, None)
        wire = self.wires[number] = Wire(self.world, self.process, socket, send_down)
        socket.connection_made(wire)
        wire.take(HANDSHAKE[kind])

    def receive(self, number: int, data: bytes) -> None:
        """Bytes have come from a client."""
        if wire := self.wires.get(number):
            self.process.enter(wire.take, data)

    def lost(self, number: int) -> None:
        """The server has noticed that a connection is gone."""
        if wire := self.wires.pop(number, None):
            self.process.enter(wire.lose)

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

        return await self.store.read(query, of=actor.organisation_id)

    async def inbox(self, actor: AgentActor) -> list[Any]:
        """`GET /conversations`: what an agent's list starts with."""
        states = await self.store.read(
            lambda disk: self.world.read_states(disk, actor), of=actor.organisation_id
        )
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
