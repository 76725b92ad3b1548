"""The stories of tests/cases/protocol, played by the sessions of both sides. Formats are described there."""

import json
import math
from pathlib import Path

import pytest

from balie.realtime.protocol.client import ClientSession

FOLDER = Path(__file__).resolve().parent.parent / "cases" / "protocol"
STORIES = sorted(path for path in FOLDER.glob("*.json") if path.name != "setups.json")
SETUPS = json.loads((FOLDER / "setups.json").read_text())


def test_there_are_stories():
    assert len(STORIES) > 40


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_client_plays(path: Path):
    story = json.loads(path.read_text())
    chance = story.get("random", 0.5)
    Player(ClientSession(story["kind"], lambda: chance)).play(story["steps"])


class Player:
    """Plays the steps of one story to a client's session."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.now = 1_000
        self.effects: list[dict] = []

    def play(self, steps):
        for index, step in enumerate(steps):
            where = f"step {index}: {str(step)[:200]}"
            self.play_step(step, where)
        assert self.effects == [], "effects after the last step"

    def play_step(self, step, where):
        if "use" in step:
            for earlier in SETUPS[step["use"]]:
                self.enter(earlier)
        elif "in" in step:
            assert self.effects == [], f"{where}: effects left over before it"
            self.effects = list(self.enter(step))
        elif "wake" in step:
            assert self.effects == [], f"{where}: effects left over before it"
            wake = self.session.wake_at()
            assert (None if wake == math.inf else wake) == step["wake"], where
        else:
            assert self.effects, f"{where}: no effect"
            effect = self.effects.pop(0)
            expected = step["out"]
            if isinstance(expected, str):
                assert effect["type"] == expected, where
            else:
                assert effect == expected, where

    def enter(self, step):
        self.now = step.get("at", self.now)
        return self.session.step(step["in"], self.now)
