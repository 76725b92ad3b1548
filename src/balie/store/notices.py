"""What the processes over one store tell each other beside the log: a session ended, a site changed, somebody
types. Soft things and hints to look again; nothing here is the truth, and nothing is kept for long.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Table, text

from balie.store.following import Place, end_place, place_of
from balie.store.schema import Number, Words, cursor_of, metadata
from balie.store.scope import EVERYWHERE

KEPT_MS = 10 * 60_000
"""Who was away for longer looks at everything anew."""

notices = Table(
    "notices",
    metadata,
    Column("position", Number, primary_key=True),
    # Of all, and so out of sight of whoever may see the rows of one.
    Column("organisation_id", Words, nullable=False, server_default=text(f"'{EVERYWHERE}'")),
    # Which process told it.
    Column("worker", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("at", Number, nullable=False),
)

_POST = "INSERT INTO notices (worker, kind, body, at) VALUES (?, ?, ?, ?)"
_NAMES = "position, worker, kind, body, at"
_SOLE = f"SELECT 0, {_NAMES} FROM notices WHERE position > ? ORDER BY position LIMIT ?"  # noqa: S608 - own names
_SHARED = (
    f"SELECT transaction_id, {_NAMES} FROM notices"  # noqa: S608 - own names
    " WHERE (transaction_id, position) > (CAST(? AS xid8), ?)"
    " AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())"
    " ORDER BY transaction_id, position LIMIT ?"
)


class Notice(msgspec.Struct, frozen=True):
    """`body` is JSON, of a shape that its kind says."""

    position: int
    worker: str
    kind: str
    body: str
    at: int


def post(connection: Connection, worker: str, told: Sequence[tuple[str, str]], now: int) -> None:
    """Tell the others: (kind, body) each. The database's own clock is not asked; `now` prunes only."""
    cursor_of(connection).executemany(_POST, [(worker, kind, body, now) for kind, body in told])


def notices_after(connection: Connection, cursor: str, limit: int) -> tuple[list[Notice], str]:
    """At most `limit` notices behind `cursor`, in the order of commits, and the cursor behind those."""
    place = place_of(cursor)
    rows = _rows(connection, place, limit)
    told = [Notice(*row[1:]) for row in rows]
    return told, f"{rows[-1][0]}.{rows[-1][1]}" if rows else cursor


def _rows(connection: Connection, place: Place, limit: int) -> list[Any]:
    cursor = cursor_of(connection)
    if connection.dialect.name == "postgresql":
        found = cursor.execute(_SHARED, (*place, limit))
    else:
        found = cursor.execute(_SOLE, (place[1], limit))
    rows: list[Any] = found.fetchall()
    return rows


def end_of_notices(connection: Connection) -> str:
    """The cursor of who wants to hear only what is told from now on."""
    return end_place(connection, "notices")


def take_back(connection: Connection, position: int) -> None:
    """Delete a notice that was for one reader, who has read it."""
    cursor_of(connection).execute("DELETE FROM notices WHERE position = ?", (position,))


def prune(connection: Connection, now: int) -> None:
    """Delete what nobody waits for any more."""
    # The newest stays, so that its position is not given again.
    cursor_of(connection).execute(
        "DELETE FROM notices WHERE at < ? AND position < (SELECT max(position) FROM notices)",
        (now - KEPT_MS,),
    )
