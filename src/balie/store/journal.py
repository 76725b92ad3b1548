"""Events on their way into one transaction: loads states, notices repeats, numbers, and writes in bulk."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from balie.kernel.errors import ConflictError
from balie.kernel.events import AnyPayload, Envelope, decode_author, decode_payload, encode
from balie.store.log import Append, Appended, Projection, State, Touch

S = TypeVar("S", bound=State)

REMEMBERED = 20_000
"""How many conversations' states are kept between transactions."""

INSERT = (
    "INSERT INTO events (organisation_id, conversation_id, seq, at, author_id, author,"
    " client_message_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
RECENT = 500
"""Events among which an author's highest id is looked for, so that a giant holds nobody up."""
NEWEST = (
    "SELECT max(client_message_id) FROM (SELECT author_id, client_message_id FROM events"
    " WHERE conversation_id = ? ORDER BY seq DESC LIMIT ?) WHERE author_id = ?"
)
REPEAT = (
    "SELECT seq, at, author, payload FROM events"
    " WHERE conversation_id = ? AND author_id = ? AND client_message_id = ?"
)


class Kept(Generic[S]):
    """A conversation as the store has it by now, and the highest id that each author's messages have.

    Clients make ids that grow with time, so that one above the highest is new, without asking the store.
    """

    __slots__ = ("newest", "state")

    def __init__(self, state: S) -> None:
        self.state = state
        self.newest: dict[str, str] = {}


class Journal(Generic[S]):
    """The writer's view of the log. States are cached between transactions, since nobody else writes;
    when another process has written (`data_version`), or a transaction failed, all are forgotten."""

    def __init__(self, projection: Projection[S]) -> None:
        self._projection = projection
        self._kept: OrderedDict[str, Kept[S]] = OrderedDict()
        self._rows: list[tuple[Any, ...]] = []
        # By conversation: its state as the store has it, None for a new one.
        self._before: dict[str, S | None] = {}
        self._cursor: Any = None
        self._trusting = True
        self._version: int | None = None

    def begin(self, cursor: Any, *, trusting: bool = True) -> None:
        """Start on a transaction that has just begun on this DBAPI cursor. Not `trusting`: every id is looked
        up, since the order of ids has misled before and the unique index said so."""
        self._cursor = cursor
        self._trusting = trusting
        version = cursor.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self.forget()
            self._version = version
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

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
            self._cursor.executemany(INSERT, self._rows)
            self._rows.clear()
        if self._before:
            kept = self._kept
            changes = [(before, kept[each].state) for each, before in self._before.items()]
            self._projection.save(self._cursor, changes)
            self._before.clear()

    def _find(self, conversation_id: str) -> Kept[S] | None:
        kept = self._kept.get(conversation_id)
        if kept is not None:
            self._kept.move_to_end(conversation_id)
            return kept
        loaded = self._projection.load(self._cursor, conversation_id)
        if loaded is None:
            return None
        kept = self._kept[conversation_id] = Kept(loaded)
        return kept

    def _remember(
        self, conversation_id: str, kept: Kept[S] | None, state: S, append: Append[S] | None = None
    ) -> None:
        if conversation_id not in self._before:
            self._before[conversation_id] = kept.state if kept is not None else None
        if kept is None:
            kept = self._kept[conversation_id] = Kept(state)
        kept.state = state
        if append is not None and append.client_message_id is not None:
            newest = kept.newest.get(append.author_key, "")
            kept.newest[append.author_key] = max(newest, append.client_message_id)

    def _earlier(self, append: Append[S], kept: Kept[S]) -> Envelope | None:
        earlier = self._earlier_of(append, kept, append.author_key)
        if earlier is None and append.former_key is not None:
            return self._earlier_of(append, kept, append.former_key)
        return earlier

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

    def _newest(self, conversation_id: str, author_key: str) -> str:
        self.flush()
        found = self._cursor.execute(NEWEST, (conversation_id, RECENT, author_key)).fetchone()[0]
        return found or ""

    def _repeat(self, append: Append[S], key: tuple[str, str, str]) -> Envelope | None:
        self.flush()
        found = self._cursor.execute(REPEAT, key).fetchone()
        if found is None:
            return None
        seq, at, author, payload = found
        if append.keyed is None or payload != encode(append.keyed).decode():
            raise ConflictError("this client_message_id was used with another content")
        return Envelope(
            append.conversation_id, seq, at, decode_author(author), decode_payload(payload), key[2]
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
