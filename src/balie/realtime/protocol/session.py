"""The server's side of one connection, without the connection: what comes in, what is to be done.

A session makes sure that its client gets every event of what it follows, in order and once: it knows the
last `seq` it has sent of each conversation, and asks for a fill where there is a hole. No I/O, no clock.
"""

import contextlib
import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, Literal

import msgspec

from balie.kernel.errors import BalieError
from balie.realtime.protocol import effects as do
from balie.realtime.protocol import frames as f
from balie.realtime.protocol.bucket import Bucket
from balie.realtime.protocol.effects import Effect
from balie.realtime.protocol.frames import Close

Kind = Literal["visitor", "agent"]
encode = msgspec.json.Encoder().encode

MAX_REF = 64
"""Characters of an id that are sent back to whoever made it up."""

_MESSAGE_ID = re.compile(rb'"client_message_id"\s*:\s*"([0-9a-f-]{36})"')

_hello: dict[Kind, msgspec.json.Decoder[Any]] = {
    "visitor": msgspec.json.Decoder(f.VisitorHello),
    "agent": msgspec.json.Decoder(f.AgentHello),
}
_frames: dict[Kind, msgspec.json.Decoder[Any]] = {
    "visitor": msgspec.json.Decoder(f.VisitorFrame),
    "agent": msgspec.json.Decoder(f.AgentFrame),
}


class Limits(msgspec.Struct, frozen=True):
    """How much one connection may send. Rates are per second."""

    frames: float = 100
    frame_burst: float = 1_000
    malformed: float = 20 / 60
    malformed_burst: float = 20
    refused: float = 2
    refused_burst: float = 300
    followed: int = 300


class Phase(Enum):
    """Where a connection is in its life."""

    WAITING = auto()
    GREETING = auto()
    OPEN = auto()
    CLOSED = auto()


class Verdict(Enum):
    """What to do with live events for one session."""

    SEND = auto()
    DROP = auto()
    FILL = auto()


class Following:
    """How far this client has one conversation, and the last event that is known to be there for it. What a
    client claims to have is no such knowledge."""

    __slots__ = ("filling", "known", "last_seq")

    def __init__(self, last_seq: int) -> None:
        self.last_seq = last_seq
        self.known = 0
        self.filling = False


