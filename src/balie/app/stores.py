"""Which database: one file in the data directory, or the server that a setting names."""

from balie.app import data
from balie.app.data import DataError
from balie.app.settings import Settings
from balie.store import sqlite
from balie.store.driver import Driver


def open_driver(settings: Settings) -> Driver:
    """The database of these settings; nothing is asked of it yet. Raises UnusableError."""
    if not settings.database_url:
        return sqlite.open_store(settings.data_dir.expanduser().absolute() / data.DATABASE)
    # Imported here: who has one file needs no driver for a server.
    from balie.store.postgres import PostgresDriver  # noqa: PLC0415

    return PostgresDriver(settings.database_url)


def refuse_missing(settings: Settings) -> None:
    """Raises DataError where there is no store yet, for commands that have no use for a new one."""
    if open_driver(settings).is_there():
        return
    if settings.database_url:
        raise DataError("there is no store in this database; is BALIE_DATABASE_URL right?")
    folder = settings.data_dir.expanduser().absolute()
    raise DataError(f"there is no store in {folder}; is --data-dir right?")
