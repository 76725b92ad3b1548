"""Whether a text shows anything. Pure, and the same as in `web/protocol/visible.ts`.

Unicode has characters that are there and cannot be seen: spaces, joiners, marks that stand on a letter,
fillers. A text of nothing else looks empty, and is taken for it. Nothing is ever taken out of a text: what
joins an emoji or chooses its form stays where it is.
"""

import unicodedata

# Control, format, half a pair, marks without a letter, spaces and separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp"})
# Letters and symbols to Unicode, nothing to the eye: fillers of Hangul and Khmer, an empty braille cell.
BLANKS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# What no font will ever draw (Default_Ignorable_Code_Point), given out or not.
_IGNORED = ((0xFFF0, 0xFFF8), (0x2065, 0x2065), (0xE0000, 0xE0FFF))


def shows(character: str) -> bool:
    """Whether this character can be seen when it stands alone."""
    if unicodedata.category(character) in _UNSEEN or character in BLANKS:
        return False
    return not any(first <= ord(character) <= last for first, last in _IGNORED)


def shows_something(text: str) -> bool:
    """Whether anything of `text` can be seen."""
    return any(map(shows, text))
