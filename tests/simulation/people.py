"""Those who talk: a visitor's tab and an agent's console, each with the real client session in it."""

from typing import Any

import msgspec
from tests.simulation.network import Link, Pipe
from tests.simulation.server import ORGANISATION, SITE

from balie.conversations import rules
from balie.kernel.actor import AgentActor, VisitorActor
from balie.kernel.events import AgentName, ConversationRated
from balie.kernel.ids import ENTROPY_BYTES, new_id
from balie.realtime.protocol.client import ClientSession

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
TOO_FAST = 1008
CANARY = "internal-canary"
decode = msgspec.json.decode
encode = msgspec.json.encode


OPENED = -1
"""What the end of a handshake is told as."""


class Stream:
    """A browser's reading end of a WebSocket: bytes to (opcode, payload)."""

    def __init__(self) -> None:
        self.buffer = b""
        self.opened = False

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        self.buffer += data
        if not self.opened:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return found
            assert head.startswith(b"HTTP/1.1 101"), head
            self.opened, self.buffer = True, rest
            found.append((OPENED, b""))
        while frame := self.next():
            found.append(frame)
        return found

    def next(self) -> tuple[int, bytes] | None:
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        wide = {126: 2, 127: 8}.get(buffer[1], 0)
        size = int.from_bytes(buffer[2 : 2 + wide]) if wide else buffer[1]
        start = 2 + wide
        if len(buffer) < start + size:
            return None
        self.buffer = buffer[start + size :]
        return buffer[0] & 0x0F, buffer[start : start + size]


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame (RFC 6455, section 5.2), under a mask of zeros."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65_536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8)
    return head + b"\0\0\0\0" + payload


class View:
    """What one page has shown of one conversation."""

    def __init__(self, owner: str, conversation: str) -> None:
        self.owner = owner
        self.conversation = conversation
        self.events: list[dict[str, Any]] = []


