"""Where a store of a test lies: in a file, or in a database of its own on a real PostgreSQL.

The same folder is the same place, however often it is opened. `--database` says which kind tests get that
leave it open.
"""

import atexit
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from sqlalchemy import inspect
from tests.clusters import QUICK, Cluster

from balie import wiring
from balie.store import sqlite
from balie.store.line import raw
from balie.store.postgres import PostgresDriver
from balie.store.schema import metadata
from balie.store.scope import EVERYWHERE

KINDS = ("sqlite", "postgresql")
WORKERS = "workers"
"""Two processes over a PostgreSQL, which hint each other over NATS."""
chosen = "sqlite"
assert wiring.KEEPERS, "whose rooms bring every table along"


@cache
def cluster():
    """The PostgreSQL of this run, without durability: it is thrown away with it."""
    made = Cluster(QUICK)
    atexit.register(made.remove)
    return made


@cache
def _address(_folder):
    return cluster().database()


def address(folder, kind=None):
    """What BALIE_DATABASE_URL is to be for the data directory `folder`."""
    return "" if (kind or chosen) == "sqlite" else _address(str(folder))


@cache
def nats():
    """The address of this run's NATS."""
    made = Nats()
    atexit.register(made.stop)
    return made.url


class Nats:
    """A real nats-server, on the loopback unless `host` says otherwise."""

    def __init__(self, host="127.0.0.1") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.host = host
        self.url = f"nats://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self) -> None:
        """Start it, also again."""
        program = Path(sys.executable).with_name("nats-server")
        self.process = subprocess.Popen(
            [program, "-a", self.host, "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise RuntimeError("nats-server did not start")

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


class Place:
    """A store that may be opened again and again, by several at once."""

    def __init__(self, folder, kind=None) -> None:
        self.folder, self.kind = folder, kind or chosen
        self.url = address(folder, self.kind)
        self._opened = []

    def open(self):
        """A driver over it, with its tables."""
        if self.url:
            driver = PostgresDriver(self.url)
        else:
            driver = sqlite.open_store(self.folder / "balie.sqlite3")
            metadata.create_all(driver.readers)
        self._opened.append(driver)
        return driver

    def close(self) -> None:
        """Let go of what is open still."""
        for driver in self._opened:
            driver.dispose()


@contextmanager
def looking(driver):
    """A connection that sees everybody's rows, past the store."""
    with driver.readers.connect() as connection, connection.begin():
        driver.enter(raw(connection), (EVERYWHERE,))
        yield connection


def everything(driver):
    """All rows of a store, as text, by table."""
    with looking(driver) as connection:
        return {
            name: sorted(
                str(tuple(row)) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')
            )
            for name in inspect(connection).get_table_names()
        }
