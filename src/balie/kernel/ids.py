"""Ids that sort by the moment they were made: UUID version 7 (RFC 9562, section 5.7).

An id is a string in the canonical form: 36 characters, lower case. Alphabetical order is
order of time. Nothing here reads a clock or draws chance; the caller hands both in.
"""

import re

ENTROPY_BYTES = 10
"""How many random bytes each new id takes."""

_CANONICAL = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_TAIL_BITS = 74
_LAST_TAIL = (1 << _TAIL_BITS) - 1
_LAST_MILLISECOND = (1 << 48) - 1
_STEP_BYTES = 4


def new_id(milliseconds: int, entropy: bytes) -> str:
    """An id of the moment `milliseconds` (since 1970, UTC) and ENTROPY_BYTES random bytes.

    Raises ValueError for a moment outside 48 bits or too little entropy.
    """
    _check(milliseconds, entropy)
    return _render(milliseconds, int.from_bytes(entropy[:ENTROPY_BYTES]) & _LAST_TAIL)


def next_id(previous: str | None, milliseconds: int, entropy: bytes) -> str:
    """An id that sorts after `previous`, also within one millisecond or after a clock set back.

    Within a millisecond the random tail grows by a random step (RFC 9562, section 6.2, method 2),
    so that ids stay hard to guess. A full tail borrows the next millisecond.

    Raises ValueError like `new_id`, and when no later id exists.
    """
    if previous is None or milliseconds > milliseconds_of(previous):
        return new_id(milliseconds, entropy)
    _check(milliseconds, entropy)
    tail = _tail_of(previous) + 1 + int.from_bytes(entropy[:_STEP_BYTES])
    if tail > _LAST_TAIL:
        return new_id(milliseconds_of(previous) + 1, entropy)
    return _render(milliseconds_of(previous), tail)


def parse_id(text: str) -> str:
    """`text` as a canonical id. Upper case is accepted and lowered.

    Raises ValueError for anything but a version 7 UUID of 36 characters.
    """
    if not _CANONICAL.fullmatch(text):
        raise ValueError("not a UUID version 7: expected xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx")
    return text.lower()


def milliseconds_of(identity: str) -> int:
    """The moment a canonical id was made, in milliseconds since 1970, UTC."""
    return int(identity[:8] + identity[9:13], 16)


def _check(milliseconds: int, entropy: bytes) -> None:
    if not 0 <= milliseconds <= _LAST_MILLISECOND:
        raise ValueError("an id holds moments from 1970 to the year 10889")
    if len(entropy) < ENTROPY_BYTES:
        raise ValueError(f"an id takes {ENTROPY_BYTES} random bytes, got {len(entropy)}")


def _render(milliseconds: int, tail: int) -> str:
    """Lay out the 128 bits: 48 of time, 4 of version, 12 of tail, 2 of variant, 62 of tail."""
    head, rest = tail >> 62, tail & ((1 << 62) - 1)
    digits = f"{milliseconds << 80 | 7 << 76 | head << 64 | 2 << 62 | rest:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _tail_of(identity: str) -> int:
    bits = int(identity.replace("-", ""), 16)
    return (bits >> 64 & 0xFFF) << 62 | bits & ((1 << 62) - 1)
