"""What this server sees of whoever asks, for `balie doctor`: is there a proxy, and does it say who people are?

Only who has the installation's secret may ask; for everybody else there is nothing here.
"""

import hashlib
import hmac
import time
from typing import Any

from litestar import Request, Response, get

from balie.edge.limits import client_address
from balie.edge.policy import Policy
from balie.edge.settings import EdgeSettings
from balie.kernel.errors import NotFoundError

PATH = "/mirror"
VALID = 60
"""Seconds for which a proof holds, before and after."""


def proof(secret: bytes, at: int) -> str:
    """What shows that one has the secret, at this second: a value for the header Authorization."""
    told = hmac.new(secret, f"balie mirror {at}".encode(), hashlib.sha256).hexdigest()
    return f"Balie-Doctor {at}.{told}"


def is_proof(secret: bytes, shown: str, now: float) -> bool:
    """Whether `shown` was made with the secret not long ago."""
    at = shown.removeprefix("Balie-Doctor ").partition(".")[0]
    if not (at.isascii() and at.isdecimal() and len(at) < 12 and abs(int(at) - now) <= VALID):
        return False
    return hmac.compare_digest(shown.encode(), proof(secret, int(at)).encode())


def route(secret: bytes, edge: EdgeSettings) -> Any:
    """The door."""

    @get(PATH, opt={"policy": Policy.PUBLIC}, include_in_schema=False)
    async def look(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
        if not is_proof(secret, request.headers.get("authorization", ""), time.time()):
            raise NotFoundError("there is nothing here")
        return Response(seen(request, edge), headers={"Cache-Control": "no-store"})

    return look


def seen(request: Request[Any, Any, Any], edge: EdgeSettings) -> dict[str, str]:
    """Who stands at the door, and what is said of whom he brings. `address` is who is believed to ask."""
    peer = request.client.host if request.client else ""
    forwarded = ", ".join(request.headers.getall("x-forwarded-for", []))
    # An address that no proxy has: it counts only where the peer's word does.
    trusted = client_address(peer, "192.0.2.1", edge.trusted_proxies) == "192.0.2.1"
    return {
        "peer": peer,
        "forwarded_for": forwarded,
        "forwarded_proto": request.headers.get("x-forwarded-proto", ""),
        "address": client_address(peer, forwarded, edge.trusted_proxies),
        "trusted": "yes" if trusted else "no",
        "secure": "yes" if edge.secure else "no",
    }
