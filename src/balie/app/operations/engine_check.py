"""What the database itself says of its state."""

from collections.abc import Callable

from sqlalchemy import Connection

from balie.app.operations.findings import Findings
from balie.app.operations.snapshots import snapshot
from balie.store import guard
from balie.store.driver import Driver
from balie.store.schema import cursor_of

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
_INVALID = (
    "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace"
)
_AHEAD = (
    "SELECT count(*) FROM events WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())"
)
_AMCHECK = (
    "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
    " WHERE e.extname = 'amcheck'"
)
NOT_OURS = "the role of Balie may not use amcheck, so the indexes were not looked into"
_BTREES = (
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
    " JOIN pg_index i ON i.indexrelid = c.oid"
    " WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND c.relpersistence = 'p'"
    " AND c.relnamespace = current_schema()::regnamespace ORDER BY 1"
)


def check_engine(driver: Driver, findings: Findings, notes: list[str]) -> None:
    """Ask the database to look at itself. `notes` get what could not be asked."""
    if driver.name == "SQLite":
        _check_sqlite(driver, findings)
    else:
        _check_postgres(driver, findings, notes)


def _check_sqlite(driver: Driver, findings: Findings) -> None:
    def look(connection: Connection) -> None:
        cursor = cursor_of(connection)
        for (told,) in cursor.execute("PRAGMA integrity_check(20)").fetchall():
            if told != "ok":
                findings.add("damage", "database", str(told))
        for row in cursor.execute("PRAGMA foreign_key_check").fetchall():
            findings.add("damage", f"table {row[0]}", f"row {row[1]} names nothing in {row[2]}")

    with snapshot(driver) as connection:
        look(connection)


def _check_postgres(driver: Driver, findings: Findings, notes: list[str]) -> None:
    with snapshot(driver) as connection:
        for name in guard.open_tables(connection):
            findings.add("unguarded", f"table {name}", "row-level security is off")
        for (name,) in cursor_of(connection).execute(_INVALID).fetchall():
            findings.add("damage", f"index {name}", "it is not valid")
        (ahead,) = cursor_of(connection).execute(_AHEAD).fetchone()
        if ahead:
            findings.add("foreign numbers", "table events", f"{ahead:,} events of another server")
        found = cursor_of(connection).execute(_AMCHECK).fetchone()
        trees = [row[0] for row in cursor_of(connection).execute(_BTREES).fetchall()]
    if found is None:
        notes.append("amcheck is not installed, so the indexes were not looked into")
        return
    for tree in trees:
        _asked(driver, findings, notes, lambda c, t=tree: _check_tree(c, found[0], t))  # type: ignore[misc]


def _check_tree(connection: Connection, schema: str, tree: str) -> None:
    cursor_of(connection).execute(f"SELECT {schema}.bt_index_check(?::regclass)", (tree,))


def _asked(
    driver: Driver, findings: Findings, notes: list[str], ask: Callable[[Connection], None]
) -> None:
    try:
        with snapshot(driver) as connection:
            ask(connection)
    except psycopg_errors() as error:
        told = str(error).splitlines()[0]
        if "permission denied" not in told:
            findings.add("damage", "database", told)
        elif NOT_OURS not in notes:
            notes.append(NOT_OURS)


def psycopg_errors() -> type[Exception]:
    """What the driver of a server raises; it is loaded only where there is one."""
    import psycopg  # noqa: PLC0415 - see above

    return psycopg.Error