class Session:
    """One connection of a visitor or an agent. Methods return what is to be done, in order."""

    __slots__ = ("_frames", "_kind", "_limits", "_malformed", "_refused", "following", "phase")

    def __init__(self, kind: Kind, limits: Limits) -> None:
        self._kind: Kind = kind
        self._limits = limits
        self._frames = Bucket(limits.frames, limits.frame_burst)
        self._malformed: Bucket | None = None
        self._refused: Bucket | None = None
        self.phase = Phase.WAITING
        self.following: dict[str, Following] = {}

    # What the client sends.

    def receive(self, message: str | bytes, now: int) -> list[Effect]:
        """A text message has come in. `now` in milliseconds."""
        if self.phase is Phase.CLOSED:
            return []
        if self.phase is not Phase.OPEN:
            return self._greet(message)
        if wait := self._frames.take(now):
            return self._slow_down(message, wait, now)
        try:
            frame = _frames[self._kind].decode(message)
        except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
            return self._refuse_malformed(message, error, now)
        if isinstance(frame, f.Ping):
            return [do.Send(encode(f.Pong(now)))]
        return self._handle(frame)

    def _slow_down(self, message: str | bytes, wait: int, now: int) -> list[Effect]:
        if self._refused is None:
            self._refused = Bucket(self._limits.refused, self._limits.refused_burst)
        if self._refused.take(now):
            return self._close(Close.POLICY, "far too many frames")
        return [_limited(message, wait)]

    def receive_binary(self) -> list[Effect]:
        """A binary message has come in: there are none in this protocol."""
        return self._close(Close.BINARY, "send text")

    def overdue(self) -> list[Effect]:
        """The time for `hello` is over."""
        if self.phase is not Phase.WAITING:
            return []
        return self._close(Close.NO_HELLO, "no hello in time")

    def _greet(self, message: str | bytes) -> list[Effect]:
        if self.phase is Phase.GREETING:
            return self._close(Close.BAD_HELLO, "wait for welcome")
        try:
            hello = _hello[self._kind].decode(message)
        except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
            return [
                _error("malformed", f"the first frame is a hello: {error}"),
                *self._close(Close.BAD_HELLO, "the first frame is a hello"),
            ]
        self.phase = Phase.GREETING
        return [do.Greet(hello)]

    def _handle(self, frame: Any) -> list[Effect]:
        if isinstance(frame, f.Post | f.Note):
            return [do.Submit(frame)]
        if isinstance(frame, f.Resume):
            return self.resume(frame.conversation, frame.last_seq)
        if isinstance(frame, f.Leave):
            return self._leave(frame.conversation)
        return [do.Tell(frame)]

    def _refuse_malformed(self, message: str | bytes, error: Exception, now: int) -> list[Effect]:
        if self._malformed is None:
            self._malformed = Bucket(self._limits.malformed, self._limits.malformed_burst)
        if self._malformed.take(now):
            return self._close(Close.POLICY, "too many malformed frames")
        return [_describe(message, error)]

    # Who it is.

    def greeted(self, welcome: bytes, resume: Sequence[f.Resumption]) -> list[Effect]:
        """The client is known; `welcome` is its answer."""
        self.phase = Phase.OPEN
        wanted: list[Effect] = [do.Send(welcome)]
        for entry in resume:
            wanted += self.resume(entry.conversation, entry.last_seq)
        return wanted

    def turned_away(self, code: int, reason: str) -> list[Effect]:
        """The client is not let in, or no longer."""
        return self._close(code, reason)

    # What it follows.

    def resume(self, conversation: str, last_seq: int) -> list[Effect]:
        """The client has this conversation up to `last_seq` and wants to hear it."""
        known = self.following.get(conversation)
        if known is None and len(self.following) >= self._limits.followed:
            return [_error("busy", "you follow too many conversations", ref=conversation)]
        following = Following(last_seq)
        following.filling = True
        if known is not None:
            following.known = known.known
        self.following[conversation] = following
        return [do.Follow(conversation), do.Fill(conversation, last_seq)]

    def _leave(self, conversation: str) -> list[Effect]:
        if self.following.pop(conversation, None) is None:
            return []
        return [do.Unfollow(conversation)]

    def awaits(self, fill: do.Fill) -> bool:
        """Whether the answer to this request still counts: a later one may have taken its place."""
        return self._filling(fill.conversation, fill.after) is not None

    def _filling(self, conversation: str, after: int) -> Following | None:
        """The conversation, where it is being filled from above `after`."""
        following = self.following.get(conversation)
        if following is None or not following.filling or following.last_seq != after:
            return None
        return following

    def filled(
        self, conversation: str, after: int, events: Sequence[bytes], last_seq: int
    ) -> list[Effect]:
        """The events above `after` were read; the conversation ends at `last_seq`."""
        following = self._filling(conversation, after)
        if following is None:
            return []
        following.filling = False
        if not 0 <= last_seq - after <= f.MAX_FILL:
            # Too much is missing; or the client claims more than there is: after a restore its view is from
            # another world.
            following.last_seq = last_seq
            return [
                do.Send(encode(f.Resync(conversation, last_seq))),
                *self._catch_up(conversation, following),
            ]
        following.last_seq = after + len(events)
        sent: list[Effect] = []
        if events:
            sent.append(do.Send(events_frame(conversation, events)))
        return sent + self._catch_up(conversation, following)

    def filled_partly(self, conversation: str, after: int, events: Sequence[bytes]) -> list[Effect]:
        """The first of the events above `after`; more of what was read comes when there is room."""
        following = self._filling(conversation, after)
        if following is None:
            return []
        following.last_seq = after + len(events)
        return [do.Send(events_frame(conversation, events))]

    def fall_behind(self, conversation: str, last_seq: int) -> list[Effect]:
        """Live events above `last_seq` were not sent after all: the client reads too slowly for them."""
        following = self.following[conversation]
        following.last_seq = last_seq
        following.filling = True
        return [do.Fill(conversation, last_seq)]

    def denied(self, conversation: str, error: BalieError) -> list[Effect]:
        """The conversation cannot be followed."""
        if self.following.pop(conversation, None) is None:
            return []
        return [do.Unfollow(conversation), refusal(error, conversation)]

    def _catch_up(self, conversation: str, following: Following) -> list[Effect]:
        if following.known <= following.last_seq:
            return []
        following.filling = True
        return [do.Fill(conversation, following.last_seq)]

    def live(self, conversation: str, first: int, last: int) -> Verdict:
        """Events `first`…`last` were committed: send them, drop them, or fill from `last_seq`."""
        following = self.following.get(conversation)
        if following is None:
            return Verdict.DROP
        following.known = max(following.known, last)
        if following.filling or last <= following.last_seq:
            return Verdict.DROP
        if first == following.last_seq + 1:
            following.last_seq = last
            return Verdict.SEND
        following.filling = True
        return Verdict.FILL

    def last_seq(self, conversation: str) -> int:
        """How far this client has a followed conversation."""
        return self.following[conversation].last_seq

    # What it said.

    def acknowledged(
        self, ack: f.Ack, before: Sequence[bytes], *, opened: bool, repeated: bool
    ) -> list[Effect]:
        """What the client said is on disk. `before` are events that came with it (started, reopened,
        assigned), just below `ack.seq`. The ack stands for the event itself."""
        conversation = ack.conversation
        if opened and conversation not in self.following:
            return self._opened(ack, before, repeated=repeated)
        sent: list[Effect] = []
        following = self.following.get(conversation)
        if (
            following is not None
            and not following.filling
            and not repeated
            and following.last_seq + len(before) + 1 == ack.seq
        ):
            following.last_seq = following.known = ack.seq
            if before:
                sent.append(do.Send(events_frame(conversation, before)))
        sent.append(do.Send(encode(ack)))
        return sent

    def _opened(self, ack: f.Ack, before: Sequence[bytes], *, repeated: bool) -> list[Effect]:
        if repeated:
            # Others may have written since; the client has nothing of it.
            return [*self.resume(ack.conversation, 0), do.Send(encode(ack))]
        self.following[ack.conversation] = Following(ack.seq)
        return [
            do.Follow(ack.conversation),
            do.Send(events_frame(ack.conversation, before)),
            do.Send(encode(ack)),
        ]

    def refused(self, client_message_id: str, error: BalieError) -> list[Effect]:
        """What the client said was not stored."""
        return [refusal(error, client_message_id)]

    def _close(self, code: int, reason: str) -> list[Effect]:
        self.phase = Phase.CLOSED
        return [do.Close(code, reason)]


