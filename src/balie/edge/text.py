"""Text that people gave for a name or a label: made clean, or refused with what is wrong."""

import unicodedata

from balie.kernel.errors import EmptyError, MalformedError, TooLongError

# Characters that turn the direction of what stands around them; a name may not rearrange a screen.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters to Unicode, nothing to the eye.
_BLANKS = frozenset(
    "\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f"
)


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
    """An e-mail address in the form that is unique: trimmed, composed, lower case.

    Raises MalformedError for what cannot be one. Whether it exists only a mail can tell.
    """
    email = unicodedata.normalize("NFKC", text).strip().lower()
    local, at, domain = email.rpartition("@")
    fine = (
        at
        and 0 < len(local) <= 64
        and 0 < len(domain) <= 253
        and "@" not in local
        and all(_may_stand(c) and not _is_space(c) and c not in '<>()[],;:\\"' for c in email)
        and not domain.startswith((".", "-"))
        and not domain.endswith((".", "-"))
        and ".." not in domain
    )
    if not fine:
        raise MalformedError("that is no e-mail address: somebody@example.nl")
    return email


def _is_space(character: str) -> bool:
    return character.isspace()


def _may_stand(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _DIRECTIONS


def _shows(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in ("Cf", "Mn", "Me", "Zs", "Cn") and character not in _BLANKS
