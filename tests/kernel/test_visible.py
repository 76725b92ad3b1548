"""What looks empty is empty; what can be seen stays as it was written. The same texts as the clients' test."""

import json

import pytest
from tests.conftest import REPOSITORY

from balie.conversations import commands
from balie.kernel.actor import AgentActor, VisitorActor
from balie.kernel.errors import EmptyError
from balie.kernel.visible import shows_something

CASES = json.loads((REPOSITORY / "tests/cases/visible.json").read_text("utf-8"))
ANA = VisitorActor(organisation_id="o", site_id="s", visitor_id="v")
AGENT = AgentActor(organisation_id="o", agent_id="a", name="Tom", role="agent")
KEY = "01900000-0000-7000-8000-000000000001"


@pytest.mark.parametrize("text", CASES["unseen"])
def test_nothing_to_be_seen(text):
    assert not shows_something(text)
    with pytest.raises(EmptyError):
        commands.post(ANA, None, KEY, text)
    with pytest.raises(EmptyError):
        commands.note(AGENT, "c", KEY, text)


@pytest.mark.parametrize("text", CASES["seen"])
def test_something_to_be_seen_stays_to_the_letter(text):
    assert shows_something(text)
    assert commands.post(ANA, None, KEY, text).message.text == text
    assert commands.note(AGENT, "c", KEY, text).note.text == text


def test_a_file_speaks_for_itself():
    assert commands.post(ANA, None, KEY, "\u200b", with_files=True).message.text == "\u200b"
