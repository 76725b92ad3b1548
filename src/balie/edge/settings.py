"""Where Balie stands: its own address, and whom it believes about addresses of others."""

import hmac
from functools import cached_property

from balie.edge.limits import Network
from balie.edge.origins import parse_origin


class EdgeSettings:
    """`origin` is the address at which people open Balie; more of them may be named.

    Raises ValueError for what is no exact origin.
    """

    def __init__(
        self,
        origin: str,
        *,
        more_origins: tuple[str, ...] = (),
        trusted_proxies: tuple[Network, ...] = (),
        operator_token: str = "",
    ) -> None:
        self.origin = parse_origin(origin)
        self.origins = frozenset({self.origin, *map(parse_origin, more_origins)})
        self.trusted_proxies = trusted_proxies
        self._operator_token = operator_token.encode()

    def is_operator(self, token: str | None) -> bool:
        """Whether this is the token of whoever runs Balie. Where none was set, nobody needs one on this
        machine's own loopback address, and nobody is let in elsewhere."""
        if not self._operator_token:
            return self.loopback
        return hmac.compare_digest((token or "").encode(), self._operator_token)

    @cached_property
    def secure(self) -> bool:
        """Whether people come over https."""
        return self.origin.startswith("https://")

    @cached_property
    def loopback(self) -> bool:
        """Whether the address is this machine only, where plain http harms nobody."""
        host = self.origin.split("://")[1].rsplit(":", 1)[0]
        return host in ("localhost", "127.0.0.1", "[::1]") or host.endswith(".localhost")
