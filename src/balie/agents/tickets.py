"""Tickets for sockets: a page asks for one with its cookie and shows it in `hello`, once, within 30 seconds.

They are stored, by their hash: whoever issues one need not be the process that the socket comes to.
"""

from sqlalchemy import Connection, delete, insert

from balie.agents.model import tickets
from balie.agents.rules import token_hash, token_of
from balie.edge.ports import Ports
from balie.kernel.actor import AgentActor
from balie.store.scope import EVERYWHERE

LIFE_MS = 30_000


class Tickets:
    """The tickets that are out."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def issue(self, actor: AgentActor) -> str:
        """A ticket that opens one socket of this session. Raises BusyError, UnavailableError."""
        now, token = self._ports.clock(), token_of(self._ports.entropy(32))
        row = {
            "organisation_id": actor.organisation_id,
            "token_hash": token_hash(token),
            "session_id": actor.session_id,
            "expires_at": now + LIFE_MS,
        }

        def write(connection: Connection) -> None:
            connection.execute(delete(tickets).where(tickets.c.expires_at <= now))
            connection.execute(insert(tickets), row)

        await self._ports.store.write(write, of=actor.organisation_id)
        return token

    async def redeem(self, token: str) -> str | None:
        """The session that a ticket was issued to; None for one unknown, used or expired.

        The caller compares it with the session of the handshake's cookie.
        """
        now = self._ports.clock()
        wanted = tickets.c.token_hash == token_hash(token)

        def write(connection: Connection) -> str | None:
            used = (
                delete(tickets).where(wanted).returning(tickets.c.session_id, tickets.c.expires_at)
            )
            row = connection.execute(used).first()
            return str(row.session_id) if row is not None and now < row.expires_at else None

        return await self._ports.store.write(write, of=EVERYWHERE)
