"""All reads of visitors and contacts."""

from sqlalchemy import Connection, func, select

from balie.contacts.model import Visitor, contacts, visitors
from balie.kernel.actor import Actor, SystemActor, VisitorActor
from balie.kernel.erasure import Person
from balie.store.engine import Store
from balie.store.schema import cursor_of

_COLUMNS = tuple(column.name for column in visitors.columns)
# Plain SQL, since everybody who comes back passes here.
_FIND = f"SELECT {', '.join(_COLUMNS)} FROM visitors WHERE id = ? AND organisation_id = ?"  # noqa: S608 - own names


async def find_visitor(store: Store, actor: Actor, visitor_id: str) -> Visitor | None:
    """A visitor of the actor's organisation; None for one who never said anything."""
    return await store.read(
        lambda connection: visitor(connection, actor, visitor_id), of=actor.organisation_id
    )


def visitor(connection: Connection, actor: Actor, visitor_id: str) -> Visitor | None:
    """As `find_visitor`, inside a transaction."""
    if isinstance(actor, VisitorActor) and actor.visitor_id != visitor_id:
        return None
    row = cursor_of(connection).execute(_FIND, (visitor_id, actor.organisation_id)).fetchone()
    if row is None:
        return None
    values = dict(zip(_COLUMNS, row, strict=True))
    values["verified"] = bool(values["verified"])
    return Visitor(**values)


def find_by_email(connection: Connection, actor: SystemActor, email: str) -> Person:
    """Visitors and contacts who have this address, proved or only said."""
    found = {}
    for field, table in (("visitor_ids", visitors), ("contact_ids", contacts)):
        query = select(table.c.id).where(
            table.c.organisation_id == actor.organisation_id, func.lower(table.c.email) == email
        )
        found[field] = frozenset(map(str, connection.execute(query).scalars()))
    return Person(organisation_id=actor.organisation_id, **found)


def find_organisation_of(connection: Connection, key: str) -> str | None:
    """Whose visitor or contact this id names: for the command line, which knows no organisation yet."""
    for table in (visitors, contacts):
        query = select(table.c.organisation_id).where(table.c.id == key)
        found = connection.execute(query).scalar()
        if found is not None:
            return str(found)
    return None
