"""Text that people gave for a name or a label: made clean, or refused with what is wrong."""

import unicodedata

from balie.kernel.errors import EmptyError, MalformedError, TooLongError
from balie.kernel.visible import shows

LONGEST_ADDRESS = 254
"""Bytes that the way of an e-mail takes (RFC 5321, section 4.5.3.1.3, less its brackets)."""

_NO_ADDRESS = "that is no e-mail address: somebody@example.nl"

# Characters that turn the direction of what stands around them; a name may not rearrange a screen.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Marks that choose a form and show none.
_SELECTORS = frozenset("\u034f\u180b\u180c\u180d\u180f") | {chr(c) for c in range(0xFE00, 0xFE10)}


def clean_line(text: str, limit: int, what: str) -> str:
    """`text` on one line: composed (NFC), spaces folded, without control and direction characters.

    Raises EmptyError when nothing visible is left, TooLongError above `limit` characters.
    """
    kept = "".join(" " if _is_space(c) else c for c in text if _is_space(c) or _may_stand(c))
    line = " ".join(unicodedata.normalize("NFC", kept).split())
    if not any(_shows(character) for character in line):
        raise EmptyError(f"{what} is empty")
    if len(line) > limit:
        raise TooLongError(f"{what} is at most {limit} characters")
    return line


def clean_optional_line(text: str, limit: int, what: str) -> str:
    """As `clean_line`, but nothing at all is allowed and stays the empty string."""
    try:
        return clean_line(text, limit, what)
    except EmptyError:
        return ""


def clean_email(text: str) -> str:
    """An e-mail address in the form that is unique: trimmed, composed, lower case, its domain in its own
    letters (and not as `xn--…`).

    Raises MalformedError for what cannot be one, or has characters that nobody sees. Whether it exists only
    a mail can tell.
    """
    email = unicodedata.normalize("NFKC", text).strip().lower()
    local, at, domain = email.rpartition("@")
    fine = (
        at
        and 0 < len(local) <= 64
        and 0 < len(domain) <= 253
        and "@" not in local
        and all(_may_stand_in_address(c) for c in email)
        and not domain.startswith((".", "-"))
        and not domain.endswith((".", "-"))
        and ".." not in domain
    )
    if not fine:
        raise MalformedError(_NO_ADDRESS)
    address = f"{local}@{_own_letters(domain)}"
    if len(address.encode()) > LONGEST_ADDRESS:
        raise MalformedError(_NO_ADDRESS)
    return address


def _own_letters(domain: str) -> str:
    """A domain has two spellings, of which people read one (IDNA, RFC 3490)."""
    try:
        return domain.encode("idna").decode("idna").lower()
    except UnicodeError:
        raise MalformedError(_NO_ADDRESS) from None


def _is_space(character: str) -> bool:
    return character.isspace()


def _may_stand(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _DIRECTIONS


def _may_stand_in_address(character: str) -> bool:
    # Marks may stand on a letter; what shows nothing at all may stand nowhere.
    is_mark = unicodedata.category(character) in ("Mn", "Me") and character not in _SELECTORS
    return (shows(character) or is_mark) and character not in '<>()[],;:\\"'


def _shows(character: str) -> bool:
    return unicodedata.category(character) != "Cn" and shows(character)
