"""A conversation as text that a person can keep. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from balie.kernel import events as happened
from balie.kernel.events import Envelope

_WORDS = {
    "nl": {
        "title": "Gesprek met {site}",
        "you": "U",
        "someone": "Medewerker",
        "file": "bestand: {name}",
        "assigned": "{name} beantwoordt dit gesprek",
        "closed": "Gesprek gesloten",
        "reopened": "Gesprek heropend",
        "rated": "U gaf een {score} van 5",
        "times": "Tijden in UTC.",
    },
    "en": {
        "title": "Conversation with {site}",
        "you": "You",
        "someone": "Agent",
        "file": "file: {name}",
        "assigned": "{name} answers this conversation",
        "closed": "Conversation closed",
        "reopened": "Conversation reopened",
        "rated": "You gave {score} out of 5",
        "times": "Times in UTC.",
    },
}


def transcript(site: str, envelopes: Sequence[Envelope], language: str) -> str:
    """What the visitor may see of the conversation, one paragraph per message."""
    words = _WORDS["nl" if language.startswith("nl") else "en"]
    blocks = [words["title"].format(site=site) + "\n" + words["times"]]
    blocks += [f"{_time(each.at)}  {said}" for each in envelopes if (said := _said(each, words))]
    return "\n\n".join(blocks) + "\n"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _said(envelope: Envelope, words: dict[str, str]) -> str | None:
    match envelope.payload:
        case happened.MessagePosted(text=text, files=files):
            lines = [text] if text else []
            lines += [f"[{words['file'].format(name=file.name)}]" for file in files]
            return f"{_who(envelope, words)}:\n" + "\n".join(lines)
        case happened.ConversationAssigned(agent=agent):
            return f"* {words['assigned'].format(name=agent.name)}"
        case happened.ConversationClosed():
            return f"* {words['closed']}"
        case happened.ConversationReopened():
            return f"* {words['reopened']}"
        case happened.ConversationRated(score=score):
            return f"* {words['rated'].format(score=score)}"
        case _:
            return None


def _who(envelope: Envelope, words: dict[str, str]) -> str:
    if envelope.author.kind == "visitor":
        return words["you"]
    return envelope.author.name or words["someone"]
