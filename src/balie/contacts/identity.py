"""Proof of who a visitor is: a JWT (RFC 7519) that the site's own server signed. Pure.

HS256 or EdDSA, never what the token itself asks for: the key that `kid` names says how. `aud` is the site's
key, `sub` the organisation's own id of the person, `exp` at most a day ahead.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeGuard

import jwt
from jwt.types import Options

from balie.contacts.commands import Proof
from balie.edge.text import clean_email, clean_optional_line
from balie.kernel.errors import BalieError, UnauthorisedError
from balie.kernel.visible import shows_something
from balie.organisations.model import SiteKey

LONGEST_S = 24 * 3_600
LEEWAY_S = 60
LAST_S = 2**37
MAX_BYTES = 8_192
# Times are checked below, against the clock that is handed in.
_OPTIONS: Options = {
    "require": ["exp", "sub", "aud"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


def verify(token: str, audience: str, keys: Sequence[SiteKey], now: int) -> Proof:
    """Who the token says it is. Raises UnauthorisedError, saying why not."""
    if len(token) > MAX_BYTES:
        raise UnauthorisedError("the identity token is too long")
    key = _key_of(token, keys)
    try:
        claims = jwt.decode(
            token,
            key.material,
            algorithms=[key.algorithm],
            audience=audience,
            options=_OPTIONS,
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise UnauthorisedError(f"the identity token is not valid: {error}") from None
    _check_times(claims, now // 1_000)
    return _proof(claims)


def _key_of(token: str, keys: Sequence[SiteKey]) -> SiteKey:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise UnauthorisedError("this is no JWT") from None
    matching = [key for key in keys if key.kid == kid] if kid is not None else list(keys)
    if len(matching) != 1:
        raise UnauthorisedError("name the key: `kid` in the token's header is none of this site's")
    return matching[0]


def _check_times(claims: dict[str, Any], now: int) -> None:
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not (_is_moment(expires) and _is_moment(begins)):
        raise UnauthorisedError("`exp` and `nbf` are numbers: seconds since 1970")
    if expires + LEEWAY_S < now:
        ended = datetime.fromtimestamp(expires, UTC).isoformat()
        raise UnauthorisedError(f"the identity token ended at {ended}")
    if expires > now + LONGEST_S + LEEWAY_S:
        raise UnauthorisedError("`exp` is more than a day ahead; make tokens that end sooner")
    if begins > now + LEEWAY_S:
        raise UnauthorisedError("the identity token does not count yet")


def _is_moment(value: object) -> TypeGuard[int | float]:
    """JSON as Python reads it also has true, NaN and Infinity, beside which every comparison fails."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LAST_S


def _proof(claims: dict[str, Any]) -> Proof:
    subject = claims["sub"]
    readable = isinstance(subject, str) and subject.isprintable() and shows_something(subject)
    if not readable or len(subject) > 200:
        raise UnauthorisedError("`sub` is a text of 1 to 200 characters that can be read")
    return Proof(subject, _line(claims.get("name")), _email(claims.get("email")))


def _line(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return clean_optional_line(value, 120, "name") or None
    except BalieError:
        return None


def _email(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return clean_email(value)
    except BalieError:
        return None
