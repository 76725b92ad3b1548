"""Where readers of the log stand, kept in the database itself.

Who reads moves his cursor in the transaction that writes what he made of the events. `turn` grows with every
move, so that of two who read the same only one goes on, whatever happened to the log meanwhile.
"""

import msgspec
from sqlalchemy import Column, Connection, Table, func, select, update

from balie.store.following import end_of_log
from balie.store.schema import Number, Words, events, metadata
from balie.store.scope import NOBODY
from balie.store.upsert import insert

cursors = Table(
    "cursors",
    metadata,
    # Of no organisation: it follows them all.
    Column("organisation_id", Words, nullable=False),
    Column("name", Words, primary_key=True),
    Column("position", Words, nullable=False),
    Column("turn", Number, nullable=False),
)


class Place(msgspec.Struct, frozen=True):
    """A cursor as it stood when it was read."""

    position: str
    turn: int


def find_place(connection: Connection, name: str) -> Place | None:
    """Where the reader `name` stands; None when he has never read."""
    wanted = select(cursors.c.position, cursors.c.turn).where(cursors.c.name == name)
    row = connection.execute(wanted).first()
    return Place(row.position, row.turn) if row else None


def begin_at_end(connection: Connection, name: str) -> None:
    """Let the reader `name` begin with what comes from now on; one who has begun stays where he is."""
    row = {
        "organisation_id": NOBODY,
        "name": name,
        "position": end_of_log(connection),
        "turn": 0,
    }
    connection.execute(insert(connection, cursors).values(row).on_conflict_do_nothing())


def move(connection: Connection, name: str, seen: Place, position: str) -> bool:
    """Go on from `seen` to `position`. False when somebody else did, or the log is no longer what it was."""
    wanted = (cursors.c.name == name) & (cursors.c.turn == seen.turn)
    moved = update(cursors).where(wanted).values(position=position, turn=cursors.c.turn + 1)
    return connection.execute(moved).rowcount == 1


def events_went(connection: Connection) -> None:
    """To be called in each transaction that deletes events. On SQLite the positions of those at the end are
    given again: cursors behind the end move back to it, and what was read meanwhile counts no longer."""
    if connection.dialect.name == "postgresql":
        return
    end = connection.execute(select(func.max(events.c.position))).scalar() or 0
    for row in connection.execute(select(cursors.c.name, cursors.c.position)).all():
        position = int(row.position.partition(".")[2] or 0)
        moved = update(cursors).where(cursors.c.name == row.name)
        connection.execute(
            moved.values(position=f"0.{min(position, end)}", turn=cursors.c.turn + 1)
        )
