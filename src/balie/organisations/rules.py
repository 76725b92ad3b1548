"""What may be said about an organisation or a site, and what colour its accent becomes. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from balie.edge.origins import parse_origin
from balie.edge.text import clean_line, clean_optional_line
from balie.kernel.errors import ConflictError, MalformedError, TooLongError
from balie.organisations.colour import contrast, lightness, parse_hex, with_lightness
from balie.organisations.model import (
    LIVE_KEYS,
    Accent,
    Language,
    Look,
    SiteKey,
    Texts,
)

READABLE = 4.5
"""The least contrast of text (WCAG 2.2, success criterion 1.4.3)."""

# The surfaces on which the accent itself is text: the least light and the least dark of each theme.
LIGHT_SURFACE = "#f3f1ee"
DARK_SURFACE = "#282b32"
WHITE = "#ffffff"
BLACK = "#101218"

NAME_LIMIT = 80
TEXT_LIMIT = 400
LABEL_LIMIT = 40
ORIGINS_LIMIT = 20
OFFSET_LIMIT = 120
RETENTION_DAYS = (1, 3_650)


def derive_accent(asked: str) -> Accent:
    """The accent for light and for dark, readable as text and under its ink.

    The hue stays; the lightness moves only as far as it must: down until the colour has 4.5 : 1 on the
    least light surface of the light theme, up until it has that on the least dark surface of the dark one.
    The ink is white or near black, whichever stands out more, so it has more than 4.5 : 1 as well.

    Raises MalformedError for what is no colour.
    """
    colour = checked_colour(asked)
    light = _moved(colour, LIGHT_SURFACE, towards=0.0)
    dark = _moved(colour, DARK_SURFACE, towards=1.0)
    return Accent(light, _ink(light), dark, _ink(dark), corrected=light != colour)


def checked_colour(text: str) -> str:
    """A colour in the form #rrggbb. Raises MalformedError."""
    try:
        return parse_hex(text)
    except ValueError as error:
        raise MalformedError(f"accent: {error}") from None


def checked_origins(texts: Iterable[str]) -> tuple[str, ...]:
    """Exact origins, each once, in the order given. Raises MalformedError, TooLongError."""
    origins: dict[str, None] = {}
    for text in texts:
        try:
            origins[parse_origin(text)] = None
        except ValueError as error:
            raise MalformedError(f"origins: {text[:100]!r}: {error}") from None
    if len(origins) > ORIGINS_LIMIT:
        raise TooLongError(f"origins: at most {ORIGINS_LIMIT}")
    return tuple(origins)


def checked_languages(languages: Iterable[Language]) -> tuple[Language, ...]:
    """At least one language, each once. Raises MalformedError."""
    unique = tuple(dict.fromkeys(languages))
    if not unique:
        raise MalformedError("languages: name at least one")
    return unique


def checked_look(look: Look) -> Look:
    """Raises MalformedError for a colour or an offset that cannot be."""
    if not 0 <= look.offset <= OFFSET_LIMIT:
        raise MalformedError(f"look.offset: from 0 to {OFFSET_LIMIT} pixels")
    return Look(
        shape=look.shape,
        position=look.position,
        offset=look.offset,
        accent=checked_colour(look.accent),
    )


def checked_texts(texts: dict[Language, Texts]) -> dict[Language, Texts]:
    """Clean texts. Raises TooLongError."""
    return {
        language: Texts(
            clean_optional_line(said.greeting, TEXT_LIMIT, f"texts.{language}.greeting"),
            clean_optional_line(said.away, TEXT_LIMIT, f"texts.{language}.away"),
            clean_optional_line(said.label, LABEL_LIMIT, f"texts.{language}.label"),
        )
        for language, said in texts.items()
    }


def checked_name(text: str) -> str:
    """A name to show. Raises EmptyError, TooLongError."""
    return clean_line(text, NAME_LIMIT, "name")


def checked_retention(days: int) -> int:
    """Raises MalformedError outside one day to ten years."""
    least, most = RETENTION_DAYS
    if not least <= days <= most:
        raise MalformedError(f"retention_days: from {least} to {most}")
    return days


def refuse_third_key(live: Iterable[SiteKey]) -> None:
    """Two keys live at a time: the one in use and the one that replaces it. Raises ConflictError."""
    if len(tuple(live)) >= LIVE_KEYS:
        raise ConflictError(f"a site has at most {LIVE_KEYS} keys: delete the one no longer in use")


def after_others(key: SiteKey, others: Iterable[SiteKey]) -> SiteKey:
    """The key as the youngest of its site, also when it was made within the same millisecond."""
    youngest = max((each.created_at for each in others), default=0)
    return replace(key, created_at=max(key.created_at, youngest + 1))


def _moved(colour: str, surface: str, *, towards: float) -> str:
    """`colour`, moved in lightness towards black (0) or white (1) until it is readable on `surface`."""
    if contrast(colour, surface) >= READABLE:
        return colour
    start = lightness(colour)
    for step in range(1, 101):
        moved = with_lightness(colour, start + (towards - start) * step / 100)
        if contrast(moved, surface) >= READABLE:
            return moved
    raise AssertionError("black or white is readable on every surface that Balie has")


def _ink(colour: str) -> str:
    return max((WHITE, BLACK), key=lambda ink: contrast(ink, colour))
