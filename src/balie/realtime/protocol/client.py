"""The client's side of one connection, without the connection: what to send, show, ask and do next.

No sockets, timers, clock or chance in here: `step` takes what happened and the time, and answers with what
is to be done. Inputs and effects are dicts in the words of `web/protocol/README.md`, the same as those of
the web clients; both play the stories of `tests/cases/protocol`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from balie.realtime.protocol.client_line import (
    MAX_DELAY,
    PONG_WITHIN,
    ClientLine,
    Effect,
    Frame,
    Input,
    resume_frame,
)
from balie.realtime.protocol.client_log import Event, Log
from balie.realtime.protocol.client_outbox import Item

MARK_EVERY = 300
MARKS_AT_ONCE = 8
"""Marks within MARK_EVERY, of all conversations together: well below what the server takes."""
TYPING_EVERY = 4_000
TYPING_FADES = 6_000
ALIVE_EVERY = 15_000

_INPUTS = {
    "open": "_opened",
    "shut": "_shut",
    "connected": "_connected",
    "disconnected": "_disconnected",
    "received": "_received",
    "tick": "_tick",
    "online": "_online",
    "woke": "_hurry",
    "offline": "_offline",
    "restore": "_restored",
    "post": "_posted",
    "retry": "_retried",
    "discard": "_discarded",
    "follow": "_follow",
    "leave": "_left",
    "filled": "_filled",
    "unfilled": "_unfilled",
    "mark": "_marked",
    "typing": "_typing",
    "page": "_moved",
    "alive": "_stirred",
    "identify": "_identify",
    "identified": "_identified",
}
_FRAMES = {
    "welcome": "_welcome",
    "ack": "_acked",
    "events": "_happened",
    "resync": "_resynced",
    "conversation": "_changed",
    "inbox": "_listed",
    "gone": "_lost",
    "typing": "_typed_by",
    "error": "_refused",
    "draining": "_draining",
    "receipt": "_tell",
    "presence": "_tell",
}


class ClientSession(ClientLine):
    """A client of the protocol. `chance` gives numbers from 0 up to 1; times are milliseconds."""

    def __init__(self, kind: Literal["visitor", "agent"], chance: Callable[[], float]) -> None:
        super().__init__(kind, chance)
        # Since when marks are counted, and how many there were.
        self._marks: tuple[float, int] = (0, 0)
        self._typed: tuple[str, float] = ("", 0)
        self._typers: dict[tuple[str, Any], tuple[Frame, float]] = {}

    def step(self, happened: Input, now: float) -> list[Effect]:
        """Something happened at `now`. Returns what is to be done, in order."""
        self._now = now
        self._effects = []
        before = self.outbox.items
        getattr(self, _INPUTS[happened["type"]])(happened)
        if self.status == "live":
            self._send_due()
        if self.outbox.items is not before:
            self._do({"type": "outbox", "items": self.outbox.items})
        return self._effects

    def wake_at(self) -> float:
        """When `tick` should come, or infinity."""
        times = [self._retry_at, self._welcome_by, self._pong_by]
        times += [until for _, until in self._typers.values()]
        if self.status == "live":
            free_at = max(1, self.pace.free_at())
            times += [self._ping_at, self._alive_at, max(free_at, self.outbox.next())]
            if self._page:
                times.append(free_at)
            for log in self.logs.values():
                if log.ask_at and not log.filling:
                    times.append(max(free_at, log.ask_at))
                if not log.marked:
                    times.append(max(free_at, log.mark_at, self._marks_full_until()))
        return min(filter(None, times), default=math.inf)

    # What a person, a page or the shell tells us.

    def _received(self, happened: Input) -> None:
        frames = happened["frames"]
        for frame in frames if isinstance(frames, list) else [frames]:
            self._receive(frame)

    def _tick(self, _: Input) -> None:
        for key, (_frame, until) in list(self._typers.items()):
            if self._now >= until:
                self._fade(key)
        self._keep()

    def _restored(self, happened: Input) -> None:
        items: list[Item] = happened["items"]
        self.outbox.restore(items)

    def _posted(self, happened: Input) -> None:
        self._typed = (self._typed[0], 0)
        self.outbox.write({**happened["item"], "at": self._now, "state": "waiting"})

    def _retried(self, happened: Input) -> None:
        self.outbox.retry(happened["client_message_id"])

    def _discarded(self, happened: Input) -> None:
        self.outbox.remove(happened["client_message_id"])

    def _moved(self, happened: Input) -> None:
        self._page = {"type": "page", **happened["page"]}

    def _left(self, happened: Input) -> None:
        conversation = happened["conversation"]
        if self.logs.pop(conversation, None):
            self.outbox.settle(conversation)
            self._send({"type": "leave", "conversation": conversation})

    def _marked(self, happened: Input) -> None:
        log = self.logs.get(happened["conversation"])
        if log:
            log.mark(happened.get("delivered") or 0, happened.get("read") or 0)

    def _stirred(self, happened: Input) -> None:
        self._alive = happened
        self._alive_at = 1

    # What the server says.

    def _receive(self, frame: Frame) -> None:
        kind = frame["type"]
        if self.status != "live" and kind not in ("welcome", "error"):
            return
        if handle := _FRAMES.get(kind):
            getattr(self, handle)(frame)
        self._pong_by = 0
        if self.status == "live":
            self._ping_at = self._now + self._heartbeat

    def _acked(self, frame: Frame) -> None:
        conversation, seq = frame["conversation"], frame["seq"]
        sent = self.outbox.find(frame["client_message_id"])
        item = self.outbox.ack(frame["client_message_id"], conversation, seq)
        if sent is None or item is None:
            return
        if conversation not in self.logs:
            if sent["conversation"] is not None:
                # We left this conversation meanwhile; the message is where it belongs.
                self.outbox.remove(frame["client_message_id"])
                return
            self._begin(conversation, seq)
        self._show(conversation, [self._event_of(item, seq, frame["at"])])
        log = self.logs[conversation]
        log.hear(seq, self._now)
        # What we show may begin later than what was stored long ago.
        self.outbox.settle(conversation, log.last)

    def _event_of(self, item: Item, seq: int, at: int) -> Event:
        said = {"text": item["text"]}
        return {
            "seq": seq,
            "type": "note.posted" if item["kind"] == "note" else "message.posted",
            "at": at,
            "author": self.author,
            "client_message_id": item["client_message_id"],
            "data": {**said, "files": item["files"]} if item["files"] else said,
        }

    def _begin(self, conversation: str, seq: int) -> None:
        """Our own message is the first that we know of this conversation."""
        self.logs[conversation] = Log(seq - 1)
        self.logs[conversation].listen(self._now)
        self._do({"type": "started", "conversation": conversation})

    def _happened(self, frame: Frame) -> None:
        log = self.logs.get(frame["conversation"])
        if log is None:
            return
        self._show(frame["conversation"], frame["events"])
        if log.behind and not log.ask_at:
            log.ask_at = self._now

    def _show(self, conversation: str, events: Sequence[Event]) -> None:
        log = self.logs[conversation]
        ready = log.take(events)
        if not ready:
            return
        self._do({"type": "events", "conversation": conversation, "events": ready})
        for event in ready:
            if event["type"] == "internal":
                continue
            self.outbox.remove(event.get("client_message_id"), conversation)
            if event["type"] != "message.posted":
                continue
            if event["author"]["kind"] != self.kind:
                log.mark(event["seq"], 0)
            self._fade((conversation, event["author"].get("id")))

    def _resynced(self, frame: Frame) -> None:
        conversation, last_seq = frame["conversation"], frame["last_seq"]
        log = self.logs.get(conversation)
        if log is None:
            return
        if last_seq < log.claimed:
            # The server has less than we asked it to go on from: it was restored from a backup, and what it
            # has is what counts.
            log = self.logs[conversation] = Log(0)
            self._do({"type": "reset", "conversation": conversation})
        log.hear(last_seq, self._now)
        if log.behind:
            log.filling = last_seq
            self._fill(conversation, log)

    def _fill(self, conversation: str, log: Log) -> None:
        """Of a conversation that we never saw, the end comes first."""
        page = {"after": log.last} if log.last else {"before": log.filling + 1}
        self._do({"type": "fill", "conversation": conversation, **page})

    def _filled(self, happened: Input) -> None:
        conversation, events = happened["conversation"], happened["events"]
        log = self.logs.get(conversation)
        if log is None:
            return
        start = log.last
        if not start:
            log.begin(events)
            self.outbox.settle(conversation, log.last)
        self._show(conversation, events)
        if log.last >= log.filling:
            log.filling = 0
        elif log.last > start:
            self._fill(conversation, log)
        else:
            self._unfilled(happened)

    def _unfilled(self, happened: Input) -> None:
        log = self.logs.get(happened["conversation"])
        if log is None or not log.filling:
            return
        log.filling = 0
        log.ask_at = self._now + PONG_WITHIN

    def _changed(self, frame: Frame) -> None:
        self._tell(frame)
        self._hear(frame["conversation"])

    def _listed(self, frame: Frame) -> None:
        self._tell(frame)
        for row in frame["rows"]:
            self._hear(row)

    def _lost(self, frame: Frame) -> None:
        for conversation in frame["conversations"]:
            self.logs.pop(conversation, None)
        self._tell(frame)

    def _refused(self, frame: Frame) -> None:
        self.outbox.refuse(frame, self._now)
        ref = frame.get("ref")
        if frame["code"] == "rate_limited":
            self._slow_down(frame)
        log = self.logs.get(ref) if ref else None
        if log and frame["code"] == "not_found" and not self._identifying:
            del self.logs[str(ref)]
        elif log:
            wait = frame.get("retry_after_ms")
            log.refuse(self._now + (PONG_WITHIN if wait is None else wait))
        self._tell(frame)

    def _slow_down(self, frame: Frame) -> None:
        """Whatever it was about, the limit is one for all that we send."""
        self.pace.slow_down(self._now, frame.get("retry_after_ms"))
        if frame.get("ref") is not None:
            return
        self._doubt_marks()
        if self._told_page and self._now - self._page_at < MAX_DELAY:
            self._page = self._page or self._told_page
        if self._alive:
            self._alive_at = max(1, self.pace.free_at())

    def _draining(self, frame: Frame) -> None:
        self._drain = frame["retry_ms"]

    # Conversations that we follow, and what we say about them.

    def _follow(self, happened: Input) -> None:
        conversation, last_seq = happened["conversation"], happened["last_seq"]
        if conversation in self.logs:
            return
        log = self.logs[conversation] = Log(last_seq)
        self.outbox.settle(conversation, last_seq)
        log.listen(self._now)

    def _typing(self, happened: Input) -> None:
        conversation, on = happened["conversation"], happened["on"]
        of, at = self._typed
        fresh = of == conversation and at and self._now - at < TYPING_EVERY
        if self.status != "live" or (fresh if on else not at):
            return
        # Nobody misses it, so it does not wait.
        if on and not self.pace.take(self._now):
            return
        self._typed = (conversation, self._now if on else 0)
        self._send({"type": "typing", "conversation": conversation, "on": on})

    def _typed_by(self, frame: Frame) -> None:
        key = (frame["conversation"], frame["by"].get("id"))
        if not frame["on"]:
            self._fade(key)
            return
        self._typers[key] = (frame, self._now + TYPING_FADES)
        self._tell(frame)

    def _fade(self, key: tuple[str, Any]) -> None:
        if typer := self._typers.pop(key, None):
            self._tell({**typer[0], "on": False})

    def _marks_full_until(self) -> float:
        since, count = self._marks
        return since + MARK_EVERY if count >= MARKS_AT_ONCE else 0

    def _count_mark(self) -> None:
        since, count = self._marks
        again = self._now >= since + MARK_EVERY
        self._marks = (self._now, 1) if again else (since, count + 1)

    def _send_due(self) -> None:
        """Everything whose time has come: what is missing, messages, marks, that we are awake."""
        self._ask_due()
        for frame in self.outbox.due(self._now, self.pace):
            self._send(frame)
        if self._page and self.pace.take(self._now):
            self._told_page, self._page, self._page_at = self._page, None, self._now
            self._send(self._told_page)
        self._mark_due()
        if self._alive and self._passed(self._alive_at):
            self._alive_at = self._now + ALIVE_EVERY
            self._send({**self._alive})

    def _ask_due(self) -> None:
        for conversation, log in self.logs.items():
            if not log.ask_at:
                continue
            if self._now < self.pace.free_at():
                return
            if log.asks(self._now):
                self.pace.take(self._now)
                self._send(resume_frame(conversation, log.claim()))

    def _mark_due(self) -> None:
        for conversation, log in self.logs.items():
            if log.marked or self._now < max(log.mark_at, self._marks_full_until()):
                continue
            if not self.pace.take(self._now):
                return
            self._count_mark()
            log.marked = True
            log.mark_at = self._now + MARK_EVERY
            self._send(_mark(conversation, log))


def _mark(conversation: str, log: Log) -> Frame:
    return {
        "type": "mark",
        "conversation": conversation,
        "delivered": log.delivered,
        "read": log.read,
    }
