"""The ledger of erasures: what was erased, by hash, so that a restored backup can be made to forget it again.

It lies twice: as a table, which a running server watches for what other processes erase, and as a file
beside the database, which a restored database does not take back in time. It holds no personal data: ids are
random, and only their hashes are kept.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog
from sqlalchemy import Connection, func, select

from balie.contacts.model import erasures
from balie.kernel.actor import VisitorActor
from balie.kernel.erasure import Person
from balie.kernel.errors import UnauthorisedError
from balie.store.schema import cursor_of, is_shared, number_in_order
from balie.store.upsert import insert

VISITOR = 0xBA11
"""The kind of advisory lock that a visitor is held by, where others write as well."""

log = structlog.get_logger("balie.contacts")

Kind = Literal["visitor", "contact", "conversation"]

# Plain SQL, since everybody who comes back passes here.
_FIND = "SELECT 1 FROM erasures WHERE subject = ? AND organisation_id = ? LIMIT 1"


class Entry(msgspec.Struct, frozen=True):
    """One thing that was erased at `at` (milliseconds) by `by`: `agent:ID` or `command line`."""

    organisation_id: str
    kind: Kind
    subject: str
    at: int
    by: str


def subject_of(kind: Kind, key: str) -> str:
    """The hash by which the ledger knows a thing."""
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()


def entries_of(person: Person, at: int, by: str) -> list[Entry]:
    """What the ledger says when `person` is erased."""
    kinds: tuple[tuple[Kind, frozenset[str]], ...] = (
        ("visitor", person.visitor_ids),
        ("contact", person.contact_ids),
        ("conversation", person.conversation_ids),
    )
    return [
        Entry(person.organisation_id, kind, subject_of(kind, key), at, by)
        for kind, keys in kinds
        for key in sorted(keys)
    ]


def record(connection: Connection, entries: Iterable[Entry]) -> None:
    """Write entries into the table; again is fine."""
    rows = [msgspec.structs.asdict(entry) for entry in entries]
    if rows:
        number_in_order(connection, erasures)
        connection.execute(insert(connection, erasures).on_conflict_do_nothing(), rows)


def last_entry(connection: Connection) -> int:
    """The number of the latest entry; 0 when nothing was ever erased."""
    return int(connection.execute(select(func.coalesce(func.max(erasures.c.id), 0))).scalar_one())


def entries_after(connection: Connection, number: int) -> tuple[int, list[Entry]]:
    """Entries above `number`, and the number of the latest."""
    query = select(erasures).where(erasures.c.id > number).order_by(erasures.c.id)
    rows = connection.execute(query).all()
    entries = [Entry(r.organisation_id, r.kind, r.subject, r.at, r.by) for r in rows]
    return (rows[-1].id if rows else number), entries


def was_erased(cursor: Any, organisation_id: str, kind: Kind, key: str) -> bool:
    """Whether the table knows that this was erased. On a DBAPI cursor, as below."""
    return cursor.execute(_FIND, (subject_of(kind, key), organisation_id)).fetchone() is not None


def refuse_erased(connection: Connection, actor: VisitorActor) -> None:
    """Raises UnauthorisedError for the token of a visitor who was erased: his id is to come back nowhere."""
    _refuse(cursor_of(connection), actor.organisation_id, actor.visitor_id)


def is_erased(connection: Connection, actor: VisitorActor) -> bool:
    """Whether the visitor of a token was erased since he got it."""
    return was_erased(cursor_of(connection), actor.organisation_id, "visitor", actor.visitor_id)


def refuse_erased_id(cursor: Any, organisation_id: str, visitor_id: str) -> None:
    """As `refuse_erased`, by his id. Whatever writes down a visitor asks this in its own transaction:
    he may have been erased since he was let in. Nobody erases him until that transaction ends."""
    if is_shared(cursor):
        cursor.execute("SELECT pg_advisory_xact_lock_shared(?, hashtext(?))", (VISITOR, visitor_id))
    _refuse(cursor, organisation_id, visitor_id)


def hold(connection: Connection, visitor_ids: Iterable[str]) -> None:
    """Nobody writes these visitors down until the transaction ends; who is about to is waited for."""
    cursor = cursor_of(connection)
    if is_shared(cursor):
        for visitor_id in sorted(visitor_ids):
            cursor.execute("SELECT pg_advisory_xact_lock(?, hashtext(?))", (VISITOR, visitor_id))


def _refuse(cursor: Any, organisation_id: str, visitor_id: str) -> None:
    if was_erased(cursor, organisation_id, "visitor", visitor_id):
        raise UnauthorisedError("this visitor was erased; start anew without a token")


class LedgerFile:
    """The ledger as lines of JSON, appended and synced."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Entry]:
        """All entries. A line that cannot be read is left out and told: where a crash cut it short the table
        has that one, otherwise a restored backup would not forget it."""
        if not self._path.exists():
            return []
        found, unreadable = [], 0
        for line in filter(None, self._path.read_bytes().splitlines()):
            try:
                found.append(msgspec.json.decode(line, type=Entry))
            except msgspec.MsgspecError:
                unreadable += 1
        if unreadable:
            log.warning(
                "lines of the ledger of erasures cannot be read; put the file back from a backup",
                file=self._path.name,
                lines=unreadable,
            )
        return found

    def append(self, entries: Iterable[Entry]) -> None:
        """Add entries, on disk before this returns."""
        lines = b"".join(b"\n" + msgspec.json.encode(entry) for entry in entries)
        if not lines:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, lines + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
