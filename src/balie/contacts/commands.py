"""The only writer of visitors and contacts."""

from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from balie.contacts.ledger import refuse_erased_id
from balie.contacts.model import Visitor, contacts, visitors
from balie.edge.ports import Ports
from balie.kernel.tidings import VisitorRenamed
from balie.store.schema import cursor_of
from balie.store.upsert import insert


class Proof(msgspec.Struct, frozen=True):
    """Who a signed token of the site says that the visitor is."""

    external_id: str
    name: str | None = None
    email: str | None = None


class ContactCommands:
    """What can be done to visitors and contacts."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._store = ports.store

    async def remember(self, visitor: Visitor) -> None:
        """Keep a visitor who says something for the first time; known ones stay as they are. Raises
        UnauthorisedError for one who was erased."""
        row = msgspec.structs.asdict(visitor)

        def command(connection: Connection) -> None:
            _refuse_erased(connection, visitor)
            connection.execute(insert(connection, visitors).values(row).on_conflict_do_nothing())

        await self._store.write(command, of=visitor.organisation_id)

    async def complete(self, known: Visitor, seen: Visitor) -> Visitor:
        """Add what his panel tells of his browser, where he became known before it was opened."""
        if known.language or known.time_zone or not (seen.language or seen.time_zone):
            return known
        told = {"language": seen.language, "time_zone": seen.time_zone}
        await self._store.write(
            lambda connection: connection.execute(
                update(visitors).where(visitors.c.id == known.id).values(**told)
            ),
            of=known.organisation_id,
        )
        return msgspec.structs.replace(known, **told)

    async def rename(self, visitor: Visitor, name: str | None, email: str | None) -> None:
        """Keep what a visitor says of himself; what was proved stays."""
        await self._store.write(
            lambda connection: connection.execute(
                update(visitors)
                .where(visitors.c.id == visitor.id, visitors.c.verified.is_(False))
                .values(name=name, email=email)
            ),
            of=visitor.organisation_id,
        )

    async def recognise(self, visitor: Visitor, proof: Proof) -> tuple[Visitor, bool]:
        """A visitor who proved who he is, and whether his id was replaced: the first time it is, so that
        whoever knew the old one stays out. Raises UnauthorisedError for one who was erased."""
        if visitor.verified and visitor.external_id == proof.external_id:
            return await self._renewed(visitor, proof), False
        now = self._ports.clock()
        fresh, candidate = self._ports.new_id(), self._ports.new_id()

        def command(connection: Connection) -> Visitor:
            _refuse_erased(connection, visitor)
            contact_id = _contact(connection, visitor.organisation_id, proof, candidate, now)
            known = msgspec.structs.replace(
                visitor,
                id=fresh,
                contact_id=contact_id,
                external_id=proof.external_id,
                name=proof.name,
                email=proof.email,
                verified=True,
                created_at=now,
            )
            connection.execute(visitors.insert().values(msgspec.structs.asdict(known)))
            self._ports.tell(connection, visitor.organisation_id, VisitorRenamed(visitor.id))
            return known

        return await self._store.write(command, of=visitor.organisation_id), True

    async def _renewed(self, visitor: Visitor, proof: Proof) -> Visitor:
        said = {"name": proof.name, "email": proof.email}
        if (visitor.name, visitor.email) != (proof.name, proof.email):
            await self._store.write(
                lambda connection: connection.execute(
                    update(visitors).where(visitors.c.id == visitor.id).values(**said)
                ),
                of=visitor.organisation_id,
            )
        return msgspec.structs.replace(visitor, **said)


def _refuse_erased(connection: Connection, visitor: Visitor) -> None:
    refuse_erased_id(cursor_of(connection), visitor.organisation_id, visitor.id)


def _contact(
    connection: Connection, organisation_id: str, proof: Proof, candidate: str, now: int
) -> str:
    values: dict[str, Any] = {"name": proof.name, "email": proof.email}
    connection.execute(
        insert(connection, contacts)
        .values(
            id=candidate,
            organisation_id=organisation_id,
            external_id=proof.external_id,
            created_at=now,
            **values,
        )
        .on_conflict_do_update(index_elements=["organisation_id", "external_id"], set_=values)
    )
    found = connection.execute(
        select(contacts.c.id).where(
            contacts.c.organisation_id == organisation_id,
            contacts.c.external_id == proof.external_id,
        )
    ).one()
    return str(found.id)
