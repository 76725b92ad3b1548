"""Pages of long lists, and the opaque cursors between them."""

import base64
import binascii
from typing import Generic, TypeVar

import msgspec

from balie.kernel.errors import MalformedError

T = TypeVar("T")

Cursor = tuple[int, int, str]
"""Where a page ended: two numbers that the list is sorted by, and the id that breaks ties."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list; `next_cursor` is None at its end."""

    data: list[T]
    next_cursor: str | None = None


def encode_cursor(cursor: Cursor) -> str:
    """The cursor as text that travels in an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode_cursor(text: str) -> Cursor:
    """The cursor that `encode_cursor` made. Raises MalformedError for anything else."""
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        cursor: Cursor = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Cursor)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise MalformedError("cursor: use `next_cursor` of the page before, unchanged") from None
    return cursor
