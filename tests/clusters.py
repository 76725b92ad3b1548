"""Real PostgreSQL for tests: a cluster of one's own in a folder, and a migrated database for each test.

`initdb` refuses root, who becomes `nobody` for it.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from tools import postgres

from balie.store.postgres import PostgresDriver

TEMPLATE = "balie_template"
OWNER = "balie_owner"
NOBODY = 65_534
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """A server on a loopback port. `url` signs in as the ordinary role that owns the databases, `admin` as
    the superuser."""

    def __init__(self, settings=None) -> None:
        self.programs = postgres.find()
        if self.programs is None:
            pytest.skip("no PostgreSQL here: python tools/postgres.py")
        self.folder = Path(tempfile.mkdtemp(prefix="balie-postgres-"))
        self.port = (settings or {}).get("port") or free_port()
        self.settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "32MB",
            "log_min_messages": "fatal",
            **(settings or {}),
        }
        self._as_nobody = ()
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
            self._as_nobody = (
                "setpriv",
                f"--reuid={NOBODY}",
                f"--regid={NOBODY}",
                "--clear-groups",
            )
        self._run("initdb", "--auth=trust", "--username=admin", "--encoding=UTF8", "--no-sync")
        self.start()
        self.run(f"CREATE ROLE {OWNER} LOGIN")

    def _run(self, program, *arguments) -> None:
        command = [*self._as_nobody, self.programs / program, "--pgdata", self.data, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        options = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
        log = self.folder / "log"
        self._run("pg_ctl", "start", "--wait", "--silent", "--log", log, "--options", options)

    def stop(self, mode="immediate") -> None:
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", mode)

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database, user=OWNER) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, database="postgres", user="admin"):
        return psycopg.connect(self.address(database, user), autocommit=True)

    def run(self, *statements) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def database(self, *, empty=False, like=None) -> str:
        """The address of a fresh database, migrated unless it is to be `empty`, or a copy of another that
        nobody uses."""
        name = f"balie_{secrets.token_hex(6)}"
        if not (empty or like):
            self._prepare_template()
        origin = "template0" if empty else like.rpartition("/")[2] if like else TEMPLATE
        self.run(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {origin}")
        return self.address(name)

    def drop(self, url) -> None:
        self.run(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def _prepare_template(self) -> None:
        with self.connect() as connection:
            wanted = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(wanted, [TEMPLATE]).fetchone():
                return
            connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER} TEMPLATE template0")
        PostgresDriver(self.address(TEMPLATE)).migrate()

    def end_all(self, but="admin") -> None:
        """End every connection of others, as an operator or a failing network would."""
        self.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> '{but}'"
            " AND pid <> pg_backend_pid()"
        )

    def kill_a_backend(self) -> None:
        """As the kernel does when memory is short: the server starts all anew."""
        wanted = "SELECT pid FROM pg_stat_activity WHERE usename = %s LIMIT 1"
        with self.connect() as connection:
            [pid] = connection.execute(wanted, [OWNER]).fetchone()
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
