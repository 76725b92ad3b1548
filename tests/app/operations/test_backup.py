"""`balie backup` and `balie restore`: whole or not at all, and nobody comes back who was erased."""

import asyncio
import json
import os
import re
import shutil
import stat
import subprocess
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.app.operations.conftest import Home, live_in
from tests.clusters import QUICK, Cluster
from tests.places import cluster
from tests.town import open_town

from balie.app import data
from balie.app.operations import backing_up, durably
from balie.contacts.model import visitors
from balie.store.blobs import Blobs

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def made(file_home, tmp_path):
    """A backup of it."""
    ran = file_home.balie("backup", "--json", tmp_path / "backup")
    assert ran.code == 0, ran.err
    return tmp_path / "backup"


@pytest.fixture
def empty(tmp_path):
    return Home(tmp_path / "new")


def test_what_was_copied_comes_back_as_it_was(file_home, made, empty):
    before = file_home.verify()
    back = json.loads(empty.balie("restore", "--json", made).out)
    assert back["report"]["sound"]
    after = empty.verify()
    assert {**after, "file_bytes": 0} == {**before, "file_bytes": 0}
    assert after["file_bytes"] == before["file_bytes"] > 0
    for name in (data.KEY_FILE, data.LEDGER):
        old, new = file_home.folder / name, empty.folder / name
        assert not old.exists() or old.read_bytes() == new.read_bytes()


def test_people_are_told_what_happened(file_home, empty, tmp_path):
    assert "is sound" in file_home.balie("backup", tmp_path / "b").out
    assert "as it was at" in empty.balie("restore", tmp_path / "b").out
    assert "not read again" in file_home.balie("backup", "--no-verify", tmp_path / "c").out


def test_all_of_it_is_its_owners_alone(made):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_backup_never_overwrites_and_leaves_no_half(file_home, made, tmp_path, monkeypatch):
    assert file_home.balie("backup", made).code == 1

    def fail(*_):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(durably, "copy_file", fail)
    ran = file_home.balie("backup", tmp_path / "other")
    assert (ran.code, "No space left" in ran.err) == (1, True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("other")] == []


def test_what_is_damaged_is_not_put_back(made, empty):
    for name in ("balie.sqlite3", "secret.key"):
        kept = (made / name).read_bytes()
        (made / name).write_bytes(kept[:-1] + bytes((kept[-1] ^ 1,)))
        ran = empty.balie("restore", made)
        assert (ran.code, name in ran.err) == (1, True)
        (made / name).write_bytes(kept)
    blob = next(path for path in (made / "files").rglob("*") if path.is_file())
    blob.write_bytes(b"something else")
    ran = empty.balie("restore", made)
    assert (ran.code, "not sound" in ran.err) == (1, True)
    assert not (empty.folder / data.DATABASE).exists()
    assert empty.balie("restore", "--no-verify", made).code == 0


def test_what_is_no_backup_or_was_never_finished_is_refused(file_home, made, empty, tmp_path):
    for source in (tmp_path / "nowhere", file_home.folder):
        assert empty.balie("restore", source).code == 1
    (made / "manifest.json").write_text("{")
    assert empty.balie("restore", made).code == 1


def test_a_store_is_replaced_only_when_it_is_asked_for_and_then_kept(file_home, made):
    file_home.run("UPDATE agents SET name = 'Later'")
    assert file_home.balie("restore", made).code == 1
    back = json.loads(file_home.balie("restore", "--json", "--replace", made).out)
    assert file_home.verify()["sound"]
    aside = Home(type(made)(back["set_aside"]))
    with aside.writing() as connection:
        names = connection.exec_driver_sql("SELECT DISTINCT name FROM agents").scalars().all()
    assert names == ["Later"]


def test_a_server_that_runs_is_not_pulled_the_rug(file_home, made):
    held = data.hold(file_home.folder)
    try:
        ran = file_home.balie("restore", "--replace", made)
    finally:
        os.close(held)
    assert (ran.code, "another server" in ran.err) == (2, True)


