"""The visitor's token: who he is, signed by Balie, so that no visit costs a row in the store.

`base64url(claims JSON) "." base64url(HMAC-SHA256)`; claims name the visitor, the site, the organisation, the
proved contact if any, the visitor id before that proof, and when it was made. Pure: secret and time are
handed in.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from balie.kernel.actor import VisitorActor
from balie.kernel.errors import UnauthorisedError

LIFETIME_MS = 400 * 24 * 3_600_000
"""As long as a browser keeps anything."""


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token says; short names, since it travels with every request."""

    v: str
    s: str
    o: str
    t: int
    c: str | None = None
    f: str | None = None


def issue(secret: bytes, actor: VisitorActor, now: int) -> str:
    """A token for `actor`, made at `now`."""
    claims = Claims(
        v=actor.visitor_id,
        s=actor.site_id,
        o=actor.organisation_id,
        t=now,
        c=actor.contact_id,
        f=actor.former_id,
    )
    body = _encode(msgspec.json.encode(claims))
    return f"{body}.{_encode(_signature(secret, body))}"


def read(secret: bytes, token: str, now: int) -> VisitorActor:
    """Whom `token` names. Raises UnauthorisedError when it is not ours, or too old."""
    body, _, signature = token.partition(".")
    try:
        genuine = hmac.compare_digest(_decode(signature), _signature(secret, body))
        if not genuine:
            raise UnauthorisedError("this token was not made here")
        claims = msgspec.json.decode(_decode(body), type=Claims)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise UnauthorisedError("this is no visitor's token") from None
    if now - claims.t > LIFETIME_MS:
        raise UnauthorisedError("this token is too old")
    return VisitorActor(
        organisation_id=claims.o,
        site_id=claims.s,
        visitor_id=claims.v,
        contact_id=claims.c,
        former_id=claims.f,
    )


def _signature(secret: bytes, body: str) -> bytes:
    return hmac.new(secret, b"visitor:" + body.encode(), hashlib.sha256).digest()[:20]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