class Client:
    """A page with a session in it: connects, reconnects, reloads, and writes down what it saw."""

    kind: str

    def __init__(self, world: Any, name: str) -> None:
        self.world = world
        self.name = name
        self.kept: list[dict[str, Any]] = []  # what the browser keeps over a reload
        self.life = 0
        self.link: Link | None = None
        self.stream = Stream()
        self.attempt = 0
        self.start()

    def start(self) -> None:
        self.session = ClientSession(self.kind, self.world.chance.random)
        self.views: dict[str, View] = {}
        self.waiting: list[dict[str, Any]] = []
        self.busy = False
        self.tick_at = 0.0
        self.there = False

    def open(self) -> None:
        self.there = True
        if self.kept:
            self.step({"type": "restore", "items": self.kept})
        self.step({"type": "open"})

    def reload(self) -> None:
        """The page goes, and comes back with what the browser kept."""
        self.life += 1
        self.hang_up()
        self.start()
        self.later(self.world.chance.uniform0(1_500), self.open)

    def later(self, delay: float, act: Any, *args: Any) -> None:
        """Plan something for this page, which a reload forgets."""
        self.world.clockwork.after(delay, self._still, self.life, act, args)

    def _still(self, life: int, act: Any, args: tuple[Any, ...]) -> None:
        if life == self.life:
            act(*args)

    def step(self, happened: dict[str, Any]) -> None:
        """Hand an input to the session and do what it asks; inputs given meanwhile wait their turn."""
        self.waiting.append(happened)
        if self.busy:
            return
        self.busy = True
        while self.waiting:
            for effect in self.session.step(self.waiting.pop(0), self.world.clockwork.now):
                getattr(self, "do_" + effect["type"])(effect)
        self.busy = False
        wake = self.session.wake_at()
        if wake != self.tick_at and wake < float("inf"):
            self.tick_at = wake
            self.later(max(0, wake - self.world.clockwork.now), self.tick, wake)

    def tick(self, planned: float) -> None:
        if planned == self.tick_at:
            self.tick_at = 0
            self.step({"type": "tick"})

    # What the session wants of its shell.

    def do_connect(self, _effect: dict[str, Any]) -> None:
        self.hang_up()
        self.attempt += 1
        self.later(self.world.lag(), self.dial, self.attempt)

    def dial(self, attempt: int) -> None:
        if attempt != self.attempt:
            return
        server = self.world.server
        if server is None or self.world.unreachable(self):
            self.later(self.world.lag(), self.failed, attempt)
            return
        self.link = self.world.connect(self, server)
        self.stream = Stream()

    def failed(self, attempt: int) -> None:
        if attempt == self.attempt:
            self.step({"type": "disconnected", "code": 1006})

    def hang_up(self) -> None:
        link, self.link = self.link, None
        self.attempt += 1
        if link is not None:
            link.up.send(None)

    def do_disconnect(self, _effect: dict[str, Any]) -> None:
        self.hang_up()

    def do_send(self, effect: dict[str, Any]) -> None:
        if self.link is None:
            return
        data = masked(TEXT, encode(effect["frame"]))
        self.link.up.send(data)
        if self.world.stutters() and effect["frame"]["type"] != "hello":
            self.link.up.send(data)

    def hear(self, link: Link, data: bytes | None) -> None:
        """Bytes have come down a connection, or its end."""
        if data is None:
            self.notice_loss(link)
            return
        for opcode, payload in self.stream.feed(data) if link is self.link else ():
            if link is not self.link:
                return
            self.handle(link, opcode, payload)

    def handle(self, link: Link, opcode: int, payload: bytes) -> None:
        if opcode == OPENED:
            self.step({"type": "connected", "hello": self.hello()})
        elif opcode == TEXT:
            self.world.history.heard(self, payload)
            self.step({"type": "received", "frames": decode(payload)})
        elif opcode == PING:
            link.up.send(masked(PONG, payload))
        elif opcode == CLOSE:
            link.up.send(masked(CLOSE, payload))
            self.link = None
            code = int.from_bytes(payload[:2])
            if code == TOO_FAST:
                self.world.history.find("scolded", f"{self.name} sent far too much")
            self.step({"type": "disconnected", "code": code})

    def notice_loss(self, link: Link) -> None:
        if link is self.link:
            self.link = None
            self.step({"type": "disconnected", "code": 1006})

    def do_fill(self, effect: dict[str, Any]) -> None:
        server = self.world.server
        conversation = effect["conversation"]
        if server is None or self.actor is None or self.world.unreachable(self):
            self.later(self.world.lag(), self.unfilled, conversation)
            return
        life, answered = self.life, []

        def answer(events: list[bytes] | None, error: BaseException | None) -> None:
            answered.append(True)
            if life == self.life:
                self.later(self.world.lag(), self.filled, conversation, events, error)

        page = server.page(self.actor, conversation, effect.get("after"), effect.get("before"))
        server.ask(page, answer)
        # A request that the server took with it to its grave fails after a while.
        self.later(3_000, lambda: answered or self.unfilled(conversation))

    def filled(self, conversation: str, events: list[bytes] | None, error: Any) -> None:
        if error is not None or events is None:
            self.unfilled(conversation)
            return
        shown = [decode(each) for each in events]
        self.step({"type": "filled", "conversation": conversation, "events": shown})

    def unfilled(self, conversation: str) -> None:
        self.step({"type": "unfilled", "conversation": conversation})

    # What the session wants shown or kept.

    def do_status(self, effect: dict[str, Any]) -> None:
        pass

    def do_events(self, effect: dict[str, Any]) -> None:
        self.view(effect["conversation"]).events += effect["events"]

    def do_outbox(self, effect: dict[str, Any]) -> None:
        self.kept = [item for item in effect["items"] if item["state"] != "acked"]

    def do_started(self, effect: dict[str, Any]) -> None:
        self.view(effect["conversation"])

    def do_reset(self, effect: dict[str, Any]) -> None:
        self.views.pop(effect["conversation"], None)
        self.world.history.find("reset", f"{self.name} was told that the server was restored")

    def do_signed_out(self, _effect: dict[str, Any]) -> None:
        self.world.history.find("signed out", f"{self.name} was signed out")

    def do_tell(self, effect: dict[str, Any]) -> None:
        handle = getattr(self, "told_" + effect["frame"]["type"], None)
        if handle:
            handle(effect["frame"])

    def view(self, conversation: str) -> View:
        view = self.views.get(conversation)
        if view is None:
            view = self.views[conversation] = View(self.name, conversation)
            self.world.history.views.append(view)
        return view

    # What people do.

    def follow(self, conversation: str) -> None:
        if conversation not in self.session.logs:
            self.views.pop(conversation, None)
            self.view(conversation)
            self.step({"type": "follow", "conversation": conversation, "last_seq": 0})

    def say(self, conversation: str | None, kind: str = "post") -> None:
        world = self.world
        key = new_id(world.clockwork.now, world.chance.randbytes(ENTROPY_BYTES))
        text = f"{CANARY if kind == 'note' else 'text'} {len(world.history.said)} of {self.name}"
        item = {
            "kind": kind,
            "client_message_id": key,
            "conversation": conversation,
            "text": text,
            "files": [],
        }
        world.history.said.append((self.name, key, text))
        self.step({"type": "post", "item": item})

    def known(self) -> str | None:
        """A conversation that this page shows, if any."""
        logs = [name for name, log in self.session.logs.items() if log.last]
        return self.world.chance.choice(logs) if logs else None

    def mark(self) -> None:
        if conversation := self.known():
            seq = self.session.logs[conversation].last
            self.step({"type": "mark", "conversation": conversation, "read": seq})

    def type_on(self) -> None:
        if conversation := self.known():
            self.step({"type": "typing", "conversation": conversation, "on": True})

    def order(self, command: Any) -> None:
        """Have something done over HTTP; nobody waits for the answer."""
        if self.world.server is not None and not self.world.unreachable(self):
            server = self.world.server
            server.ask(server.commands.run(command), lambda _result, _error: None)

    def act(self) -> None:
        """Do one thing, if the page is there."""
        if not self.there:
            return
        chance = self.world.chance
        names, weights = zip(*self.HABITS, strict=True)
        getattr(self, chance.choices(names, weights)[0])()

    def flicker(self) -> None:
        """The network goes away and comes back, and the browser says so."""
        self.step({"type": "offline"})
        self.later(self.world.chance.uniform0(3_000), self.step, {"type": "online"})

    def wake(self) -> None:
        self.step({"type": "woke"})

    def go_silent(self, pause: float) -> None:
        """A long time without a network, in which there is something to say in every conversation."""
        self.step({"type": "offline"})
        for _ in range(4):
            for conversation in list(self.session.logs):
                self.say(conversation)
        self.later(pause, self.step, {"type": "online"})


