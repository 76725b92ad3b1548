"""How fast a client sends what may wait: below what the server takes, and slower once it was told so. Pure."""

EVERY = 20
"""Milliseconds to a frame in the long run: half of what one connection may send."""
AT_ONCE = 100
"""Frames before that counts."""
RELAX = 10_000
"""After so long without a complaint the learned distance between frames is halved."""
MAX_GAP = 30_000
USUAL_WAIT = 1_000
"""Where the server names no time, ms."""


class Pace:
    """When the next frame may go. All conversations of a client share one."""

    __slots__ = ("_eased_at", "_gap", "_next", "_spent")

    def __init__(self) -> None:
        # Between two frames, learned from the server's refusals.
        self._gap: float = 0
        self._next: float = 0
        self._eased_at: float = 0
        # The moment up to which frames have been spent, each taking EVERY.
        self._spent: float = 0

    def free_at(self) -> float:
        """When a frame may go; often in the past."""
        return max(self._next, self._spent - (AT_ONCE - 1) * EVERY)

    def take(self, now: float) -> bool:
        """May a frame go now? Then it is counted."""
        if now < self.free_at():
            return False
        self._ease(now)
        self._spent = max(self._spent, now) + EVERY
        self._next = now + self._gap
        return True

    def slow_down(self, now: float, wait: float | None) -> None:
        """The server has refused a frame: nothing goes for `wait`, and later not faster than that."""
        pause = min(MAX_GAP, USUAL_WAIT if wait is None else wait)
        self._gap = max(self._gap, pause)
        self._next = max(self._next, now + pause)
        self._eased_at = now

    def begin(self, now: float) -> None:
        """A new connection stands: what was learned counts from here."""
        self._eased_at = now

    def _ease(self, now: float) -> None:
        while self._gap and now >= self._eased_at + RELAX:
            self._eased_at += RELAX
            self._gap = self._gap // 2 if self._gap > EVERY else 0
