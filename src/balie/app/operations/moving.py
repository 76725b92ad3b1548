"""`balie migrate-store`: an installation moves from its SQLite file into PostgreSQL.

Table by table, in pages in the order of the key. Each page goes in one transaction with the note of how far the
table is, so that what is killed goes on where it was. While it lasts the target has a revision that no server
serves.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, exists, select, text

from balie.app import data
from balie.app.operations.row_check import count_of, pages_of
from balie.app.operations.snapshots import Progress, opened
from balie.app.operations.verifying import Bars, Report, no_bars, verify
from balie.app.settings import Settings
from balie.kernel.errors import ConflictError
from balie.store import migrations
from balie.store.driver import Driver
from balie.store.line import raw
from balie.store.postgres import MIGRATING, MOVING, PostgresDriver
from balie.store.schema import metadata
from balie.store.scope import EVERYWHERE

PAGE = 5_000
CURSORS = "cursors"
"""Where readers of the log stand, as TRANSACTION.POSITION; on SQLite the transaction is 0."""
_FIRST = 1
"""The transaction that all moved events carry: older than any that the server can have."""
_NOTES = "store_move"
_ASIDE = f"{data.DATABASE}.moved-"
_MAKE_NOTES = f"""
CREATE TABLE IF NOT EXISTS {_NOTES} (
    name text PRIMARY KEY, source text NOT NULL, after text, moved bigint NOT NULL, changed bigint NOT NULL
)
"""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What `balie migrate-store --json` prints: rows by table, how many of them had U+0000 in a text, and where
    the file lies now that nobody serves any more."""

    rows: dict[str, int]
    changed: int
    source: str
    next: str


class Stand(msgspec.Struct, frozen=True):
    """How far a table is: the key of its last row that was moved (None for none), rows, and rows changed."""

    after: list[Any] | None
    moved: int = 0
    changed: int = 0


def move_store(settings: Settings, target_url: str, *, bars: Bars = no_bars) -> Moved:
    """Move the store of these settings into the database at `target_url`.

    Raises ConflictError for a target that holds other data, or that comes out different; DataError where a
    server runs or there is no file; UnusableError for a database that cannot be used.
    """
    if settings.database_url:
        raise ConflictError(
            "unset BALIE_DATABASE_URL: the store is moved out of the data directory"
        )
    folder = settings.data_dir.expanduser().absolute()
    _refuse_moved(folder)
    with opened(settings) as source:
        held = data.hold(folder)
        target = PostgresDriver(target_url)
        try:
            return _move(source, target, folder, bars)
        finally:
            target.dispose()
            target.owner.dispose()
            os.close(held)


def _move(source: Driver, target: PostgresDriver, folder: Path, bars: Bars) -> Moved:
    is_done, stands = _begin(target, _identity(folder))
    if not is_done:
        for name, table in _tables():
            stands[name] = _move_table(source, target, table, stands[name], bars(f"Moving {name}"))
        _number_on(target)
        _compare(source, target, folder, bars)
        _let_serve(target)
    aside = _set_aside(folder)
    _forget_notes(target)
    return Moved(
        rows={name: stand.moved for name, stand in sorted(stands.items())},
        changed=sum(stand.changed for stand in stands.values()),
        source=str(aside),
        next="set BALIE_DATABASE_URL to the new address and start; the data directory stays: secret,"
        " files and the ledger of erasures are in it",
    )


def _tables() -> list[tuple[str, Table]]:
    return sorted(metadata.tables.items())


def _identity(folder: Path) -> str:
    """Which installation this is, told by the hash of its secret."""
    return hashlib.sha256(b"balie/" + (folder / data.KEY_FILE).read_bytes()).hexdigest()


# Beginning, or going on.


def _begin(target: PostgresDriver, source: str) -> tuple[bool, dict[str, Stand]]:
    """Whether all of it was moved before, and how far each table is."""
    if migrations.current(target.owner) != MOVING:
        target.migrate()
    with target.owner.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
        target.enter(raw(connection), (EVERYWHERE,))
        is_new = not _has_notes(connection)
        if is_new:
            _refuse_used(connection)
            connection.exec_driver_sql(_MAKE_NOTES)
            for name, _ in _tables():
                _note(connection, name, source)
            _set_revision(connection, MOVING)
        _refuse_other(connection, source)
        is_done = migrations.revision(connection) != MOVING
        rows = connection.exec_driver_sql(f"SELECT name, after, moved, changed FROM {_NOTES}")  # noqa: S608 - own name
        return is_done, {
            row.name: Stand(msgspec.json.decode(row.after or "null"), row.moved, row.changed)
            for row in rows
        }


def _set_revision(connection: Connection, revision: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})


def _has_notes(connection: Connection) -> bool:
    return bool(connection.execute(text(f"SELECT to_regclass('{_NOTES}')")).scalar_one())


def _refuse_used(connection: Connection) -> None:
    for name, table in _tables():
        if connection.execute(select(exists().select_from(table))).scalar_one():
            raise ConflictError(
                f"the target holds a store already (there are rows in {name}); make an empty database"
            )


def _refuse_other(connection: Connection, source: str) -> None:
    found = connection.exec_driver_sql(f"SELECT DISTINCT source FROM {_NOTES}").scalars().all()  # noqa: S608 - own name
    if found != [source]:
        raise ConflictError(
            "another installation is being moved into the target; make an empty database"
        )