@pytest.mark.parametrize("how", ["beside", "named"])
def test_who_was_erased_since_is_erased_again(file_home, made, empty, tmp_path, how):
    person = visitor_of(file_home, file_home.noord)
    assert file_home.balie("erase", "--visitor", person, "--yes").code == 0
    if how == "beside":
        target = file_home
        back = target.balie("restore", "--json", "--replace", made)
    else:
        target = empty
        ledger = file_home.folder / data.LEDGER
        back = target.balie("restore", "--json", "--ledger", ledger, made)
    assert json.loads(back.out)["erased_again"] == 1
    told = target.verify()
    assert told["sound"]
    assert len(told["organisations"]) == 1
    assert canaries(target.folder, "noord eva", b"0 canary-noord") == []


def canaries(folder, _who, word):
    """Files of the store, but for what was set aside, in which somebody's words still stand."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and "before-" not in str(path) and word in path.read_bytes()
    ]


def visitor_of(home, conversation):
    with home.writing() as connection:
        query = "SELECT visitor_id FROM conversations WHERE id = ?"
        return connection.exec_driver_sql(query, (conversation,)).scalar_one()


def test_a_ledger_that_is_nowhere_is_refused(made, empty, tmp_path):
    ran = empty.balie("restore", "--ledger", tmp_path / "none", made)
    assert (ran.code, "ledger" in ran.err) == (1, True)


async def test_a_file_that_is_erased_while_it_is_copied_is_in_no_copy(tmp_path, monkeypatch):
    """The database is copied, then somebody is erased, then the files are looked for."""
    async with open_town(tmp_path / "data") as town:
        side = town.sides["noord"]
        copied = backing_up.copy_database
        times = []

        def then_erased(driver, target, progress):
            copied(driver, target, progress)
            times.append(1)
            if len(times) == 1:
                erase(driver, town.house.blobs, side.file)

        monkeypatch.setattr(backing_up, "copy_database", then_erased)
        home = Home(tmp_path / "data")
        ran = home.balie("backup", "--json", tmp_path / "backup")
    assert (len(times), json.loads(ran.out)["files"]) == (2, 1)


def erase(driver, blobs: Blobs, file):
    with driver.writes.connect() as connection, connection.begin():
        connection.exec_driver_sql("DELETE FROM files WHERE id = ?", (file,))
        connection.execute(select(visitors.c.id)).all()
    blobs.delete(file)


def test_a_restore_that_was_cut_short_is_begun_again(made, empty):
    draft = empty.folder / "restoring"
    shutil.copytree(made, draft)
    assert empty.balie("restore", made).code == 0
    assert not draft.exists()


def test_a_store_on_a_server_is_left_to_its_own_tools(made, empty):
    for words in (("backup", made.parent / "x"), ("restore", made)):
        ran = empty.balie(*words, url="postgresql://balie@127.0.0.1:1/balie")
        assert (ran.code, "backup.md" in ran.err) == (1, True)


def test_a_dump_of_postgresql_comes_back_on_another_server(tmp_path):
    """The very commands of docs/operate/backup.md."""
    folder = tmp_path / "data"
    busy, calm = cluster(), Cluster(QUICK)
    try:
        # The other server has counted further than the new one will have.
        url = busy.database()
        asyncio.run(live_in(folder, url))
        home, dump = Home(folder, url), tmp_path / "balie.dump"
        before = home.verify()
        scope = {**os.environ, "PGOPTIONS": "-c balie.scope=*"}
        run = partial(subprocess.run, check=True, env=scope)
        dumping = ("--format=custom", "--enable-row-security", f"--file={dump}", url)
        run([busy.programs / "pg_dump", *dumping])
        with busy.connect() as connection:
            # As if it had written for years.
            [xid] = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        back = Home(folder, calm.database(empty=True))
        putting = ("--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={back.url}")
        run([calm.programs / "pg_restore", *putting, dump])
        back.run(f"UPDATE events SET transaction_id = '{xid + 1_000_000}'")
        assert set(back.verify()["counts"]) == {"foreign numbers"}
        page = (REPOSITORY / "docs/operate/backup.md").read_text()
        (statements,) = re.findall(r'psql "\$BALIE_DATABASE_URL" -c "(.*?)"\n', page, re.DOTALL)
        run([calm.programs / "psql", "--quiet", back.url, "-c", statements])
        assert back.balie("migrate").code == 0
        after = back.verify()
        assert after["tables"].pop("notices")["rows"] == 0
        before["tables"].pop("notices")
        # Where a reader of the log stands is told in numbers of its server.
        assert after["tables"].pop("cursors")["rows"] == before["tables"].pop("cursors")["rows"]
        assert after == before
    finally:
        calm.remove()
