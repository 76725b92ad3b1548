"""The append port: how anything gets into a conversation.

`Append` names a conversation, who speaks, and a pure `decide` that turns the conversation's state into new
events. A driver runs load → repeat? → decide → number → write for each append, many appends to a
transaction, and answers only when the transaction is on disk. So a `seq` has no holes, a
`client_message_id` is stored once, and two who claim the same thing cannot both win.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from balie.kernel.events import AnyPayload, Author, Envelope

S = TypeVar("S", bound="State")


class State(Protocol):
    """What a projection keeps of a conversation. Only the number of its last event matters here."""

    @property
    def last_seq(self) -> int: ...


class Projection(Protocol[S]):
    """How a conversation's events become its row. `cursor` is a DBAPI cursor inside the transaction."""

    def load(self, cursor: Any, conversation_id: str) -> S | None: ...

    def lock(self, cursor: Any, conversation_ids: Sequence[str]) -> Mapping[str, S]:
        """Those of these that there are, by id, and nobody else's until the transaction ends; locked in the
        order of their ids, so that no two wait for each other. For databases that others write as well."""
        ...

    def evolve(self, state: S | None, organisation_id: str, envelope: Envelope) -> S: ...

    def save(self, cursor: Any, changes: Sequence[tuple[S | None, S]]) -> None:
        """Write rows: each as it stands in the store by now (None when it is new), and as it shall be."""
        ...


class Append(msgspec.Struct, Generic[S], frozen=True):
    """A wish to add events to a conversation.

    `decide` raises a BalieError to refuse, and must not be surprised to be called twice. `keyed` is the
    payload that `client_message_id` names: the last one that `decide` gives. `former_key` is the `author_key`
    that this author had before: what was stored under that is not stored again. `admit` is asked, with a cursor
    inside the transaction, before a conversation that is not there begins, and raises a BalieError to refuse.
    """

    organisation_id: str
    conversation_id: str
    author: Author
    at: int
    decide: Callable[[S | None], Sequence[AnyPayload]]
    client_message_id: str | None = None
    keyed: AnyPayload | None = None
    former_key: str | None = None
    admit: Callable[[Any], None] | None = None

    @property
    def author_key(self) -> str:
        return f"{self.author.kind}:{self.author.id or ''}"


class Touch(msgspec.Struct, Generic[S], frozen=True):
    """A change of a conversation's row that is no event: read marks. None from `change` leaves it."""

    organisation_id: str
    conversation_id: str
    change: Callable[[S], S | None]


class Appended(msgspec.Struct, Generic[S], frozen=True):
    """What is now on disk. `repeated`: this was said before; `envelopes` then holds the event of that time."""

    organisation_id: str
    state: S
    envelopes: tuple[Envelope, ...]
    repeated: bool = False

    @property
    def last(self) -> Envelope:
        return self.envelopes[-1]