def _note(connection: Connection, name: str, source: str) -> None:
    connection.execute(
        text(f"INSERT INTO {_NOTES} VALUES (:name, :source, NULL, 0, 0)"),  # noqa: S608 - own name
        {"name": name, "source": source},
    )


# A table.


def _move_table(
    source: Driver, target: PostgresDriver, table: Table, stand: Stand, progress: Progress
) -> Stand:
    total = count_of(source, table)
    places = [list(table.columns).index(key) for key in table.primary_key.columns]
    for rows in pages_of(source, table, after=stand.after, size=PAGE):
        stand = Stand(
            [rows[-1][place] for place in places],
            stand.moved + len(rows),
            stand.changed + sum(map(_has_nul, rows)),
        )
        _write_page(target, table, rows, stand)
        progress(min(stand.moved, total), total)
    return stand


def _has_nul(row: Sequence[Any]) -> bool:
    return any(isinstance(value, str) and "\0" in value for value in row)


def _write_page(
    target: PostgresDriver, table: Table, rows: Iterable[Sequence[Any]], stand: Stand
) -> None:
    """Through a table of this transaction alone, since COPY goes into none that row-level security guards."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    with target.owner.connect() as connection, connection.begin():
        target.enter(raw(connection), (EVERYWHERE,))
        extra, first = _numbered(connection, table)
        # The last commit is synced, and with it all before.
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {names} FROM {table.name}"  # noqa: S608 - own names
            " WITH NO DATA"
        )
        cursor = raw(connection).cursor()
        with cursor.copy(f"COPY incoming ({names}) FROM STDIN") as copying:
            for row in rows:
                copying.write_row(_as_there(table, row))
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({names}{extra}) SELECT {names}{first} FROM incoming"  # noqa: S608 - idem
        )
        connection.execute(
            text(
                f"UPDATE {_NOTES} SET after = :after, moved = :moved, changed = :changed"  # noqa: S608 - idem
                " WHERE name = :name"
            ),
            {
                "name": table.name,
                "after": msgspec.json.encode(stand.after).decode(),
                "moved": stand.moved,
                "changed": stand.changed,
            },
        )


def _numbered(connection: Connection, table: Table) -> tuple[str, str]:
    """What else a row of the target has, and its value: tables that several write are read by transaction."""
    is_numbered = connection.execute(
        text(
            "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(:name)"
            " AND attname = 'transaction_id'"
        ),
        {"name": table.name},
    ).first()
    return (", transaction_id", f", '{_FIRST}'::xid8") if is_numbered else ("", "")


def _as_there(table: Table, row: Sequence[Any]) -> Sequence[Any]:
    """A row as the target has it: readers go on behind the same event."""
    if table.name != CURSORS:
        return row
    place = table.c.keys().index("position")
    position = str(row[place]).partition(".")[2]
    return [f"{_FIRST}.{position}" if i == place else value for i, value in enumerate(row)]


# Ending.


def _number_on(target: PostgresDriver) -> None:
    """New rows are numbered behind those that were moved."""
    with target.owner.connect() as connection, connection.begin():
        target.enter(raw(connection), (EVERYWHERE,))
        for name, table in _tables():
            for key in table.primary_key.columns:
                connection.execute(
                    text(
                        f"SELECT setval(s, max(t.{key.name}))"  # noqa: S608 - own names
                        f" FROM pg_get_serial_sequence('{name}', '{key.name}') s, {name} t"
                        " WHERE s IS NOT NULL GROUP BY s"
                    )
                    if key.type.python_type is int
                    else text("SELECT 1")
                )


def _compare(source: Driver, target: PostgresDriver, folder: Path, bars: Bars) -> None:
    before = verify(source, folder, thorough=False, bars=bars).report
    after = verify(target, folder, thorough=False, bars=bars).report
    _refuse_different(before, after)


def _refuse_different(before: Report, after: Report) -> None:
    if before.hash != after.hash:
        raise ConflictError("the log came out different; keep both and tell the makers of Balie")
    for name, table in before.tables.items():
        if name != CURSORS and table != after.tables[name]:
            raise ConflictError(
                f"the table {name} came out different: {table.rows:,} rows here, and"
                f" {after.tables[name].rows:,} there; keep both and tell the makers of Balie"
            )


def _let_serve(target: PostgresDriver) -> None:
    with target.owner.connect() as connection, connection.begin():
        target.enter(raw(connection), (EVERYWHERE,))
        _set_revision(connection, migrations.newest())
    with target.owner.connect().execution_options(begin="") as connection:
        connection.exec_driver_sql("ANALYZE")


def _forget_notes(target: PostgresDriver) -> None:
    with target.owner.connect() as connection, connection.begin():
        connection.exec_driver_sql(f"DROP TABLE {_NOTES}")


def _set_aside(folder: Path) -> Path:
    """Nobody serves the old file by mistake: without it, a start without the new address is refused."""
    aside = folder / f"{_ASIDE}{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    (folder / data.DATABASE).rename(aside)
    return aside


def _refuse_moved(folder: Path) -> None:
    moved = sorted(folder.glob(f"{_ASIDE}*"))
    if moved and not (folder / data.DATABASE).exists():
        raise ConflictError(f"this store was moved already; {moved[-1]} is what was moved")
