"""A stop ends in time, and says what it waited for."""

import subprocess
import sys

import pytest

HANGS = {
    "the loop waits": "await asyncio.Event().wait()",
    "the loop stands still": "threading.Event().wait()",
    "a thread does not end": "await asyncio.to_thread(threading.Event().wait)",
    "a task does not heed": """
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
""",
}

PROGRAM = """
import asyncio, contextlib, threading
from balie.app import log, stopping

async def held_up():
    {hang}

async def main():
    stopping.begin({within})
    task = asyncio.create_task(held_up())
    await asyncio.sleep(0)
    if "Event().wait)" in {hang!r}:
        return
    await task

log.configure("error")
asyncio.run(main())
"""


def run(hang, within):
    program = PROGRAM.format(hang=hang.strip(), within=within)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("what", HANGS)
def test_whatever_hangs_the_process_ends_and_says_where(what):
    ended = run(HANGS[what], within=1.3)
    assert ended.returncode == 1
    assert "most recent call first" in ended.stderr
    if what in ("the loop waits", "a task does not heed"):
        assert "the stop waits for a task" in ended.stderr
        assert "held_up:" in ended.stderr


def test_a_stop_in_time_is_a_success_and_silent():
    ended = run("await asyncio.sleep(0.01)", within=30)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_without_standard_error_it_ends_all_the_same():
    """As `balie serve 2>&-` does."""
    for hang, code in (("await asyncio.Event().wait()", 1), ("await asyncio.sleep(0.01)", 0)):
        program = PROGRAM.format(hang=hang, within=1.3)
        command = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, program]
        assert subprocess.run(command, timeout=60, check=False).returncode == code
