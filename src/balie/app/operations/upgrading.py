"""`balie upgrade --check`: what this version would do to a store that an older one made. Nothing is changed."""

import shutil
import time
from pathlib import Path

import msgspec
from sqlalchemy import Connection, inspect

from balie.app.operations.snapshots import snapshot
from balie.app.settings import Settings
from balie.app.stores import open_driver, refuse_missing
from balie.store import migrations
from balie.store.driver import Driver
from balie.store.migrations.steps import Migration, Step, pending
from balie.store.schema import cursor_of

SAMPLE = 20_000
"""Rows that are sorted to see how fast this machine is."""
CAUTION = 3.0
"""How much longer the whole may take than the sample says: its rows come from the disk, and go there."""
ENTRY_BYTES = 24
"""Of an index, beside what it is made of."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One step on this store. `blocks_ms` is how long nobody can write, as far as can be told."""

    what: str
    rows: int
    blocks_ms: int
    disk_bytes: int
    breaking: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One migration on this store."""

    revision: str
    title: str
    online: bool
    work: list[Work]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What `balie upgrade --check --json` prints. `possible`: this version can bring the store up to date, and
    the disk has room for it. `beside_older`: workers of the version before may go on meanwhile."""

    database: str
    revision: str | None
    newest: str
    possible: bool
    why_not: str | None
    beside_older: bool
    blocks_ms: int
    disk_bytes: int
    disk_free: int | None
    migrations: list[Plan]


def check_upgrade(settings: Settings) -> Check:
    """Look at what would come. Raises DataError where there is no store."""
    refuse_missing(settings)
    driver = open_driver(settings)
    try:
        return _checked(driver, settings)
    finally:
        driver.dispose()


def _checked(driver: Driver, settings: Settings) -> Check:
    revision = migrations.current(driver.readers)
    dialect = driver.readers.dialect.name
    newer = revision is not None and revision > migrations.newest()
    todo = [] if newer else pending(revision, dialect)
    plans = [_plan(driver, each) for each in todo]
    work = [each for plan in plans for each in plan.work]
    needed = sum(each.disk_bytes for each in work)
    free = _free(settings)
    why_not = _why_not(newer=newer, needed=needed, free=free)
    return Check(
        database=driver.name,
        revision=revision,
        newest=migrations.newest(),
        possible=why_not is None,
        why_not=why_not,
        beside_older=not newer and not any(each.breaking for each in todo),
        blocks_ms=sum(each.blocks_ms for each in work),
        disk_bytes=needed,
        disk_free=free,
        migrations=plans,
    )


def _why_not(*, newer: bool, needed: int, free: int | None) -> str | None:
    if newer:
        return "the store is of a newer version; install that"
    if free is not None and needed > free:
        return f"the disk has {free:,} bytes left and {needed:,} may be needed; make room"
    return None


def _free(settings: Settings) -> int | None:
    """Bytes left where the file is; the disk of a server is not ours to see."""
    if settings.database_url:
        return None
    return shutil.disk_usage(Path(settings.data_dir).expanduser()).free


def _plan(driver: Driver, migration: Migration) -> Plan:
    return Plan(
        revision=migration.revision,
        title=migration.title,
        online=not migration.breaking,
        work=[_work(driver, step) for step in migration.steps],
    )


def _work(driver: Driver, step: Step) -> Work:
    with snapshot(driver) as connection:
        known = step.reads is not None and inspect(connection).has_table(step.reads)
        rows = _count(connection, str(step.reads)) if known else 0
        each_ms, size = _measure(connection, step, rows) if rows else (0.0, 0.0)
    return Work(
        what=step.what,
        rows=rows,
        blocks_ms=round(rows * each_ms * CAUTION),
        disk_bytes=round(rows * size),
        breaking=step.breaking,
    )


def _count(connection: Connection, table: str) -> int:
    found = cursor_of(connection).execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 - own names
    return int(found[0])


def _measure(connection: Connection, step: Step, rows: int) -> tuple[float, float]:
    """Milliseconds in which the database reads and sorts one row, and bytes of one entry."""
    keys = inspect(connection).get_pk_constraint(str(step.reads))["constrained_columns"]
    names = step.columns or tuple(keys)
    columns = ", ".join(f'"{name}"' for name in names)
    sample = f'(SELECT {columns} FROM "{step.reads}" LIMIT {SAMPLE}) AS sample'  # noqa: S608 - own names
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {sample}) AS sorted"  # noqa: S608 - idem
    began = time.perf_counter()
    cursor_of(connection).execute(distinct).fetchone()
    took = (time.perf_counter() - began) * 1_000
    long = " + ".join(f"coalesce(length(CAST({name} AS text)), 0)" for name in columns.split(", "))
    size = cursor_of(connection).execute(f"SELECT avg({long}) FROM {sample}").fetchone()[0]  # noqa: S608 - idem
    return took / min(rows, SAMPLE), float(size) + ENTRY_BYTES
