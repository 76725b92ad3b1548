"""The one metadata that every capability hangs its tables on, and the table of the log itself.

Columns called `*_at` and `at` are milliseconds since 1970 UTC. Every table carries `organisation_id`, the
future distribution key.
"""

from typing import Any

from sqlalchemy import (
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
    """The driver's own cursor in the same transaction, for statements that thousands wait for."""
    raw: Any = connection.connection.driver_connection
    return raw.cursor()


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
    Column("position", Integer, primary_key=True),
    Column("organisation_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("client_message_id", Text),
    Column("payload", Text, nullable=False),
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
