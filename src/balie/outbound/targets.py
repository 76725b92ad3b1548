"""What may be typed as an address to send to. Pure: no name is resolved here.

One spelling of everything. Parsers differ in what they make of the rest, and the difference between the one
that checks and the one that connects is the hole.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna
import msgspec

LONGEST = 2_048
FROM_PORT = 1_024
PORTS = {"https": 443, "http": 80}

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<place>[^/?#]+)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?", re.IGNORECASE
)
_PLACE = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]@]+)(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
_VISIBLE = re.compile(r"[\x21-\x7e\u00a1-\U0010ffff]+")
_IN_PATH = re.compile(r"[\x21-\x7e]*")


class Target(msgspec.Struct, frozen=True):
    """Where to send. `host` is a name in ASCII, or an address without brackets; `path` has the query in it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_plain(self) -> bool:
        """Whether everybody on the way can read it."""
        return self.scheme == "http"

    @property
    def place(self) -> str:
        """Host and port as they stand in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """In its one spelling."""
        return f"{self.scheme}://{self.place}{self.path}"


def parse_target(text: str) -> Target:
    """Raises ValueError, in words for whoever typed it."""
    if len(text) > LONGEST:
        raise ValueError(f"at most {LONGEST} characters")
    if not _VISIBLE.fullmatch(text) or "\\" in text:
        raise ValueError("no spaces, backslashes or invisible characters")
    found = _URL.fullmatch(text)
    if found is None:
        raise ValueError("it begins with https:// and has no #")
    place = _PLACE.fullmatch(found["place"])
    if place is None:
        raise ValueError("after https:// comes a host, and maybe a port; no user or password")
    scheme = found["scheme"].lower()
    path = (found["path"] or "/") + (found["query"] or "")
    if not _IN_PATH.fullmatch(path):
        raise ValueError("write other than plain characters of the path as %XX")
    return Target(scheme, _host(place["host"]), _port(place["port"], scheme), path)


def _port(text: str | None, scheme: str) -> int:
    port = PORTS[scheme] if text is None else int(text)
    if port != PORTS[scheme] and not FROM_PORT <= port < 65_536:
        raise ValueError(f"the port is {PORTS[scheme]}, or from {FROM_PORT} to 65535")
    return port


def _host(text: str) -> str:
    if text.startswith("["):
        return _six(text[1:-1])
    if _NUMERIC.fullmatch(text.rstrip(".").rpartition(".")[2]):
        # What ends in a number is an address to some programs, whatever is before it.
        return _four(text)
    try:
        name = idna.encode(text.lower(), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        name = text.lower()
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("the host is no name")
    if _NUMERIC.fullmatch(labels[-1]):
        return _four(name)
    return name


def _four(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise ValueError("write an address as four numbers, such as 192.0.2.1") from None


def _six(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise ValueError("no address of IPv6") from None
