"""Handing over and erasing everything of one person, whichever rooms hold it."""

import asyncio
import zipfile
from collections.abc import Callable, Sequence
from typing import IO, Any

import msgspec
import structlog
from msgspec.structs import replace
from sqlalchemy import Connection, select

from balie.contacts import ledger
from balie.contacts.ledger import Entry, LedgerFile
from balie.contacts.model import contacts, visitors
from balie.edge.ports import Ports
from balie.kernel.erasure import Gone, Person, PersonErased, together
from balie.kernel.errors import NotFoundError
from balie.store.blobs import Blobs
from balie.store.keepers import Keeper, chunks
from balie.store.schema import cursor_of
from balie.store.scope import EVERYWHERE
from balie.store.sweeps import Due, Sweep, run_sweep

log = structlog.get_logger("balie.contacts")

FORMAT = "balie-person/1"

Progress = Callable[[int, int], None]
"""(done, all)"""
Reaction = Callable[[Connection, PersonErased], Gone]
Bulk = Callable[[Person], Sweep]
"""What there may be thousands of, as a sweep that takes it away in small steps."""


class Erased(msgspec.Struct, frozen=True):
    """What an erasure removed, rows by kind. `scrubbed`: no byte of it is left in the store's log either;
    otherwise the store was too busy, and the server sees to it within the hour."""

    counts: dict[str, int]
    scrubbed: bool


def _no_progress(_done: int, _all: int) -> None:
    pass


class Erasing:
    """The one door to a whole person. `on_erased` is told after each commit, in the event loop."""

    def __init__(
        self,
        ports: Ports,
        blobs: Blobs,
        file: LedgerFile,
        keepers: Sequence[Keeper],
        reactions: Sequence[Reaction],
        bulk: Bulk,
        unfinished: Sequence[Sweep],
    ) -> None:
        self._ports = ports
        self._blobs = blobs
        self._file = file
        self._keepers = keepers
        self._reactions = reactions
        self._bulk = bulk
        self._unfinished = unfinished
        self._exporting = asyncio.Semaphore(1)
        self.on_erased: list[Callable[[Person, Gone], None]] = []
        self.told: set[Entry] = set()
        """Entries of this process that its own watch need not tell about again."""

    # Finding.

    async def find(self, seed: Person) -> Person:
        """Everything of the person of whom `seed` names a part. Raises NotFoundError."""
        return await self._ports.store.read(
            lambda connection: self._traced(connection, seed), of=seed.organisation_id
        )

    def _traced(self, connection: Connection, seed: Person) -> Person:
        person = self._widest(connection, seed)
        if not (person.conversation_ids or person.file_ids or _is_known(connection, person)):
            raise NotFoundError("no such visitor or contact")
        return person

    def _widest(self, connection: Connection, seed: Person) -> Person:
        person = seed
        while (wider := self._wider(connection, person)) != person:
            person = wider
        return person

    def _wider(self, connection: Connection, person: Person) -> Person:
        for keeper in self._keepers:
            if keeper.trace is not None:
                person = keeper.trace(connection, person)
        return person

    # Handing over.

    async def export(
        self, seed: Person, target: IO[bytes], progress: Progress = _no_progress
    ) -> Person:
        """Write everything of a person to `target`, as a zip of JSON documents and files.

        One at a time, and from one moment: what is written meanwhile is not in it. Raises NotFoundError.
        """
        now = self._ports.clock()
        async with self._exporting:
            person, documents = await self._ports.store.read(
                lambda connection: self._documents(connection, seed), of=seed.organisation_id
            )
            await asyncio.to_thread(self._archive, person, documents, now, target, progress)
            return person

    def _documents(
        self, connection: Connection, seed: Person
    ) -> tuple[Person, list[tuple[str, bytes]]]:
        person = self._traced(connection, seed)
        return person, [
            (document.path, msgspec.json.format(msgspec.json.encode(document.content), indent=2))
            for keeper in self._keepers
            if keeper.export is not None
            for document in keeper.export(connection, person)
        ]

    def _archive(
        self,
        person: Person,
        documents: list[tuple[str, bytes]],
        now: int,
        target: IO[bytes],
        progress: Progress,
    ) -> None:
        missing, done, every = [], 0, len(documents) + len(person.file_ids)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in documents:
                archive.writestr(path, content)
                done += 1
                progress(done, every)
            for file_id in sorted(person.file_ids):
                try:
                    archive.writestr(f"files/{file_id}", self._blobs.read(file_id))
                except FileNotFoundError:
                    missing.append(file_id)
                done += 1
                progress(done, every)
            archive.writestr("export.json", _manifest(person, now, missing))

    # Erasing.

    async def erase(
        self, seed: Person, by: str, progress: Progress = _no_progress
    ) -> tuple[Person, Erased]:
        """Erase everything of a person, then the bytes of files and of the store's log.

        The ledger notes first who asked for it: `by`. Conversations go in small steps, so that nobody who
        chats meanwhile waits for them, and the person himself goes last: what a crash cuts short, the next
        start finds in the ledger and finishes. Raises NotFoundError for somebody unknown.
        """
        now = self._ports.clock()
        person = await self.find(seed)
        entries = await asyncio.to_thread(self._note, person, now, by)
        self.told.update(entries)
        parts = await self._erase_bulk(person, now, by)
        parts.append(await self._erase_rest(person, set(entries), now, by))
        return person, await self._finish(together(parts), now, progress)

    def _note(self, person: Person, now: int, by: str) -> list[Entry]:
        entries = ledger.entries_of(person, now, by)
        self._file.append(entries)
        return entries

    async def _erase_bulk(self, person: Person, now: int, by: str) -> list[Gone]:
        parts: list[Gone] = []

        async def told(gone: Gone) -> None:
            parts.append(gone)
            self._tell(person, gone)

        sweep = _noting(self._bulk(person), person, now, by)
        await run_sweep(
            self._ports.store, sweep, Due(now=now, organisation_id=person.organisation_id), told
        )
        return parts

    async def _erase_rest(self, person: Person, noted: set[Entry], now: int, by: str) -> Gone:
        """Whatever is still there, what was said meanwhile too, in one transaction."""

        def command(connection: Connection) -> tuple[list[str], tuple[Person, Gone, set[Entry]]]:
            ledger.hold(connection, person.visitor_ids)
            rest = self._widest(connection, replace(person, conversation_ids=frozenset()))
            event = PersonErased(rest)
            gone = together([react(connection, event) for react in self._reactions])
            entries = {*ledger.entries_of(rest, now, by)}
            ledger.record(connection, entries)
            return sorted(rest.conversation_ids), (rest, gone, entries - noted)

        rest, gone, entries = await self._ports.store.rewrite(command, of=person.organisation_id)
        self.told.update(entries)
        await asyncio.to_thread(self._file.append, entries)
        self._tell(rest, gone)
        return gone

    def _tell(self, person: Person, gone: Gone) -> None:
        for told in self.on_erased:
            told(person, gone)

    async def _finish(self, gone: Gone, now: int, progress: Progress) -> Erased:
        for done, file_id in enumerate(gone.file_ids, 1):
            await asyncio.to_thread(self._blobs.discard, file_id)
            progress(done, len(gone.file_ids))
        parts = [gone]
        for sweep in self._unfinished:
            counts = await run_sweep(self._ports.store, sweep, Due(now=now), _tell_nobody)
            parts.append(Gone(counts))
        scrubbed = await self._ports.store.scrub()
        if not scrubbed:
            log.warning("the store was too busy to be scrubbed after an erasure")
        return Erased(together(parts).counts, scrubbed)

    async def was_erased(self, organisation_id: str, visitor_id: str) -> bool:
        """Whether a visitor was erased before."""
        return await self._ports.store.read(
            lambda c: ledger.was_erased(cursor_of(c), organisation_id, "visitor", visitor_id),
            of=organisation_id,
        )

    # After a backup was put back.

    async def reconcile(self) -> int:
        """Bring table and file in line; what the file alone knows was erased after the backup that this
        store comes from, and is erased again. Returns how many persons."""
        filed = await asyncio.to_thread(self._file.read)
        _, tabled = await self._ports.store.read(
            lambda c: ledger.entries_after(c, 0), of=EVERYWHERE
        )
        known = set(filed)
        await asyncio.to_thread(self._file.append, [each for each in tabled if each not in known])
        lost = known - set(tabled)
        if not lost:
            return 0
        seeds = await self._ports.store.read(lambda c: _named_by(c, lost), of=EVERYWHERE)
        again = 0
        for seed in seeds:
            try:
                await self.erase(seed, "restored backup")
            except NotFoundError:
                # It went with another of his ids.
                continue
            again += 1
        await self._ports.store.write(lambda c: ledger.record(c, lost), of=EVERYWHERE)
        return again


