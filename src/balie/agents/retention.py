"""What of agents does not stay: sessions that ended, links that were used or expired."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select

from balie.agents.model import (
    DAY_MS,
    SESSION_ABSOLUTE_MS,
    SESSION_IDLE_MS,
    agents,
    invitations,
    pictures,
    sessions,
    tickets,
    tries,
)
from balie.kernel.erasure import Gone
from balie.store.keepers import Keeper
from balie.store.sweeps import Due, Found, Sweep

SPENT_MS = DAY_MS
"""How long a link stays after it was used, in case its use has to be explained."""


def _has_ended(due: Due) -> ColumnElement[bool]:
    return or_(
        sessions.c.last_seen_at < due.now - SESSION_IDLE_MS,
        sessions.c.created_at < due.now - SESSION_ABSOLUTE_MS,
    )


def _is_spent(due: Due) -> ColumnElement[bool]:
    return or_(
        invitations.c.used_at < due.now - SPENT_MS, invitations.c.expires_at < due.now - SPENT_MS
    )


def _sweep(name: str, table: Table, condition: Any) -> Sweep:
    def find(connection: Connection, due: Due, limit: int) -> Found:
        query = select(table.c.id).where(condition(due)).limit(limit)
        return [(str(key), 1) for key in connection.execute(query).scalars()]

    def remove(connection: Connection, due: Due, ids: list[str]) -> Gone:
        wanted = delete(table).where(table.c.id.in_(ids), condition(due))
        return Gone({name: connection.execute(wanted).rowcount})

    def count(connection: Connection, due: Due) -> dict[str, int]:
        query = select(func.count()).select_from(table).where(condition(due))
        return {name: connection.execute(query).scalar_one()}

    return Sweep(name=f"ended {name}", find=find, delete=remove, count=count)


SWEEPS = (
    _sweep("sessions", sessions, _has_ended),
    _sweep("invitations", invitations, _is_spent),
)

KEEPER = Keeper(
    room="agents",
    others={
        agents.name: "people who answer; what visitors wrote to them lies in conversations",
        sessions.name: "sign-ins of people who answer",
        invitations.name: "one-time links of people who answer",
        tickets.name: "half a minute of a socket's admission, of people who answer",
        tries.name: "how often a password was tried; hashes, gone after some hours",
        pictures.name: "pictures of people who answer",
    },
)
