"""What this process tells the others beside the log, and what it does when they tell it something."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from balie.agents.presence import Change, Sign
from balie.agents.room import AgentRoom
from balie.app.neighbours import Neighbours
from balie.conversations.growth import ROW_ONLY, read_growth
from balie.conversations.model import Conversation
from balie.kernel.errors import BalieError
from balie.kernel.ports import Clock
from balie.kernel.tidings import (
    AgentChanged,
    ConversationsGone,
    SessionsEnded,
    SiteChanged,
    Tiding,
    VisitorRenamed,
)
from balie.organisations.pages import SitePages
from balie.realtime.hub import Hub
from balie.realtime.protocol import frames as f
from balie.realtime.relay import NAME, Post
from balie.store.engine import Store
from balie.store.log import Appended
from balie.store.notices import Notice, prune, take_back
from balie.store.scope import EVERYWHERE

TELL_EVERY_MS = 5_000
"""How often a process says that it is there, and who is with it."""
SILENT_MS = 20_000
"""Who says nothing for so long is no more."""
CHUNK = 500
SOFT_EVERY = 0.1
"""Seconds in which what nobody waits for is put together."""

log = structlog.get_logger("balie.app")


class Marked(msgspec.Struct, frozen=True):
    conversations: list[str]


class Typed(msgspec.Struct, frozen=True):
    conversation: str
    by: f.TypingBy
    on: bool


class VisitorSeen(msgspec.Struct, frozen=True, array_like=True):
    visitor: str
    conversations: tuple[str, ...]
    online: bool


class VisitorsSeen(msgspec.Struct, frozen=True):
    visitors: list[VisitorSeen]


class Held(msgspec.Struct, frozen=True, array_like=True):
    """An agent's console, and for how long nothing was heard of it."""

    session: str
    sign: Sign
    silent_ms: int


class Here(msgspec.Struct, frozen=True):
    """All consoles of a process. `asks`: it has just started, and wants to hear the same of the others."""

    consoles: list[Held]
    asks: bool = False


class Bye(msgspec.Struct, frozen=True):
    pass


KINDS: dict[type, str] = {
    SessionsEnded: "sessions_ended",
    AgentChanged: "agent_changed",
    SiteChanged: "site_changed",
    VisitorRenamed: "visitor_renamed",
    ConversationsGone: "conversations_gone",
    Marked: "marked",
    Typed: "typed",
    VisitorsSeen: "visitors_seen",
    Here: "here",
    Bye: "bye",
    Post: "post",
}
_SHAPES = {kind: shape for shape, kind in KINDS.items()}


class _Addressed(msgspec.Struct):
    stream: str


class Other(msgspec.Struct):
    """Another process, as far as it was heard of."""

    heard_at: int
    visitors: dict[str, tuple[str, ...]] = {}
    consoles: frozenset[str] = frozenset()


