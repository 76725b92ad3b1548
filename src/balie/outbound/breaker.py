"""Leaving alone what does not answer. Pure.

Counted are failures to reach somebody: no connection, no answer in time, no trust in his certificate. An answer
that says no is an answer.
"""

from collections import OrderedDict

import msgspec

TRIES = 5
"""Failures in a row after which a circuit opens."""
REST_MS = 30_000
"""How long it stays open; then one may try, and the others wait for what he finds."""
KEPT = 10_000
"""Circuits that are remembered."""


class _Circuit(msgspec.Struct):
    failures: int = 0
    open_until: int = 0


class Breaker:
    """Circuits by key; times in milliseconds of any clock."""

    def __init__(self) -> None:
        self._circuits: OrderedDict[str, _Circuit] = OrderedDict()

    def rest_of(self, key: str, now: int) -> int:
        """How long to leave it alone; 0 when it may be tried. Who gets 0 from an open circuit is the one who
        tries."""
        circuit = self._circuits.get(key)
        if circuit is None or circuit.failures < TRIES:
            return 0
        if now < circuit.open_until:
            return circuit.open_until - now
        circuit.open_until = now + REST_MS
        return 0

    def answered(self, key: str) -> None:
        """Somebody is there."""
        self._circuits.pop(key, None)

    def failed(self, key: str, now: int) -> None:
        """Nobody was reached."""
        circuit = self._circuits.setdefault(key, _Circuit())
        self._circuits.move_to_end(key)
        circuit.failures += 1
        if circuit.failures >= TRIES:
            circuit.open_until = now + REST_MS
        while len(self._circuits) > KEPT:
            self._circuits.popitem(last=False)
