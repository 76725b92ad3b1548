"""A whole little world from one seed: people, a network, a server that crashes, and how it ends."""

import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import Mock, patch

from tests.simulation import storage
from tests.simulation.bugs import planted
from tests.simulation.chance import Chance
from tests.simulation.clockwork import Clockwork, RestlessError
from tests.simulation.history import History
from tests.simulation.network import Link
from tests.simulation.people import Client, Console, Tab, link_between
from tests.simulation.server import ORGANISATION, Server
from tests.simulation.watch import WatchedSession

from balie.conversations import queries
from balie.conversations.queries import EventPage
from balie.edge.limits import Rate
from balie.kernel.actor import Actor, AgentActor
from balie.realtime import connection, outbox, visitor, ws
from balie.realtime.protocol import client_pace, frames
from balie.realtime.protocol.session import Limits
from balie.store import writer

START = 1_790_000_000_000
REST = 120_000
"""Milliseconds without faults in which everything must heal; the longest timer of a client is 30 s."""


class World:
    """One schedule. `run` plays it; `history.findings` says what went wrong."""

    organisation = ORGANISATION

    def __init__(self, seed: int, disk: Any, bug: str | None = None) -> None:
        self.bug = bug
        self.chance = Chance(seed)
        self.disk = disk
        self.clockwork = Clockwork(START)
        self.history = History()
        self.calm = False
        self.server: Server | None = None
        self.clients: dict[str, Client] = {}
        self.links: list[tuple[Link, Client, Server]] = []
        self.draw()
        self.agents = {name: agent_called(name) for name in ("anna", "bram")[: self.consoles]}

    def draw(self) -> None:
        """What kind of world this is."""
        chance = self.chance
        self.tabs = chance.choice((1, 1, 2, 2, 3))
        self.consoles = chance.choice((0, 1, 1, 2))
        self.acts = chance.randint(4, 30)
        self.length = chance.choice((1_500, 4_000, 12_000))
        self.slowest = chance.choice((5, 60, 600))
        self.faults = chance.choice((0, 1, 2, 4, 8))
        self.failing = chance.choice((0.0, 0.0, 0.05, 0.2))
        self.stuttering = chance.choice((0.0, 0.0, 0.1))
        self.reading = chance.choice((10, 10, 300))
        self.max_fill = chance.choice((3, 6, 200))
        self.limits = chance.choice((Limits(), Limits(), Limits(frames=3, frame_burst=2)))
        self.rate = chance.choice((Rate(1_000, 1), Rate(1_000, 1), Rate(2, 300)))
        # A line that takes little at once, to somebody who misses much.
        self.narrow = chance.happens(0.2)
        # In some worlds people come back from a long silence with much to say in many conversations.
        self.crowded = chance.happens(0.04)
        if self.crowded:
            self.slowest = min(self.slowest, 60)
            self.length, self.faults = 12_000, min(self.faults, 2)
            # A twentieth of what is usual, of what clients send by themselves as well.
            self.limits = Limits(frames=5, frame_burst=50, refused=0.1, refused_burst=15)

    def run(self) -> History:
        with self.rules_of_this_world():
            try:
                self.play()
            except RestlessError as error:
                self.history.find("restless", str(error))
        if self.server is not None:
            self.server.crash()
        return self.history

    def play(self) -> None:
        self.begin()
        clockwork, chance = self.clockwork, self.chance
        for _ in range(self.acts):
            clockwork.after(chance.uniform0(self.length), self.someone_acts)
        if self.crowded:
            self.crowd()
        for _ in range(self.faults):
            clockwork.after(chance.uniform0(self.length), self.something_breaks)
        clockwork.run(START + self.length + 2_000)
        self.calm = True
        if self.server is None:
            self.boot()
        clockwork.run(clockwork.now + REST)
        self.history.check(self)

    def begin(self) -> None:
        self.boot()
        browser: dict[str, Any] = {}
        for number in range(self.tabs):
            # A third tab is another visitor; a second one opens when the browser has its token.
            if number == 2:
                browser = {}
            name = f"tab{number}"
            tab = self.clients[name] = Tab(self, name, browser)
            self.open_tab(tab, first=number != 1)
        for name, actor in self.agents.items():
            console = self.clients[name] = Console(self, name, actor)
            console.open()

    def crowd(self) -> None:
        """Many conversations begin; then all are cut off, go on writing in each, and come back."""
        for client in self.clients.values():
            if isinstance(client, Tab):
                client.later(500, client.begin_many, 12)
            client.later(7_000, client.go_silent, 4_000)

    def open_tab(self, tab: Tab, *, first: bool) -> None:
        if first or tab.browser:
            tab.open()
        else:
            tab.later(100, partial(self.open_tab, tab, first=False))

    # Chance.

    def lag(self) -> float:
        return self.chance.uniform0(20 if self.calm else self.slowest)

    def store_fails(self) -> bool:
        return not self.calm and self.chance.happens(self.failing)

    def stutters(self) -> bool:
        return not self.calm and self.stuttering > 0 and self.chance.happens(self.stuttering)

    def unreachable(self, _client: Client) -> bool:
        return not self.calm and self.chance.happens(0.1)

    def someone_acts(self) -> None:
        client = self.chance.choice(list(self.clients.values()))
        if isinstance(client, Tab) and not client.session.author.get("id"):
            # Nobody can type before the panel is there.
            client = self.clients["tab0"]
        client.act()

    # Faults.

    def something_breaks(self) -> None:
        fault = self.chance.choice(
            (self.crash, self.crash, self.cut, self.cut, self.cut, self.drain)
        )
        fault()

    def boot(self) -> None:
        if self.server is None:
            self.server = Server(self)

    def crash(self) -> None:
        """The server is killed: nothing of it is left but what is on disk."""
        server, self.server = self.server, None
        if server is None:
            return
        server.crash()
        for link, client, other in self.links:
            if other is server:
                self.break_link(link, client, None)
        self.clockwork.after(self.chance.uniform0(2_000), self.boot)

    def drain(self) -> None:
        """The server is asked to stop: it says so, writes what it has, and ends."""
        if self.server is not None:
            self.server.drain()
            self.clockwork.after(100 + self.chance.uniform0(400), self.end_drain, self.server)

    def end_drain(self, server: Server) -> None:
        if self.server is server:
            self.crash()

    def cut(self) -> None:
        """One connection breaks."""
        open_links = [each for each in self.links if each[1].link is each[0]]
        if open_links:
            self.break_link(*self.chance.choice(open_links))

    def break_link(self, link: Link, client: Client, server: Server | None) -> None:
        link.cut(self.chance.randint)
        if self.chance.happens(0.7):
            client.later(self.chance.uniform0(2_000), client.notice_loss, link)
        # The server's own pings tell it, at the latest.
        if server is not None and self.chance.happens(0.5):
            self.clockwork.after(self.chance.uniform0(2_000), server.lost, link.number)

    def connect(self, client: Client, server: Server) -> Link:
        link = link_between(self, client, server, len(self.links))
        self.links.append((link, client, server))
        server.accept(link.number, client.kind, link.down.send)
        return link

    # Reads.

    def read_events(self, disk: Any, actor: Actor, conversation: str) -> list[Any]:
        if isinstance(disk, storage.Disk):
            return storage.events_of(disk, actor, conversation)[1]
        queries.conversation(disk, actor, conversation)
        return queries._events(disk, conversation, 0, None, 1_000_000)

    def read_states(self, disk: Any, _actor: AgentActor) -> list[Any]:
        if isinstance(disk, storage.Disk):
            return list(disk.conversations.values())
        rows = disk.execute(queries.select(queries.conversations))
        return [queries.from_row(row) for row in rows]

    # What is different here from the world outside.

    @contextmanager
    def rules_of_this_world(self) -> Iterator[None]:
        watched = partial(WatchedSession, self.history.find)
        with ExitStack() as stack:
            stack.enter_context(patch.object(frames, "MAX_FILL", self.max_fill))
            stack.enter_context(patch.object(connection, "Session", watched))
            # Sets of connections are walked in the same order every time.
            stack.enter_context(patch.object(connection.Connection, "__hash__", number_of))
            stack.enter_context(patch.object(connection, "log", Complaints(self.history)))
            stack.enter_context(patch.object(ws, "log", Complaints(self.history)))
            stack.enter_context(patch.object(ws, "random", self.chance))
            if isinstance(self.disk, storage.Disk):
                stack.enter_context(patch.object(connection.queries, "find_gap", find_gap))
                stack.enter_context(
                    patch.object(visitor, "own_conversations", storage.own_conversations)
                )
                stack.enter_context(patch.object(visitor, "known_visitor", lambda *_: None))
                stack.enter_context(patch.object(visitor, "find_visitor", nobody))
                stack.enter_context(patch.object(visitor, "refuse_erased", lambda *_: None))
            else:
                # Disks fail here all the time.
                stack.enter_context(patch.object(writer, "log", Mock()))
            if self.crowded:
                stack.enter_context(patch.object(client_pace, "EVERY", 400))
                stack.enter_context(patch.object(client_pace, "AT_ONCE", 5))
            if self.narrow:
                stack.enter_context(patch.object(connection, "PIECE", 500))
                for name, size in (("MAX_MESSAGE", 400), ("ENOUGH", 1_000), ("ROOM", 300)):
                    stack.enter_context(patch.object(outbox, name, size))
            stack.enter_context(planted(self.bug))
            yield