class Elsewhere:
    """Tells and hears. What it hears goes to the rooms that it was given."""

    def __init__(
        self,
        neighbours: Neighbours,
        store: Store,
        clock: Clock,
        hub: Hub,
        agents: AgentRoom,
        pages: SitePages,
    ) -> None:
        self._neighbours = neighbours
        self._store = store
        self._clock = clock
        self._hub = hub
        self._agents = agents
        self._pages = pages
        self._others: dict[str, Other] = {}
        self._marked: dict[str, None] = {}
        self._typed: dict[tuple[str, str | None], Typed] = {}
        self._seen: list[VisitorSeen] = []
        self._soft_due = False
        self._task: asyncio.Task[None] | None = None
        self.on_presence: Callable[[list[Change]], None] = lambda _: None
        self.on_agent_changed: Callable[[str, str], None] = lambda *_: None
        self.on_sessions_ended: Callable[[list[str]], None] = lambda _: None
        neighbours.hear = self._hear
        self.name = neighbours.worker
        self.on_post: Callable[[Post], None] = lambda _: None
        self._handlers: dict[type, Callable[[str, Any], None]] = {
            SessionsEnded: lambda _, told: self.on_sessions_ended(told.sessions),
            AgentChanged: lambda _, told: self.on_agent_changed(told.organisation, told.agent),
            SiteChanged: lambda _, told: self._forget_site(told.key),
            VisitorRenamed: lambda _, told: hub.rename_visitor(told.visitor),
            ConversationsGone: lambda _, told: hub.gone(told.organisation, told.conversations),
            Marked: self._marks_moved,
            Typed: lambda _, told: hub.show_typing(told.conversation, None, told.by, on=told.on),
            VisitorsSeen: self._visitors_seen,
            Here: self._heard_here,
            Bye: lambda worker, _: self._forget(worker),
            Post: lambda _, told: self.on_post(told),
        }

    # Living.

    async def start(self) -> None:
        """Hear the others from now on, and say that this process is there."""
        self._hub.is_online_elsewhere = self._is_online
        self._hub.on_typing = self._typing
        self._hub.on_visitor = self._visitor
        await self._neighbours.start()
        self._tell_here(asks=True)
        self._task = asyncio.get_running_loop().create_task(self._go_on())

    async def stop(self) -> None:
        """Say goodbye, and hear no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._tell(Bye())
        await self._neighbours.stop()

    async def _go_on(self) -> None:
        rounds = 0
        while True:
            await asyncio.sleep(TELL_EVERY_MS / 1_000)
            rounds += 1
            try:
                self._tell_here()
                self._forget_silent()
                if rounds % 12 == 0:
                    await self._prune()
            except BalieError:
                continue
            except Exception:
                log.exception("telling the other processes failed")

    async def _prune(self) -> None:
        now = self._clock()
        await self._store.write(lambda c: prune(c, now), of=EVERYWHERE)

    # Telling.

    def tell_in(self, connection: Connection, organisation_id: str, tiding: Tiding) -> None:
        """Tell the others in the very transaction of what it tells (`balie.edge.ports.Tell`)."""
        self._neighbours.tell_in(connection, organisation_id, KINDS[type(tiding)], tiding)

    def hurry(self, *_: object) -> None:
        """What was told so is on disk."""
        self._neighbours.hurry()

    def marked(self, state: Conversation) -> None:
        """Read marks have moved here."""
        self._marked[state.id] = None
        self._softly()

    def presence_changed(self) -> None:
        """A console came, went, or changed its status."""
        self._tell_here()

    def committed(self, appended: Appended[Conversation]) -> None:
        """Who has said it types no more: what was to be told of that would come after what he said."""
        for each in appended.envelopes if self._typed else ():
            self._typed.pop((each.conversation_id, each.author.id), None)

    def _typing(self, conversation: str, by: f.TypingBy, on: bool) -> None:  # noqa: FBT001
        self._typed[conversation, by.id] = Typed(conversation, by, on)
        self._softly()

    def _visitor(self, visitor_id: str, conversations: tuple[str, ...], online: bool) -> None:  # noqa: FBT001
        self._seen.append(VisitorSeen(visitor_id, conversations, online))
        self._softly()

    def _softly(self) -> None:
        """Many of these within a moment are told together."""
        if not self._soft_due:
            self._soft_due = True
            asyncio.get_running_loop().call_later(SOFT_EVERY, self._tell_soft)

    def _tell_soft(self) -> None:
        self._soft_due = False
        marked, self._marked = list(self._marked), {}
        seen, self._seen = self._seen, []
        typed, self._typed = self._typed, {}
        for each in typed.values():
            self._tell(each)
        for start in range(0, len(marked), CHUNK):
            self._tell(Marked(marked[start : start + CHUNK]))
        for start in range(0, len(seen), CHUNK):
            self._tell(VisitorsSeen(seen[start : start + CHUNK]))

    def _tell_here(self, *, asks: bool = False) -> None:
        now = self._clock()
        held = [
            Held(session, sign, max(0, now - sign.at))
            for session, sign in self._agents.presence.held()
        ]
        self._tell(Here(held, asks), soft=not asks)

    def _tell_visitors(self) -> None:
        """Everybody who is here, for one who has just started."""
        self._seen += [
            VisitorSeen(visitor, conversations, online=True)
            for visitor, conversations in self._hub.visitors_following()
        ]
        self._softly()

    def _tell(self, what: Any, *, soft: bool = False) -> None:
        self._neighbours.tell(KINDS[type(what)], what, soft=soft)

    # Hearing.

    def _hear(self, notice: Notice) -> None:
        shape = _SHAPES.get(notice.kind)
        if shape is None:
            # Of a newer version; it knows what older ones miss.
            return
        try:
            if shape is Post and not self._is_for_us(notice):
                return
            told: Any = msgspec.json.decode(notice.body, type=shape)
            self._note_heard(notice.worker, shape)
            self._handlers[shape](notice.worker, told)
        except Exception:
            log.exception("a notice could not be used", kind=notice.kind)

    def _note_heard(self, worker: str, shape: type) -> None:
        """A command that ends something tells that and no more; who says that he is there, serves."""
        if worker in self._others:
            self._others[worker].heard_at = self._clock()
        elif shape is Here:
            # New here, or silent for long: who else is with it is not known.
            self._others[worker] = Other(self._clock())
            self._tell_here(asks=True)

    def _is_for_us(self, notice: Notice) -> bool:
        """Whether a post is for a stream of this process; nobody else reads it then, so it need not stay."""
        if not msgspec.json.decode(notice.body, type=_Addressed).stream.startswith(self.name):
            return False
        self._neighbours.do(self._take_back(notice.position))
        return True

    async def _take_back(self, position: int) -> None:
        with contextlib.suppress(BalieError):
            await self._store.write(lambda c: take_back(c, position), of=EVERYWHERE)

    def _forget_site(self, key: str) -> None:
        self._agents.states.forget_key(key)
        self._pages.forget()

    def _marks_moved(self, _worker: str, told: Marked) -> None:
        followed = [each for each in told.conversations if self._hub.is_followed(each)]
        if followed or self._hub.agent_sessions():
            self._neighbours.do(self._show_marks(told.conversations))

    async def _show_marks(self, conversations: list[str]) -> None:
        wanted = dict.fromkeys(conversations, ROW_ONLY)
        with contextlib.suppress(BalieError):
            for each in await self._store.read(lambda c: read_growth(c, wanted), of=EVERYWHERE):
                self._hub.touched(each.state)

    def _visitors_seen(self, worker: str, told: VisitorsSeen) -> None:
        other = self._others.get(worker)
        if other is None:
            # It will say that it is there, and then be asked for all of them.
            return
        for each in told.visitors:
            if each.online:
                known = other.visitors.get(each.visitor, ())
                other.visitors[each.visitor] = tuple({*known, *each.conversations})
            else:
                other.visitors.pop(each.visitor, None)
            self._show_visitor(each.visitor, each.conversations)

    def _show_visitor(self, visitor: str, conversations: tuple[str, ...]) -> None:
        online = self._hub.is_online(visitor)
        self._hub.show_visitor(conversations, online=online)

    def _heard_here(self, worker: str, told: Here) -> None:
        now, presence = self._clock(), self._agents.presence
        changes: list[Change] = []
        known = self._others[worker].consoles
        for each in told.consoles:
            sign = each.sign
            changes += presence.seen(
                sign.organisation_id,
                sign.agent,
                f"{worker}:{each.session}",
                now - each.silent_ms,
                awake=sign.awake,
                status=sign.status,
            )
        here = frozenset(f"{worker}:{each.session}" for each in told.consoles)
        for session in known - here:
            changes += presence.left(session, now)
        self._others[worker].consoles = here
        self.on_presence(changes)
        if told.asks:
            self._tell_here()
            self._tell_visitors()

    # Whoever is no more.

    def _forget_silent(self) -> None:
        now = self._clock()
        for worker in [w for w, other in self._others.items() if now - other.heard_at > SILENT_MS]:
            log.warning("another process is silent", worker=worker)
            self._forget(worker)

    def _forget(self, worker: str) -> None:
        other = self._others.pop(worker, None)
        if other is None:
            return
        now = self._clock()
        changes: list[Change] = []
        for session in other.consoles:
            changes += self._agents.presence.left(session, now)
        for visitor, conversations in other.visitors.items():
            self._show_visitor(visitor, conversations)
        self.on_presence(changes)

    def _is_online(self, visitor_id: str) -> bool:
        return any(visitor_id in other.visitors for other in self._others.values())

    def leads(self) -> bool:
        """Whether this process is the one of all that should try; whether it may, `balie.store.turn` says."""
        return all(self._neighbours.worker < other for other in self._others)

    # Posts for streams of others (`balie.realtime.relay`).

    def reaches(self, stream: str) -> bool:
        """Whether a process lives that may have this stream."""
        return stream[:NAME] in self._others

    def pass_on(self, post: Post) -> None:
        """Hand a post over to the process that has its stream."""
        self._tell(post)
