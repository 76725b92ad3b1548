"""Knows visitors by the token that they send with a request."""

from balie.contacts import tokens
from balie.contacts.ledger import refuse_erased
from balie.edge.auth import Connection, bearer_token
from balie.kernel.actor import VisitorActor
from balie.kernel.ports import Clock
from balie.store.engine import Store


class VisitorAuthenticator:
    """The Authenticator of visitors. A wrong token is refused, not taken for nobody; so is that of a visitor
    who was erased."""

    def __init__(self, store: Store, secret: bytes, clock: Clock) -> None:
        self._store = store
        self._secret = secret
        self._clock = clock

    async def __call__(self, connection: Connection) -> VisitorActor | None:
        token = bearer_token(connection)
        if token is None:
            return None
        actor = tokens.read(self._secret, token, self._clock())
        await self._store.read(lambda c: refuse_erased(c, actor), of=actor.organisation_id)
        return actor
