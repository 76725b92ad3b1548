"""One thing is said in one way: an address, a type, a file of a message."""

import pytest
from tests.people import fresh_id
from tests.town import PNG, open_town


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


async def test_what_could_be_said_in_two_ways_is_said_in_one(town):
    side = town.sides["noord"]
    eva = town.browser(Authorization=f"Bearer {side.visitors['eva']}")

    kept = f"/api/v1/files/{side.file}"
    assert (await eva.get(kept)).status_code == 200
    refused = await eva.get(kept + "/")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")

    transcript = await eva.get(f"/api/v1/visitor/conversations/{side.conversation}/transcript")
    assert transcript.headers["content-type"] == "text/plain; charset=utf-8"

    headers = {"X-File-Name": "a.png", "Content-Type": "image/png"}
    file = (await eva.post("/api/v1/files", content=PNG, headers=headers)).json()["id"]
    message = {
        "client_message_id": fresh_id(),
        "conversation": side.conversation,
        "text": "",
        "files": [file, file],
    }
    twice = await eva.post("/api/v1/visitor/messages", json=message)
    assert (twice.status_code, twice.json()["code"]) == (422, "malformed")
    once = await eva.post("/api/v1/visitor/messages", json=message | {"files": [file]})
    assert once.status_code == 200
