"""The journal of a database that nobody else writes: it remembers what it wrote."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeVar

from balie.kernel.events import Envelope
from balie.store.journal import Journal, Kept, Row, Wish
from balie.store.log import Append, Projection, State

S = TypeVar("S", bound=State)

REMEMBERED = 20_000
"""How many conversations' states are kept between transactions."""
RECENT = 500
"""Events among which an author's highest id is looked for, so that a giant holds nobody up."""
NEWEST = (
    "SELECT max(client_message_id) FROM (SELECT author_id, client_message_id FROM events"
    " WHERE conversation_id = ? ORDER BY seq DESC LIMIT ?) WHERE author_id = ?"
)


class SoleJournal(Journal[S]):
    """States are cached between transactions; when another process has written all the same (`data_version`),
    or a transaction failed, all are forgotten."""

    def __init__(self, projection: Projection[S]) -> None:
        self._recent: OrderedDict[str, Kept[S]] = OrderedDict()
        super().__init__(projection, self._recent)
        self._trusting = True
        self._version: int | None = None

    def begin(self, cursor: Any, _batch: Sequence[Wish], *, trusting: bool = True) -> None:
        self._cursor = cursor
        self._trusting = trusting
        version = cursor.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self.forget()
            self._version = version
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def _find(self, conversation_id: str) -> Kept[S] | None:
        kept = self._recent.get(conversation_id)
        if kept is not None:
            self._recent.move_to_end(conversation_id)
            return kept
        loaded = self._projection.load(self._cursor, conversation_id)
        if loaded is None:
            return None
        kept = self._recent[conversation_id] = Kept(loaded)
        return kept

    def _earlier_of(self, append: Append[S], kept: Kept[S], author_key: str) -> Envelope | None:
        message_id = append.client_message_id
        if message_id is None:
            return None
        newest = kept.newest.get(author_key)
        if newest is None:
            newest = kept.newest[author_key] = self._newest(append.conversation_id, author_key)
        if message_id > newest and self._trusting:
            return None
        return self._repeat(append, (append.conversation_id, author_key, message_id))

    def _note_said(self, kept: Kept[S], append: Append[S], _row: Row) -> None:
        said = append.client_message_id or ""
        kept.newest[append.author_key] = max(kept.newest.get(append.author_key, ""), said)

    def _newest(self, conversation_id: str, author_key: str) -> str:
        self.flush()
        found = self._cursor.execute(NEWEST, (conversation_id, RECENT, author_key)).fetchone()[0]
        return found or ""
