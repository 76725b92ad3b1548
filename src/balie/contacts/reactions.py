"""What visitors and contacts do when a person is looked for, handed over or erased."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Column, Connection, Table, delete, select

from balie.contacts.model import contacts, erasures, visitors
from balie.kernel.erasure import Gone, Person, PersonErased
from balie.store.keepers import Document, Keeper, chunks


def trace(connection: Connection, person: Person) -> Person:
    """Whoever proved to be the same contact is the same person."""
    own = visitors.c.organisation_id == person.organisation_id
    found = set(person.contact_ids)
    for ids in chunks(person.visitor_ids):
        query = select(visitors.c.contact_id).where(own, visitors.c.id.in_(ids))
        found.update(each for each in connection.execute(query).scalars() if each is not None)
    browsers = set(person.visitor_ids)
    for ids in chunks(found):
        query = select(visitors.c.id).where(own, visitors.c.contact_id.in_(ids))
        browsers.update(map(str, connection.execute(query).scalars()))
    return replace(person, contact_ids=frozenset(found), visitor_ids=frozenset(browsers))


def export(connection: Connection, person: Person) -> Iterator[Document]:
    """`person.json`: every field of every visitor and contact that is this person."""
    yield Document(
        "person.json",
        {
            "contacts": list(_rows(connection, contacts, person, person.contact_ids)),
            "visitors": list(_rows(connection, visitors, person, person.visitor_ids)),
        },
    )


def _rows(
    connection: Connection, table: Table, person: Person, wanted: Iterable[str]
) -> Iterator[dict[str, Any]]:
    own = table.c.organisation_id == person.organisation_id
    for ids in chunks(wanted):
        query = select(table).where(own, table.c.id.in_(ids)).order_by(table.c.id)
        yield from (dict(row) for row in connection.execute(query).mappings())


def erase(connection: Connection, event: PersonErased) -> Gone:
    """Visitors and contacts are no more."""
    person = event.person
    return Gone(
        {
            "visitors": _delete(connection, visitors.c.id, person, person.visitor_ids),
            "contacts": _delete(connection, contacts.c.id, person, person.contact_ids),
        }
    )


def _delete(
    connection: Connection, key: "Column[Any]", person: Person, wanted: Iterable[str]
) -> int:
    own = key.table.c.organisation_id == person.organisation_id
    return sum(
        connection.execute(delete(key.table).where(own, key.in_(ids))).rowcount
        for ids in chunks(wanted)
    )


KEEPER = Keeper(
    room="contacts",
    tables=(visitors, contacts),
    others={erasures.name: "hashes of ids that no longer exist, so that a backup forgets them too"},
    trace=trace,
    export=export,
)
