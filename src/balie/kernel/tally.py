"""Plain numbers that a room keeps of its own work, for whoever measures the house from outside."""

from bisect import bisect_left
from collections.abc import Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds for what takes time."""


class Spread:
    """How often a value fell under each of `bounds`, and the sum of all. Written by one thread."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulated(self) -> list[tuple[str, int]]:
        """(upper bound, how many values were not above it), as Prometheus has it; the last bound is `+Inf`."""
        found, so_far = [], 0
        for bound, count in zip((*self.bounds, "+Inf"), tuple(self.counts), strict=True):
            so_far += count
            found.append((str(bound), so_far))
        return found
