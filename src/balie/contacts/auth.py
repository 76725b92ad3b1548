"""Knows visitors by the token that they send with a request."""

from balie.contacts import tokens
from balie.edge.auth import Connection, bearer_token
from balie.kernel.actor import VisitorActor
from balie.kernel.ports import Clock


class VisitorAuthenticator:
    """The Authenticator of visitors. A wrong token is refused, not taken for nobody."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    async def __call__(self, connection: Connection) -> VisitorActor | None:
        token = bearer_token(connection)
        return None if token is None else tokens.read(self._secret, token, self._clock())
