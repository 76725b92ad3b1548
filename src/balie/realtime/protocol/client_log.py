"""One conversation as a client follows it: hands out each event once and in order, knows what it misses."""

from collections.abc import Sequence
from typing import Any

Event = dict[str, Any]

ASK_AGAIN = 5_000
"""How long to wait for an answer to `resume` before asking again, ms."""
SETTLE = 500
"""What was only heard of (a row, an ack) is usually on its way: look again after this, ms."""
MAX_HELD = 1_000
"""Events held behind a hole; beyond this they are dropped and asked for again."""


class Log:
    """`last` is the number of the last event that was handed out, `known` the highest one heard of, `claimed`
    what we told the server last that we have.

    `ask_at` says when to ask (again) for what is missing, 0 when nothing is; `deaf` that the server does not
    let us hear this conversation yet, so that we must ask though nothing is known to be missing; `filling` is
    the end of a hole that is being fetched over HTTP, or 0; `delivered` and `read` are this side's marks, and
    `mark_at` when the server may be told next.
    """

    __slots__ = (
        "_held",
        "ask_at",
        "claimed",
        "deaf",
        "delivered",
        "filling",
        "known",
        "last",
        "mark_at",
        "marked",
        "read",
    )

    def __init__(self, last: int) -> None:
        self.last = last
        self.known = last
        self.claimed = last
        self.ask_at: float = 0
        self.deaf = False
        self.filling = 0
        self.delivered = 0
        self.read = 0
        self.marked = True
        self.mark_at: float = 0
        self._held: dict[int, Event] = {}

    def take(self, events: Sequence[Event]) -> list[Event]:
        """Keep these events; returns those that can be shown now."""
        for event in events:
            seq = event["seq"]
            if seq > self.last and len(self._held) < MAX_HELD:
                self._held[seq] = event
            self.known = max(self.known, seq)
        ready = []
        while following := self._held.pop(self.last + 1, None):
            self.last += 1
            ready.append(following)
        if not self.behind and not self.deaf:
            self.ask_at = 0
        return ready

    def begin(self, events: Sequence[Event]) -> None:
        """Begin anew at the end of the conversation: `events` is its last page."""
        if events and events[0]["seq"] > self.last:
            self.last = events[0]["seq"] - 1

    def claim(self) -> int:
        """What to resume from; noted."""
        self.claimed = self.last
        return self.last

    def greet(self) -> int:
        """As `claim`, in a `hello`: nothing more is to be asked."""
        self.ask_at = 0
        self.deaf = False
        return self.claim()

    @property
    def behind(self) -> bool:
        return self.known > self.last

    def hear(self, seq: int, now: float) -> None:
        """Somebody says that the conversation is `seq` long."""
        self.known = max(self.known, seq)
        if self.behind and not self.ask_at:
            self.ask_at = now + SETTLE

    def asks(self, now: float) -> bool:
        """Is it time to ask? Then the asking is noted."""
        if not self.behind and not self.deaf:
            # A time that nothing clears would make its timer ring for ever.
            self.ask_at = 0
            return False
        if self.filling or now < self.ask_at:
            return False
        self.ask_at = now + ASK_AGAIN if self.behind else 0
        self.deaf = False
        return True

    def listen(self, now: float) -> None:
        """The server is to be asked for this conversation, whatever is known of it."""
        self.deaf = True
        self.ask_at = now

    def refuse(self, until: float) -> None:
        """The server cannot let us hear this conversation now; it may from `until` on."""
        self.deaf = True
        self.ask_at = until

    def mark(self, delivered: int, read: int) -> bool:
        """Raise the marks; false when nothing changed."""
        if delivered <= self.delivered and read <= self.read:
            return False
        self.read = max(self.read, read)
        self.delivered = max(self.delivered, delivered, self.read)
        self.marked = False
        return True
