"""What the doctor says."""

from typing import Literal

import msgspec

Level = Literal["fault", "advice"]


class Remark(msgspec.Struct, frozen=True):
    """One thing. A `fault` will lose data, time or people; an `advice` may be as somebody wants it."""

    level: Level
    about: str
    what: str
    do: str


def fault(about: str, what: str, do: str) -> Remark:
    """Something is the matter."""
    return Remark("fault", about, what, do)


def advice(about: str, what: str, do: str) -> Remark:
    """Something is worth a look."""
    return Remark("advice", about, what, do)
