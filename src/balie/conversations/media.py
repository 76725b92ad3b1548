"""What a file really is. The sender's word counts for nothing; its first bytes decide. Pure."""

import msgspec

from balie.conversations import heif
from balie.kernel.errors import MalformedError, TooLongError

MAX_SIDE = 16_384
MAX_PIXELS = 50_000_000

_BY_SIGNATURE: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_WITHIN: dict[str, dict[str, str]] = {
    "application/zip": {
        "docx": f"{_OPEN_XML}.wordprocessingml.document",
        "xlsx": f"{_OPEN_XML}.spreadsheetml.sheet",
        "pptx": f"{_OPEN_XML}.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odp": "application/vnd.oasis.opendocument.presentation",
    },
    "application/x-ole-storage": {
        "doc": "application/msword",
        "xls": "application/vnd.ms-excel",
        "ppt": "application/vnd.ms-powerpoint",
    },
}
UNKNOWN = "application/octet-stream"


class Media(msgspec.Struct, frozen=True):
    """A media type, and pixels for images whose header tells them."""

    media_type: str
    width: int | None = None
    height: int | None = None


def recognise(content: bytes, name: str) -> Media:
    """What `content` is. Text is only ever plain text, so that no page or script gets its own type.

    Raises TooLongError for an image with more pixels than a browser should be given, MalformedError for
    one whose header is broken.
    """
    kind = _signature(content)
    extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if kind in _WITHIN:
        return Media(_WITHIN[kind].get(extension, kind))
    if kind in _SIZES:
        return _measured(kind, content)
    if kind is not None:
        return Media(kind)
    return Media("text/plain" if extension in ("txt", "csv") and _is_text(content) else UNKNOWN)


def _signature(content: bytes) -> str | None:
    for offset, sign, kind in _BY_SIGNATURE:
        if content[offset : offset + len(sign)] == sign:
            return None if kind == "image/webp" and content[:4] != b"RIFF" else kind
    return None


def _is_text(content: bytes) -> bool:
    return b"\0" not in content[:4096]


def _measured(kind: str, content: bytes) -> Media:
    size = _SIZES[kind](content)
    if size is None or 0 in size:
        raise MalformedError("this image is broken: its header does not tell its size")
    width, height = size
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise TooLongError(
            f"this image has {width} × {height} pixels; at most {MAX_PIXELS // 1_000_000} million,"
            f" and {MAX_SIDE} along a side"
        )
    return Media(kind, width, height)


def _png(content: bytes) -> tuple[int, int] | None:
    if content[12:16] != b"IHDR" or len(content) < 24:
        return None
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _gif(content: bytes) -> tuple[int, int] | None:
    if len(content) < 10:
        return None
    return int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little")


def _webp(content: bytes) -> tuple[int, int] | None:
    chunk, data = content[12:16], content[20:30]
    if len(data) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return (
            int.from_bytes(data[6:8], "little") & 0x3FFF,
            int.from_bytes(data[8:10], "little") & 0x3FFF,
        )
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Walk the segments to the first start-of-frame (ITU T.81, annex B)."""
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = content[at + 5 : at + 7], content[at + 7 : at + 9]
            return int.from_bytes(width), int.from_bytes(height)
        at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))
    return None


_SIZES = {
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/jpeg": _jpeg,
    "image/avif": heif.size_of,
}


def safe_name(name: str, limit: int = 120) -> str:
    """A file name that shows as what it is: one line, no path, no direction marks, its ending kept."""
    shown = "".join(c for c in name if c.isprintable() and c not in _DIRECTIONS)
    last = shown.replace("\\", "/").rsplit("/", 1)[-1].strip(". ") or "file"
    if len(last) <= limit:
        return last
    stem, dot, ending = last.rpartition(".")
    if not dot or len(ending) > 10:
        return last[:limit]
    return f"{stem[: limit - len(ending) - 2]}….{ending}"


_DIRECTIONS = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
