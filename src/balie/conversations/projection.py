"""How a conversation's events become its row: the projection that the log keeps up inside its transaction.

Plain SQL on the driver's cursor, since every message passes here.
"""

from collections.abc import Sequence
from typing import Any

from balie.conversations import rules
from balie.conversations.model import Conversation, conversations
from balie.kernel.events import Envelope

COLUMNS = tuple(column.name for column in conversations.columns)
# What never changes after the first event is left out of updates; so are the indexes on it.
_CHANGING = tuple(
    name for name in COLUMNS if name not in ("id", "organisation_id", "site_id", "started_at")
)
_LOAD = f"SELECT {', '.join(COLUMNS)} FROM conversations WHERE id = ?"  # noqa: S608 - own names
_SAVE = (
    f"INSERT INTO conversations ({', '.join(COLUMNS)})"  # noqa: S608 - own names
    f" VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
)


class ConversationProjection:
    """Loads, evolves and saves rows of `conversations`."""

    def load(self, cursor: Any, conversation_id: str) -> Conversation | None:
        row = cursor.execute(_LOAD, (conversation_id,)).fetchone()
        return from_row(row) if row else None

    def evolve(
        self, state: Conversation | None, organisation_id: str, envelope: Envelope
    ) -> Conversation:
        return rules.evolve(state, organisation_id, envelope)

    def save(self, cursor: Any, states: Sequence[Conversation]) -> None:
        cursor.executemany(_SAVE, [to_row(state) for state in states])


def from_row(row: Sequence[Any]) -> Conversation:
    """A row in the order of COLUMNS as the state it was."""
    values = dict(zip(COLUMNS, row, strict=True))
    values["visitor_verified"] = bool(values["visitor_verified"])
    return Conversation(**values)


def to_row(state: Conversation) -> tuple[Any, ...]:
    """The state in the order of COLUMNS."""
    return tuple([getattr(state, name) for name in COLUMNS])
