"""A disk that takes nothing more, made with the limit of this process on how large a file may grow."""

import asyncio
import contextlib
import resource

import pytest
from tests.people import fresh_id
from tests.town import open_town

pytestmark = pytest.mark.skipif(
    "config.getoption('--database') != 'sqlite'", reason="it fills the disk under a file"
)


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


@contextlib.contextmanager
def full(folder):
    """The log of the store, and files of its size, grow no further."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (folder / "balie.sqlite3-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def told(answer):
    return answer.status_code, answer.json()["code"]


async def test_a_full_disk_is_said_and_gone_when_there_is_room(town, monkeypatch):
    monkeypatch.setattr("balie.store.engine.PROBE_FOR", 0.0)
    # A limit of the process looks like a broken disk, after which the store is closed for a while.
    monkeypatch.setattr("balie.store.writer.CLOSED_FOR", 0.5)
    side = town.sides["noord"]
    visitor = town.browser(Authorization=f"Bearer {side.visitors['eva']}")

    async def bring():
        headers = {"X-File-Name": "a.bin", "Content-Type": "application/octet-stream"}
        return await visitor.post("/api/v1/files", content=b"\1" * 2**22, headers=headers)

    async def say():
        message = {
            "client_message_id": fresh_id(),
            "conversation": side.conversation,
            "text": "hallo",
        }
        return await visitor.post("/api/v1/visitor/messages", json=message)

    async def ready():
        return (await visitor.get("/readyz")).status_code

    assert await ready() == 200
    before = sum(map(len, town.house.blobs.folders()))
    with full(town.house.folder):
        assert told(await bring()) == (503, "unavailable")
        assert told(await say()) == (503, "unavailable")
        assert await ready() == 503
    for _ in range(100):
        if await ready() == 200:
            break
        await asyncio.sleep(0.05)
    assert sum(map(len, town.house.blobs.folders())) == before
    assert (await bring()).status_code == 201
    assert (await say()).status_code == 200
