"""The journal of a database that others write as well: it knows nothing but what it has locked."""

from collections.abc import Sequence
from typing import Any, TypeVar

from balie.kernel.events import Envelope
from balie.store.journal import Journal, Kept, Row, Wish
from balie.store.log import Append, Projection, State

S = TypeVar("S", bound=State)

SAID = (
    "SELECT conversation_id, author_id, client_message_id, seq, at, author, payload FROM events"
    " WHERE client_message_id = ANY(?)"
)


class SharedJournal(Journal[S]):
    """At the start of a batch one query locks and loads its conversations, and one finds what was said before.

    Who locks a conversation sees all that was ever said in it, and nobody else adds to it until his
    transaction ends. One that does not exist cannot be locked: two who begin it at once write the same numbers,
    and the unique index lets one of them through; the other then finds a repeat.
    """

    def __init__(self, projection: Projection[S]) -> None:
        super().__init__(projection, {})
        self._locked: set[str] = set()
        self._asked: set[str] = set()
        self._said: dict[tuple[str, str, str], Sequence[Any]] = {}

    def begin(self, cursor: Any, batch: Sequence[Wish], *, trusting: bool = True) -> None:  # noqa: ARG002
        self.forget()
        self._cursor = cursor
        self._lock({wish.conversation_id for wish in batch if wish.conversation_id})
        self._ask({wish.message_id for wish in batch if wish.message_id})

    def forget(self) -> None:
        super().forget()
        self._locked.clear()
        self._asked.clear()
        self._said.clear()

    def forget_conversations(self, ids: Sequence[str]) -> None:
        super().forget_conversations(ids)
        self._locked.difference_update(ids)
        self._asked.clear()
        self._said.clear()

    def _lock(self, ids: set[str]) -> None:
        self._locked |= ids
        if ids:
            found = self._projection.lock(self._cursor, sorted(ids))
            self._kept.update((key, Kept(state)) for key, state in found.items())

    def _ask(self, message_ids: set[str]) -> None:
        self._asked |= message_ids
        if message_ids:
            for conversation_id, author_id, message_id, *said in self._cursor.execute(
                SAID, (list(message_ids),)
            ):
                self._said[conversation_id, author_id, message_id] = said

    def _find(self, conversation_id: str) -> Kept[S] | None:
        if conversation_id not in self._locked:
            self._lock({conversation_id})
        return self._kept.get(conversation_id)

    def _earlier_of(self, append: Append[S], _kept: Kept[S], author_key: str) -> Envelope | None:
        message_id = append.client_message_id
        if message_id is None:
            return None
        if message_id not in self._asked:
            self.flush()
            self._ask({message_id})
        said = self._said.get((append.conversation_id, author_key, message_id))
        return self._as_said(append, message_id, said) if said is not None else None

    def _note_said(self, _kept: Kept[S], append: Append[S], row: Row) -> None:
        if append.client_message_id is not None:
            _, _, seq, at, _, author, _, payload = row
            key = (append.conversation_id, append.author_key, append.client_message_id)
            self._said[key] = (seq, at, author, payload)
