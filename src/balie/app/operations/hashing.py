"""Hashes over rows that do not depend on where the rows lie, nor on which database they are in."""

import hashlib
from collections.abc import Iterable
from typing import Any

from balie.store.bulk import without_nul

_MODULUS = 1 << 256


class RowSum:
    """The SHA-256 of each row, added up modulo 2^256: the same in whatever order they come."""

    __slots__ = ("_total", "rows")

    def __init__(self) -> None:
        self._total = 0
        self.rows = 0

    def add(self, digest: bytes) -> None:
        """Count one more row."""
        self._total = (self._total + int.from_bytes(digest)) % _MODULUS
        self.rows += 1

    def take(self, other: "RowSum") -> None:
        """Count all that `other` counted."""
        self._total = (self._total + int(other.hex, 16)) % _MODULUS
        self.rows += other.rows

    @property
    def hex(self) -> str:
        """64 hexadecimal digits."""
        return f"{self._total:064x}"


def encoded(values: Iterable[Any]) -> bytes:
    """The values as bytes that no other values have. A truth value counts as 0 or 1, and U+0000 in a text as
    U+FFFD, since PostgreSQL can hold the one and not the other."""
    return b"".join(map(_encoded, values))


def _encoded(value: Any) -> bytes:
    if value is None:
        return b"-"
    if isinstance(value, str):
        data = without_nul(value).encode(errors="surrogatepass")
        return b"s%d:%b" % (len(data), data)
    if isinstance(value, int):
        return b"i%d;" % value
    data = bytes(value) if isinstance(value, bytes | memoryview) else repr(value).encode()
    return b"b%d:%b" % (len(data), data)


def digest_of(values: Iterable[Any]) -> bytes:
    """The SHA-256 of one row."""
    return hashlib.sha256(encoded(values)).digest()
