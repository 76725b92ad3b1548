"""Servers die while they tell others, workers sleep through their leases, receivers hang."""

import asyncio
import os
import signal
import statistics
import sys
import time
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.faults.outbox import SETTINGS, run
from tests.jobs.at_work import at_work, wish
from tests.outbound.sinks import Sink, hang, listening
from tests.people import Agent, running_demo, visitor

from balie.jobs.model import Result
from balie.jobs.rules import Terms
from balie.jobs.running import Done, Runner
from balie.outbound import network
from balie.outbound.door import Door

REPOSITORY = Path(__file__).resolve().parents[2]
LEASE = 1_500


@pytest.mark.timeout(180)
async def test_every_event_arrives_under_its_one_id_though_the_server_is_killed():
    tally = await run(kills=4, events=300, seed=1)
    assert tally.findings == []
    assert (tally.kills, tally.events) == (4, 301)
    assert tally.killed_after_answer >= 1
    assert tally.twice >= 1, "who dies between answer and mark tells it again"


@pytest.mark.long
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_it_does_though_it_is_killed_often(database):
    tally = await run(kills=50, events=5_000, seed=2, database=database)
    assert tally.findings == []


async def test_a_worker_that_was_stopped_beyond_its_lease_sends_nothing(place):
    async with listening(Sink()) as sink, at_work(place) as works:
        works.clock = lambda: time.time_ns() // 1_000_000
        works.now = works.clock()
        await works.add(wish(1))
        store = place.url or str(place.folder / "balie.sqlite3")
        napper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.napper", store, str(sink.port), str(LEASE)),
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(20):
                assert await napper.stdout.readline() == b"leased\n"
            os.kill(napper.pid, signal.SIGSTOP)
            await asyncio.sleep(LEASE / 1_000 + 0.1)
            await _send_by_another(works, sink)
            os.kill(napper.pid, signal.SIGCONT)
            # It has had its pause by then, and would have sent.
            await asyncio.sleep(1.0)
            napper.stdin.write(b"\n")
            async with asyncio.timeout(20):
                assert await napper.wait() == 0
        finally:
            if napper.returncode is None:
                napper.kill()
                await napper.wait()
        assert [request.body for request in sink.heard] == [b"other"]
        (job,) = await works.jobs()
        assert (job.state, job.result.status, job.fence) == ("done", 200, 2)


async def _send_by_another(works, sink):
    door = Door(network.resolve, network.connect, allowed=[ip_network("127.0.0.0/8")])

    async def send(job, _lease):
        headers = {"webhook-id": job.id}
        url = f"http://127.0.0.1:{sink.port}/"
        answer = await door.post(url, b"other", headers, circuit="test")
        return Done(Result("answered", answer.status))

    other = Runner(works.store, works.clock, works.entropy, {"test": send}, Terms(lease=20_000))
    await other.start()
    async with asyncio.timeout(10):
        while (await works.jobs())[0].state != "done":
            await asyncio.sleep(0.02)
    await other.stop()


MESSAGES = 200


async def test_a_receiver_that_hangs_slows_nobody_who_chats(tmp_path):
    async with listening(Sink(hang)) as sink:
        with running_demo(tmp_path, SETTINGS) as demo:
            agent = await Agent(demo, demo.logins[0]).sign_in()
            eva = await visitor(demo).open()
            conversation = (await eva.post("hallo"))["conversation"]
            quiet = await _chat(eva, conversation)
            wish_ = {"url": f"http://127.0.0.1:{sink.port}/", "types": ["message.posted"]}
            await agent.http.post("/api/v1/webhooks", json=wish_)
            await _chat(eva, conversation)
            await sink.until(4)
            hanging = await _chat(eva, conversation)
            await eva.close()
            await agent.leave()
    assert hanging < 1.5 * quiet + 0.002, (hanging, quiet)


async def _chat(eva, conversation):
    """How long a message took to its `ack`, in the middle of many."""
    took = []
    for _ in range(MESSAGES):
        began = time.perf_counter()
        await eva.post("en verder?", conversation)
        took.append(time.perf_counter() - began)
    return statistics.median(took)
