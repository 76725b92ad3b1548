"""`balie doctor` finds what is the matter, says it plainly, and cries about nothing else."""

import json
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from tests.app.operations.conftest import Home
from tests.clusters import free_port
from tests.people import Demo
from tests.places import cluster

from balie.app import data, mirror
from balie.app.operations.doctor import database, disk, network
from balie.app.operations.doctor.disk import Mount


def examine(home, *words, **environment):
    """Exit code, and what the doctor says by what it is about."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        ran = home.balie("doctor", "--json", *words)
    told = json.loads(ran.out)
    assert told["healthy"] is (ran.code == 0)
    assert all(each["do"] and each["what"] for each in told["remarks"])
    return ran.code, [(each["level"], each["about"], each["what"]) for each in told["remarks"]]


def said(remarks, level="fault"):
    return " | ".join(f"{about}: {what}" for found, about, what in remarks if found == level)


def test_an_installation_that_is_well_is_left_alone(home):
    home.run("UPDATE sites SET origins = '[]'")
    _, remarks = examine(home, "--offline")
    # PostgreSQL as these tests run it keeps nothing for good, and that is told.
    assert said([each for each in remarks if each[1] != "PostgreSQL"]) == ""
    assert ("Healthy." in home.balie("doctor", "--offline").out) is (not home.url)


def test_people_read_faults_with_what_to_do(file_home):
    (file_home.folder / data.KEY_FILE).chmod(0o644)
    ran = file_home.balie("doctor", "--offline")
    assert ran.code == 1
    assert "! secret" in ran.out
    assert "What to do: chmod 600" in ran.out


# The data directory and the disk.


def test_the_data_directory(file_home, tmp_path):
    def faults():
        return said(examine(file_home, "--offline")[1])

    key = file_home.folder / data.KEY_FILE
    kept = key.read_bytes()
    key.write_bytes(kept[:5])
    assert "too short" in faults()
    key.unlink()
    assert "nobody's token holds" in faults()
    key.write_bytes(kept)
    key.chmod(0o600)
    (file_home.folder / data.DATABASE).chmod(0o644)
    assert "others may read it" in faults()
    (file_home.folder / data.DATABASE).rename(tmp_path / "elsewhere")
    assert "it is not there" in faults()
    assert "it is not there" in said(examine(Home(tmp_path / "nowhere"), "--offline")[1])


def test_a_disk_that_takes_nothing_or_has_no_room(file_home, monkeypatch):
    code, remarks = examine(file_home, "--offline", BALIE_FREE_BYTES="999999999999")
    assert (code, "MiB are left" in said(remarks)) == (1, True)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in said(examine(file_home, "--offline")[1])
    assert not list(file_home.folder.glob(".doctor-*"))


def test_memory_is_no_disk(file_home):
    place = Path("/dev/shm")
    if not place.is_dir():
        pytest.skip("no memory file system here")
    found = disk.mount_of(place, Path("/proc/self/mountinfo").read_text())
    if found is None or found.kind != "tmpfs":
        pytest.skip("no memory file system here")
    assert [each.level for each in disk.judge_mount("disk", found)] == ["fault"]


TABLE = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,data=writeback
30 22 0:25 / /var/lib/balie rw - nfs4 server:/export rw,vers=4.2
31 22 0:26 / /var/lib/balie\\040two rw - overlay overlay rw,lowerdir=/a
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", "ext4"),
        ("/var/lib/balie/data", "nfs4"),
        ("/var/lib/balie two", "overlay"),
        ("/var/lib/balie-not", "ext4"),
    ],
)
def test_what_a_folder_lies_on(folder, kind):
    assert disk.mount_of(Path(folder), TABLE).kind == kind


def test_what_kinds_of_disks_mean():
    def words(kind, options="rw"):
        return " ".join(each.what for each in disk.judge_mount("d", Mount("/", kind, options)))

    assert words("ext4") == ""
    assert "container" in words("overlay")
    assert "another machine" in words("nfs4")
    assert "barrier=0" in words("ext4", "rw,barrier=0")
    assert [each.level for each in disk.judge_syncs("d", 1.0)] == ["fault"]
    assert [each.level for each in disk.judge_syncs("d", 90_000.0)] == ["advice"]
    assert list(disk.judge_syncs("d", 900.0)) == []
    assert [each.level for each in disk.look_at_descriptors(256, 4_096, "shell")] == ["advice"]


# The database.


def test_migrations_that_wait_and_stores_of_others(home):
    for revision, word in (("0002", "pending"), ("9999", "another version")):
        home.run("UPDATE alembic_version SET version_num = :new", new=revision)
        code, remarks = examine(home, "--offline")
        assert (code, word in said(remarks)) == (1, True)


def test_a_clock_that_is_behind_what_was_written(home):
    home.run("UPDATE events SET at = at + 86400000")
    assert "clock" in said(examine(home, "--offline")[1])
    assert "1970" in next(database.look_at_clock(0)).what


def test_a_database_that_cannot_be_used(file_home):
    file_home.folder.joinpath(data.DATABASE).write_bytes(b"no database" * 1_000)
    assert "not a database" in said(examine(file_home, "--offline")[1])


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://u:hush@127.0.0.1:1/d", "refused"),
        ("postgresql://u:hush@no-such-host.invalid/d", "resolve"),
        ("postgresql://nobody_here@127.0.0.1:PORT/postgres", "role"),
        ("postgresql://admin@127.0.0.1:PORT/nowhere", "nowhere"),
    ],
)
def test_a_server_that_cannot_be_reached(file_home, url, word):
    home = Home(file_home.folder, url.replace("PORT", str(cluster().port)))
    code, remarks = examine(home, "--offline")
    assert (code, word in said(remarks)) == (1, True)
    assert "hush" not in said(remarks)


def test_what_the_settings_of_a_server_mean():
    def levels(*settings):
        return [each.level for each in database.judge_server(*settings)]

    assert levels(150_000, "on", "on", "on", 100) == []
    assert levels(130_000, "off", "off", "on", 100) == ["fault"] * 3
    assert levels(150_000, "on", "on", "off", 8) == ["advice"] * 2


def test_a_server_that_forgets_is_told(home):
    if not home.url:
        pytest.skip("of PostgreSQL")
    assert "fsync is off" in said(examine(home, "--offline")[1])


# Sites, sockets, streams, the proxy.


def test_origins_of_sites(file_home):
    file_home.run("UPDATE sites SET origins = '[\"https://*.example.nl\"]'")
    assert "it is no origin" in said(examine(file_home, "--offline")[1])
    file_home.run("UPDATE sites SET origins = '[\"http://no-such-shop.invalid\"]'")
    remarks = examine(file_home)[1]
    assert "not encrypted" in said(remarks, "advice")
    assert "no such host" in said(remarks, "advice")


def test_an_address_without_encryption(file_home):
    remarks = examine(file_home, "--offline", BALIE_ORIGIN="http://chat.example.nl")[1]
    assert "not encrypted" in said(remarks)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A demo behind a proxy that does most things wrong, and the settings of both."""
    front = free_port()
    demo = Demo(
        tmp_path_factory.mktemp("served") / "data",
        settings={"BALIE_ORIGIN": f"http://localhost:{front}"},
    )
    demo.start()
    yield demo, front
    demo.stop()


