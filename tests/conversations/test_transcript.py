"""A conversation as text to keep: in one's own words, days and hours, and fit to print."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.conftest import REPOSITORY

from balie.conversations.transcript import WIDTH, WORDS, file_name, transcript
from balie.kernel import events as happened
from balie.kernel.events import AgentName, Author, Envelope, File

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LATE = int(datetime(2026, 11, 22, 22, 58, tzinfo=UTC).timestamp() * 1_000)
MINUTE = 60_000
EVA = Author("visitor", "v")
NOOR = Author("agent", "a", "Noor van Dijk")
LONG = (
    "Een zin die veel te lang is voor een vel papier " * 4 + "https://tegenwind.example/" + "x" * 90
)


def talk():
    payloads = [
        (EVA, happened.ConversationStarted("s")),
        (EVA, happened.MessagePosted("Past maat 53 mij?\nIk ben 1,78 m.")),
        (NOOR, happened.ConversationAssigned(AgentName("a", "Noor van Dijk"))),
        (NOOR, happened.NotePosted("niet voor de klant")),
        (NOOR, happened.MessagePosted(LONG, (File("f", "maten.pdf", "application/pdf", 27_400),))),
        (EVA, happened.ConversationClosed("visitor")),
        (EVA, happened.ConversationRated(4, "Snel\ngeholpen")),
    ]
    return [
        Envelope("c", seq, LATE + seq * MINUTE, author, payload)
        for seq, (author, payload) in enumerate(payloads)
    ]


def test_days_and_hours_are_those_of_the_visitor():
    text = transcript("Tegenwind", talk(), "nl", AMSTERDAM)
    assert text.startswith("Gesprek met Tegenwind\nTijden van Europe/Amsterdam\n")
    assert (
        "Zondag 22 november 2026\n───────────────────────\n\n23:59  U\n       Past maat 53 mij?\n"
        in text
    )
    assert "Maandag 23 november 2026" in text
    assert "00:00  – Noor van Dijk helpt u verder" in text


def test_english_and_utc():
    text = transcript("Tegenwind", talk(), "en", UTC)
    assert "Times of UTC" in text
    assert "Sunday 22 November 2026" in text
    assert "– You ended the conversation" in text
    assert "– Your rating: good\n       Snel\n       geholpen\n" in text


def test_lines_fit_on_paper_and_addresses_stay_whole():
    text = transcript("Tegenwind", talk(), "nl", AMSTERDAM)
    assert all(len(line) <= WIDTH or "https://" in line for line in text.splitlines())
    assert "https://tegenwind.example/" + "x" * 90 in text
    assert "       Bestand: maten.pdf (27 kB)" in text


def test_what_is_internal_stays_inside():
    assert "niet voor de klant" not in transcript("Tegenwind", talk(), "nl", AMSTERDAM)


def test_the_file_tells_whose_it_is_and_of_which_day():
    assert (
        file_name("Tegenwind", LATE + 2 * MINUTE, "nl", AMSTERDAM)
        == "Gesprek Tegenwind 2026-11-23.txt"
    )
    assert file_name("Tegenwind", LATE, "en", UTC) == "Conversation Tegenwind 2026-11-22.txt"


@pytest.mark.parametrize("language", WORDS)
def test_it_says_what_the_panel_says(language):
    path = REPOSITORY / "web" / "widget" / "languages" / f"{language}.json"
    said = json.loads(path.read_text("utf-8"))
    own = {"with", "zone", "file", "days", "months"}
    assert {key: said.get(key) for key in WORDS[language].keys() - own} == {
        key: text for key, text in WORDS[language].items() if key not in own
    }