class Tab(Client):
    """A visitor's page. Pages of one visitor share his token, as one browser does."""

    kind = "visitor"
    HABITS = (
        ("chat", 8),
        ("begin", 1),
        ("burst", 2),
        ("mark", 2),
        ("type_on", 1),
        ("close", 1),
        ("rate", 1),
        ("browse", 1),
        ("reload", 1),
        ("flicker", 1),
        ("wake", 1),
    )

    def __init__(self, world: Any, name: str, browser: dict[str, Any]) -> None:
        self.browser = browser
        super().__init__(world, name)

    @property
    def actor(self) -> VisitorActor | None:
        visitor = self.browser.get("visitor")
        if visitor is None:
            return None
        return VisitorActor(organisation_id=ORGANISATION, site_id=SITE.id, visitor_id=visitor["id"])

    def hello(self) -> dict[str, Any]:
        visitor = self.browser.get("visitor")
        return {"site": "K", **({"token": visitor["token"]} if visitor else {})}

    def told_welcome(self, frame: dict[str, Any]) -> None:
        self.browser.setdefault("visitor", frame["visitor"])
        for conversation in frame["conversations"]:
            self.follow(conversation["id"])

    def told_conversation(self, frame: dict[str, Any]) -> None:
        self.follow(frame["conversation"]["id"])

    def chat(self) -> None:
        self.say(self.known())

    def begin(self) -> None:
        self.say(None)

    def begin_many(self, count: int) -> None:
        """One conversation after the other: what is begun at once is one."""
        if all(item["conversation"] for item in self.session.outbox.items):
            self.begin()
            count -= 1
        if count:
            self.later(150, self.begin_many, count)

    def burst(self) -> None:
        conversation = self.known()
        for _ in range(3):
            self.say(conversation)

    def close(self) -> None:
        if (conversation := self.known()) and self.actor:
            self.order(rules.Close(actor=self.actor, conversation_id=conversation))

    def rate(self) -> None:
        if (conversation := self.known()) and self.actor:
            rating = ConversationRated(score=self.world.chance.randint(1, 5))
            self.order(rules.Rate(actor=self.actor, conversation_id=conversation, rating=rating))

    def browse(self) -> None:
        page = {"url": f"https://shop.example/{CANARY}/{self.world.chance.randint(1, 9)}"}
        self.step({"type": "page", "page": page})