def number_of(this: connection.Connection) -> int:
    return int(this.id, 16) % (1 << 60)


class Complaints:
    """A log in which every line is a finding."""

    def __init__(self, history: History) -> None:
        self.history = history

    def exception(self, what: str, **_: Any) -> None:
        self.error(f"{what}: {traceback.format_exc()}")

    def error(self, what: str, **more: Any) -> None:
        self.history.find("broke", f"{what} {more}")


async def nobody(store: storage.Store, actor: Actor, *_: Any) -> None:
    """`contacts.queries.find_visitor` upon the model, which remembers none."""
    return await store.read(lambda _: None, of=actor.organisation_id)


PAGE = 10
"""Events that one read of a gap brings: fewer than often miss."""


async def find_gap(
    store: storage.Store, actor: Actor, conversation_id: str, after: int, limit: int
) -> EventPage:
    """`queries.find_gap` upon the model."""

    def query(disk: storage.Disk) -> EventPage:
        state, log = storage.events_of(disk, actor, conversation_id)
        if not 0 < state.last_seq - after <= limit:
            return EventPage([], state.last_seq)
        return EventPage(log[after:][:PAGE], state.last_seq)

    return await store.read(query, of=actor.organisation_id)


def agent_called(name: str) -> AgentActor:
    return AgentActor(organisation_id=ORGANISATION, agent_id=name, name=name, role="agent")
