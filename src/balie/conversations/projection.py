"""How a conversation's events become its row: the projection that the log keeps up inside its transaction.

Plain SQL on the driver's cursor, since every message passes here.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from balie.conversations import rules
from balie.conversations.model import Conversation, conversations
from balie.kernel.events import Envelope
from balie.store.bulk import Bulk, recordset, write_rows

COLUMNS = tuple(column.name for column in conversations.columns)
# What a message changes. No index stands on these, so writing them alone leaves the indexes in peace.
_BUSY = (
    "updated_at",
    "last_seq",
    "waiting_since",
    "message_seq",
    "message_at",
    "message_author",
    "message_text",
    "visitor_delivered",
    "visitor_read",
    "visitor_unread",
    "agent_delivered",
    "agent_read",
    "agent_unread",
)
# What never changes after the first event is left out of updates; so are the indexes on it.
_FIXED = ("id", "organisation_id", "site_id", "started_at")
_CALM = tuple(name for name in COLUMNS if name not in _FIXED and name not in _BUSY)

_LOAD = f"SELECT {', '.join(COLUMNS)} FROM conversations WHERE id = ?"  # noqa: S608 - own names
_LOCK = (
    f"SELECT {', '.join(COLUMNS)} FROM conversations"  # noqa: S608 - own names
    " WHERE id = ANY(?) ORDER BY id FOR UPDATE"
)
_ALL = ", ".join(COLUMNS)
_CHANGE = "ON CONFLICT (id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in (*_CALM, *_BUSY)
)
_SAVE = Bulk(
    names=COLUMNS,
    each=f"INSERT INTO conversations ({_ALL}) VALUES ({', '.join('?' * len(COLUMNS))}) {_CHANGE}",  # noqa: S608 - own names
    every=f"INSERT INTO conversations ({_ALL})"  # noqa: S608 - idem
    f" SELECT {_ALL} FROM {recordset(conversations, COLUMNS)} {_CHANGE}",
)
_SAVE_BUSY = Bulk(
    names=(*_BUSY, "id"),
    each=f"UPDATE conversations SET {', '.join(f'{name} = ?' for name in _BUSY)} WHERE id = ?",  # noqa: S608 - idem
    every=f"UPDATE conversations SET {', '.join(f'{name} = n.{name}' for name in _BUSY)}"  # noqa: S608 - idem
    f" FROM {recordset(conversations, (*_BUSY, 'id'))} WHERE conversations.id = n.id",
)

to_row: Callable[[Conversation], tuple[Any, ...]] = attrgetter(*COLUMNS)
"""The state in the order of COLUMNS."""
_busy: Callable[[Conversation], tuple[Any, ...]] = attrgetter(*_BUSY, "id")
_calm: Callable[[Conversation], tuple[Any, ...]] = attrgetter(*_CALM)


class ConversationProjection:
    """Loads, evolves and saves rows of `conversations`."""

    def load(self, cursor: Any, conversation_id: str) -> Conversation | None:
        return load(cursor, conversation_id)

    def lock(self, cursor: Any, conversation_ids: Sequence[str]) -> dict[str, Conversation]:
        rows = cursor.execute(_LOCK, (list(conversation_ids),)).fetchall()
        return {row[0]: from_row(row) for row in rows}

    def evolve(
        self, state: Conversation | None, organisation_id: str, envelope: Envelope
    ) -> Conversation:
        return rules.evolve(state, organisation_id, envelope)

    def save(
        self, cursor: Any, changes: Sequence[tuple[Conversation | None, Conversation]]
    ) -> None:
        whole, busy = [], []
        for before, after in changes:
            if before is not None and _calm(before) == _calm(after):
                busy.append(_busy(after))
            else:
                whole.append(to_row(after))
        if whole:
            write_rows(cursor, _SAVE, whole)
        if busy:
            write_rows(cursor, _SAVE_BUSY, busy)


def load(cursor: Any, conversation_id: str) -> Conversation | None:
    """The state of a conversation as the store has it."""
    row = cursor.execute(_LOAD, (conversation_id,)).fetchone()
    return from_row(row) if row else None


def from_row(row: Sequence[Any]) -> Conversation:
    """A row in the order of COLUMNS as the state it was."""
    values = dict(zip(COLUMNS, row, strict=True))
    values["visitor_verified"] = bool(values["visitor_verified"])
    return Conversation(**values)
