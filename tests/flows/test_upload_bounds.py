"""Nobody fills the disk: what strangers may bring, and what an office goes on bringing."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select
from tests.people import fresh_id
from tests.town import open_town

from balie.app.house import clock
from balie.contacts import tokens
from balie.conversations import allowance
from balie.conversations.model import files
from balie.kernel.actor import VisitorActor
from balie.store.scope import EVERYWHERE

KIB = 1_024
TIGHT = {
    "max_file_bytes": 10 * KIB,
    "upload_bytes_unspoken": 20 * KIB,
    "upload_bytes_per_address": 60 * KIB,
    "upload_bytes_waiting": 100 * KIB,
    "free_bytes": 1,
}


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path, **TIGHT) as built:
        yield built


def stranger(town, address="203.0.113.1"):
    """A browser with a fresh token, as anybody gets one."""
    side = town.sides["noord"]
    actor = VisitorActor(
        organisation_id=side.organisation_id, site_id=side.site.id, visitor_id=fresh_id()
    )
    token = tokens.issue(town.house.secret, actor, clock())
    browser = town.browser(Authorization=f"Bearer {token}")
    browser._transport.client = (address, 40_000)
    return browser


async def bring(browser, size=10 * KIB, **more):
    headers = {"X-File-Name": "a.bin", "Content-Type": "application/octet-stream"}
    return await browser.post("/api/v1/files", content=b"\1" * size, headers=headers, **more)


async def say(browser, conversation=None, *file_ids):
    message = {
        "client_message_id": fresh_id(),
        "conversation": conversation,
        "text": "hallo",
        "files": list(file_ids),
    }
    return await browser.post("/api/v1/visitor/messages", json=message)


def told(answer):
    return answer.status_code, answer.json().get("code")


def stored(town):
    """Files on disk."""
    return sum(map(len, town.house.blobs.folders()))


async def test_who_says_nothing_may_let_little_lie(town):
    eva, before = stranger(town), stored(town)
    first = (await bring(eva)).json()
    assert (await bring(eva)).status_code == 201
    refused = await bring(eva, 1)
    assert told(refused) == (429, "rate_limited")
    assert refused.json()["retry_after_ms"] > 0
    assert stored(town) == before + 2
    # Who says something goes on.
    assert (await say(eva, None, first["id"])).status_code == 200
    assert (await bring(eva)).status_code == 201


async def test_an_address_has_its_share_whoever_it_says_it_is(town):
    for _ in range(3):
        eva = stranger(town)
        assert [(await bring(eva)).status_code for _ in range(2)] == [201, 201]
    refused = await bring(stranger(town))
    assert told(refused) == (429, "rate_limited")
    assert 0 < refused.json()["retry_after_ms"] <= 3_600_000
    assert (await bring(stranger(town, "203.0.113.2"))).status_code == 201


async def test_what_was_refused_costs_an_address_nothing(town):
    eva = stranger(town)
    for _ in range(10):
        headers = {"X-File-Name": "a.exe"}
        answer = await eva.post("/api/v1/files", content=b"x" * 9 * KIB, headers=headers)
        assert answer.status_code == 415
    assert (await bring(eva)).status_code == 201


async def test_all_that_waits_has_a_bound_that_agents_do_not_feel(town):
    for number in range(10):
        assert (await bring(stranger(town, f"203.0.113.{number}"))).status_code == 201
    refused = await bring(stranger(town, "203.0.113.99"))
    assert told(refused) == (503, "busy")
    side = town.sides["noord"]
    for _ in range(20):
        assert (await bring(side.browsers["owner"])).status_code == 201


async def test_without_a_length_the_bytes_count_all_the_same(town):
    eva = stranger(town)

    async def drips():
        for _ in range(10):
            yield b"\1" * KIB

    answers = [await eva.post("/api/v1/files", content=drips()) for _ in range(3)]
    assert [each.status_code for each in answers] == [201, 201, 429]


async def test_a_message_to_nowhere_takes_no_files(town):
    eva = stranger(town)
    file = (await bring(eva)).json()
    assert told(await say(eva, fresh_id(), file["id"])) == (404, "not_found")
    query = select(files.c.conversation_id).where(files.c.id == file["id"])
    assert (
        await town.house.store.read(lambda c: c.execute(query).scalar_one(), of=EVERYWHERE) is None
    )


async def test_near_the_end_of_the_disk_only_messages_go_on(town, monkeypatch):
    full = SimpleNamespace(free=5 * KIB)
    monkeypatch.setattr(allowance.shutil, "disk_usage", lambda _: full)
    eva = stranger(town)
    for browser in (eva, town.sides["noord"].browsers["owner"]):
        refused = await bring(browser)
        assert told(refused) == (503, "unavailable")
        assert refused.json()["retry_after_ms"] > 0
    assert (await say(eva)).status_code == 200
    full.free = 50 * KIB
    assert (await bring(eva)).status_code == 201


async def test_a_disk_that_went_away_is_no_fault_of_balie(town, monkeypatch):
    def gone(_):
        raise FileNotFoundError(2, "No such file or directory")

    eva = stranger(town)
    with monkeypatch.context() as patch:
        patch.setattr(allowance.shutil, "disk_usage", gone)
        assert told(await bring(eva)) == (503, "unavailable")
    assert (await bring(eva)).status_code == 201
