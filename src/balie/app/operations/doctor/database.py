"""The database: whether it can be reached, is new enough, keeps what it says it keeps, and is up to date."""

import time
from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from balie.app.operations.doctor.remarks import Remark, advice, fault
from balie.app.operations.snapshots import snapshot
from balie.app.settings import Settings
from balie.app.stores import open_driver
from balie.app.trouble import in_words
from balie.organisations.model import sites
from balie.store import guard, migrations, sqlite
from balie.store.driver import Driver, UnusableError
from balie.store.schema import cursor_of, events
from balie.store.sqlite import DatabaseError, UnsafeSqliteError

CONNECTIONS = 6
"""That one worker may have."""
DRIFT_MS = 2_000
FUTURE_MS = 60_000
EARLIEST_MS = 1_767_225_600_000
"""2026: before it there was no Balie."""
_SERVER = (
    "SELECT current_setting('server_version_num')::int, current_setting('fsync'),"
    " current_setting('full_page_writes'), current_setting('synchronous_commit'),"
    " current_setting('max_connections')::int, pg_is_in_recovery(),"
    " (extract(epoch FROM clock_timestamp()) * 1000)::bigint,"
    " (SELECT count(*) FROM pg_stat_activity)::int"
)


class Found:
    """What a look at the store gave to the other parts: a site's key, all origins."""

    def __init__(self) -> None:
        self.site_key: str | None = None
        self.origins: list[tuple[str, str]] = []
        """Name of the site, and an origin as it is stored."""


def look_at_library(settings: Settings) -> Iterator[Remark]:
    """Whether this SQLite can corrupt what it writes."""
    try:
        sqlite.driver()
    except UnsafeSqliteError as error:
        level = advice if settings.database_url else fault
        yield level("SQLite", str(error), "`pip install --force-reinstall pysqlite3`")


def look_at_clock(now: int) -> Iterator[Remark]:
    """Whether the clock can be right at all."""
    if now < EARLIEST_MS:
        yield fault("clock", f"it says {_day(now)}", "set it, and let NTP keep it")


def look_at_database(settings: Settings, found: Found) -> Iterator[Remark]:
    """All of the database."""
    about = "database"
    try:
        driver = open_driver(settings)
    except (UnusableError, UnsafeSqliteError) as error:
        yield fault(about, str(error), "look at BALIE_DATABASE_URL")
        return
    try:
        if not driver.is_there():
            if settings.database_url:
                yield fault(
                    about, "there is no store in it", "run `balie init`, or look at its name"
                )
            return
        yield from _look_into(driver, found)
    except (SQLAlchemyError, DatabaseError, UnicodeDecodeError, UnusableError) as error:
        told = in_words(error) or str(error).splitlines()[0]
        what, _, do = told.rpartition("): ")
        yield fault(about, f"{what})" if what else told, do if what else "look at its log")
    finally:
        driver.dispose()


def _look_into(driver: Driver, found: Found) -> Iterator[Remark]:
    if driver.name != "SQLite":
        with snapshot(driver) as connection:
            yield from _look_at_server(connection)
    revision = migrations.current(driver.readers)
    yield from judge_revision(revision)
    if revision != migrations.newest():
        return
    with snapshot(driver) as connection:
        yield from _look_at_traces(connection)
        found.site_key = connection.execute(select(sites.c.key).limit(1)).scalar()
        found.origins = [
            (str(row.name), origin)
            for row in connection.execute(select(sites.c.name, sites.c.origins))
            for origin in _listed(row.origins)
        ]


def _listed(text: str) -> list[str]:
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError:
        return [text]


def judge_revision(found: str | None) -> Iterator[Remark]:
    """Whether this version of Balie and the store go together."""
    wanted = migrations.newest()
    if found == wanted:
        return
    if found is None or found < wanted:
        yield fault(
            "database",
            f"migrations are pending: it has {found or 'none'}, this version needs {wanted}",
            "`balie upgrade --check` says what they do; `balie migrate`, or a start, runs them",
        )
    else:
        yield fault(
            "database",
            f"it was made by another version: it has {found}, this one knows {wanted}",
            "install the version that it is of",
        )


def _look_at_server(connection: Connection) -> Iterator[Remark]:
    row = cursor_of(connection).execute(_SERVER).fetchone()
    version, fsync, pages, synchronous, most, in_recovery, server_now, used = row
    yield from judge_server(version, fsync, pages, synchronous, most)
    if in_recovery:
        yield fault("PostgreSQL", "it is a standby and takes no writes", "name the primary server")
    if most - used < CONNECTIONS:
        yield fault(
            "PostgreSQL",
            f"{used} of {most} connections are taken; a worker needs {CONNECTIONS}",
            "raise max_connections, or end what holds them",
        )
    if abs(server_now - _now()) > DRIFT_MS:
        yield fault(
            "clock",
            f"this machine and the database differ by {abs(server_now - _now()) / 1_000:,.0f} seconds",
            "let NTP keep both",
        )
    for name in guard.open_tables(connection):
        yield fault(
            f"table {name}", "row-level security is off", "run `balie migrate` as the owner"
        )


def judge_server(
    version: int, fsync: str, full_page_writes: str, synchronous_commit: str, connections: int
) -> Iterator[Remark]:
    """What the settings of a server say."""
    if version < 140_000:
        yield fault("PostgreSQL", f"it is version {version // 10_000}", "14 or newer is needed")
    if fsync == "off":
        yield fault("PostgreSQL", "fsync is off", "a loss of power destroys it all: put it on")
    if full_page_writes == "off":
        yield fault("PostgreSQL", "full_page_writes is off", "put it on, or a torn page stays torn")
    if synchronous_commit == "off":
        yield advice(
            "PostgreSQL",
            "synchronous_commit is off",
            "Balie puts it on for itself; put it on for good",
        )
    if connections < 2 * CONNECTIONS:
        yield advice(
            "PostgreSQL",
            f"max_connections is {connections}",
            f"each worker needs {CONNECTIONS}; raise it",
        )


def _look_at_traces(connection: Connection) -> Iterator[Remark]:
    newest = connection.execute(
        select(func.max(events.c.at)).where(
            events.c.position
            >= select(func.coalesce(func.max(events.c.position), 0) - 100).scalar_subquery()
        )
    ).scalar()
    if newest is not None and newest > _now() + FUTURE_MS:
        yield fault(
            "clock",
            f"somebody spoke at {_day(newest)}, and it says {_day(_now())}",
            "set it right: it is behind, or was ahead when that was written",
        )


def _now() -> int:
    return time.time_ns() // 1_000_000


def _day(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(milliseconds / 1_000))