def events_frame(conversation: str, events: Sequence[bytes]) -> bytes:
    """An `events` frame of events that are encoded already."""
    return encode(f.Events(conversation, tuple(map(msgspec.Raw, events))))


def refusal(error: BalieError, ref: str | None = None) -> do.Send:
    """A typed error as a frame."""
    return _error(error.code, error.detail, ref=ref, retry_after_ms=error.retry_after_ms)


def _error(
    code: str, detail: str, *, ref: str | None = None, retry_after_ms: int | None = None
) -> do.Send:
    return do.Send(encode(f.Error(code, detail, ref, retry_after_ms)))  # type: ignore[arg-type]


class _Stub(msgspec.Struct):
    """As much of a bad frame as helps its sender to find what it was about."""

    type: str = ""
    client_message_id: str | None = None
    conversation: str | None = None


def _limited(message: str | bytes, wait: int) -> do.Send:
    """Too many frames. What would be sent again must be named, or its sender never knows what was lost."""
    ref = None
    with contextlib.suppress(msgspec.MsgspecError, RecursionError, UnicodeError, ValueError):
        stub = msgspec.json.decode(message, type=_Stub)
        ref = stub.client_message_id or (stub.conversation if stub.type == "resume" else None)
    if len(ref or "") > MAX_REF:
        ref = None
    return _error("rate_limited", "too many frames", ref=ref, retry_after_ms=wait)


def _named_in(message: str | bytes) -> str | None:
    """The message that broken JSON was about: half a surrogate pair in a text breaks all of it, and its
    sender, who sends until he hears, must learn which of his messages will never arrive."""
    raw = message if isinstance(message, bytes) else message.encode(errors="replace")
    found = _MESSAGE_ID.search(raw)
    return found[1].decode() if found else None


def _describe(message: str | bytes, error: Exception) -> do.Send:
    try:
        stub = msgspec.json.decode(message, type=_Stub)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError):
        return _error("malformed", f"not a frame: {error}"[:300], ref=_named_in(message))
    code = (
        "unknown_type" if "Invalid value" in str(error) and "$.type" in str(error) else "malformed"
    )
    ref = stub.client_message_id if len(stub.client_message_id or "") <= MAX_REF else None
    return _error(code, str(error)[:300], ref=ref)
