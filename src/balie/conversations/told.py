"""What the page of a site tells of its visitor and of what happens there: made clean, bounded, added up. Pure.

It comes from a stranger's browser: nobody signed it, and whoever shows it says so.
"""

from typing import Any

import msgspec

from balie.edge.text import clean_line, clean_optional_line
from balie.kernel.errors import MalformedError, TooLongError
from balie.kernel.events import EventTracked, VisitorDescribed

MAX_BYTES = 8_192
"""Of all attributes of one conversation together, and of one event, as JSON."""
MAX_NAMES = 50
MAX_ITEMS = 100
MAX_DEPTH = 4
NAME_LENGTH = 60
TEXT_LENGTH = 1_000
_SAFE = 2**53 - 1


def described(attributes: dict[str, Any]) -> VisitorDescribed:
    """Checked attributes by name. Raises EmptyError, MalformedError or TooLongError."""
    return VisitorDescribed(attributes=_object(attributes, MAX_DEPTH, "attributes"))


def tracked(name: str, detail: Any) -> EventTracked:
    """A checked event. Raises as `described`."""
    clean = EventTracked(
        name=clean_line(name, NAME_LENGTH, "the name of an event"),
        detail=_value(detail, MAX_DEPTH, "detail"),
    )
    if len(msgspec.json.encode(clean.detail)) > MAX_BYTES:
        raise TooLongError(f"the detail of an event is at most {MAX_BYTES} bytes of JSON")
    return clean


def merged(known: str, said: dict[str, Any]) -> str:
    """JSON of what is known when `said` is added to `known`, also JSON; None takes a name back."""
    now = attributes_of(known) | said
    kept = {name: value for name, value in now.items() if value is not None}
    return msgspec.json.encode(kept).decode() if kept else ""


def attributes_of(known: str) -> dict[str, Any]:
    """What `merged` made."""
    found: dict[str, Any] = msgspec.json.decode(known) if known else {}
    return found


def _value(value: Any, depth: int, what: str) -> Any:
    match value:
        case None | bool() | float():
            return value
        case int():
            if abs(value) > _SAFE:
                raise MalformedError(f"{what}: a number beyond 2^53 loses digits; send it as text")
            return value
        case str():
            return clean_optional_line(value, TEXT_LENGTH, what)
        case list() if depth:
            if len(value) > MAX_ITEMS:
                raise TooLongError(f"{what}: a list has at most {MAX_ITEMS} items")
            return [_value(each, depth - 1, what) for each in value]
        case dict() if depth:
            return _object(value, depth - 1, what)
    raise MalformedError(f"{what}: nested deeper than {MAX_DEPTH} levels")


def _object(value: dict[str, Any], depth: int, what: str) -> dict[str, Any]:
    if len(value) > MAX_NAMES:
        raise TooLongError(f"{what}: an object has at most {MAX_NAMES} names")
    return {
        clean_line(name, NAME_LENGTH, f"a name in {what}"): _value(each, depth, what)
        for name, each in value.items()
    }
