"""`--workers`: one port, several processes; the dead are started again, all are replaced without a gap."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.people import PATIENT, Agent, Demo, visitor
from tests.places import WORKERS

BALIE = str(Path(sys.executable).with_name("balie"))


@pytest.fixture
def demo(tmp_path):
    running = Demo(tmp_path, settings=PATIENT, database=WORKERS).start()
    yield running
    if running.process is not None:
        assert running.stop() == 0


def workers_of(demo):
    path = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children")
    return [int(each) for each in path.read_text().split()]


async def answers(demo, until):
    """Every answer of a port that is asked all the time, until then: what was refused is no answer."""
    codes = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}", timeout=20) as http:
        while not until():
            http.headers["Connection"] = "close"
            codes.append((await http.get("/readyz")).status_code)
            await asyncio.sleep(0.02)
    return codes


async def test_a_dead_worker_is_started_again(demo):
    before = workers_of(demo)
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 20

    def is_whole():
        now = workers_of(demo)
        return len(now) == 2 and before[0] not in now and time.monotonic() > deadline - 16

    # Whoever comes meanwhile waits in the line of the dead one, and is answered.
    codes = await answers(demo, lambda: is_whole() or time.monotonic() > deadline)
    assert is_whole()
    assert set(codes) == {200}


async def test_all_are_replaced_and_nobody_is_refused(demo):
    before = set(workers_of(demo))
    agent = await Agent(demo, demo.logins[0]).sign_in()
    talker = await visitor(demo).open()
    conversation = (await talker.post("eerst"))["conversation"]
    os.kill(demo.process.pid, signal.SIGHUP)
    deadline = time.monotonic() + 40

    def is_new():
        return not before & set(workers_of(demo))

    codes = await answers(demo, lambda: is_new() or time.monotonic() > deadline)
    assert is_new()
    assert set(codes) == {200}
    page = await agent.http.get(f"/api/v1/conversations/{conversation}/events?after=0")
    assert page.status_code == 200
    assert any(frame["type"] == "draining" for frame in talker.heard)
    await agent.leave()


def test_workers_do_not_outlive_their_supervisor(demo):
    workers = workers_of(demo)
    demo.process.kill()
    demo.process.wait()
    demo.process.stdout.close()
    demo.process = None
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{each}").exists() for each in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_file_is_not_for_several(tmp_path):
    run = subprocess.run(
        [BALIE, "serve", "--workers", "2", "--data-dir", tmp_path / "data"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "set BALIE_DATABASE_URL to a PostgreSQL" in run.stderr
