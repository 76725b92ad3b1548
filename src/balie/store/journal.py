"""Events on their way into one transaction: loads states, notices repeats, numbers, and writes in bulk.

What a journal may remember between transactions differs: `sole` is for a database that nobody else writes,
`shared` for one that others write as well.
"""

from abc import ABC, abstractmethod
from collections.abc import MutableMapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from balie.kernel.errors import ConflictError
from balie.kernel.events import AnyPayload, Envelope, decode_author, decode_payload, encode
from balie.store.bulk import Bulk, recordset, write_rows
from balie.store.log import Append, Appended, Projection, State, Touch
from balie.store.schema import events

S = TypeVar("S", bound=State)

_NAMES = (
    "organisation_id",
    "conversation_id",
    "seq",
    "at",
    "author_id",
    "author",
    "client_message_id",
    "payload",
)
_COLUMNS = ", ".join(_NAMES)
INSERT = Bulk(
    names=_NAMES,
    each=f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - own names
    every=f"INSERT INTO events ({_COLUMNS}) SELECT {_COLUMNS} FROM {recordset(events, _NAMES)}",  # noqa: S608 - idem
)
Row = tuple[Any, ...]
"""What INSERT takes."""
REPEAT = (
    "SELECT seq, at, author, payload FROM events"
    " WHERE conversation_id = ? AND author_id = ? AND client_message_id = ?"
)


class Wish(Protocol):
    """What a job is about, where it is about a conversation, and the id of the message that it brings."""

    @property
    def conversation_id(self) -> str | None: ...

    @property
    def message_id(self) -> str | None: ...


class Kept(Generic[S]):
    """A conversation as the store has it by now, and the highest id that each author's messages have.

    Clients make ids that grow with time, so that one above the highest is new, without asking the store.
    """

    __slots__ = ("newest", "state")

    def __init__(self, state: S) -> None:
        self.state = state
        self.newest: dict[str, str] = {}


class Journal(ABC, Generic[S]):
    """The writer's view of the log within one transaction."""

    def __init__(self, projection: Projection[S], kept: MutableMapping[str, Kept[S]]) -> None:
        self._projection = projection
        self._kept = kept
        self._rows: list[Row] = []
        # By conversation: its state as the store has it, None for a new one.
        self._before: dict[str, S | None] = {}
        self._cursor: Any = None

    @abstractmethod
    def begin(self, cursor: Any, batch: Sequence[Wish], *, trusting: bool = True) -> None:
        """Start on a transaction that has just begun on this DBAPI cursor, for `batch`. Not `trusting`: every
        id is looked up, since the order of ids has misled before and the unique index said so."""

    @abstractmethod
    def _find(self, conversation_id: str) -> Kept[S] | None:
        """A conversation as it stands by now."""

    @abstractmethod
    def _earlier_of(self, append: Append[S], kept: Kept[S], author_key: str) -> Envelope | None:
        """What this author said under the id of `append` before."""

    @abstractmethod
    def _note_said(self, kept: Kept[S], append: Append[S], row: Row) -> None:
        """`append` has been said, as `row`, and is a repeat from now on."""

    def forget(self) -> None:
        """Trust nothing that is remembered."""
        self._kept.clear()
        self._rows.clear()
        self._before.clear()

    def forget_conversations(self, ids: Sequence[str]) -> None:
        """Trust nothing about these: they were changed beside the log, by an erasure."""
        self.flush()
        for conversation_id in ids:
            self._kept.pop(conversation_id, None)

    def append(self, append: Append[S]) -> Appended[S]:
        """Decide and number. Raises what `decide` raises, and ConflictError for a reused id."""
        kept = self._find(append.conversation_id)
        if kept is not None and (earlier := self._earlier(append, kept)):
            return Appended(append.organisation_id, kept.state, (earlier,), repeated=True)
        before = kept.state if kept is not None else None
        if before is None and append.admit is not None:
            append.admit(self._cursor)
        envelopes = self._numbered(append, before, append.decide(before))
        state = before
        for envelope in envelopes:
            state = self._projection.evolve(state, append.organisation_id, envelope)
        assert state is not None
        if envelopes:
            self._note(append, envelopes)
            self._remember(append.conversation_id, kept, state, append)
        return Appended(append.organisation_id, state, envelopes)

    def touch(self, touch: Touch[S]) -> S | None:
        """Change a row beside the log. None when there was nothing to change."""
        kept = self._find(touch.conversation_id)
        changed = touch.change(kept.state) if kept is not None else None
        if changed is not None:
            self._remember(touch.conversation_id, kept, changed)
        return changed

    def flush(self) -> None:
        """Write what has gathered; the transaction then holds it all."""
        if self._rows:
            write_rows(self._cursor, INSERT, self._rows)
            self._rows.clear()
        if self._before:
            kept = self._kept
            changes = [(before, kept[each].state) for each, before in self._before.items()]
            self._projection.save(self._cursor, changes)
            self._before.clear()

    def _remember(
        self, conversation_id: str, kept: Kept[S] | None, state: S, append: Append[S] | None = None
    ) -> None:
        if conversation_id not in self._before:
            self._before[conversation_id] = kept.state if kept is not None else None
        if kept is None:
            kept = self._kept[conversation_id] = Kept(state)
        kept.state = state
        if append is not None and append.client_message_id is not None:
            self._note_said(kept, append, self._rows[-1])

    def _earlier(self, append: Append[S], kept: Kept[S]) -> Envelope | None:
        earlier = self._earlier_of(append, kept, append.author_key)
        if earlier is None and append.former_key is not None:
            return self._earlier_of(append, kept, append.former_key)
        return earlier

    def _repeat(self, append: Append[S], key: tuple[str, str, str]) -> Envelope | None:
        self.flush()
        found = self._cursor.execute(REPEAT, key).fetchone()
        if found is None:
            return None
        return self._as_said(append, key[2], found)

    def _as_said(self, append: Append[S], message_id: str, found: Sequence[Any]) -> Envelope:
        """The event of that time. Raises ConflictError when it said something else."""
        seq, at, author, payload = found
        if append.keyed is None or payload != encode(append.keyed).decode():
            raise ConflictError("this client_message_id was used with another content")
        return Envelope(
            append.conversation_id,
            seq,
            at,
            decode_author(author),
            decode_payload(payload),
            message_id,
        )

    def _numbered(
        self, append: Append[S], state: S | None, payloads: Sequence[AnyPayload]
    ) -> tuple[Envelope, ...]:
        seq = state.last_seq if state is not None else 0
        last = len(payloads) - 1
        return tuple(
            [
                Envelope(
                    append.conversation_id,
                    seq + 1 + index,
                    append.at,
                    append.author,
                    payload,
                    append.client_message_id if index == last else None,
                )
                for index, payload in enumerate(payloads)
            ]
        )

    def _note(self, append: Append[S], envelopes: Sequence[Envelope]) -> None:
        author_key = append.author_key
        author = encode(append.author).decode()
        for envelope in envelopes:
            self._rows.append(
                (
                    append.organisation_id,
                    envelope.conversation_id,
                    envelope.seq,
                    envelope.at,
                    author_key,
                    author,
                    envelope.client_message_id,
                    encode(envelope.payload).decode(),
                )
            )
