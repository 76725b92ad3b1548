"""What the processes over one store tell each other beside the log: a session ended, a site changed, somebody
types. Soft things and hints to look again; nothing here is the truth, and nothing is kept for long.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Column, Connection, Table, text

from balie.store.live import Place, begin, look
from balie.store.live import Table as Followed
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

_POST = "INSERT INTO notices (organisation_id, worker, kind, body, at) VALUES (?, ?, ?, ?, ?)"
_FOLLOWED = Followed("notices", "worker, kind, body, at")


class Notice(msgspec.Struct, frozen=True):
    """`body` is JSON, of a shape that its kind says."""

    position: int
    worker: str
    kind: str
    body: str
    at: int


def post(
    connection: Connection,
    worker: str,
    told: Sequence[tuple[str, str]],
    now: int,
    of: str = EVERYWHERE,
) -> None:
    """Tell the others: (kind, body) each, of an organisation where the transaction sees no more. The
    database's own clock is not asked; `now` prunes only.
    """
    cursor_of(connection).executemany(_POST, [(of, worker, kind, body, now) for kind, body in told])


def notices_after(
    connection: Connection, place: Place, limit: int, now: int
) -> tuple[list[Notice], Place]:
    """What was told since: at most `limit` notices and some that came late, those of one process in their
    order; and the next place."""
    rows, place = look(connection, _FOLLOWED, place, limit, now)
    return [Notice(*row) for row in rows], place


def end_of_notices(connection: Connection, now: int) -> Place:
    """The place of who wants to hear only what is told from now on."""
    return begin(connection, _FOLLOWED, now)


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
