"""`balie migrate-store` moves everything as it is, whatever stops it on the way."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.app.operations.conftest import Home
from tests.office import CHEAP
from tests.people import fresh_id
from tests.places import cluster
from tests.town import Town, open_town

from balie.app import data
from balie.app.house import House
from balie.app.operations import moving
from balie.app.settings import Settings
from balie.edge.limits import parse_networks
from balie.store.following import BEGINNING, log_after

BALIE = str(Path(sys.executable).with_name("balie"))


@pytest.fixture
def target():
    """An empty database."""
    url = cluster().database(empty=True)
    yield url
    cluster().drop(url)


def there(home, url):
    return Home(home.folder, url)


def test_everything_is_there_as_it_was_here(file_home, target):
    before = file_home.verify()
    moved = json.loads(file_home.balie("migrate-store", "--json", "--to", target).out)
    after = there(file_home, target).verify()
    assert {**after, "database": "", "notes": []} == {**before, "database": "", "notes": []}
    assert moved["rows"] == {name: each["rows"] for name, each in before["tables"].items()}
    assert moved["changed"] == 0


async def test_people_go_on_where_they_were(file_home, target):
    assert file_home.balie("migrate-store", "--to", target).code == 0
    async with reopened(file_home.folder, target) as town:
        side = await town.settle("oost")
        found, _ = await town.house.store.read(lambda c: log_after(c, BEGINNING, 1_000), of="*")
    conversations = [each.envelope.conversation_id for each in found]
    assert {file_home.noord, file_home.zuid, side.conversation} == set(conversations)
    assert conversations[-1] == side.conversation
    assert there(file_home, target).verify()["sound"]


@asynccontextmanager
async def reopened(folder, url):
    """The town in which they lived, over what was moved."""
    settings = Settings(
        data_dir=folder,
        database_url=url,
        message_burst=1_000,
        outbound_allow=parse_networks(["127.0.0.0/8"]),
    )
    house = House(settings, CHEAP)
    house.store.driver.migrate()
    await house.open()
    try:
        yield Town(house)
    finally:
        await house.close()


def test_the_old_file_is_served_by_nobody_from_then_on(file_home, target):
    told = file_home.balie("migrate-store", "--to", target).out
    assert "BALIE_DATABASE_URL" in told
    assert not (file_home.folder / data.DATABASE).exists()
    ran = file_home.balie("migrate")
    assert ran.code == 2


def test_a_target_that_is_used_is_refused(file_home, target):
    assert file_home.balie("migrate-store", "--to", target).code == 0
    again = Home(file_home.folder)
    [aside] = file_home.folder.glob("*.moved-*")
    aside.rename(file_home.folder / data.DATABASE)
    ran = again.balie("migrate-store", "--to", target)
    assert (ran.code, "empty database" in ran.err) == (1, True)


def test_a_server_that_runs_or_an_address_that_is_none_is_refused(file_home, target):
    held = data.hold(file_home.folder)
    ran = file_home.balie("migrate-store", "--to", target)
    os.close(held)
    assert (ran.code, "another server" in ran.err) == (2, True)
    ran = file_home.balie("migrate-store", "--to", "mysql://u:secret@h/d")
    assert (ran.code, "secret" in ran.err) == (2, False)


def test_texts_that_postgresql_cannot_hold_are_counted(file_home, target):
    with file_home.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET user_agent = ?", ("a\0b",))
    moved = json.loads(file_home.balie("migrate-store", "--json", "--to", target).out)
    assert moved["changed"] == moved["rows"]["sessions"] > 0


def test_what_comes_out_different_is_not_said_to_be_the_same(file_home, target, monkeypatch):
    wrong = moving._as_there

    def garbled(table, row):
        row = list(wrong(table, row))
        if table.name == "sites":
            row[3] = "another name"
        return row

    monkeypatch.setattr(moving, "_as_there", garbled)
    ran = file_home.balie("migrate-store", "--to", target)
    assert (ran.code, "sites came out different" in ran.err) == (1, True)
    assert (file_home.folder / data.DATABASE).exists()


def test_who_was_stopped_at_the_last_step_is_done_with_it(file_home, target, monkeypatch):
    before = file_home.verify()
    monkeypatch.setattr(moving, "_set_aside", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    assert file_home.balie("migrate-store", "--to", target).code == 130
    monkeypatch.undo()
    assert file_home.balie("migrate-store", "--to", target).code == 0
    ran = file_home.balie("migrate-store", "--to", target)
    assert (ran.code, "moved already" in ran.err) == (1, True)
    assert there(file_home, target).verify()["hash"] == before["hash"]


def test_no_server_serves_a_store_that_is_half_there(file_home, target, monkeypatch):
    monkeypatch.setattr(moving, "_number_on", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    file_home.balie("migrate-store", "--to", target)
    ran = there(file_home, target).balie("migrate")
    assert (ran.code, "being moved" in ran.err) == (2, True)
    other = Home(file_home.folder.parent / "other")
    asyncio.run(begin_elsewhere(other.folder))
    ran = other.balie("migrate-store", "--to", target)
    assert (ran.code, "another installation" in ran.err) == (1, True)


async def begin_elsewhere(folder):
    async with open_town(folder, database_url=""):
        pass


@pytest.mark.long
@pytest.mark.timeout(180)
def test_what_is_killed_goes_on_where_it_was(file_home, target):
    """Killed at random moments until it gets through."""
    grow(file_home, 30_000)
    before, kills = file_home.verify(), 0
    command = [BALIE, "migrate-store", "--to", target, f"--data-dir={file_home.folder}"]
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            # Enough to start; then more each time, or it would never come to an end.
            _, told = process.communicate(timeout=0.8 + 0.3 * kills + random.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        break
    # The last kill may have come when all was done.
    assert process.returncode == 0 or b"moved already" in told
    assert kills > 1
    after = there(file_home, target).verify()
    assert (after["hash"], after["tables"]) == (before["hash"], before["tables"])


def grow(home, rows):
    """So many visitors more, to be moved."""
    now = time.time_ns() // 1_000_000
    with home.writing() as connection:
        [site] = connection.exec_driver_sql("SELECT id, organisation_id FROM sites LIMIT 1").all()
        connection.exec_driver_sql(
            "INSERT INTO visitors (id, organisation_id, site_id, created_at, verified, time_zone,"
            " device, browser, system) VALUES (?, ?, ?, ?, 0, '', '', '', '')",
            [(fresh_id(), site[1], site[0], now) for _ in range(rows)],
        )
