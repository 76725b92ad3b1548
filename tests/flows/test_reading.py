"""What visitors read over HTTP: whole, however long, and not without end."""

import re

import httpx
import pytest
from sqlalchemy import insert, select, update
from tests.people import Agent, visitor
from tests.places import Place, looking

from balie.conversations.api.reading import READS
from balie.conversations.queries import MAX_PAGE_BYTES
from balie.edge.limits import Limiter
from balie.store.schema import metadata

MANY = 10_500
WORDY = 60


async def talked(demo, *texts):
    """Somebody who has said something: his token and his conversation."""
    talker = await visitor(demo).open()
    conversation = None
    for text in texts:
        conversation = (await talker.post(text, conversation))["conversation"]
    await talker.close()
    return talker.welcome["visitor"]["token"], conversation


def lengthen(demo, conversation, count):
    """The last message again and again, numbered, as if it had been said that often."""
    place = Place(demo.folder, demo.database)
    events, conversations = (metadata.tables[name] for name in ("events", "conversations"))
    kept = [column for column in events.c if column.name not in ("position", "transaction_id")]
    of_it = events.c.conversation_id == conversation
    with looking(place.open()) as connection:
        last = connection.execute(select(*kept).where(of_it, events.c.seq == 2)).mappings().one()
        rows = [
            dict(last)
            | {
                "seq": seq,
                "payload": last["payload"].replace("bericht 0", f"bericht {seq - 2}"),
                "client_message_id": None,
            }
            for seq in range(3, count + 1)
        ]
        connection.execute(insert(events), rows)
        connection.execute(
            update(conversations).where(conversations.c.id == conversation).values(last_seq=count)
        )
    place.close()


@pytest.fixture
async def long_talk(demo):
    token, conversation = await talked(demo, "bericht 0")
    demo.stop()
    lengthen(demo, conversation, MANY)
    demo.start()
    return token, conversation


def reader(demo, token):
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{demo.port}/api/v1/visitor",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )


async def test_a_transcript_ends_where_the_conversation_ends(demo, long_talk):
    token, conversation = long_talk
    async with reader(demo, token) as http:
        answer = await http.get(f"/conversations/{conversation}/transcript")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    said = [int(number) for number in re.findall(r"^ +bericht (\d+)$", answer.text, re.MULTILINE)]
    assert said == list(range(MANY - 1))
    assert answer.text.endswith(f"bericht {MANY - 2}\n")


@pytest.fixture
async def wordy_talk(demo):
    """Sixty messages of 15,000 bytes each."""
    token, conversation = await talked(demo, "bericht 0 " + "x" * 15_000)
    demo.stop()
    lengthen(demo, conversation, WORDY)
    demo.start()
    return token, conversation


async def test_a_page_of_long_messages_is_short_for_visitors_and_agents(demo, wordy_talk):
    token, conversation = wordy_talk
    agent = await Agent(demo, demo.logins[0]).sign_in()
    async with reader(demo, token) as visitors:
        for http, talk in (
            (visitors, f"/conversations/{conversation}"),
            (agent.http, f"/api/v1/conversations/{conversation}"),
        ):
            pages = [page async for page in forwards(http, f"{talk}/events?limit=200")]
            assert len(pages) > WORDY // 18
            assert [seq for page in pages for seq in page] == list(range(1, WORDY + 1))
            answer = await http.get(f"{talk}/events?limit=200&before={WORDY}")
            below = [event["seq"] for event in answer.json()["data"]]
            assert below == list(range(WORDY - len(below), WORDY))
            assert 1 < len(below) < 18
    await agent.leave()


async def forwards(http, address):
    """The numbers on each page, from the first to `last_seq`."""
    seen, last = 0, 1
    while seen < last:
        answer = await http.get(f"{address}&after={seen}")
        assert len(answer.content) <= MAX_PAGE_BYTES
        page = answer.json()
        yield [event["seq"] for event in page["data"]]
        seen, last = page["data"][-1]["seq"], page["last_seq"]


async def test_a_transcript_of_long_messages_is_whole(demo, wordy_talk):
    token, conversation = wordy_talk
    async with reader(demo, token) as http:
        answer = await http.get(f"/conversations/{conversation}/transcript")
    said = [int(number) for number in re.findall(r"^ +bericht (\d+)\b", answer.text, re.MULTILINE)]
    assert said == list(range(WORDY - 1))


async def test_who_reads_without_end_waits_and_nobody_else(demo):
    token, conversation = await talked(demo, "hallo")
    other, others = await talked(demo, "goedemiddag")
    async with reader(demo, token) as http:
        for _ in range(60):
            refused = await http.get(f"/conversations/{conversation}/transcript")
            if refused.status_code != 200:
                break
        assert refused.status_code == 429
        told = refused.json()
        assert told["code"] == "rate_limited"
        assert 0 < told["retry_after_ms"] <= 10 * READS.refill_ms
        assert int(refused.headers["retry-after"]) >= 1
    async with reader(demo, other) as http:
        assert (await http.get(f"/conversations/{others}/events")).status_code == 200


async def test_the_lists_of_a_visitor_are_counted_too(demo):
    token, conversation = await talked(demo, "hallo")
    paths = ["/conversations", f"/conversations/{conversation}/events?limit=1"]
    async with reader(demo, token) as http:
        for path in paths:
            for _ in range(2 * READS.burst):
                status = (await http.get(path)).status_code
                if status != 200:
                    break
            assert status == 429, path


def test_a_hundred_thousand_messages_can_be_paged_through():
    limit = Limiter(READS)
    for page in range(500):
        limit.take("visitor", page * 350)
