"""A person as the rooms know him, and what crosses them when he is erased or time has passed."""

import msgspec


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """All that is of one person within an organisation, by id.

    It starts as one id that somebody named; each room adds what it knows to belong to the same person.
    """

    organisation_id: str
    visitor_ids: frozenset[str] = frozenset()
    contact_ids: frozenset[str] = frozenset()
    conversation_ids: frozenset[str] = frozenset()
    file_ids: frozenset[str] = frozenset()


class PersonErased(msgspec.Struct, frozen=True):
    """He is to be forgotten. Every room that keeps a table has a reaction, in the same transaction."""

    person: Person


class Gone(msgspec.Struct, frozen=True):
    """What a room deleted: rows by what they were, conversations that no longer are, files whose bytes
    must follow."""

    counts: dict[str, int]
    conversation_ids: tuple[str, ...] = ()
    file_ids: tuple[str, ...] = ()


def together(parts: "list[Gone]") -> Gone:
    """Several deletions as one."""
    counts: dict[str, int] = {}
    for part in parts:
        for name, count in part.counts.items():
            counts[name] = counts.get(name, 0) + count
    return Gone(
        counts,
        tuple(each for part in parts for each in part.conversation_ids),
        tuple(each for part in parts for each in part.file_ids),
    )
