"""What an operator can set, read from the environment once at start.

Every variable is described in `docs/operate/settings.md`; a test compares the two.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from balie.edge.limits import Network, parse_networks
from balie.edge.origins import parse_origin

PREFIX = "BALIE_"
MIB = 1_024 * 1_024


class SettingError(ValueError):
    """A setting that cannot be used; the text names it and says what to do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Field names in upper case with `BALIE_` before them are the variables."""

    data_dir: Path = Path("balie-data")
    database_url: str = ""
    nats_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    origin: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    max_file_bytes: int = 10 * MIB
    upload_bytes_per_address: int = 256 * MIB
    upload_bytes_unspoken: int = 20 * MIB
    upload_bytes_waiting: int = 1_024 * MIB
    free_bytes: int = 512 * MIB
    messages_per_second: float = 5.0
    message_burst: int = 30
    connections_per_minute: float = 60.0
    connection_burst: int = 200
    connections_per_address: int = 1_000
    connections_per_visitor: int = 100
    log_level: str = "info"
    metrics_token: str = ""
    metrics_port: int = 0
    metrics_host: str = "127.0.0.1"

    @property
    def own_origin(self) -> str:
        """The address at which people open Balie."""
        return self.origin or f"http://localhost:{self.port}"


def read_settings(environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """Settings from the environment; what is `given` (and not None) wins. Raises SettingError."""
    source = os.environ if environment is None else environment
    values: dict[str, object] = {}
    for field in Settings.__struct_fields__:
        name = PREFIX + field.upper()
        if name in source:
            values[field] = _parse(name, field, source[name])
    unknown = (
        {n for n in source if n.startswith(PREFIX)}
        - {PREFIX + field.upper() for field in Settings.__struct_fields__}
        - OTHERS
    )
    if unknown:
        raise SettingError(f"{min(unknown)} is no setting of Balie; see docs/operate/settings.md")
    values.update({key: value for key, value in given.items() if value is not None})
    return Settings(**values)  # type: ignore[arg-type]


# Read by tests and tools, not by the server.
OTHERS = frozenset({"BALIE_CHROMIUM", "BALIE_TESTDATA"})


def _parse(name: str, field: str, text: str) -> object:
    try:
        return _PARSERS.get(field, str)(text)
    except ValueError as error:
        # A password is not for logs and screens.
        told = "" if field in ("database_url", "nats_url", "metrics_token") else f"={text!r}"
        raise SettingError(f"{name}{told} cannot be used: {error}") from None


def _whole(text: str) -> int:
    if not text.strip().isdigit() or int(text) > 10**12:
        raise ValueError("a whole number is needed")
    return int(text)


def _port(text: str) -> int:
    if not 0 < (port := _whole(text)) < 65_536:
        raise ValueError("a port is a number from 1 to 65535")
    return port


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError("a number above 0 is needed")
    return value


def parse_database_url(text: str) -> str:
    """The address of a database as it came. Raises SettingError, which does not repeat it."""
    try:
        return _database_url(text)
    except ValueError as error:
        raise SettingError(f"the address of the database cannot be used: {error}") from None


def _database_url(text: str) -> str:
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("it begins with postgresql://")
    return text


def _nats_url(text: str) -> str:
    if not text.startswith(("nats://", "tls://")):
        raise ValueError("it begins with nats:// or tls://")
    return text


_PARSERS: dict[str, Callable[[str], object]] = {
    "data_dir": Path,
    "database_url": _database_url,
    "nats_url": _nats_url,
    "port": _port,
    "metrics_port": _port,
    "origin": parse_origin,
    "trusted_proxies": lambda text: parse_networks(text.split(",")),
    "max_file_bytes": _whole,
    "upload_bytes_per_address": _whole,
    "upload_bytes_unspoken": _whole,
    "upload_bytes_waiting": _whole,
    "free_bytes": _whole,
    "messages_per_second": _positive,
    "message_burst": _whole,
    "connections_per_minute": _positive,
    "connection_burst": _whole,
    "connections_per_address": _whole,
    "connections_per_visitor": _whole,
}
