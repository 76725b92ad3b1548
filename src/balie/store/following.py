"""Reading the whole log by cursor: in the order of commits, and without missing any.

Where several workers write, the order of `position` is not that of commits: 7 may be there before 6 is. So on
PostgreSQL readers follow transactions, and see one only when no older one can still commit. A long transaction
of anybody who writes in that server, in another database too, holds them up that long. Who only wants to hear
what is said while he lives reads by `balie.store.live`.

On SQLite a position is free again when the last events of the log are deleted, and the next event takes it:
`balie.store.cursors` moves those that stand behind the end back to it, in the transaction that deletes.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection

from balie.kernel.errors import MalformedError
from balie.kernel.events import Envelope, decode_author, decode_payload
from balie.store.schema import cursor_of

BEGINNING = ""
"""The cursor of who has read nothing yet."""

_COLUMNS = "organisation_id, conversation_id, seq, at, author, payload, client_message_id"
_SOLE = f"SELECT 0, position, {_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?"  # noqa: S608 - own names
_SHARED = (
    f"SELECT transaction_id, position, {_COLUMNS} FROM events"  # noqa: S608 - own names
    " WHERE (transaction_id, position) > (CAST(? AS xid8), ?)"
    " AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())"
    " ORDER BY transaction_id, position LIMIT ?"
)
_SOLE_END = "SELECT 0, position FROM events ORDER BY position DESC LIMIT 1"
_SHARED_END = (
    "SELECT transaction_id, position FROM events"
    " WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot())"
    " ORDER BY transaction_id DESC, position DESC LIMIT 1"
)
Place = tuple[str, int]


class Logged(msgspec.Struct, frozen=True):
    """An event, and whose it is."""

    organisation_id: str
    envelope: Envelope


def log_after(connection: Connection, cursor: str, limit: int) -> tuple[list[Logged], str]:
    """At most `limit` events behind `cursor`, and the cursor behind those; keep it as it is.

    Raises MalformedError for a cursor that is none.
    """
    transaction, position = place_of(cursor)
    if connection.dialect.name == "postgresql":
        rows = cursor_of(connection).execute(_SHARED, (transaction, position, limit)).fetchall()
    else:
        rows = cursor_of(connection).execute(_SOLE, (position, limit)).fetchall()
    return [_logged(row) for row in rows], f"{rows[-1][0]}.{rows[-1][1]}" if rows else cursor


def end_of_log(connection: Connection) -> str:
    """The cursor of who has read all that there is to be read."""
    query = _SHARED_END if connection.dialect.name == "postgresql" else _SOLE_END
    row = cursor_of(connection).execute(query).fetchone()
    return f"{row[0]}.{row[1]}" if row else BEGINNING


def place_of(cursor: str) -> Place:
    """The (transaction, position) that a cursor stands for. Raises MalformedError."""
    transaction, dot, position = (cursor or "0.0").partition(".")
    if not (dot and transaction.isdecimal() and position.isdecimal()):
        raise MalformedError("no cursor of the log")
    return transaction, int(position)


def _logged(row: Any) -> Logged:
    _, _, organisation_id, conversation_id, seq, at, author, payload, message_id = row
    envelope = Envelope(
        conversation_id, seq, at, decode_author(author), decode_payload(payload), message_id
    )
    return Logged(organisation_id, envelope)
