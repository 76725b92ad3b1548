"""Short looks at a whole store, past its threads: whoever writes meanwhile waits for nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from balie.app.settings import Settings
from balie.app.stores import open_driver, refuse_missing
from balie.store import migrations
from balie.store.driver import Driver, UnusableError
from balie.store.line import raw
from balie.store.scope import EVERYWHERE

Progress = Callable[[int, int], None]
"""(done, all)"""


@contextmanager
def snapshot(driver: Driver) -> Iterator[Connection]:
    """A read transaction that sees everybody's rows as they are at this moment. Keep it short: while it lasts,
    the database keeps what others have replaced."""
    with driver.readers.connect().execution_options(begin="") as connection:
        driver.begin_reading(raw(connection), EVERYWHERE)
        try:
            yield connection
        finally:
            driver.end_reading(connection)


@contextmanager
def opened(settings: Settings) -> Iterator[Driver]:
    """The store of these settings, which is to be read as it is. Raises DataError where there is none, and
    UnusableError where this version cannot read it."""
    refuse_missing(settings)
    driver = open_driver(settings)
    try:
        refuse_other_revision(driver)
        yield driver
    finally:
        driver.dispose()


def refuse_other_revision(driver: Driver) -> None:
    """Raises UnusableError for a store of an older or newer version."""
    found = migrations.current(driver.readers)
    if found != migrations.newest():
        raise UnusableError(
            f"the store has revision {found or 'none'} and this version reads {migrations.newest()}:"
            " run `balie migrate`, or use the version of Balie that the store is of"
        )
