"""All reads of visitors and contacts."""

from sqlalchemy import Connection, select

from balie.contacts.model import Visitor, visitors
from balie.kernel.actor import Actor, VisitorActor
from balie.store.engine import Store


async def find_visitor(store: Store, actor: Actor, visitor_id: str) -> Visitor | None:
    """A visitor of the actor's organisation; None for one who never said anything."""
    return await store.read(lambda connection: visitor(connection, actor, visitor_id))


def visitor(connection: Connection, actor: Actor, visitor_id: str) -> Visitor | None:
    """As `find_visitor`, inside a transaction."""
    if isinstance(actor, VisitorActor) and actor.visitor_id != visitor_id:
        return None
    row = (
        connection.execute(
            select(visitors).where(
                visitors.c.id == visitor_id,
                visitors.c.organisation_id == actor.organisation_id,
            )
        )
        .mappings()
        .first()
    )
    return Visitor(**row) if row else None
