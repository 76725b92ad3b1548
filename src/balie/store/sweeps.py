"""Deleting much without standing in anybody's way.

A sweep finds what is due on a reader, and deletes it in small transactions of the one writer. How much goes
into each is measured as it goes: a batch aims at TARGET_MS, and the writer is left alone for as long as the
batch took.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy import Connection

from balie.kernel.erasure import Gone, together
from balie.store.engine import Store
from balie.store.scope import EVERYWHERE

PAGE = 1_000
TARGET_MS = 30.0
FIRST_ROWS = 50
MOST_ROWS = 1_000


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What time it is, and for sweeps of one organisation, whose and before when. Milliseconds."""

    now: int
    organisation_id: str = ""
    before: int = 0

    @property
    def scope(self) -> str:
        """Whose rows a sweep sees."""
        return self.organisation_id or EVERYWHERE


Found = list[tuple[str, int]]
"""Ids with the number of rows that go with each."""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing that does not stay.

    `find` names at most so many that are due; `delete` deletes those that still are; `count` says how many
    rows of what would go. `by_organisation`: `due` names an organisation.
    """

    name: str
    by_organisation: bool = False
    find: Callable[[Connection, Due, int], Found]
    delete: Callable[[Connection, Due, list[str]], Gone]
    count: Callable[[Connection, Due], dict[str, int]]


Told = Callable[[Gone], Awaitable[None]]


async def run_sweep(store: Store, sweep: Sweep, due: Due, told: Told) -> dict[str, int]:
    """Delete all that is due, telling `told` after each commit. Returns how many rows went, by kind."""
    parts: list[Gone] = []
    rows = FIRST_ROWS
    while found := await store.read(lambda c: sweep.find(c, due, PAGE), of=due.scope):
        before = len(parts)
        while found:
            batch, found = _split(found, rows)
            gone, milliseconds = await _delete(store, sweep, due, batch)
            if any(gone.counts.values()):
                parts.append(Gone(gone.counts))
                await told(gone)
            rows = _next_size(rows, milliseconds)
            await store.settle()
            await asyncio.sleep(milliseconds / 1_000)
        if len(parts) == before:
            # All of it came back to life since it was found.
            break
    return together(parts).counts


async def _delete(store: Store, sweep: Sweep, due: Due, ids: list[str]) -> tuple[Gone, float]:
    def command(connection: Connection) -> tuple[list[str], tuple[Gone, float]]:
        start = time.perf_counter()
        return ids, (sweep.delete(connection, due, ids), start)

    gone, start = await store.rewrite(command, of=due.scope)
    # The commit counts too: what was deleted has to be written over.
    return gone, (time.perf_counter() - start) * 1_000


def _split(found: Found, rows: int) -> tuple[list[str], Found]:
    """As many as fit into `rows`, at least one; and the rest."""
    taken, weight = 1, found[0][1]
    while taken < len(found) and weight + found[taken][1] <= rows:
        weight += found[taken][1]
        taken += 1
    return [key for key, _ in found[:taken]], found[taken:]


def _next_size(rows: int, milliseconds: float) -> int:
    if milliseconds > TARGET_MS:
        return max(20, int(rows * TARGET_MS / milliseconds))
    return min(MOST_ROWS, rows * 2) if milliseconds < TARGET_MS / 2 else rows
