"""A conversation as text that a person can read, keep and print. Pure.

The lines say what the panel says (`web/widget/languages`), in the visitor's language and time.
"""

import textwrap
from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from balie.kernel import events as happened
from balie.kernel.events import Author, Envelope
from balie.organisations.model import Language

WIDTH = 76
"""Characters on a line: what a sheet of A4 takes in the letters of a typewriter."""

_MARGIN = " " * 7

WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "log": "Gesprek",
        "with": "Gesprek met {site}",
        "zone": "Tijden van {zone}",
        "you": "U",
        "program": "Automatisch antwoord",
        "file": "Bestand: {name} ({size} kB)",
        "assigned": "{name} helpt u verder",
        "released": "Uw vraag wacht op een collega",
        "closedYou": "U rondde het gesprek af",
        "closedBy": "{name} rondde het gesprek af",
        "closed": "Het gesprek is afgerond",
        "reopened": "Het gesprek is weer open",
        "rated": "Uw oordeel: {n}",
        "scores": "Slecht|Matig|Oké|Goed|Top",
        "days": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "months": "januari februari maart april mei juni juli augustus september oktober november december",
    },
    "en": {
        "log": "Conversation",
        "with": "Conversation with {site}",
        "zone": "Times of {zone}",
        "you": "You",
        "program": "Automatic answer",
        "file": "File: {name} ({size} kB)",
        "assigned": "{name} helps you from here",
        "released": "Your question waits for a colleague",
        "closedYou": "You ended the conversation",
        "closedBy": "{name} ended the conversation",
        "closed": "The conversation is finished",
        "reopened": "The conversation is open again",
        "rated": "Your rating: {n}",
        "scores": "Bad|Poor|Okay|Good|Great",
        "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "months": "January February March April May June July August September October November December",
    },
}


class Transcript:
    """What the visitor may see of a conversation, written page by page: a head, a line for each day, a block
    for each message."""

    def __init__(self, site: str, language: Language, zone: tzinfo) -> None:
        self._site = site
        self._words = WORDS[language]
        self._zone = zone
        self._day: date | None = None

    def head(self) -> str:
        words = self._words
        return f"{words['with'].format(site=self._site)}\n{words['zone'].format(zone=self._zone)}\n"

    def page(self, envelopes: Sequence[Envelope]) -> str:
        """What comes after what was written already."""
        return "".join(f"\n{block}\n" for envelope in envelopes for block in self._blocks(envelope))

    def _blocks(self, envelope: Envelope) -> list[str]:
        said = _said(envelope, self._words)
        if said is None:
            return []
        at = datetime.fromtimestamp(envelope.at / 1_000, self._zone)
        block = f"{at:%H:%M}  {said}"
        if at.date() == self._day:
            return [block]
        self._day = at.date()
        return [_ruled(_long_date(self._day, self._words)), block]


def transcript(site: str, envelopes: Sequence[Envelope], language: Language, zone: tzinfo) -> str:
    """A whole conversation at once."""
    written = Transcript(site, language, zone)
    return written.head() + written.page(envelopes)


def file_name(site: str, started_at: int, language: Language, zone: tzinfo) -> str:
    """What the file is called: whose, and of which day."""
    day = datetime.fromtimestamp(started_at / 1_000, zone).date()
    return f"{WORDS[language]['log']} {site} {day}.txt"


def _said(envelope: Envelope, words: dict[str, str]) -> str | None:
    match envelope.payload:
        case happened.MessagePosted() as message:
            return _message(envelope.author, message, words)
        case happened.ConversationRated(score=score, comment=comment):
            rated = words["rated"].format(n=words["scores"].split("|")[score - 1].lower())
            return "\n".join([f"– {rated}", *_folded(comment)])
        case payload:
            line = _line(envelope.author, payload, words)
            return None if line is None else f"– {line}"


def _message(author: Author, message: happened.MessagePosted, words: dict[str, str]) -> str:
    files = [
        words["file"].format(name=file.name, size=max(1, round(file.size / 1_000)))
        for file in message.files
    ]
    return "\n".join(
        [_who(author, words), *_folded(message.text), *(_MARGIN + each for each in files)]
    )


def _line(author: Author, payload: happened.AnyPayload, words: dict[str, str]) -> str | None:
    match payload:
        case happened.ConversationAssigned(agent=agent):
            return words["assigned"].format(name=agent.name)
        case happened.ConversationReleased():
            return words["released"]
        case happened.ConversationReopened():
            return words["reopened"]
        case happened.ConversationClosed(by="visitor"):
            return words["closedYou"]
        case happened.ConversationClosed():
            return words["closedBy" if author.name else "closed"].format(name=author.name)
        case _:
            return None


def _who(author: Author, words: dict[str, str]) -> str:
    if author.kind == "visitor":
        return words["you"]
    return author.name or words["program"]


def _folded(text: str) -> list[str]:
    """The text under its name; its own line breaks stay, and an address stays whole."""
    return [folded for line in text.splitlines() for folded in _lines(line)]


def _lines(line: str) -> list[str]:
    if line and len(line) <= WIDTH - len(_MARGIN) and line.isprintable():
        # As below, without its cost: most lines fit.
        return [(_MARGIN + line).rstrip()]
    return textwrap.wrap(
        line,
        WIDTH,
        initial_indent=_MARGIN,
        subsequent_indent=_MARGIN,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _ruled(title: str) -> str:
    return f"{title}\n{'─' * len(title)}"


def _long_date(day: date, words: dict[str, str]) -> str:
    name = words["days"].split()[day.weekday()]
    month = words["months"].split()[day.month - 1]
    return f"{name[0].upper()}{name[1:]} {day.day} {month} {day.year}"
