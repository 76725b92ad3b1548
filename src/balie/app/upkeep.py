"""What a server does beside serving: it lets go of what was kept long enough, and hears of what other
processes erased."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection

from balie import wiring
from balie.app import clockguard
from balie.app.house import House, clock
from balie.contacts import ledger
from balie.contacts.ledger import Entry, subject_of
from balie.conversations.leftovers import delete_leftovers
from balie.kernel.erasure import Gone
from balie.kernel.tidings import ConversationsGone
from balie.organisations.model import Organisation
from balie.organisations.queries import find_all_organisations
from balie.realtime.protocol.frames import Close
from balie.store.scope import EVERYWHERE
from balie.store.sweeps import Due, Sweep, run_sweep
from balie.store.turn import NotOursError, Turn, having

log = structlog.get_logger("balie.app")

DAY_MS = 86_400_000
SWEEP_EVERY = 3_600.0
WATCH_EVERY = 0.5
LOOK_EVERY = 15.0
"""Seconds for which a console may stay connected after its sign-in has run out."""

Counts = dict[str, dict[str, int]]
"""By organisation (id; the empty string for what is of none), rows by kind."""
Progress = Callable[[int], None]
"""Told how many rows have gone since it was told before."""


async def sweep_all(
    house: House, progress: Progress = lambda _: None, *, trust_clock: bool = False
) -> Counts:
    """Delete everything that was kept long enough. Returns what went. Raises DoubtedClockError, and
    NotOursError where another process is at it."""
    if not trust_clock and (reason := await doubted(house)):
        raise clockguard.refusal(reason)
    turn = house.store.driver.turn()
    async with having(turn):
        return await _sweep_in_turn(house, progress, turn)


async def _sweep_in_turn(house: House, progress: Progress, turn: Turn) -> Counts:
    clockguard.remember(house.folder, clock())
    counts: Counts = {}
    for sweep, due in await _plan(house):
        told = _letting_go(house, due, progress)
        gone = await run_sweep(house.store, _in_turn(house, sweep, turn), due, told)
        _add(counts, due.organisation_id, gone)
    await house.store.write(turn.confirm, of=EVERYWHERE)
    leftovers = await delete_leftovers(house.store, house.blobs, clock())
    _add(counts, "", {"leftover files": leftovers})
    if any(any(kinds.values()) for kinds in counts.values()):
        await house.store.scrub()
    return counts


async def doubted(house: House) -> str | None:
    """Why nothing should be deleted by this clock; None when it may be believed."""
    now, mark = clock(), await clockguard.last_known(house.store, house.folder)
    if not clockguard.may_be_doubted(now, mark):
        return None
    counts = (await count_all(house)).values()
    due = sum(sum(kinds.values()) for kinds in counts)
    going = sum(kinds.get("conversations", 0) for kinds in counts)
    every = await clockguard.count_conversations(house.store)
    return clockguard.doubt(now, mark, due, going, every)


async def count_all(house: House) -> Counts:
    """What `sweep_all` would delete now, but for leftover files."""
    counts: Counts = {}
    for sweep, due in await _plan(house):
        _add(counts, due.organisation_id, await _count(house, sweep, due))
    return counts


async def _count(house: House, sweep: Sweep, due: Due) -> dict[str, int]:
    return await house.store.read(lambda connection: sweep.count(connection, due), of=due.scope)


async def _plan(house: House) -> list[tuple[Sweep, Due]]:
    organisations = await house.store.read(find_all_organisations, of=EVERYWHERE)
    now = clock()
    return [
        (sweep, due)
        for sweep in wiring.SWEEPS
        for due in (_dues(organisations, now) if sweep.by_organisation else [Due(now=now)])
    ]


def _dues(organisations: list[Organisation], now: int) -> list[Due]:
    return [
        Due(now=now, organisation_id=each.id, before=now - each.retention_days * DAY_MS)
        for each in organisations
    ]


def _in_turn(house: House, sweep: Sweep, turn: Turn) -> Sweep:
    """The sweep, as long as it is this process's turn; what it deletes it tells the other processes in the
    same transaction."""

    def delete(connection: Connection, due: Due, ids: list[str]) -> Gone:
        turn.confirm(connection)
        gone = sweep.delete(connection, due, ids)
        if gone.conversation_ids:
            tiding = ConversationsGone(due.organisation_id, list(gone.conversation_ids))
            house.ports.tell(connection, due.scope, tiding)
        return gone

    return replace(sweep, delete=delete)


def _letting_go(house: House, due: Due, progress: Progress) -> Callable[[Gone], Awaitable[None]]:
    async def told(gone: Gone) -> None:
        house.hub.gone(due.organisation_id, gone.conversation_ids)
        house.elsewhere.hurry()
        for file_id in gone.file_ids:
            await asyncio.to_thread(house.blobs.discard, file_id)
        progress(sum(gone.counts.values()))

    return told


def _add(counts: Counts, organisation_id: str, more: dict[str, int]) -> None:
    known = counts.setdefault(organisation_id, {})
    for kind, number in more.items():
        known[kind] = known.get(kind, 0) + number


class Upkeep:
    """The tasks of a running server. `start` them inside its event loop."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; whom a restored backup brought back is erased before anybody is served."""
        again = await self._house.erasing.reconcile()
        if again:
            log.warning("persons of a restored backup were erased again", persons=again)
        await self._house.elsewhere.start()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(_again_and_again(self._sweep, SWEEP_EVERY, "sweeping")),
            loop.create_task(self._watch()),
            loop.create_task(
                _again_and_again(self._house.end_expired_sessions, LOOK_EVERY, "ending sessions")
            ),
        ]

    async def stop(self) -> None:
        """Stop between two transactions."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _sweep(self) -> None:
        if not self._house.elsewhere.leads():
            return
        if reason := await doubted(self._house):
            log.error("the clock is doubted", told=clockguard.refusal(reason).detail)
            return
        try:
            counts = await sweep_all(self._house, trust_clock=True)
        except NotOursError:
            return
        for organisation_id, kinds in counts.items():
            if any(kinds.values()):
                log.info("kept long enough", organisation=organisation_id or None, **_words(kinds))

    # What other processes erased.

    async def _watch(self) -> None:
        self._seen = await self._house.store.read(ledger.last_entry, of=EVERYWHERE)
        await _again_and_again(self._hear, WATCH_EVERY, "watching erasures")

    async def _hear(self) -> None:
        seen = self._seen
        self._seen, entries = await self._house.store.read(
            lambda connection: ledger.entries_after(connection, seen), of=EVERYWHERE
        )
        own = self._house.erasing.told
        foreign = [entry for entry in entries if entry not in own]
        own.difference_update(entries)
        if foreign:
            self._tell(foreign)

    def _tell(self, entries: list[Entry]) -> None:
        """Only hashes are known, so they are compared with what is connected here. Consoles list more than
        they follow, so they are told to list again."""
        hub = self._house.hub
        subjects = {entry.subject for entry in entries}
        for visitor_id in hub.visitors():
            if subject_of("visitor", visitor_id) in subjects:
                hub.end_visitor(visitor_id, Close.UNAUTHORISED, "this visitor was erased")
        gone = [each for each in hub.followed() if subject_of("conversation", each) in subjects]
        for organisation_id in {entry.organisation_id for entry in entries}:
            hub.gone(organisation_id, gone)
            hub.some_gone(organisation_id)


def _words(kinds: dict[str, int]) -> dict[str, int]:
    return {kind.replace(" ", "_"): number for kind, number in kinds.items() if number}


async def _again_and_again(work: Callable[[], Awaitable[None]], every: float, what: str) -> None:
    while True:
        try:
            await work()
        except Exception:
            # A busy or full store is no reason to stop trying.
            log.exception("upkeep failed", doing=what)
        await asyncio.sleep(every)
