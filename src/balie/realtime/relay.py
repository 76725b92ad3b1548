"""Posts of a stream that came to another process than the stream itself: proxies spread what comes."""

import hashlib
from collections.abc import Callable
from typing import Protocol

import msgspec

NAME = 12
"""A stream's id begins with the name of its process: so many characters."""


class Shown(msgspec.Struct, frozen=True):
    """Who posts, as far as he shows it: where his page is from, whose token he has, and the hash of his
    cookie."""

    origin: str | None
    visitor: str | None
    cookie: str


def hashed(cookie: bytes) -> str:
    """A cookie as it may be told to another process; nothing for none."""
    return hashlib.sha256(cookie).hexdigest() if cookie else ""


class Post(msgspec.Struct, frozen=True):
    """Frames for a stream."""

    stream: str
    shown: Shown
    frames: list[msgspec.Raw]


class Relay(Protocol):
    """Carries posts between processes."""

    name: str
    """Of this process: what the ids of its streams begin with."""
    on_post: Callable[[Post], None]
    """What is done with a post for a stream of this process."""

    def reaches(self, stream: str) -> bool:
        """Whether another process lives that may have this stream."""
        ...

    def pass_on(self, post: Post) -> None:
        """Hand it over. That it arrives is not known."""
        ...


class NoRelay:
    """Where there is one process."""

    name = ""

    def __init__(self) -> None:
        self.on_post: Callable[[Post], None] = lambda _: None

    def reaches(self, stream: str) -> bool:  # noqa: ARG002
        return False

    def pass_on(self, post: Post) -> None:
        """Nobody is there."""
