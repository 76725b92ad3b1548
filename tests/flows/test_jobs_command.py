"""`balie jobs`, beside no server: list, show, replay."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from balie.app.commands import open_house
from balie.app.settings import Settings
from balie.jobs import queue
from balie.jobs.model import NewJob, Result
from balie.store.scope import EVERYWHERE

BALIE = str(Path(sys.executable).with_name("balie"))


def balie(*arguments):
    ran = subprocess.run(
        [BALIE, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return ran.returncode, ran.stdout, ran.stderr


def wish(number):
    return NewJob(organisation_id="org", queue="webhooks", key=str(number), lane="org/webhooks/e")


async def prepare(folder):
    house = open_house(Settings(data_dir=folder))
    await house.open()

    def write(connection):
        queue.add(connection, [wish(1), wish(2)], 1)
        (job,) = queue.lease(connection, "org/webhooks/e", 1, 1, 2)
        queue.end(connection, job, "dead", Result("answered", 500, 12), 3)
        return job.id

    try:
        return await house.store.write(write, of=EVERYWHERE)
    finally:
        await house.close()


def test_dead_ones_are_found_and_begun_anew(tmp_path):
    dead = asyncio.run(prepare(tmp_path))
    place = f"--data-dir={tmp_path}"
    code, told, _ = balie("jobs", place)
    assert code == 0
    assert len(told.splitlines()) == 2
    assert "answered 500" in told
    _, told, _ = balie("jobs", "--state", "dead", "--json", place)
    assert [job["id"] for job in json.loads(told)] == [dead]
    _, told, _ = balie("jobs", "show", dead, place)
    assert dead in told
    _, told, _ = balie("jobs", "replay", dead, "--json", place)
    (again,) = json.loads(told)
    assert (again["id"], again["state"], again["attempts"]) == (dead, "waiting", 0)
    code, _, said = balie("jobs", "replay", dead, place)
    assert code == 1
    assert "has not ended" in said
    assert balie("jobs", "show", "job_none", place)[0] == 1
    assert balie("jobs", "show", place)[0] == 1
