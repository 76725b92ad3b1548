"""Connections that may break. In one direction of one connection nothing overtakes; everything else may.

A cut loses what is under way, from some point on, in each direction by itself; either end may hear of it at
once, late, or never.
"""

from collections.abc import Callable
from typing import Any

from tests.simulation.clockwork import Clockwork


class Pipe:
    """One direction of a connection. `deliver` is called once for each thing sent, in order."""

    def __init__(
        self, clockwork: Clockwork, lag: Callable[[], float], deliver: Callable[[Any], None]
    ):
        self.clockwork = clockwork
        self.lag = lag
        self.deliver = deliver
        self.free_at = 0.0
        self.sent = 0
        self.arrived = 0
        self.broken_at: int | None = None

    def send(self, thing: Any) -> None:
        if self.broken_at is not None:
            return
        self.free_at = max(self.free_at, self.clockwork.now + self.lag())
        self.sent += 1
        self.clockwork.after(self.free_at - self.clockwork.now, self._arrive, thing)

    def _arrive(self, thing: Any) -> None:
        self.arrived += 1
        if self.broken_at is None or self.arrived <= self.broken_at:
            self.deliver(thing)
        elif self.arrived == self.broken_at + 1 and thing:
            # Of the next one a part, perhaps: streams break anywhere.
            self.deliver(thing[: self.clockwork.now % len(thing)])

    def cut(self, chance: Callable[[int, int], int]) -> None:
        """Of what is under way only the first few things arrive."""
        if self.broken_at is None:
            self.broken_at = chance(self.arrived, self.sent)


class Link:
    """A connection: `up` to the server, `down` to the client."""

    def __init__(self, number: int, up: Pipe, down: Pipe) -> None:
        self.number = number
        self.up = up
        self.down = down

    def cut(self, chance: Callable[[int, int], int]) -> None:
        self.up.cut(chance)
        self.down.cut(chance)
