"""What every room that owns tables says about the persons in them: how to find, hand over and erase them.

`balie.wiring` holds the one list of keepers; a test refuses a table that no keeper names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

import msgspec
from sqlalchemy import Connection, Table

from balie.kernel.erasure import Person

CHUNK = 500
"""Ids that one statement names; far below what any driver allows."""


class Document(msgspec.Struct, frozen=True):
    """A JSON document of an export: its path in the archive, and what it says."""

    path: str
    content: object


class Keeper(msgspec.Struct, frozen=True, kw_only=True):
    """How a room keeps persons.

    `tables` hold what is of visitors and contacts; `others` do not, and say why. `trace` widens a person by
    what the room knows; it is asked again until no room adds anything. `export` gives everything as
    documents. How the room erases stands among the reactions in `balie.wiring`.
    """

    room: str
    tables: tuple[Table, ...] = ()
    others: Mapping[str, str] = {}
    trace: Callable[[Connection, Person], Person] | None = None
    export: Callable[[Connection, Person], Iterator[Document]] | None = None


def chunks(ids: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The ids in order, some at a time."""
    left = iter(sorted(ids))
    while part := list(islice(left, size)):
        yield part
