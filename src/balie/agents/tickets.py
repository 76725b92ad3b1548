"""Tickets for sockets: a page asks for one with its cookie and shows it in `hello`, once, within 30 seconds."""

from collections import OrderedDict

import msgspec

from balie.agents.rules import token_of
from balie.kernel.ports import Entropy

LIFE_MS = 30_000
CAPACITY = 10_000


class Ticket(msgspec.Struct, frozen=True):
    session_id: str
    expires_at: int


class Tickets:
    """The tickets that are out, in the memory of this process."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._out: OrderedDict[str, Ticket] = OrderedDict()

    def issue(self, session_id: str, now: int) -> str:
        """A ticket that opens one socket of this session."""
        token = token_of(self._entropy(32))
        self._out[token] = Ticket(session_id, now + LIFE_MS)
        while len(self._out) > CAPACITY or self._oldest_expired(now):
            self._out.popitem(last=False)
        return token

    def redeem(self, token: str, now: int) -> str | None:
        """The session that a ticket was issued to; None for one unknown, used or expired.

        The caller compares it with the session of the handshake's cookie.
        """
        ticket = self._out.pop(token, None)
        return ticket.session_id if ticket is not None and now < ticket.expires_at else None

    def forget(self, session_ids: list[str]) -> None:
        """A session that ended takes its tickets with it."""
        ended = set(session_ids)
        for token in [t for t, ticket in self._out.items() if ticket.session_id in ended]:
            del self._out[token]

    def _oldest_expired(self, now: int) -> bool:
        oldest = next(iter(self._out.values()), None)
        return oldest is not None and oldest.expires_at <= now
