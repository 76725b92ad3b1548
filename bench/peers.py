"""Others on the same work: what a developer would build instead, and two XMPP servers with an archive.

They are not part of this repository. `--peers FOLDER` names a folder with their scripts (`NAME.sh start KIND`,
which prints the process ids last, and `stop`) and a load driver that says the same text in the same loops
and counts in the same way; each is measured where it is installed.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Peer:
    """How to start one, and how the driver talks to it."""

    name: str
    script: str
    kind: str
    talks: str
    port: int
    needs_postgres: bool = False
    options: str = ""


PEERS = (
    Peer("Socket.IO, better-sqlite3, FULL", "socketio/sio.sh", "sqlite-full", "sio", 25300),
    Peer("Socket.IO, PostgreSQL", "socketio/sio.sh", "pg", "sio", 25300, needs_postgres=True),
    Peer(
        "Django Channels, uvicorn, PostgreSQL",
        *("django/dj.sh", "uvicorn pg memory", "ws", 25400),
        needs_postgres=True,
    ),
    Peer(
        "Prosody, SQLite archive",
        *("xmpp/prosody.sh", "sqlite", "xmpp", 25222),
        options="--register",
    ),
    Peer(
        "ejabberd, SQLite archive",
        *("xmpp/ejabberd.sh", "sql", "xmpp", 25223),
        options="--register",
    ),
)


def run_peers(folder, loads, *, seconds, core, say):
    """Measure every peer under every load: (name, rate), 0 being the closed loop.

    Returns the figures, and of those that did not start or broke down, a line that says so.
    """
    rows, missing = [], []
    for peer in PEERS:
        try:
            with _running(folder, peer) as pids:
                for row in _each_load(folder, peer, pids, loads, seconds, core):
                    say(f"  {peer.name}, {row['name']}: {row['msgs_s']}/s")
                    rows.append(row)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            missing.append(f"{peer.name} ({_reason(error)})")
            say(f"  not measured further: {missing[-1]}")
    return rows, missing


def _reason(error):
    """What went wrong, without where on this machine."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {error.timeout:g} s"
    if isinstance(error, subprocess.CalledProcessError):
        return f"ended with status {error.returncode}"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)[:100]


def _each_load(folder, peer, pids, loads, seconds, core):
    """The closed loop first; then the rates that it has shown to be within reach."""
    reach = None
    for name, rate in loads:
        if reach is None or rate < reach:
            row = _drive(folder, peer, pids, name, rate, seconds, core)
            reach = reach or row["msgs_s"]
            yield row


@contextlib.contextmanager
def _running(folder, peer):
    script = Path(folder) / peer.script
    postgres = Path(folder) / "pg.sh"
    if peer.needs_postgres:
        _call(postgres, "start")
    try:
        pids = _call(script, "start", *peer.kind.split()).splitlines()[-1:]
        try:
            _wait_until_open(peer.port)
            yield " ".join(pids)
        finally:
            _call(script, "stop")
    finally:
        if peer.needs_postgres:
            _call(postgres, "stop")


def _wait_until_open(port):
    """Some say that they have started before they listen."""
    for _ in range(40):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.25)
    raise OSError("it did not start")


def _call(script, *words):
    # Output goes to a file: a daemon that keeps a pipe open would keep us waiting.
    with tempfile.TemporaryFile("w+") as output:
        subprocess.run([script, *words], stdout=output, check=True, timeout=90)
        output.seek(0)
        return output.read()


def _drive(folder, peer, pids, name, rate, seconds, core):
    python = Path(os.environ.get("PEERS", f"{tempfile.gettempdir()}/peers")) / "venv/bin/python"
    with tempfile.NamedTemporaryFile() as results:
        done = subprocess.run(
            [
                *("taskset", "--cpu-list", str(core)),
                *(str(python if python.exists() else sys.executable), f"{folder}/driver.py"),
                *(peer.talks, "--port", str(peer.port), "--pids", pids, *peer.options.split()),
                *("--convs", "100", "--agents", "10", "--rate", str(rate)),
                *("--dur", str(seconds), "--warm", "2", "--name", peer.name),
            ],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=180,
            env=os.environ | {"RESULTS": results.name},
        )
    told = json.loads(done.stdout.splitlines()[-1])
    return {
        "who": peer.name,
        "name": name,
        "msgs_s": told["msgs_s"],
        "cpu_s_per_1000": told["server_cpu_s_per_1000"],
        "cores": told["server_cpu_cores"],
        "driver_cores": told["driver_cpu_share"],
        "rss_mb": told["rss_mb"],
        "pss_mb": told["pss_mb"],
        "delivery_ms": told["lat_ms"],
        "sent": told["sent"],
        "lost": told["lost"],
        "doubled": told["duplicated"],
        "refused": told["refused"],
    }
