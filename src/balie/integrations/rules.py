"""What is sent to an endpoint, how it is signed, and what its answer means. Pure.

Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp` (seconds), and `webhook-signature`, a list of `v1,` and
the Base64 of HMAC-SHA256 over `id.timestamp.body`.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from balie.integrations.model import TYPES, DisabledBecause, Endpoint
from balie.kernel.errors import EmptyError, MalformedError

PREFIX = "whsec_"
SECRET_BYTES = 32
ROTATION_MS = 24 * 3_600_000
"""How long the former secret signs beside the new one."""
FAILING_MS = 5 * 86_400_000
"""After so long without one success an endpoint is switched off."""
ENDPOINTS = 20
"""Endpoints of one organisation."""
GONE = 410
TEST_TYPE = "webhook.test"

_KNOWN = frozenset(TYPES.values())


def new_secret(entropy: bytes) -> str:
    """A secret of SECRET_BYTES of chance."""
    return PREFIX + base64.b64encode(entropy[:SECRET_BYTES]).decode()


def checked_types(types: Iterable[str]) -> tuple[str, ...]:
    """At least one, each once, in the order of the documents. Raises EmptyError, MalformedError."""
    wanted = set(types)
    if unknown := sorted(wanted - _KNOWN):
        raise MalformedError(f"types: {unknown[0][:60]!r} is none; see docs/webhooks.md")
    if not wanted:
        raise EmptyError("types: choose at least one")
    return tuple(each for each in TYPES.values() if each in wanted)


def secrets_of(endpoint: Endpoint, now: int) -> tuple[str, ...]:
    """The secrets that sign at this moment, the newest first."""
    if endpoint.former_secret is not None and now < endpoint.former_until:
        return endpoint.secret, endpoint.former_secret
    return (endpoint.secret,)


def headers(message_id: str, body: bytes, secrets: Iterable[str], now: int) -> Mapping[str, str]:
    """What goes with a body, at `now` in milliseconds."""
    seconds = str(now // 1_000)
    signed = f"{message_id}.{seconds}.".encode() + body
    return {
        "Content-Type": "application/json",
        "User-Agent": "Balie-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_sign(secret, signed)}" for secret in secrets),
    }


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class _Body(msgspec.Struct, frozen=True):
    type: str
    timestamp: str
    data: object


def body(kind: str, at: int, data: object) -> bytes:
    """The JSON that is sent; `at` in milliseconds."""
    moment = datetime.fromtimestamp(at / 1_000, UTC)
    told = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode(_Body(kind, told, data))


def is_success(status: int) -> bool:
    """A redirection is none: nobody follows it."""
    return 200 <= status < 300


def rest_of(retry_after: str | None, now: int) -> int | None:
    """How many milliseconds the other side wants to be left alone: its header has seconds or a date."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return int(text[:9]) * 1_000
    try:
        moment = parsedate_to_datetime(text)
        until = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, int(until.timestamp() * 1_000) - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def disabled_by(endpoint: Endpoint, status: int | None, now: int) -> DisabledBecause:
    """Why nothing more is to be sent after this failure; empty when it is to be."""
    if status == GONE:
        return "gone"
    since = endpoint.failing_since
    return "failing" if since is not None and now - since >= FAILING_MS else ""
