"""How often somebody may try a password: token buckets like those of `balie.edge.limits`, but stored, so that a
restart forgives nothing and two processes do not allow twice as much."""

import hashlib

from sqlalchemy import Connection, delete, select, update

from balie.agents.model import tries
from balie.edge.limits import Bucket, Rate, refill
from balie.edge.ports import Ports
from balie.kernel.errors import RateLimitedError
from balie.store.scope import EVERYWHERE
from balie.store.upsert import insert

Wish = tuple[Rate, str]
"""A bucket, and the key by which it counts."""

FORGOTTEN_MS = 6 * 3_600_000
"""Longer than any bucket takes to be full again."""


class Tries:
    """The buckets of all processes over one store."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def take(self, wishes: list[Wish]) -> int:
        """Take one token from each bucket; the fewest that are left in any. Raises RateLimitedError where one
        is empty, and then takes none: who is blocked himself must not block the account for its owner."""
        now = self._ports.clock()

        def write(connection: Connection) -> int:
            connection.execute(delete(tries).where(tries.c.at < now - FORGOTTEN_MS))
            buckets = _locked(connection, wishes, now)
            for rate, key in wishes:
                _take(buckets[key], rate)
            _save(connection, buckets)
            return min(int(bucket.tokens) for bucket in buckets.values())

        return await self._ports.store.write(write, of=EVERYWHERE)

    async def give_back(self, forgiven: str, wishes: list[Wish]) -> None:
        """Start the bucket of `forgiven` anew, and undo a `take` from the others."""
        now = self._ports.clock()

        def write(connection: Connection) -> None:
            buckets = _locked(connection, wishes, now)
            for rate, key in wishes:
                buckets[key].tokens = min(float(rate.burst), buckets[key].tokens + 1)
            _save(connection, buckets)
            connection.execute(delete(tries).where(tries.c.key == _hashed(forgiven)))

        await self._ports.store.write(write, of=EVERYWHERE)


def _locked(connection: Connection, wishes: list[Wish], now: int) -> dict[str, Bucket]:
    """The buckets as they stand now, and nobody else's until the transaction ends. In one order, so that two
    who want the same do not wait for each other."""
    found: dict[str, Bucket] = {}
    for rate, key in sorted(wishes, key=lambda wish: _hashed(wish[1])):
        row = {"key": _hashed(key), "tokens": float(rate.burst), "at": now}
        connection.execute(insert(connection, tries).values(row).on_conflict_do_nothing())
        query = select(tries.c.tokens, tries.c.at).where(tries.c.key == row["key"])
        tokens, at = connection.execute(query.with_for_update()).one()
        found[key] = Bucket(tokens, at)
        refill(found[key], rate, now)
    return found


def _take(bucket: Bucket, rate: Rate) -> None:
    if bucket.tokens < 1:
        wait = int((1 - bucket.tokens) * rate.refill_ms) + 1
        raise RateLimitedError("too much in too short a time", retry_after_ms=wait)
    bucket.tokens -= 1


def _save(connection: Connection, buckets: dict[str, Bucket]) -> None:
    for key, bucket in buckets.items():
        connection.execute(
            update(tries)
            .where(tries.c.key == _hashed(key))
            .values(tokens=bucket.tokens, at=bucket.at)
        )


def _hashed(key: str) -> str:
    """Nobody's address stands in the store for having tried."""
    return hashlib.sha256(key.encode()).hexdigest()
