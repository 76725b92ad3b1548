"""Who only waits costs the disk nothing."""

import asyncio

from tests.people import Agent, visitor

DATABASES = ["sqlite"]
SETTLED = 2.0
LONGER_THAN_A_HEARTBEAT = 6.5


def written(demo):
    """When anything was written last, to the nanosecond."""
    return {path.name: path.stat().st_mtime_ns for path in demo.folder.glob("balie.sqlite3*")}


async def test_an_open_panel_and_an_open_console_write_nothing(demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    console = await agent.console()
    talker = await visitor(demo).open()
    await asyncio.sleep(SETTLED)
    before = written(demo)
    assert "balie.sqlite3-wal" in before
    await asyncio.sleep(LONGER_THAN_A_HEARTBEAT)
    assert written(demo) == before
    for end in (talker, console):
        await end.close()
    await agent.leave()


async def test_a_server_alone_with_its_file_tells_nobody(demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    console = await agent.console()
    talker = await visitor(demo).open()
    conversation = (await talker.post("hallo"))["conversation"]
    await console.send({"type": "resume", "conversation": conversation, "last_seq": 0})
    await console.expect("events", conversation=conversation)
    await asyncio.sleep(SETTLED)
    before = written(demo)
    for on in (True, False):
        await talker.send({"type": "typing", "conversation": conversation, "on": on})
        await console.expect("typing", on=on)
    await asyncio.sleep(SETTLED)
    assert written(demo) == before
    for end in (talker, console):
        await end.close()
    await agent.leave()
