"""The ports of clock and entropy: the only two things a pure rule may ask of the world, handed in."""

from typing import Protocol


class Clock(Protocol):
    """Tells the time in whole milliseconds since 1970-01-01 UTC."""

    def __call__(self) -> int: ...


class Entropy(Protocol):
    """Gives `count` bytes that nobody can guess."""

    def __call__(self, count: int, /) -> bytes: ...
