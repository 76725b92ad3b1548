"""What differs between databases; all else of the store is one code."""

from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from balie.store.journal import Journal
from balie.store.log import Projection
from balie.store.turn import Turn


class UnusableError(RuntimeError):
    """This database cannot be used as it is; the text says what to do."""


class Driver(Protocol):
    """One database. A `line` is a DBAPI connection that belongs to one thread; `of` says whose rows a
    transaction sees (`balie.store.scope`)."""

    name: str
    """As people call it, for errors."""
    readers: Engine
    """For READERS threads, and one connection for what is no query."""
    writes: Engine

    def is_there(self) -> bool:
        """Whether there is a store in it."""
        ...

    def is_used(self) -> bool:
        """Whether somebody may have a token that an earlier secret signed."""
        ...

    def migrate(self) -> str:
        """Bring the database to the shape that this version needs. Returns the revision. Raises
        UnusableError."""
        ...

    def journal(self, projection: Projection[Any]) -> Journal[Any]:
        """How the writer sees the log."""
        ...

    def begin_reading(self, line: Any, of: str) -> None:
        """Begin a transaction of one snapshot."""
        ...

    def end_reading(self, connection: Connection) -> None:
        """End it, whatever has happened in it; the toolkit may have taken part."""
        ...

    def begin_writing(self, line: Any, of: Iterable[str]) -> Any:
        """Begin a transaction, and return a cursor in it."""
        ...

    def enter(self, line: Any, of: Iterable[str]) -> None:
        """See the rows of others from now on, in the same transaction."""
        ...

    def is_spoilt(self, line: Any) -> bool:
        """Whether what failed in this transaction has spoilt the rest of it as well."""
        ...

    def is_lost(self, error: BaseException) -> bool:
        """Whether the connection is no more."""
        ...

    def is_broken(self, error: BaseException) -> bool:
        """Whether the database itself fails (disk, lock, corruption, connection), not the statement."""
        ...

    def is_passing(self, error: BaseException) -> bool:
        """Whether the same may succeed at once when tried again."""
        ...

    def is_unkept(self, error: BaseException) -> bool:
        """Whether the disk has failed to keep what it took: to ask it once more would say nothing of that."""
        ...

    def renew(self) -> bool:
        """Have what was committed written to the disk anew. False when others were too busy. Raises what the
        disk says."""
        ...

    def translate(self, error: Exception) -> Exception:
        """The error as callers know it, where it is one of theirs."""
        ...

    def probe(self, connection: Connection) -> None:
        """Write what changes nothing."""
        ...

    def dispose(self) -> None:
        """Let go of every connection."""
        ...

    def turn(self) -> Turn:
        """For work that one of all processes does at a time; a new one for each time."""
        ...

    def settle(self) -> None:
        """Tidy up after a large write."""
        ...

    def scrub(self) -> bool:
        """Leave no byte of what was deleted. False when others were too busy."""
        ...
