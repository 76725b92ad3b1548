"""From where. Origins are compared whole, in one normal form; nothing is matched by prefix or suffix."""

import re
from collections.abc import Collection
from ipaddress import AddressValueError, IPv6Address

from balie.kernel.errors import ForbiddenError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": "80", "https": "443"}

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII,
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)


def parse_origin(text: str) -> str:
    """`text` in the form in which browsers send it: `https://host` or `http://host:port`.

    Upper case, the port of the scheme itself and one closing slash are forgiven; names in other scripts
    become IDNA (`xn--…`). Raises ValueError, saying what is wrong, for anything that is no exact origin:
    a path, a wildcard, a user name, another scheme.
    """
    lowered = _to_ascii(text.strip().lower())
    match = _ORIGIN.fullmatch(lowered)
    if match is None:
        raise ValueError("an origin is a scheme, a host and perhaps a port: https://www.example.nl")
    scheme, host, port = match["scheme"], _host(match["host"]), match["port"]
    if port is not None and not 0 < int(port) < 65_536:
        raise ValueError("a port is a number from 1 to 65535")
    if port is None or str(int(port)) == DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}"


def same_origin(header: str | None, allowed: Collection[str]) -> bool:
    """Whether an Origin header is one of `allowed`, letter by letter.

    Browsers send origins in one form (RFC 6454, section 6.1), that of `parse_origin`, which `allowed` has.
    Whatever only means the same (upper case, a closing dot, the scheme's own port) comes from no browser.
    """
    return header is not None and header in allowed


def refuse_foreign(
    method: str, origin: str | None, fetch_site: str | None, own: Collection[str]
) -> None:
    """Refuse an unsafe request that a page of somebody else may have sent.

    Raises ForbiddenError unless the method is safe, or the Origin header is exactly one of `own` and the
    browser's own word (Sec-Fetch-Site), where it gives one, says the same.
    """
    if method in SAFE_METHODS:
        return
    if not same_origin(origin, own):
        raise ForbiddenError(
            f"the Origin header must be {' or '.join(sorted(own))}: open Balie at that address"
        )
    if fetch_site not in (None, "", "same-origin"):
        raise ForbiddenError("this request comes from another site")


def _to_ascii(text: str) -> str:
    if text.isascii():
        return text
    scheme, divider, rest = text.partition("://")
    host, colon, port = rest.partition(":")
    try:
        return f"{scheme}{divider}{host.rstrip('/').encode('idna').decode()}{colon}{port}"
    except UnicodeError:
        raise ValueError("that host name cannot exist") from None


def _host(host: str) -> str:
    if host.startswith("["):
        try:
            return f"[{IPv6Address(host[1:-1])}]"
        except AddressValueError:
            raise ValueError("that is no IPv6 address") from None
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("that host name cannot exist")
    return ".".join(labels)
