"""The stories of tests/cases/protocol, played by the sessions of both sides. Formats are described there."""

import json
import math
from pathlib import Path

import msgspec
import pytest

from balie.kernel.errors import BusyError, NotFoundError, UnavailableError
from balie.realtime.protocol import effects as do
from balie.realtime.protocol import frames as f
from balie.realtime.protocol.client import ClientSession
from balie.realtime.protocol.session import Limits, Session, Verdict

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


SERVER_STORIES = sorted((FOLDER / "server").glob("*.json"))
ERRORS = {error.code: error for error in (BusyError, NotFoundError, UnavailableError)}
INPUTS = {
    "receive": lambda s, now, frame=None, text=None: s.receive(text or json.dumps(frame), now),
    "binary": lambda s, _: s.receive_binary(),
    "overdue": lambda s, _: s.overdue(),
    "greeted": lambda s, _, welcome, resume=(): s.greeted(
        json.dumps(welcome).encode(), [f.Resumption(**each) for each in resume]
    ),
    "turned_away": lambda s, _, code, reason: s.turned_away(code, reason),
    "filled": lambda s, _, conversation, after, events, last_seq: s.filled(
        conversation, after, encoded(events), last_seq
    ),
    "denied": lambda s, _, conversation, error: s.denied(conversation, ERRORS[error]("")),
    "live": lambda s, _, conversation, first, last: [s.live(conversation, first, last)],
    "acknowledged": lambda s, _, ack, before=(), opened=False, repeated=False: s.acknowledged(
        msgspec.convert(ack, f.Ack), encoded(before), opened=opened, repeated=repeated
    ),
    "refused": lambda s, _, client_message_id, error: s.refused(
        client_message_id, ERRORS[error]("")
    ),
}


def test_there_are_stories_of_the_server():
    assert len(SERVER_STORIES) > 30


@pytest.mark.parametrize("path", SERVER_STORIES, ids=lambda path: path.stem)
def test_the_server_plays(path: Path):
    story = json.loads(path.read_text())
    session = Session(story["kind"], Limits(**story.get("limits", {})))
    now, effects = 1_000, []
    for index, step in enumerate(story["steps"]):
        where = f"step {index}: {str(step)[:200]}"
        if "in" in step:
            assert effects == [], f"{where}: effects left over before it"
            now = step.get("at", now)
            fields = dict(step["in"])
            effects = list(map(described, INPUTS[fields.pop("call")](session, now, **fields)))
        else:
            assert effects, f"{where}: no effect"
            assert effects.pop(0) == step["out"], where
    assert effects == [], "effects after the last step"


def encoded(events):
    return [json.dumps(event).encode() for event in events]


def described(effect):
    """An effect in the words of the cases."""
    if isinstance(effect, Verdict):
        return {"do": "verdict", "is": effect.name.lower()}
    name = type(effect).__name__.lower()
    if isinstance(effect, do.Send):
        frame = json.loads(effect.frame)
        frame.pop("detail", None)
        return {"do": name, "frame": frame}
    if isinstance(effect, do.Close):
        return {"do": name, "code": effect.code}
    if isinstance(effect, do.Greet | do.Submit | do.Tell):
        frame = effect.hello if isinstance(effect, do.Greet) else effect.frame
        return {"do": name, "type": frame.__struct_config__.tag}
    return {"do": name, **{field: getattr(effect, field) for field in effect.__struct_fields__}}
