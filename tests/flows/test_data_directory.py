"""What an administrator may find, or leave, in the data directory."""

import contextlib
import io
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.flows.test_command_line import BALIE, INIT
from tests.people import free_port

from balie import cli
from balie.app import data
from balie.contacts import ledger
from balie.contacts.ledger import LedgerFile

pytestmark = pytest.mark.skipif(
    "config.getoption('--database') != 'sqlite'", reason="about the file of SQLite"
)


def balie(*arguments):
    """The command line, in this process: starting one takes seconds."""
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        code = cli.main(arguments)
    return SimpleNamespace(returncode=code, stdout=said.getvalue(), stderr=told.getvalue())


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A data directory in which somebody has begun."""
    folder = tmp_path_factory.mktemp("begun") / "d"
    made = balie(*INIT, f"--data-dir={folder}")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def folder(lived_in, tmp_path):
    """A copy of it."""
    return Path(shutil.copytree(lived_in, tmp_path / "d"))


def serve(folder):
    return balie("serve", f"--port={free_port()}", f"--data-dir={folder}")


def is_plain(answer, code=2):
    """Whether the command ended with one line for people."""
    *_, last = answer.stderr.strip().splitlines()
    assert "Traceback" not in answer.stderr
    assert last.startswith("balie: ")
    assert len(last) < 400
    assert answer.returncode == code, answer.stderr
    return last


# Nobody else's.


def modes(folder):
    return {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.iterdir())
        if path.name not in ("files", folder.name)
    }


def test_whatever_the_umask_others_read_nothing(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir(mode=0o755)
    before = os.umask(0o000)
    try:
        with Server(folder):
            found = modes(folder)
            assert {"balie.sqlite3", "balie.sqlite3-wal", "balie.sqlite3-shm"} <= set(found)
            assert set(found.values()) == {0o600}
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "files").stat().st_mode) == 0o700


def test_what_lay_open_is_closed(folder):
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert balie("migrate", f"--data-dir={folder}").returncode == 0
    assert set(modes(folder).values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_holds_other_things_is_left_as_it_is_and_told(folder, monkeypatch):
    told = []
    monkeypatch.setattr(data, "log", SimpleNamespace(warning=lambda event, **_: told.append(event)))
    (folder / "holiday.jpg").write_bytes(b"x")
    folder.chmod(0o755)
    (folder / "holiday.jpg").chmod(0o644)
    data.prepare(folder)
    assert told == ["others may look into the data directory"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert modes(folder).pop("holiday.jpg") == 0o644


# One at a time.


class Server:
    """`balie serve` over a folder, while the block lasts."""

    def __init__(self, folder):
        self._folder = folder
        self._errors = folder.with_name("errors")

    def __enter__(self):
        self.port = free_port()
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [BALIE, "serve", f"--port={self.port}", f"--data-dir={self._folder}"],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert "serves on" in self.process.stdout.readline(), self.said()
        return self

    def said(self):
        return self._errors.read_text()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=15)
        self.process.stdout.close()


def test_a_second_server_is_refused_and_commands_are_not(folder):
    with Server(folder) as first:
        told = is_plain(serve(folder))
        assert str(first.process.pid) in told
        is_plain(balie("demo", f"--port={free_port()}", f"--data-dir={folder}"))
        assert balie("retention", f"--data-dir={folder}").returncode == 0
        link = balie("password", "noor@tegenwind.example", f"--data-dir={folder}")
        assert link.returncode == 0
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(timeout=15)
        with Server(folder):
            pass


# What does not go together.


def _text(folder):
    (folder / "balie.sqlite3").write_text("not a database at all, honest\n" * 200)


def _truncated(folder):
    os.truncate(folder / "balie.sqlite3", 20_000)


def _directory(folder):
    (folder / "balie.sqlite3").unlink()
    (folder / "balie.sqlite3").mkdir()


def _no_bytes(folder):
    (folder / "balie.sqlite3").write_bytes(b"")


def _only_files(folder):
    (folder / "balie.sqlite3").unlink()
    (folder / "files" / "abc").mkdir()


def _files_a_file(folder):
    shutil.rmtree(folder / "files")
    (folder / "files").write_text("x")


def _no_secret(folder):
    (folder / "secret.key").unlink()


def _empty_secret(folder):
    (folder / "secret.key").write_bytes(b"")


def _newer(folder):
    import pysqlite3  # noqa: PLC0415 - only here

    with pysqlite3.connect(folder / "balie.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = 'zz99'")
    database.close()


@pytest.mark.parametrize(
    ("harm", "advice"),
    [
        (_text, "backup"),
        (_truncated, "backup"),
        (_directory, "backup"),
        (_no_bytes, "backup"),
        (_only_files, "backup"),
        (_files_a_file, "files"),
        (_no_secret, "/dev/urandom"),
        (_empty_secret, "backup"),
        (_newer, "newer"),
    ],
)
def test_what_does_not_go_together_stops_every_command_with_one_line(folder, harm, advice):
    harm(folder)
    before = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    for command in ("serve", "migrate", "retention"):
        port = [f"--port={free_port()}"] if command == "serve" else []
        told = is_plain(balie(command, *port, f"--data-dir={folder}"))
        assert (advice if command == "serve" or harm is not _only_files else "no store") in told
    for path, size in before.items():
        if path.name not in ("lock", "balie.sqlite3-wal", "balie.sqlite3-shm"):
            assert path.stat().st_size == size, path


def test_a_lost_secret_can_be_replaced_as_it_was_told(folder):
    _no_secret(folder)
    told = is_plain(serve(folder))
    subprocess.run(["sh", "-c", told.split("`")[1]], check=True)
    assert balie("migrate", f"--data-dir={folder}").returncode == 0
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "command",
    [
        ("migrate",),
        ("password", "noor@tegenwind.example"),
        ("export", "--email=a@b.nl", "--out=x.zip"),
        ("erase", "--email=a@b.nl", "--yes"),
        ("retention",),
    ],
)
def test_a_slip_in_the_folder_makes_no_store(tmp_path, command):
    wrong = tmp_path / "tpyo"
    assert "no store" in is_plain(balie(*command, f"--data-dir={wrong}"))
    assert not wrong.exists()


@pytest.mark.parametrize("place", ["/proc/x", "/dev/null"])
def test_a_folder_that_cannot_be_made_is_said_plainly(place):
    assert place in is_plain(serve(place))


def test_lines_of_the_ledger_that_cannot_be_read_are_told(tmp_path, monkeypatch):
    told = []
    recorder = SimpleNamespace(warning=lambda _, **more: told.append(more["lines"]))
    monkeypatch.setattr(ledger, "log", recorder)
    file = tmp_path / "erasures.jsonl"
    file.write_text('\n{"garbage\n\nmore of it\n')
    assert LedgerFile(file).read() == []
    assert told == [2]
