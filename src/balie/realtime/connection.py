"""One live connection: carries out what its session wants, and hands on what the hub says.

The transport (socket, or server-sent events) gives a `push` and an `end`; everything else is the same.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from time import monotonic
from typing import Any, Protocol

import structlog

from balie.conversations import commands, queries
from balie.conversations.acts import Note, Post
from balie.conversations.model import Conversation
from balie.conversations.views import wire_event
from balie.edge.limits import Seats
from balie.kernel.actor import Actor
from balie.kernel.errors import BalieError, UnavailableError
from balie.kernel.events import ConversationStarted
from balie.realtime.outbox import PIECE, Outbox
from balie.realtime.protocol import effects as do
from balie.realtime.protocol import frames as f
from balie.realtime.protocol.session import Kind, Session, Verdict
from balie.realtime.services import Services
from balie.store.log import Appended

log = structlog.get_logger("balie.realtime")

Work = Coroutine[Any, Any, None]

MAX_PENDING = 64
"""Messages of one connection that may wait for the disk; beyond it, nothing more is read from it."""


def _into_the_void(*_words: Any) -> None:
    """Says something to nobody: who left is told nothing more."""


class Transport(Protocol):
    """What carries the frames: a socket, or server-sent events."""

    outbox: Outbox

    @property
    def name(self) -> str:
        """`socket` or `stream`."""
        ...

    def push(self, frame: bytes) -> None:
        """Send a frame some time soon; too many of them end the connection."""

    def end(self, code: int, reason: str) -> None:
        """Send what waits, unless it is too much, and close."""


class Connection(ABC):
    """The part that visitors' and agents' connections have in common."""

    kind: Kind

    def __init__(
        self,
        services: Services,
        transport: Transport,
    ) -> None:
        self.services = services
        self.push: Callable[[bytes], None] = transport.push
        self.end: Callable[[int, str], None] = transport.end
        self._outbox = transport.outbox
        self._counted_as = (self.kind, transport.name)
        self._is_counted = False
        self.session = Session(self.kind, services.limits)
        self.id = services.relay.name + services.entropy(18).hex()
        self._seats: list[tuple[Seats, str]] = []
        self.actor: Actor | None = None
        self.organisation_id = ""
        self._pending = 0
        self._room: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._fills: deque[do.Fill] = deque()
        self._is_filling = False

    @property
    def following(self) -> dict[str, Any]:
        return self.session.following

    async def receive(self, message: str | bytes) -> None:
        """Handle one text message, and wait while too much of it is unwritten."""
        if (work := self.take(message)) is not None:
            await work

    def take(self, message: str | bytes) -> Work | None:
        """Handle one text message. What is returned must be awaited before the next one is handed in."""
        work: Work | None = None
        for effect in self.session.receive(message, self.services.clock()):
            if isinstance(effect, do.Submit):
                work = self._submit(effect.frame)
            elif isinstance(effect, do.Greet):
                work = self._greet(effect.hello)
            else:
                _PERFORM[type(effect)](self, effect)
        if work is None and self._pending >= MAX_PENDING:
            return self._room_again()
        return work

    async def _room_again(self) -> None:
        self._room = asyncio.Event()
        await self._room.wait()
        self._room = None

    def perform(self, effects: list[do.Effect]) -> None:
        """Carry out what needs no waiting."""
        for effect in effects:
            _PERFORM[type(effect)](self, effect)

    def later(self, work: Work) -> None:
        """Do something beside what the client sends next."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def sit(self, seats: Seats, key: str) -> None:
        """Count among the connections of `key` until the end. Raises RateLimitedError."""
        seats.take(key)
        self._seats.append((seats, key))

    def count_in(self) -> None:
        """Be counted among the open ones until the end."""
        self._is_counted = True
        self.services.tally.opened[self._counted_as] += 1
        self.services.tally.open[self._counted_as] += 1

    def leave(self) -> None:
        """The connection is over."""
        if self._is_counted:
            self._is_counted = False
            self.services.tally.open[self._counted_as] -= 1
        while self._seats:
            seats, key = self._seats.pop()
            seats.leave(key)
        for task in tuple(self._tasks):
            task.cancel()
        # The transport knows us and we know the transport: left like that, both wait for the garbage collector,
        # which on a server with little garbage comes by after hours.
        self.push = self.end = _into_the_void

    def follow(self, conversation: str) -> None:
        """Hear a conversation from now on."""
        self.services.hub.follow(conversation, self)

    def unfollow(self, conversation: str) -> None:
        """Hear it no longer."""
        self.services.hub.unfollow(conversation, self)

    # Greeting.

    async def _greet(self, hello: Any) -> None:
        try:
            effects = await self.greet(hello)
        except BalieError as error:
            code = {401: f.Close.UNAUTHORISED, 429: f.Close.SLOW, 503: f.Close.SLOW}.get(
                error.status, f.Close.FORBIDDEN
            )
            effects = self.session.turned_away(code, error.detail[:100])
        self.perform(effects)

    @abstractmethod
    async def greet(self, hello: Any) -> list[do.Effect]:
        """Find out who it is. Raises UnauthorisedError or ForbiddenError."""

    @contextlib.contextmanager
    def holding(self) -> Iterator[list[bytes]]:
        """Frames of the hub are kept meanwhile: the welcome comes first."""
        push, held = self.push, list[bytes]()
        self.push = held.append
        try:
            yield held
        finally:
            if self.push is not _into_the_void:
                self.push = push

    @abstractmethod
    def tell(self, frame: Any) -> None:
        """Carry out a soft frame."""

    # Saying something.

    def _submit(self, frame: f.Post | f.Note) -> Work | None:
        try:
            self.services.post_limit.take(self.limit_key, self.services.clock())
            if not self.is_plain(frame):
                return self._submit_prepared(frame)
            self._write(frame, self.plain_command(frame))
        except BalieError as error:
            self._refuse(frame, error)
        return None

    async def _submit_prepared(self, frame: f.Post | f.Note) -> None:
        try:
            self._write(frame, await self.prepared_command(frame))
        except BalieError as error:
            self._refuse(frame, error)

    def _write(self, frame: f.Post | f.Note, command: Post | Note) -> None:
        self.services.conversations.post_message_later(
            command, partial(self._written, frame, monotonic())
        )
        self._pending += 1

    @property
    @abstractmethod
    def limit_key(self) -> str:
        """What this connection's messages are counted by."""

    def is_plain(self, frame: f.Post | f.Note) -> bool:
        """Whether the frame can be written without looking anything up first."""
        return isinstance(frame, f.Note) or (frame.conversation is not None and not frame.files)

    def plain_command(self, frame: f.Post | f.Note) -> Post | Note:
        """A plain frame as a command. Raises a BalieError for what cannot be said."""
        assert isinstance(frame, f.Post)
        return self._bare(frame, None)

    async def prepared_command(self, frame: f.Post | f.Note) -> Post | Note:
        """As `plain_command`, of any other frame."""
        assert isinstance(frame, f.Post)
        return await self.composed(frame)

    async def composed(self, frame: f.Post, opening: ConversationStarted | None = None) -> Post:
        """The frame as a command, with the files that it names."""
        bare = self._bare(frame, opening)
        return await self.services.conversations.with_files(bare, frame.files)

    def _bare(self, frame: f.Post, opening: ConversationStarted | None) -> Post:
        assert self.actor is not None
        return commands.post(
            self.actor,
            frame.conversation,
            frame.client_message_id,
            frame.text,
            with_files=bool(frame.files),
            opening=opening,
        )

    def _written(
        self,
        frame: f.Post | f.Note,
        began: float,
        appended: Appended[Conversation] | None,
        error: BaseException | None,
    ) -> None:
        self._pending -= 1
        if self._room is not None:
            self._room.set()
        if appended is not None:
            self._acknowledge(frame, appended)
            self.services.tally.acknowledged.add(monotonic() - began)
            self.services.tally.repeated += appended.repeated
            return
        if not isinstance(error, BalieError):
            log.error("a message was not written", error=repr(error))
            error = UnavailableError("the store cannot write now; nothing was stored")
        self._refuse(frame, error)

    def _refuse(self, frame: f.Post | f.Note, error: BalieError) -> None:
        self.services.tally.refused[error.code] += 1
        self.perform(self.session.refused(frame.client_message_id, error))

    def _acknowledge(self, frame: f.Post | f.Note, appended: Appended[Conversation]) -> None:
        said = appended.last
        ack = f.Ack(frame.client_message_id, said.conversation_id, said.seq, said.at)
        before = [
            wire_event(each, for_visitor=self.kind == "visitor") for each in appended.envelopes[:-1]
        ]
        effects = self.session.acknowledged(
            ack, before, opened=frame.conversation is None, repeated=appended.repeated
        )
        self.perform(effects)

    # Hearing something.

    def hear(self, conversation: str, first: int, last: int, frame: Callable[[], bytes]) -> None:
        verdict = self.session.live(conversation, first, last)
        if verdict is Verdict.SEND:
            encoded = frame()
            if self._outbox.takes(len(encoded)):
                self.push(encoded)
            else:
                self.perform(self.session.fall_behind(conversation, first - 1))
        elif verdict is Verdict.FILL:
            self.perform([do.Fill(conversation, self.session.last_seq(conversation))])

    def fill_later(self, fill: do.Fill) -> None:
        """Read what the client misses, after what it missed before that."""
        self._fills.append(fill)
        if not self._is_filling:
            self._is_filling = True
            self.later(self._fill_each())

    async def _fill_each(self) -> None:
        try:
            while self._fills:
                await self._fill(self._fills.popleft())
        except Exception as error:
            log.exception("what a client misses could not be read", error=repr(error))
            self.end(f.Close.FAILED, "what you miss could not be read")
        finally:
            self._is_filling = False

    async def _fill(self, fill: do.Fill) -> None:
        """One conversation, page by page, each read when the one before it has been read over there: who does
        not read on holds no more than a page of it."""
        await self._outbox.room()
        while self.session.awaits(fill):
            try:
                page = await self._gap(fill)
            except BalieError as error:
                self.perform(self.session.denied(fill.conversation, error))
                return
            fill = await self._send_pieces(fill, page)

    async def _gap(self, fill: do.Fill) -> queries.EventPage:
        assert self.actor is not None
        store = self.services.store
        self.services.tally.refilled += 1
        return await queries.find_gap(store, self.actor, fill.conversation, fill.after, f.MAX_FILL)

    async def _send_pieces(self, fill: do.Fill, page: queries.EventPage) -> do.Fill:
        """Send what was read, the last of it once there is room for more. Returns what may be missing yet."""
        conversation, after = fill.conversation, fill.after
        events = [wire_event(each, for_visitor=self.kind == "visitor") for each in page.events]
        end = after + len(events)
        pieces, is_all = _pieces(events), not events or end >= page.last_seq
        rest = pieces.pop() if is_all else []
        for piece in pieces:
            self.perform(self.session.filled_partly(conversation, after, piece))
            after += len(piece)
            await self._outbox.room()
        if is_all:
            self.perform(self.session.filled(conversation, after, rest, page.last_seq))
        return do.Fill(conversation, end)

    # Soft things that both kinds do.

    def mark(self, frame: f.Mark) -> None:
        assert self.actor is not None
        if frame.conversation in self.session.following:
            self.services.conversations.mark(
                self.actor, frame.conversation, frame.delivered, frame.read
            )

    def type_on(self, frame: f.TypingOn, by: f.TypingBy) -> None:
        if frame.conversation in self.session.following:
            self.services.hub.typing(frame.conversation, self, by, on=frame.on)


def _pieces(events: list[bytes]) -> list[list[bytes]]:
    """The events in order, in lists of at most PIECE bytes or one event. At least one list."""
    pieces: list[list[bytes]] = [[]]
    size = 0
    for event in events:
        if pieces[-1] and size + len(event) > PIECE:
            pieces.append([])
            size = 0
        pieces[-1].append(event)
        size += len(event)
    return pieces


_PERFORM: dict[type, Callable[[Connection, Any], None]] = {
    do.Send: lambda connection, effect: connection.push(effect.frame),
    do.Close: lambda connection, effect: connection.end(effect.code, effect.reason),
    do.Follow: lambda connection, effect: connection.follow(effect.conversation),
    do.Unfollow: lambda connection, effect: connection.unfollow(effect.conversation),
    do.Fill: lambda connection, effect: connection.fill_later(effect),
    do.Tell: lambda connection, effect: connection.tell(effect.frame),
}
