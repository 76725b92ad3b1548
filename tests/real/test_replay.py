"""Real dialogues arrive byte for byte, once and in order, and are in the log after a crash."""

import logging

import pytest
from tests.people import Agent, Demo
from tests.real.replay import READERS, play_all, read_log, sample

SETTINGS = {
    "BALIE_CONNECTIONS_PER_MINUTE": "1000000",
    "BALIE_CONNECTION_BURST": "1000000",
    "BALIE_MESSAGES_PER_SECOND": "10000",
    "BALIE_MESSAGE_BURST": "10000",
}
TODAY = 25
"""Dialogues of each collection in a usual run; the same ones every time."""


@pytest.fixture
def demo(tmp_path):
    running = Demo(tmp_path / "data", settings=SETTINGS).start()
    yield running
    running.stop()


async def replay_and_check(demo, dialogues):
    agents = [await Agent(demo, login).sign_in() for login in demo.logins]
    played = await play_all(demo, agents, dialogues)
    for each in played:
        check_what_was_heard(each)
    demo.kill()
    demo.start()
    for each in played:
        said = [(side, text) for side, text in each.dialogue.turns]
        logged = await read_log(agents[0], each.conversation)
        assert [(side, text) for _, side, text in logged] == said, each.dialogue.name
        assert [seq for seq, _, _ in logged] == each.seqs, each.dialogue.name
    for agent in agents:
        await agent.leave()
    return sum(len(each.dialogue.turns) for each in played)


def check_what_was_heard(played):
    for listener, speaker in (("visitor", "agent"), ("agent", "visitor")):
        said = [text for side, text in played.dialogue.turns if side == speaker]
        heard = played.heard[listener]
        assert [event["data"]["text"] for event in heard] == said, played.dialogue.name
        seqs = [event["seq"] for event in heard]
        assert seqs == sorted(set(seqs)), played.dialogue.name


async def test_a_sample_of_every_collection(demo, testdata):
    dialogues = [each for read in READERS.values() for each in sample(list(read(testdata)), TODAY)]
    assert len(dialogues) == TODAY * len(READERS)
    assert await replay_and_check(demo, dialogues) > 500


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("collection", READERS)
async def test_every_dialogue(demo, testdata, collection):
    dialogues = list(READERS[collection](testdata))
    messages = await replay_and_check(demo, dialogues)
    logging.getLogger("tests.real").info(
        "%s: %s dialogues, %s messages", collection, len(dialogues), messages
    )
