"""Migrations that a running installation survives, and `balie upgrade --check`, which tells of them."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic import op
from tests.app.operations.conftest import Home

from balie.app.settings import Settings
from balie.app.stores import open_driver
from balie.store import migrations
from balie.store.migrations import steps
from balie.store.migrations.steps import all_migrations

BALIE = str(Path(sys.executable).with_name("balie"))


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_takes_away_says_so(dialect):
    """A migration adds (expand), and workers of the version before go on beside it; or it takes away what
    nobody has used since the version before (contract), and says `CONTRACTS = True`."""
    wrong = {
        each.revision: [step.what for step in each.steps if step.breaking]
        for each in all_migrations(dialect)
        if each.breaking and not each.contracts
    }
    assert wrong == {}, "make it in two steps: docs/operate/upgrade.md"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_migrations_are_told_in_their_order(dialect):
    told = all_migrations(dialect)
    assert [each.revision for each in told] == migrations.revisions()
    assert all(each.title and each.steps for each in told)


def breaking(act):
    def upgrade():
        act(module.op)

    module = ModuleType("made")
    module.__doc__ = "Something."
    module.__dict__.update(revision="x", down_revision=None, upgrade=upgrade, op=op)
    return steps._told(module, "sqlite").breaking


@pytest.mark.parametrize(
    ("act", "breaks"),
    [
        (lambda op: op.drop_column("visitors", "name"), True),
        (lambda op: op.drop_table("visitors"), True),
        (lambda op: op.rename_table("visitors", "people"), True),
        (lambda op: op.alter_column("visitors", "name", nullable=False), True),
        (lambda op: op.create_unique_constraint("u", "visitors", ["name"]), True),
        (lambda op: op.execute("UPDATE visitors SET name = ''"), True),
        (lambda op: op.execute("ALTER TABLE visitors DROP COLUMN name"), True),
        (lambda op: op.add_column("visitors", sa.Column("a", sa.Text(), nullable=False)), True),
        (lambda op: op.add_column("visitors", sa.Column("a", sa.Text())), False),
        (
            lambda op: op.add_column(
                "visitors", sa.Column("a", sa.Text(), nullable=False, server_default="")
            ),
            False,
        ),
        (lambda op: op.create_table("guests", sa.Column("id", sa.Text())), False),
        (lambda op: op.create_index("i", "visitors", ["name"]), False),
    ],
)
def test_what_breaks_the_version_before_is_known(act, breaks):
    assert breaking(act) is breaks

    def in_batch(op):
        with op.batch_alter_table("visitors") as batch:
            batch.drop_column("name")

    assert breaking(in_batch)


def go_back(home, revision):
    """The store as an older version had it."""
    ran = home.balie("migrate", "--to", revision)
    assert (ran.code, ran.out) == (0, f"revision {revision}\n"), ran.err


def test_the_check_says_what_would_come_and_does_nothing(home):
    go_back(home, "0001")
    told = json.loads(home.balie("upgrade", "--check", "--json").out)
    assert told["revision"] == "0001"
    assert [each["revision"] for each in told["migrations"]][:2] == ["0002", "0003"]
    index = next(
        work
        for plan in told["migrations"]
        for work in plan["work"]
        if "uq_events_client_message" in work["what"] and work["rows"]
    )
    assert index["rows"] == 20
    assert told["possible"]
    assert told["beside_older"]
    assert "Nobody can write for about" in home.balie("upgrade", "--check").out
    assert json.loads(home.balie("upgrade", "--check", "--json").out)["revision"] == "0001"


def test_there_and_back_keeps_what_people_said(home):
    before = home.verify()
    go_back(home, "0003")
    go_back(home, "0002")
    assert home.balie("migrate").code == 0
    after = home.verify()
    assert (after["sound"], after["hash"]) == (True, before["hash"])
    assert "up to date" in home.balie("upgrade", "--check").out


def test_what_cannot_be_done_is_said(home):
    ran = home.balie("migrate", "--to", "9999")
    assert (ran.code, "no revision" in ran.err) == (1, True)
    home.run("UPDATE alembic_version SET version_num = '9999'")
    ran = home.balie("upgrade", "--check")
    assert (ran.code, "newer version" in ran.out) == (1, True)
    assert Home(home.folder.parent / "nowhere").balie("upgrade", "--check").code == 2


def test_a_disk_without_room_is_said(file_home, monkeypatch):
    go_back(file_home, "0002")
    monkeypatch.setattr("balie.app.operations.upgrading._free", lambda _: 1)
    ran = file_home.balie("upgrade", "--check")
    assert (ran.code, "make room" in ran.out) == (1, True)


@pytest.mark.timeout(180)
def test_a_migration_that_is_killed_begins_again(file_home):
    kill_while_migrating(file_home, rows=60_000, starts=5, longest=1.2)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_large_one_that_is_killed_often_begins_again(file_home):
    kill_while_migrating(file_home, rows=1_000_000, starts=20, longest=4.0)


def kill_while_migrating(home, rows, starts, longest):
    """Killed at random moments; the store is as before or as after, never between."""
    multiply_events(home, rows)
    go_back(home, "0002")
    command = [BALIE, "migrate", f"--data-dir={home.folder}"]
    kills = 0
    for _ in range(starts):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=random.uniform(0.5, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        assert revision_of(home) in ("0002", migrations.newest())
        if revision_of(home) != "0002":
            go_back(home, "0002")
    assert kills > 0
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
    assert revision_of(home) == migrations.newest()
    with home.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one() >= rows


def revision_of(home):
    driver = open_driver(Settings(data_dir=home.folder))
    try:
        return migrations.current(driver.readers)
    finally:
        driver.dispose()


def multiply_events(home, rows):
    """So many events more, of conversations that nobody looks at."""
    with home.writing() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO events (organisation_id, conversation_id, seq, at, author_id, author,"
            " client_message_id, payload) SELECT 'o', 'c' || i, 1, 1, 'v', '{}', hex(randomblob(16)),"
            " '{}' FROM n",
            (rows,),
        )