def settings_of(served, **more):
    demo, front = served
    return {
        "BALIE_PORT": str(demo.port),
        "BALIE_ORIGIN": f"http://localhost:{front}",
        **more,
    }


def test_a_proxy_that_passes_no_sockets_and_holds_back_streams(served, monkeypatch):
    monkeypatch.setattr(network, "PATIENCE", 1.0)
    demo, front = served
    with bad_proxy(front, demo.port):
        code, remarks = examine(Home(demo.folder), **settings_of(served))
    told = said(remarks)
    assert code == 1
    assert "WebSocket" in told
    assert "instead of 101" in told
    assert "stream (SSE)" in told
    assert "is not believed" in told


def test_nobody_at_the_address(served):
    code, remarks = examine(Home(served[0].folder), **settings_of(served))
    assert (code, "nobody answers there" in said(remarks)) == (1, True)


def test_a_server_that_people_reach_is_well(served):
    demo, _ = served
    own = {"BALIE_PORT": str(demo.port), "BALIE_ORIGIN": f"http://localhost:{demo.port}"}
    told = said(examine(Home(demo.folder), **own)[1])
    # It was told another address than the one that is asked here, and a page of this one may not connect.
    assert "is not believed" not in told
    assert "/healthz" not in told


def test_a_directory_that_was_moved_under_a_server(tmp_path):
    demo = Demo(tmp_path / "data").start()
    try:
        (tmp_path / "data").rename(tmp_path / "moved")
        told = said(examine(Home(tmp_path / "moved"), "--offline")[1])
        assert told == "", "what it has open moved with it"
        (tmp_path / "moved" / data.DATABASE).rename(tmp_path / "moved" / "aside.sqlite3")
        told = said(examine(Home(tmp_path / "moved"), "--offline")[1])
        assert "it is not there" in told
        (tmp_path / "moved" / "aside.sqlite3").rename(tmp_path / data.DATABASE)
        told = said(examine(Home(tmp_path / "moved"), "--offline")[1])
        assert f"writes to {tmp_path / data.DATABASE}" in told
    finally:
        demo.kill()


