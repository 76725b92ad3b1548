"""`balie backup`: a copy of the whole data directory at one moment, made beside a running server.

The database is copied first, then every file that it names. A file that was erased in between is no longer
there; then the database is copied once more, which is quick, since the files are there already. The ledger of
erasures comes last, so that it knows of everything that was erased until then.
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec
from sqlalchemy import select

from balie.app import data
from balie.app.operations import durably, manifest
from balie.app.operations.log_marks import write_marks
from balie.app.operations.manifest import FORMAT, Manifest, Part
from balie.app.operations.row_check import count_of, pages_of
from balie.app.operations.snapshots import Progress, opened, refuse_other_revision, snapshot
from balie.app.operations.verifying import Bars, Report, no_bars, verify
from balie.app.settings import Settings
from balie.conversations.model import files
from balie.kernel.errors import ConflictError, MalformedError
from balie.store import migrations, sqlite
from balie.store.blobs import Blobs
from balie.store.driver import Driver
from balie.store.line import raw

PAGES = 256
"""Of the database, copied and synced at a time: a disk that has to take it all at the end is nobody else's for
as long, and those who chat wait for it."""
TRIES = 5


class FileGoneError(ConflictError):
    """A file that the copied database names is gone by now."""


def backup(
    settings: Settings, target: Path, *, verified: bool = True, bars: Bars = no_bars
) -> tuple[Manifest, Report | None]:
    """Write a backup into the folder `target`, which must not exist. Returns what it says of itself, and what
    was found when it was read again.

    Raises ConflictError for a target that is taken or files that cannot be read, MalformedError for a place
    that cannot be written, DataError and UnusableError for a store that cannot be read.
    """
    refuse_server(settings)
    with opened(settings) as driver, _draft_of(target) as draft:
        folder = settings.data_dir.expanduser().absolute()
        made_at = _copy(driver, folder, draft, bars)
        told, report = _finish(draft, made_at, verified=verified, bars=bars)
        durably.sync_folders(draft)
        _name(draft, target)
    return told, report


def refuse_server(settings: Settings) -> None:
    """Raises ConflictError for a store that is no file."""
    if settings.database_url:
        raise ConflictError(
            "a store in PostgreSQL is copied and put back with the tools of PostgreSQL;"
            " docs/operate/backup.md says how"
        )


@contextmanager
def _draft_of(target: Path) -> Iterator[Path]:
    if target.exists():
        raise ConflictError(f"{target} exists already; a backup never overwrites")
    draft = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        draft.mkdir(parents=True, mode=0o700)
        yield draft
    except OSError as error:
        raise MalformedError(f"{error.filename or target}: {error.strerror}") from None
    finally:
        durably.remove(draft)


def _name(draft: Path, target: Path) -> None:
    """Rename, so that a backup either is whole or is not there."""
    try:
        draft.rename(target)
    except OSError as error:
        raise ConflictError(f"{target} cannot be made: {error.strerror}") from None
    durably.sync_file(target.parent)


# Copying.


def _copy(driver: Driver, folder: Path, draft: Path, bars: Bars) -> int:
    """Database, files, ledger, secret. Returns the moment of the database."""
    for last in range(TRIES - 1, -1, -1):
        made_at = time.time_ns() // 1_000_000
        copy_database(driver, draft / data.DATABASE, bars("Copying the database"))
        try:
            _copy_files(driver, draft, Blobs(folder / data.FILES), bars("Copying files"))
            break
        except FileGoneError:
            if not last:
                raise
    for name in (data.LEDGER, data.KEY_FILE, data.CLOCK):
        if (folder / name).exists():
            durably.copy_file(folder / name, draft / name)
    return made_at


def copy_database(driver: Driver, target: Path, progress: Progress) -> None:
    """The database of one moment, by SQLite's own online copy. One long read: writers go on, and the
    write-ahead log grows until it is over."""
    target.unlink(missing_ok=True)
    with (
        snapshot(driver) as connection,
        closing(sqlite.driver().connect(str(target), isolation_level=None)) as copy,
    ):
        # What is cut short is thrown away, and the syncing is done here.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute(f"PRAGMA cache_size = {PAGES}")

        def copied(_status: int, left: int, pages: int) -> None:
            durably.sync_file(target)
            progress(pages - left, pages)

        connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
        raw(connection).backup(copy, pages=PAGES, progress=copied, sleep=0)
    target.chmod(0o600)
    durably.sync_file(target)


def _copy_files(live: Driver, draft: Path, blobs: Blobs, progress: Progress) -> None:
    copy = sqlite.open_store(draft / data.DATABASE)
    kept = Blobs(draft / data.FILES)
    (draft / data.FILES).mkdir(exist_ok=True, mode=0o700)
    try:
        wanted: set[str] = set()
        total = count_of(copy, files)
        for rows in pages_of(copy, files):
            for row in rows:
                key = str(row[0])
                _copy_blob(live, key, blobs, kept)
                wanted.add(key)
            progress(len(wanted), total)
    finally:
        copy.dispose()
    _drop_others(kept, wanted)


def _copy_blob(live: Driver, key: str, blobs: Blobs, kept: Blobs) -> None:
    if kept.path(key).exists():
        return
    try:
        durably.copy_file(blobs.path(key), kept.path(key))
    except FileNotFoundError:
        with snapshot(live) as connection:
            if connection.execute(select(files.c.id).where(files.c.id == key)).first() is None:
                raise FileGoneError(f"file {key} was erased while it was being copied") from None
        # Its bytes were lost before; that is for the verification to tell, and no reason to copy nothing.


def _drop_others(kept: Blobs, wanted: set[str]) -> None:
    for ids in list(kept.folders()):
        for key in ids:
            if key not in wanted:
                kept.delete(key)


# Saying what is in it.


def _finish(
    draft: Path, made_at: int, *, verified: bool, bars: Bars
) -> tuple[Manifest, Report | None]:
    report = _verify(draft, bars) if verified else None
    sizes = _file_sizes(draft)
    told = Manifest(
        format=FORMAT,
        version=version("balie"),
        revision=migrations.newest(),
        made_at=made_at,
        parts={
            name: Part((draft / name).stat().st_size, durably.sha256_of(draft / name))
            for name in manifest.PARTS
            if (draft / name).exists()
        },
        files=len(sizes),
        file_bytes=sum(sizes),
    )
    if report is not None:
        told = msgspec.structs.replace(
            told,
            sound=report.sound,
            tables=report.tables,
            organisations=report.organisations,
            hash=report.hash,
        )
    durably.write_file(
        draft / manifest.NAME, msgspec.json.format(msgspec.json.encode(told), indent=2)
    )
    return told, report


def _verify(draft: Path, bars: Bars) -> Report:
    driver = sqlite.open_store(draft / data.DATABASE)
    try:
        refuse_other_revision(driver)
        verified = verify(driver, draft, bars=bars)
    finally:
        driver.dispose()
    write_marks(draft / manifest.MARKS, verified.marks)
    return verified.report


def _file_sizes(draft: Path) -> list[int]:
    return [path.stat().st_size for path in (draft / data.FILES).rglob("*") if path.is_file()]
