"""What other workers added to conversations, read for those who listen here."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from balie.conversations.model import Conversation
from balie.conversations.projection import COLUMNS, from_row
from balie.kernel.events import Envelope, decode_author, decode_payload
from balie.store.log import Appended
from balie.store.schema import cursor_of

MOST = 64
"""Events of one conversation that are read at once. Whoever lacks more than these has a hole, and fills it."""


class Wanted(msgspec.Struct, frozen=True):
    """The numbers of the events to read; none of them where only the row is wanted."""

    first: int
    last: int

    @property
    def nearest(self) -> "Wanted":
        return Wanted(max(self.first, self.last - MOST + 1), self.last)


ROW_ONLY = Wanted(1, 0)

_STATES = f"SELECT {', '.join(COLUMNS)} FROM conversations WHERE id = ANY(?)"  # noqa: S608 - own names
_EVENTS = (
    "SELECT e.conversation_id, e.seq, e.at, e.author, e.payload, e.client_message_id"
    " FROM unnest(?::text[], ?::bigint[], ?::bigint[]) AS w(id, first, last)"
    " JOIN events e ON e.conversation_id = w.id AND e.seq BETWEEN w.first AND w.last"
    " ORDER BY e.conversation_id, e.seq"
)


def read_growth(
    connection: Connection, wanted: Mapping[str, Wanted]
) -> list[Appended[Conversation]]:
    """The rows of these conversations as they are now, each with the events that are wanted of it. For
    PostgreSQL; what is no more is left out."""
    cursor = cursor_of(connection)
    states = [from_row(row) for row in cursor.execute(_STATES, (list(wanted),))]
    events = _events(cursor, {key: each.nearest for key, each in wanted.items() if each.last})
    return [
        Appended(state.organisation_id, state, tuple(events.get(state.id, ()))) for state in states
    ]


def _events(cursor: object, wanted: Mapping[str, Wanted]) -> dict[str, list[Envelope]]:
    found: dict[str, list[Envelope]] = {}
    if not wanted:
        return found
    spans = wanted.values()
    values = (list(wanted), [each.first for each in spans], [each.last for each in spans])
    rows = cursor.execute(_EVENTS, values)  # type: ignore[attr-defined]
    for conversation_id, seq, at, author, payload, message_id in rows:
        envelope = Envelope(
            conversation_id, seq, at, decode_author(author), decode_payload(payload), message_id
        )
        found.setdefault(conversation_id, []).append(envelope)
    return found
