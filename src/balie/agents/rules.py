"""Who may change whom, which password is good enough, and what a browser is called. Pure."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable

from balie.agents.model import SESSION_ABSOLUTE_MS, SESSION_IDLE_MS, Agent, Session
from balie.agents.obvious import OBVIOUS
from balie.edge.policy import RANK
from balie.kernel.actor import Actor, AgentActor, Role
from balie.kernel.errors import ConflictError, ForbiddenError, MalformedError, TooLongError

TOKEN_BYTES = 32
PASSWORD_LEAST = 10
PASSWORD_MOST = 256
DISTINCT_LEAST = 5
SETTINGS_LIMIT = 4_096
USER_AGENT_LIMIT = 300

# What is left of a password beside obvious words needs so many letters.
_OWN_LETTERS = 5
_OBVIOUS_LEAST = 4
# As letters are often written.
_FOLDED = str.maketrans("013457@$!", "oieastasi")
_SEQUENCES = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm")
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def token_of(entropy: bytes) -> str:
    """Random bytes as a token that fits a cookie or a link. Raises ValueError for too few."""
    if len(entropy) < TOKEN_BYTES:
        raise ValueError(f"a token takes {TOKEN_BYTES} random bytes")
    return base64.urlsafe_b64encode(entropy).decode().rstrip("=")


def token_hash(token: str) -> str:
    """What is stored of a token. A token is random and long, so a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def checked_password(password: str, *personal: str) -> str:
    """A password in one normal form (NFKC). Length counts, composition does not.

    `personal` are words that may not be the whole of it. Raises MalformedError, TooLongError.
    """
    password = unicodedata.normalize("NFKC", password)
    if len(password) < PASSWORD_LEAST:
        raise MalformedError(f"password: at least {PASSWORD_LEAST} characters")
    if len(password) > PASSWORD_MOST:
        raise TooLongError(f"password: at most {PASSWORD_MOST} characters")
    lowered = password.casefold()
    if len(set(lowered)) < DISTINCT_LEAST or any(lowered in row for row in _SEQUENCES):
        raise MalformedError("password: too easy to guess")
    if any(lowered == word.casefold() for word in personal):
        raise MalformedError("password: not your own name or address")
    if is_obvious(lowered, *personal):
        raise MalformedError("password: too easy to guess")
    return password


def is_obvious(password: str, *personal: str) -> bool:
    """Whether a password is little more than words that are guessed first, or words of `personal`.

    Digits and signs do not make `welkom2024!` better, nor does `w3lk0m`. A password without such a word is
    never obvious.
    """
    lowered = password.casefold()
    own = [word for line in personal for word in re.split(r"[\W_]+", line.casefold())]
    words = {word.translate(_FOLDED) for word in (*OBVIOUS, *own) if len(word) >= _OBVIOUS_LEAST}
    longest_first = sorted(words, key=len, reverse=True)
    # Folding keeps the length, so that places in one are places in the other.
    found = list(re.finditer("|".join(map(re.escape, longest_first)), lowered.translate(_FOLDED)))
    obvious = {place for match in found for place in range(*match.span())}
    left = sum(letter.isalpha() for place, letter in enumerate(lowered) if place not in obvious)
    return bool(found) and left < _OWN_LETTERS


def normal_password(password: str) -> str:
    """A password as it was typed at sign-in, in the form in which it was stored."""
    return unicodedata.normalize("NFKC", password[: PASSWORD_MOST + 1])


def checked_settings(encoded: bytes) -> str:
    """Raises TooLongError for settings above 4 KiB of JSON."""
    if len(encoded) > SETTINGS_LIMIT:
        raise TooLongError(f"settings: at most {SETTINGS_LIMIT} bytes")
    return encoded.decode()


def refuse_invite(actor: Actor, role: Role) -> None:
    """Nobody makes somebody above himself. Raises ForbiddenError."""
    if isinstance(actor, AgentActor) and RANK[role] > RANK[actor.role]:
        raise ForbiddenError("only an owner makes an owner")


def refuse_change(
    actor: Actor,
    agent: Agent,
    others: Iterable[Agent],
    *,
    role: Role | None = None,
    disabled: bool | None = None,
) -> None:
    """Whether `actor` may give `agent` this role or disable him.

    Raises ForbiddenError when an owner is touched by a lesser one, ConflictError when nobody would be left
    who owns the organisation.
    """
    if isinstance(actor, AgentActor) and RANK[agent.role] > RANK[actor.role]:
        raise ForbiddenError("only an owner changes an owner")
    if role is not None:
        refuse_invite(actor, role)
    stays_owner = (role or agent.role) == "owner" and not disabled
    if _owns(agent) and not stays_owner and not any(map(_owns, others)):
        raise ConflictError("this is the last owner: make somebody else owner first")


def session_lives(session: Session, now: int) -> bool:
    """Whether a session still counts at `now`."""
    return (
        now - session.last_seen_at < SESSION_IDLE_MS
        and now - session.created_at < SESSION_ABSOLUTE_MS
    )


def device_name(user_agent: str) -> str:
    """`Firefox, Linux` of a User-Agent header; the empty string for a program nobody knows."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return ", ".join(filter(None, (browser, system)))


def plain_user_agent(header: str) -> str:
    """A User-Agent header, cut and without control characters."""
    return re.sub(r"[^\x20-\x7e]", "", header)[:USER_AGENT_LIMIT]


def _owns(agent: Agent) -> bool:
    return agent.role == "owner" and not agent.disabled and agent.active
