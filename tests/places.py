"""Where a store of a test lies: in a file, or in a database of its own on a real PostgreSQL.

The same folder is the same place, however often it is opened. `--database` says which kind tests get that
leave it open.
"""

import atexit
from contextlib import contextmanager
from functools import cache

from sqlalchemy import inspect
from tests.clusters import QUICK, Cluster

from balie.store import sqlite
from balie.store.line import raw
from balie.store.postgres import PostgresDriver
from balie.store.schema import metadata
from balie.store.scope import EVERYWHERE

KINDS = ("sqlite", "postgresql")
chosen = "sqlite"


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
    return _address(str(folder)) if (kind or chosen) == "postgresql" else ""


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
