"""Photos in boxes (HEIC and AVIF; ISO/IEC 14496-12 and 23008-12): their size, and what they tell. Pure.

Items are found by their place in the file, so nothing may move: what is to go is written over in place.
"""

import re
import struct
from collections.abc import Iterator

from balie.kernel.errors import MalformedError

_SIZE = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)
_LOOK_WITHIN = 64 * 1024
# An EXIF directory without entries, behind the offset at which it begins.
_NO_EXIF = b"\0\0\0\0" + b"MM\0*" + struct.pack(">IHI", 8, 0, 0)


def size_of(content: bytes) -> tuple[int, int] | None:
    """Width and height of the largest picture in it; None where it has none."""
    found = _SIZE.findall(content, 0, _LOOK_WITHIN)
    sizes = [struct.unpack(">II", each) for each in found]
    return max(sizes, key=lambda size: size[0] * size[1]) if sizes else None


def without_traces(content: bytes) -> bytes:
    """As `traces.without_traces`. Raises struct.error or MalformedError for boxes that cannot be."""
    meta = dict(_boxes(content, 0, len(content))).get(b"meta")
    if meta is None:
        raise MalformedError("this image is broken: it does not say what is in it")
    # `meta` is a full box: version and flags come first.
    inside = dict(_boxes(content, meta.start + 4, meta.stop))
    secret = _secret_items(content, inside[b"iinf"]) if b"iinf" in inside else {}
    cleaned = bytearray(content)
    for item, start, size in _extents(content, inside) if secret else ():
        if item in secret and 0 <= start <= start + size <= len(cleaned):
            blank = _NO_EXIF if secret[item] == b"Exif" and size >= len(_NO_EXIF) else b""
            cleaned[start : start + size] = blank.ljust(size, b"\0" if blank else b" ")
    return bytes(cleaned)


def _boxes(content: bytes, at: int, end: int) -> Iterator[tuple[bytes, range]]:
    """(kind, where its content stands) of the boxes from `at` to `end`."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", content, at)
        start = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, start)
            start += 8
        stop = at + size if size else end
        if stop < start or stop > end:
            raise MalformedError("this image is broken: a box is larger than what it stands in")
        yield kind, range(start, stop)
        at = stop


def _secret_items(content: bytes, iinf: range) -> dict[int, bytes]:
    """The items that hold EXIF or XMP, by number."""
    wide = content[iinf.start] > 0
    found = {}
    for kind, place in _boxes(content, iinf.start + (8 if wide else 6), iinf.stop):
        if kind != b"infe" or content[place.start] < 2:
            continue
        layout = ">IH4s" if content[place.start] > 2 else ">HH4s"
        item, _, what = struct.unpack_from(layout, content, place.start + 4)
        if what in (b"Exif", b"mime"):
            found[item] = what
    return found


def _extents(content: bytes, inside: dict[bytes, range]) -> Iterator[tuple[int, int, int]]:
    """(item, first byte, size) of everything that `iloc` places in this file."""
    if b"iloc" not in inside:
        return
    reader = _Reader(content, inside[b"iloc"])
    version = reader.number(4) >> 24
    sizes = reader.number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    for _ in range(reader.number(wide)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        base = reader.number(base_size)
        if method == 1 and b"idat" in inside:
            base += inside[b"idat"].start
        for _ in range(reader.number(2)):
            reader.number(index_size)
            start, size = base + reader.number(offset_size), reader.number(length_size)
            # No size: all of it.
            yield item, start, size or len(content) - start


class _Reader:
    """Numbers one after the other."""

    def __init__(self, content: bytes, place: range) -> None:
        self._content = content
        self._at, self._end = place.start, place.stop

    def number(self, size: int) -> int:
        if self._at + size > self._end:
            raise MalformedError("this image is broken: a list in it is cut off")
        self._at += size
        return int.from_bytes(self._content[self._at - size : self._at])