def _noting(sweep: Sweep, person: Person, at: int, by: str) -> Sweep:
    """The sweep, with a line in the ledger for every conversation, in the transaction that deletes it."""
    nothing = Person(organisation_id=person.organisation_id)

    def delete(connection: Connection, due: Due, ids: list[str]) -> Gone:
        step = replace(nothing, conversation_ids=frozenset(ids))
        ledger.record(connection, ledger.entries_of(step, at, by))
        return sweep.delete(connection, due, ids)

    return replace(sweep, delete=delete)


async def _tell_nobody(_gone: Gone) -> None:
    pass


def _manifest(person: Person, now: int, missing: list[str]) -> bytes:
    told: dict[str, Any] = {"format": FORMAT, "made_at": now, **msgspec.to_builtins(person)}
    for name in ("visitor_ids", "contact_ids", "conversation_ids", "file_ids"):
        told[name] = sorted(told[name])
    return msgspec.json.format(msgspec.json.encode(told | {"missing_files": missing}), indent=2)


def _is_known(connection: Connection, person: Person) -> bool:
    """Whether the organisation has a row of any of these visitors and contacts."""
    return any(
        connection.execute(
            select(table.c.id).where(
                table.c.id.in_(ids), table.c.organisation_id == person.organisation_id
            )
        ).first()
        for table, wanted in ((visitors, person.visitor_ids), (contacts, person.contact_ids))
        for ids in chunks(wanted)
    )


def _named_by(connection: Connection, entries: set[Entry]) -> list[Person]:
    """Who of those in the store the ledger says are erased, one seed each."""
    erased = {(each.subject, each.organisation_id): each.at for each in entries}
    seeds = []
    tables: tuple[tuple[ledger.Kind, str, Any], ...] = (
        ("visitor", "visitor_ids", visitors),
        ("contact", "contact_ids", contacts),
    )
    for kind, field, table in tables:
        query = select(table.c.id, table.c.organisation_id, table.c.created_at)
        for key, organisation_id, created_at in connection.execute(query):
            at = erased.get((ledger.subject_of(kind, key), organisation_id))
            if at is not None and created_at <= at:
                ids = {field: frozenset({str(key)})}
                seeds.append(Person(organisation_id=organisation_id, **ids))
    return seeds
