"""Hints between processes: "look at the log, now". They may get lost, come twice or late; who never gets one
looks by himself before long."""

from collections.abc import Callable
from typing import Protocol

import msgspec


class Growth(msgspec.Struct, frozen=True, array_like=True):
    """Somebody added the events from `first` to `last` to a conversation."""

    organisation_id: str
    conversation_id: str
    first: int
    last: int


class Hint(msgspec.Struct, frozen=True):
    """What one process did just now: conversations grew, or there are notices to read."""

    worker: str
    grown: tuple[Growth, ...] = ()
    notices: bool = False


class Hints(Protocol):
    """Carries hints. None of this raises or waits: a message never depends on it."""

    def start(self, hear: Callable[[Hint], None]) -> None:
        """Be told the hints of others, in the event loop."""
        ...

    def tell(self, hint: Hint) -> None:
        """Tell the others, if they can be reached."""
        ...

    @property
    def is_connected(self) -> bool: ...

    async def stop(self) -> None: ...


class NoHints:
    """Where processes have no way to call each other."""

    is_connected = False

    def start(self, hear: Callable[[Hint], None]) -> None:
        pass

    def tell(self, hint: Hint) -> None:
        pass

    async def stop(self) -> None:
        pass
