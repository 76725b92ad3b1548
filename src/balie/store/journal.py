"""Events on their way into one transaction: loads states, notices repeats, numbers, and writes in bulk."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

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
REPEAT = (
    "SELECT seq, at, author, payload FROM events"
    " WHERE conversation_id = ? AND author_id = ? AND client_message_id = ?"
)


class Journal(Generic[S]):
    """The writer's view of the log. States are cached between transactions, since nobody else writes;
    when another process has written (`data_version`), or a transaction failed, all are forgotten."""

    def __init__(self, projection: Projection[S]) -> None:
        self._projection = projection
        self._states: OrderedDict[str, S] = OrderedDict()
        self._rows: list[tuple[Any, ...]] = []
        self._fresh: set[tuple[str, str, str]] = set()
        self._dirty: dict[str, S] = {}
        self._cursor: Any = None
        self._version: int | None = None
        self._connection: Any = None

    def begin(self, connection: Connection) -> None:
        """Start on a transaction that has just begun."""
        raw: Any = connection.connection.driver_connection
        if raw is not self._connection:
            self.forget()
            self._connection = raw
            self._cursor = raw.cursor()
        version = self._cursor.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self.forget()
            self._version = version
        while len(self._states) > REMEMBERED:
            self._states.popitem(last=False)

    def forget(self) -> None:
        """Trust nothing that is remembered."""
        self._states.clear()
        self._rows.clear()
        self._fresh.clear()
        self._dirty.clear()

    def forget_conversations(self, ids: Sequence[str]) -> None:
        """Trust nothing about these: they were changed beside the log, by an erasure."""
        self.flush()
        for conversation_id in ids:
            self._states.pop(conversation_id, None)

    def append(self, append: Append[S]) -> Appended[S]:
        """Decide and number. Raises what `decide` raises, and ConflictError for a reused id."""
        state = self._state(append.conversation_id)
        if append.client_message_id and (earlier := self._earlier(append)):
            assert state is not None
            return Appended(append.organisation_id, state, (earlier,), repeated=True)
        payloads = append.decide(state)
        envelopes = tuple(self._numbered(append, state, payloads))
        for envelope in envelopes:
            state = self._projection.evolve(state, append.organisation_id, envelope)
        assert state is not None
        self._note(append, envelopes, state)
        return Appended(append.organisation_id, state, envelopes)

    def touch(self, touch: Touch[S]) -> S | None:
        """Change a row beside the log. None when there was nothing to change."""
        state = self._state(touch.conversation_id)
        changed = touch.change(state) if state is not None else None
        if changed is not None:
            self._remember(touch.conversation_id, changed)
        return changed

    def flush(self) -> None:
        """Write what has gathered; the transaction then holds it all."""
        if self._rows:
            self._cursor.executemany(INSERT, self._rows)
            self._rows.clear()
            self._fresh.clear()
        if self._dirty:
            self._projection.save(self._cursor, tuple(self._dirty.values()))
            self._dirty.clear()

    def _state(self, conversation_id: str) -> S | None:
        state = self._states.get(conversation_id)
        if state is not None:
            self._states.move_to_end(conversation_id)
            return state
        loaded = self._projection.load(self._cursor, conversation_id)
        if loaded is not None:
            self._states[conversation_id] = loaded
        return loaded

    def _remember(self, conversation_id: str, state: S) -> None:
        self._states[conversation_id] = state
        self._dirty[conversation_id] = state

    def _earlier(self, append: Append[S]) -> Envelope | None:
        key = (append.conversation_id, append.author_key, str(append.client_message_id))
        if key in self._fresh:
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
    ) -> list[Envelope]:
        first = (state.last_seq if state else 0) + 1
        last = len(payloads) - 1
        return [
            Envelope(
                append.conversation_id,
                first + index,
                append.at,
                append.author,
                payload,
                append.client_message_id if index == last else None,
            )
            for index, payload in enumerate(payloads)
        ]

    def _note(self, append: Append[S], envelopes: Sequence[Envelope], state: S) -> None:
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
        if append.client_message_id:
            self._fresh.add((append.conversation_id, author_key, append.client_message_id))
        if envelopes:
            self._remember(append.conversation_id, state)
