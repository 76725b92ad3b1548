"""One console hears 200 conversations when the server is killed: it comes back to all of them, at a pace."""

import asyncio
import random
import time

import httpx
import pytest
from tests.faults.kill import AgentPage, Campaign, Tally
from tests.people import Agent, fresh_id, visitor

MANY = 200
SETTINGS = {
    "BALIE_CONNECTION_BURST": "1000",
    "BALIE_MESSAGES_PER_SECOND": "25",
    "BALIE_LOG_LEVEL": "error",
}


class Console(AgentPage):
    """Follows what it is told to, and counts what it was refused."""

    refusals = 0

    def told_inbox(self, frame):
        pass

    def told_error(self, frame):
        self.refusals += frame["code"] == "rate_limited"


async def begin(campaign):
    """A visitor with a conversation: his token, and its id."""
    talker = await visitor(campaign.demo).open()
    text, key = f"vraag {len(campaign.history.said)}", fresh_id()
    campaign.history.said.append(("a visitor", key, text))
    ack = await talker.post(text, key=key)
    await talker.close()
    return talker.welcome["visitor"]["token"], ack["conversation"]


async def say_more(campaign, token, conversation):
    text, key = f"nog een vraag {len(campaign.history.said)}", fresh_id()
    campaign.history.said.append(("a visitor", key, text))
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
    campaign = Campaign(tmp_path / "data", random.Random(9))
    campaign.demo.settings = SETTINGS
    await asyncio.to_thread(campaign.demo.start)
    campaign.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{campaign.demo.port}")
    campaign.http.headers["Host"] = campaign.demo.url.removeprefix("http://")
    agent = await Agent(campaign.demo, campaign.demo.logins[0]).sign_in()
    campaign.agents = []
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

    tally = Tally()
    console.step({"type": "shut"})
    campaign.check(tally)
    findings = [each for each in tally.findings if "is idle long after" not in each[1]]
    assert findings == []
    assert len(console.session.logs) == MANY
    # A message of each side in each, and who was given the conversation by answering.
    assert {log.last for log in console.session.logs.values()} == {5}
    assert console.refusals > 0
    assert not {1008, 1013, 4401} & set(campaign.closes)
    await campaign.http.aclose()
    await agent.leave()
