"""The bus of a single process: whoever subscribed is called, in order, at once."""

from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger("balie.bus")


class MemoryBus(Generic[T]):
    """Hands every message to every subscriber. One that fails does not keep it from the others."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[T], None]] = []

    def subscribe(self, subscriber: Callable[[T], None]) -> None:
        self._subscribers.append(subscriber)

    def publish(self, message: T) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(message)
            except Exception:
                # What failed to be told live is in the log, and is found again by `resume`.
                log.exception("a subscriber failed")