class Console(Client):
    """An agent's page."""

    kind = "agent"
    HABITS = (
        ("chat", 8),
        ("note", 2),
        ("take", 4),
        ("release", 1),
        ("mark", 2),
        ("type_on", 1),
        ("close", 1),
        ("reopen", 1),
        ("tag", 1),
        ("look_away", 1),
        ("reload", 1),
        ("flicker", 1),
        ("wake", 1),
    )

    def __init__(self, world: Any, name: str, actor: AgentActor) -> None:
        self.actor = actor
        super().__init__(world, name)

    def hello(self) -> dict[str, Any]:
        return {"ticket": self.actor.agent_id}

    def told_welcome(self, _frame: dict[str, Any]) -> None:
        self.list_inbox()

    def list_inbox(self) -> None:
        server = self.world.server
        if server is None:
            self.later(1_000, self.list_inbox)
            return
        life, answered = self.life, []

        def answer(rows: list[Any] | None, _error: Any) -> None:
            answered.append(True)
            if life == self.life:
                self.later(self.world.lag(), self.listed, rows)

        server.ask(server.inbox(self.actor), answer)
        self.later(3_000, lambda: answered or self.list_inbox())

    def listed(self, rows: list[Any] | None) -> None:
        if rows is None:
            self.list_inbox()
            return
        for row in rows:
            self.follow(row.id)

    def told_inbox(self, frame: dict[str, Any]) -> None:
        for row in frame["rows"]:
            self.follow(row["id"])

    def chat(self) -> None:
        if conversation := self.known():
            self.say(conversation)

    def note(self) -> None:
        if conversation := self.known():
            self.say(conversation, "note")

    def take(self) -> None:
        if conversation := self.known():
            name = AgentName(id=self.actor.agent_id, name=self.actor.name)
            self.order(rules.Take(actor=self.actor, conversation_id=conversation, agent=name))

    def simple(self, command: type) -> None:
        if conversation := self.known():
            self.order(command(actor=self.actor, conversation_id=conversation))

    def release(self) -> None:
        self.simple(rules.Release)

    def close(self) -> None:
        self.simple(rules.Close)

    def reopen(self) -> None:
        self.simple(rules.Reopen)

    def tag(self) -> None:
        if conversation := self.known():
            tag = f"{CANARY}{self.world.chance.randint(1, 3)}"
            self.order(rules.Tag(actor=self.actor, conversation_id=conversation, tag=tag))

    def look_away(self) -> None:
        """Follow a conversation no longer, and come back to it later from its beginning."""
        if conversation := self.known():
            self.step({"type": "leave", "conversation": conversation})
            self.later(self.world.chance.uniform0(4_000), self.follow, conversation)


def link_between(world: Any, client: Client, server: Any, number: int) -> Link:
    """A connection of `client` to this life of the server."""

    def up(data: bytes | None) -> None:
        if data is None:
            server.lost(number)
        else:
            server.receive(number, data)

    link = Link(
        number,
        Pipe(world.clockwork, world.lag, up),
        Pipe(world.clockwork, world.lag, lambda data: client.hear(link, data)),
    )
    return link
