"""One console hears 200 conversations when the server is killed: it comes back to all of them, at a pace."""

import asyncio
import random
import time

import httpx
import pytest
from tests.faults.pages import AgentPage
from tests.faults.talk import Talk
from tests.people import Agent, Demo, visitor

MANY = 200
SETTINGS = {
    "BALIE_CONNECTION_BURST": "1000",
    "BALIE_MESSAGES_PER_SECOND": "25",
    "BALIE_LOG_LEVEL": "error",
}


class Console(AgentPage):
    """Follows what it is told to."""

    def told_inbox(self, frame):
        pass


async def begin(campaign):
    """A visitor with a conversation: his token, and its id."""
    talker = await visitor(campaign.demo).open()
    text, key = campaign.note("a visitor")
    ack = await talker.post(text, key=key)
    await talker.close()
    return talker.welcome["visitor"]["token"], ack["conversation"]


async def say_more(campaign, token, conversation):
    text, key = campaign.note("a visitor")
    said = {"client_message_id": key, "conversation": conversation, "text": text}
    headers = {"Authorization": f"Bearer {token}"}
    answer = await campaign.http.post("/api/v1/visitor/messages", json=said, headers=headers)
    assert answer.status_code == 200, answer.text


async def until(true, within):
    late = time.monotonic() + within
    while not true():
        assert time.monotonic() < late, "it took too long"
        await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_a_console_that_hears_200_conversations_comes_back_to_all_of_them(tmp_path):
    campaign = Talk([Demo(tmp_path / "data", settings=SETTINGS)], random.Random(9))
    await asyncio.to_thread(campaign.demo.start)
    campaign.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{campaign.demo.port}")
    campaign.http.headers["Host"] = campaign.demo.url.removeprefix("http://")
    agent = await Agent(campaign.demo, campaign.demo.logins[0]).sign_in()
    known = [await begin(campaign) for _ in range(MANY)]
    console = campaign.clients["console"] = Console(campaign, "console", agent)
    console.open()
    for _, conversation in known:
        console.follow(conversation)
    await until(lambda: all(log.last for log in console.session.logs.values()), 60)

    campaign.demo.kill()
    await until(lambda: console.session.status != "live", 20)
    for _, conversation in known:
        console.say(conversation)
    await asyncio.to_thread(campaign.demo.start)
    for token, conversation in known:
        await say_more(campaign, token, conversation)
    await until(lambda: not campaign.under_way(console), 120)

    console.step({"type": "shut"})
    campaign.check()
    findings = [each for each in campaign.history.findings if "is idle long after" not in each[1]]
    assert findings == []
    assert len(console.session.logs) == MANY
    # A message of each side in each, and who was given the conversation by answering.
    assert {log.last for log in console.session.logs.values()} == {5}
    assert campaign.errors["rate_limited"] > 0
    assert not {1008, 1013, 4401} & set(campaign.closes)
    await campaign.http.aclose()
    await agent.leave()