@pytest.mark.parametrize(
    ("seen", "is_direct", "word"),
    [
        ({"forwarded_for": "203.0.113.9"}, False, "is not believed"),
        ({"trusted": "yes"}, False, "does not say who people are"),
        ({}, False, "stands before Balie"),
        (
            {"trusted": "yes", "forwarded_for": "10.0.0.1", "address": "10.0.0.1"},
            False,
            "only proxies",
        ),
        (
            {"trusted": "yes", "forwarded_for": "203.0.113.9", "address": "203.0.113.9"}
            | {"forwarded_proto": "http", "secure": "yes"},
            False,
            "says https",
        ),
        ({}, True, ""),
        ({"trusted": "yes", "forwarded_for": "203.0.113.9", "address": "203.0.113.9"}, False, ""),
    ],
)
def test_what_headers_say_of_a_proxy(seen, is_direct, word):
    usual = {"peer": "10.0.0.1", "address": "10.0.0.1", "forwarded_for": "", "trusted": "no"}
    whole = {**usual, "forwarded_proto": "", "secure": "no", **seen}
    told = " ".join(each.what for each in network.judge_proxy(whole, is_direct=is_direct))
    assert word in told if word else told == ""


def test_nats_that_is_not_there_or_is_something_else():
    port = free_port()
    [remark] = network.look_at_nats(f"nats://127.0.0.1:{port}")
    assert "cannot be reached" in remark.what
    with socket.create_server(("127.0.0.1", port)) as listener:
        for greeting, remarks in ((b"INFO {}\r\n", 0), (b"HTTP/1.1 400\r\n", 1)):
            threading.Thread(target=greet, args=(listener, greeting), daemon=True).start()
            assert len(list(network.look_at_nats(f"nats://127.0.0.1:{port}"))) == remarks


def greet(listener, words):
    line, _ = listener.accept()
    with line:
        line.sendall(words)


# The mirror.


def test_the_mirror_shows_nothing_to_others(served):
    demo, _ = served
    secret = (demo.folder / data.KEY_FILE).read_bytes()
    now = int(time.time())
    with httpx.Client(base_url=f"http://127.0.0.1:{demo.port}") as http:
        for shown in (
            "",
            "Balie-Doctor",
            "Balie-Doctor ²²²",
            mirror.proof(b"x" * 32, now),
            mirror.proof(secret, now - 200),
        ):
            headers = {"Authorization": shown.encode()} if shown else {}
            assert http.get(mirror.PATH, headers=headers).status_code == 404
        answer = http.get(mirror.PATH, headers={"Authorization": mirror.proof(secret, now)})
        assert answer.json()["peer"] == "127.0.0.1"
        assert answer.headers["cache-control"] == "no-store"


@contextmanager
def bad_proxy(front, back):
    """It refuses upgrades, gives an answer only when that is complete, and says who asks."""
    listener = socket.create_server(("127.0.0.1", front))
    listener.settimeout(0.2)
    stopping = threading.Event()

    def accept():
        while not stopping.is_set():
            with suppress(TimeoutError):
                line, _ = listener.accept()
                threading.Thread(target=serve, args=(line, back), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        listener.close()


def serve(line, back):
    with line, suppress(OSError):
        line.settimeout(5)
        said = line.recv(65_536)
        head, _, body = said.partition(b"\r\n\r\n")
        if b"upgrade: websocket" in head.lower():
            line.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        if b"content-length" in head.lower() and not body:
            body = line.recv(65_536)
        with socket.create_connection(("127.0.0.1", back)) as inner:
            inner.settimeout(5)
            more = b"\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
            inner.sendall(head + more + body)
            answer = b""
            with suppress(TimeoutError):
                while part := inner.recv(65_536):
                    answer += part
            line.sendall(answer)
