"""What a photo tells beside the picture: where it was taken, when, by which device. Taken out. Pure.

Pixels are not decoded and not touched; only what stands around them goes. The orientation stays, because
without it a photo of a telephone lies on its side; so do colour profiles, which change what one sees.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from balie.conversations import heif
from balie.kernel.errors import MalformedError

UPRIGHT = 1
_ORIENTATION = 0x0112


def without_traces(media_type: str, content: bytes) -> bytes:
    """`content` of an image without what it tells of its maker; of anything else, as it is.

    Raises MalformedError for an image whose parts cannot be told apart: then nothing is known of what it
    holds.
    """
    strip = _STRIPS.get(media_type)
    if strip is None:
        return content
    try:
        return strip(content)
    except (struct.error, IndexError):
        raise MalformedError("this image is broken: its parts cannot be told apart") from None


# JPEG (ITU T.81, annex B): segments of FF, a marker, and mostly a length.

_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_START, _END, _SCAN, _COMMENT, _EXIF_SEGMENT = 0xD8, 0xD9, 0xDA, 0xFE, 0xE1
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def _jpeg(content: bytes) -> bytes:
    kept = [b"\xff\xd8"]
    for marker, segment in _segments(content):
        if marker == _EXIF_SEGMENT and segment[4:10] == b"Exif\0\0":
            turned = _orientation(segment[10:])
            if turned != UPRIGHT:
                kept.insert(1, _framed_exif(turned))
        elif _is_picture(marker, segment):
            kept.append(segment)
    # Behind the end telephones put a film, or a second picture with an EXIF of its own.
    kept.append(b"\xff\xd9")
    return b"".join(kept)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, bytes) of each segment from the first to the end of the image; scans with their data."""
    at = 2
    while at < len(content):
        if content[at] != 0xFF:
            raise MalformedError("this image is broken: no segment where one was due")
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _END:
            return
        end = at + 2
        if marker not in _ALONE:
            end += max(2, int.from_bytes(content[at + 2 : at + 4]))
        if marker == _SCAN:
            found = _END_OF_SCAN.search(content, end)
            # One that was cut off shows as far as it goes.
            end = found.start() if found else len(content)
        yield marker, content[at:end]
        at = end


def _is_picture(marker: int, segment: bytes) -> bool:
    """Whether the segment says how to draw, and not who drew it."""
    if 0xE0 <= marker <= 0xEF:
        sign = segment[4:16]
        return (
            (marker == 0xE0 and sign.startswith(b"JFIF\0"))
            or (marker == 0xE2 and sign == b"ICC_PROFILE\0")
            or (marker == 0xEE and sign.startswith(b"Adobe"))
        )
    return marker not in (_START, _COMMENT)


def _framed_exif(turned: int) -> bytes:
    body = b"Exif\0\0" + _small_exif(turned)
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body


# EXIF: a TIFF directory of entries of 12 bytes (TIFF 6.0, section 2).


def _orientation(tiff: bytes) -> int:
    """The orientation, 1 … 8; 1 where there is none."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for place in range(first + 2, first + 2 + 12 * min(count, 200), 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, place)
            if tag == _ORIENTATION and kind == 3:
                return value if 1 <= value <= 8 else UPRIGHT
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def _small_exif(turned: int) -> bytes:
    """EXIF that holds an orientation and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, turned, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)


# PNG (third edition, section 5): chunks of length, name, data and checksum.

_PNG_SIGN = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP"}
    | {b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"hIST", b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT"}
)


def _png(content: bytes) -> bytes:
    kept = [_PNG_SIGN]
    at = len(_PNG_SIGN)
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + size
        if name == b"eXIf":
            kept += _turned_chunk(content[at + 8 : end - 4])
        elif name in _PNG_KEPT:
            kept.append(content[at:end])
        if name == b"IEND":
            break
        at = end
    return b"".join(kept)


def _turned_chunk(tiff: bytes) -> list[bytes]:
    turned = _orientation(tiff)
    if turned == UPRIGHT:
        return []
    body = b"eXIf" + _small_exif(turned)
    return [(len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)]


# WebP: chunks of name, length and data, padded to even, in one RIFF chunk.

_WEBP_KEPT = frozenset(
    {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"},
)
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04


def _webp(content: bytes) -> bytes:
    kept, turned = [], UPRIGHT
    at, end = 12, min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", content, at)
        data = content[at + 8 : min(end, at + 8 + size)]
        if name == b"EXIF":
            turned = _orientation(data.removeprefix(b"Exif\0\0"))
        elif name in _WEBP_KEPT:
            kept.append((name, data))
        at += 8 + size + size % 2
    return _riff([*_flagged(kept, turned)])


def _flagged(chunks: list[tuple[bytes, bytes]], turned: int) -> Iterator[tuple[bytes, bytes]]:
    """The chunks, their first saying no more than what is there."""
    extended = False
    for name, data in chunks:
        if name == b"VP8X":
            extended = True
            flags = data[0] & ~(_EXIF_FLAG | _XMP_FLAG)
            yield name, bytes((flags | (_EXIF_FLAG if turned != UPRIGHT else 0),)) + data[1:]
        else:
            yield name, data
    if extended and turned != UPRIGHT:
        yield b"EXIF", _small_exif(turned)


def _riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"WEBP" + b"".join(
        name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
        for name, data in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


_STRIPS = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
    "image/heic": heif.without_traces,
    "image/avif": heif.without_traces,
}
