"""The one metadata that every capability hangs its tables on, and the table of the log itself.

Columns called `*_at` and `at` are milliseconds since 1970 UTC. Every table carries `organisation_id`, the
future distribution key.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)


def cursor_of(connection: Connection) -> Any:
    """The driver's own cursor in the same transaction, for statements that thousands wait for. It takes `?`
    for a value, whatever the driver."""
    made: Any = connection.info.get(CURSOR)
    raw: Any = connection.connection.driver_connection
    return raw.cursor() if made is None else made(raw)


def is_shared(cursor: Any) -> bool:
    """Whether other processes write the database of this cursor as well, at the same time."""
    return bool(getattr(cursor, "takes_json", False))


def number_in_order(connection: Connection, table: Table) -> None:
    """Number the rows that this transaction adds to `table` in the order of commits, so that who follows by
    number misses none: on PostgreSQL others who add wait until it ends. For rare things only."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


CURSOR = "balie.cursor"
"""Where a driver keeps what makes such a cursor, if its own does not take `?`."""

Number = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number. On SQLite all are as large as they need be, and only an INTEGER numbers rows by itself."""
Words = Text().with_variant(Text(collation="C"), "postgresql")
"""Text, in the order of its bytes on every database."""


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

events = Table(
    "events",
    metadata,
    # The place in the whole log, which readers by cursor follow.
    Column("position", Number, primary_key=True),
    Column("organisation_id", Words, nullable=False),
    Column("conversation_id", Words, nullable=False),
    Column("seq", Number, nullable=False),
    Column("at", Number, nullable=False),
    Column("author_id", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("client_message_id", Words),
    Column("payload", Words, nullable=False),
    UniqueConstraint("conversation_id", "seq", name="uq_events_conversation_seq"),
    # The id first: it grows with time, so that all messages of a moment go into the same page.
    Index(
        "uq_events_client_message",
        "client_message_id",
        "conversation_id",
        "author_id",
        unique=True,
        sqlite_where=text("client_message_id IS NOT NULL"),
        postgresql_where=text("client_message_id IS NOT NULL"),
    ),
)
