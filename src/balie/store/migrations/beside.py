"""Indexes on tables that are large already, made beside those who write.

PostgreSQL makes an index while others write, though not within a transaction, so no migration can make one.
What a migration leaves to this module is made after it, at the same start: an index that the rooms describe and
the database lacks, or has only half since somebody was killed in the middle. Until then queries are slow, not
wrong, so only an index that is not unique may be left to it.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, Index, Table, text
from sqlalchemy.schema import CreateIndex

BESIDE = "beside"
"""The key of `Index.info` that marks such an index: `info=made_beside()`."""
MAKING = 0xBA11F
"""The advisory lock of whoever makes them. Others do not wait for him: he might wait for them."""

_VALID = text(
    "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE c.relname = :name AND c.relnamespace = current_schema()::regnamespace"
)


def made_beside() -> dict[str, Any]:
    """What marks an index as one of these."""
    return {BESIDE: True}


def make_missing(engine: Engine, tables: Iterable[Table]) -> list[str]:
    """Make those that lack, on PostgreSQL, and return their names. Who comes second leaves it to the first."""
    wanted = [each for table in tables for each in table.indexes if each.info.get(BESIDE)]
    with engine.connect().execution_options(begin="") as connection:
        lacking = [each for each in wanted if not _is_valid(connection, each)]
        if not lacking or not _may(connection, "pg_try_advisory_lock"):
            return []
        try:
            return [_make(connection, each) for each in lacking]
        finally:
            _may(connection, "pg_advisory_unlock")


def _is_valid(connection: Connection, index: Index) -> bool:
    return bool(connection.execute(_VALID, {"name": index.name}).scalar())


def _make(connection: Connection, index: Index) -> str:
    # What is left of one that was not finished is in the way.
    connection.exec_driver_sql(f'DROP INDEX CONCURRENTLY IF EXISTS "{index.name}"')
    made = str(CreateIndex(index).compile(dialect=connection.dialect))
    connection.exec_driver_sql(made.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1))
    return str(index.name)


def _may(connection: Connection, function: str) -> bool:
    return bool(connection.execute(text(f"SELECT {function}(:key)"), {"key": MAKING}).scalar())
