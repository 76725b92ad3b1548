"""Work that one process does at a time: never two at once, and never nobody for long."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.places import Place, looking

from balie.store.turn import NotOursError, SharedTurn, having

SILENT_MS = 1_500
LONG_MS = 20_000


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path, "postgresql")
    yield place
    place.close()


@pytest.fixture
def driver(place):
    return place.open()


@pytest.fixture
def work(place):
    """Begins processes that work in turn, and ends them."""
    begun = []

    def begin(name, silent_ms=SILENT_MS):
        program = [sys.executable, "-m", "tests.store.turning", place.url, name, str(silent_ms)]
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        begun.append(process)
        process.stdout.readline()
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def steps(driver):
    """Who did the steps, in their order."""
    with looking(driver) as connection:
        return [
            row[0]
            for row in connection.exec_driver_sql("SELECT worker FROM notices ORDER BY position")
        ]


def wait_for(found, within=10.0):
    until = time.monotonic() + within
    while not found():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_one_has_the_turn_until_he_lets_go(driver):
    first, second = driver.turn(), driver.turn()
    assert first.take()
    assert not second.take()
    with looking(driver) as connection:
        first.confirm(connection)
        with pytest.raises(NotOursError):
            second.confirm(connection)
    first.let_go()
    assert second.take()
    with looking(driver) as connection, pytest.raises(NotOursError):
        first.confirm(connection)
    second.let_go()


async def test_who_works_longer_than_his_connection_may_be_silent_keeps_the_turn(
    driver, monkeypatch
):
    monkeypatch.setattr("balie.store.turn.SILENT_MS", SILENT_MS)
    turn = SharedTurn(driver.owner, SILENT_MS)
    async with having(turn):
        await asyncio.sleep(2 * SILENT_MS / 1_000)
        with looking(driver) as connection:
            turn.confirm(connection)
    with pytest.raises(NotOursError), looking(driver) as connection:
        turn.confirm(connection)


def test_a_killed_one_is_followed_at_once(driver, work):
    first = work("first", LONG_MS)
    wait_for(lambda: "first" in steps(driver))
    work("second", LONG_MS)
    time.sleep(0.2)
    assert "second" not in steps(driver)
    first.kill()
    began = time.monotonic()
    wait_for(lambda: "second" in steps(driver))
    assert time.monotonic() - began < LONG_MS / 2_000


def test_a_stopped_one_is_followed_soon_and_changes_nothing_when_he_goes_on(driver, work):
    first = work("first")
    wait_for(lambda: "first" in steps(driver))
    work("second")
    time.sleep(0.2)
    os.kill(first.pid, signal.SIGSTOP)
    began = time.monotonic()
    wait_for(lambda: "second" in steps(driver))
    assert time.monotonic() - began < 4 * SILENT_MS / 1_000
    os.kill(first.pid, signal.SIGCONT)
    first.wait(10)
    done = steps(driver)
    wait_for(lambda: len(steps(driver)) > len(done) + 5)
    done = steps(driver)
    assert "first" not in done[done.index("second") :]
    assert first.returncode != 0
