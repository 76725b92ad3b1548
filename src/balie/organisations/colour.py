"""Colour by numbers: sRGB hex, the contrast of WCAG 2.2, and OKLCH to make a colour lighter or darker.

Sources: relative luminance and contrast ratio as defined by WCAG 2.2
(https://www.w3.org/TR/WCAG22/#dfn-relative-luminance, #dfn-contrast-ratio); OKLab by Björn Ottosson, 2020
(https://bottosson.github.io/posts/oklab/). Pure.
"""

import math
import re

Triple = tuple[float, float, float]

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE | re.ASCII)


def parse_hex(text: str) -> str:
    """`#abc` or `#aabbcc` as `#aabbcc`. Raises ValueError for anything else."""
    if not _HEX.fullmatch(text):
        raise ValueError("a colour is written as #rrggbb")
    digits = text[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 (none) to 21 (black on white)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, 0 for black and 1 for white."""
    red, green, blue = _linear_of(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lightness(colour: str) -> float:
    """The L of OKLCH, from 0 to 1."""
    return _oklab(_linear_of(colour))[0]


def with_lightness(colour: str, wanted: float) -> str:
    """The colour of the same hue at another lightness, with as much chroma as sRGB can show there."""
    _, a, b = _oklab(_linear_of(colour))
    low, high = 0.0, 1.0
    if _within_srgb(_linear((wanted, a, b))):
        return _hex_of(_linear((wanted, a, b)))
    for _ in range(20):
        share = (low + high) / 2
        fits = _within_srgb(_linear((wanted, a * share, b * share)))
        low, high = (share, high) if fits else (low, share)
    return _hex_of(_linear((wanted, a * low, b * low)))


def _linear_of(colour: str) -> Triple:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return _expand(red), _expand(green), _expand(blue)


def _expand(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else math.pow((value + 0.055) / 1.055, 2.4)


def _compress(value: float) -> float:
    kept = min(1.0, max(0.0, value))
    return kept * 12.92 if kept <= 0.0031308 else 1.055 * math.pow(kept, 1 / 2.4) - 0.055


def _hex_of(linear: Triple) -> str:
    return "#" + "".join(f"{round(_compress(value) * 255):02x}" for value in linear)


def _within_srgb(linear: Triple) -> bool:
    return all(-0.0001 <= value <= 1.0001 for value in linear)


def _oklab(linear: Triple) -> Triple:
    red, green, blue = linear
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _linear(oklab: Triple) -> Triple:
    light, a, b = oklab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
