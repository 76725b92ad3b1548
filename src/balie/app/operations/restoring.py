"""`balie restore`: a backup becomes a data directory again, and forgets whom it should not know.

All is made in a folder inside the data directory, checked there, and moved to its place by renaming. The
database comes last, so that nothing is served before it is whole.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from balie.app import data
from balie.app.commands import open_house
from balie.app.data import DataError
from balie.app.operations import durably, manifest
from balie.app.operations.backing_up import refuse_server
from balie.app.operations.manifest import Manifest, read_manifest, refuse_changed
from balie.app.operations.snapshots import Progress
from balie.app.operations.verifying import Bars, Report, no_bars, verify
from balie.app.settings import Settings
from balie.contacts.ledger import LedgerFile
from balie.kernel.errors import ConflictError, MalformedError
from balie.store import migrations, sqlite

DRAFT = "restoring"
_LOG = f"{data.DATABASE}-wal"
_LAST = (data.FILES, data.LEDGER, data.CLOCK, data.KEY_FILE, _LOG, data.DATABASE)
"""In this order the parts come to their places."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What `balie restore --json` prints. `erased_again` counts persons; `set_aside` is where the earlier
    store lies now; `report` is what was found in the backup, None where it was not looked at."""

    data_dir: str
    made_at: int
    revision: str
    erased_again: int
    set_aside: str | None
    report: Report | None


def restore(
    settings: Settings,
    source: Path,
    *,
    replacing: bool = False,
    ledgers: Sequence[Path] = (),
    verified: bool = True,
    bars: Bars = no_bars,
) -> Restored:
    """Put the backup in the folder `source` into the data directory, which must be empty unless `replacing`;
    what lay there is then set aside. `ledgers` know of erasures since the backup.

    Raises MalformedError for a backup that is none or damaged, ConflictError for one with findings or a
    directory that is in use, and DataError where a server runs.
    """
    refuse_server(settings)
    _refuse_missing(ledgers)
    told = read_manifest(source)
    _refuse_newer(told)
    refuse_changed(source, told)
    folder = settings.data_dir.expanduser().absolute()
    is_taken = _refuse_taken(folder, replacing=replacing)
    held = data.hold(folder)
    draft = folder / DRAFT
    durably.remove(draft)
    try:
        _copy(source, draft, told, bars("Copying the backup"))
        report = _check(draft, told, bars) if verified else None
        _merge_ledgers(draft, [folder / data.LEDGER, *ledgers])
        erased = _erase_again(settings, draft)
        durably.sync_folders(draft)
        aside = _set_aside(folder) if is_taken else None
        _move_in(draft, folder)
    finally:
        durably.remove(draft)
        os.close(held)
    return Restored(
        data_dir=str(folder),
        made_at=told.made_at,
        revision=migrations.newest(),
        erased_again=erased,
        set_aside=str(aside) if aside else None,
        report=report,
    )


def _refuse_missing(ledgers: Sequence[Path]) -> None:
    for path in ledgers:
        if not path.is_file():
            raise MalformedError(f"there is no ledger {path}")


def _refuse_newer(told: Manifest) -> None:
    if told.revision > migrations.newest():
        raise ConflictError(
            f"the backup was made by Balie {told.version}, which is newer than this one; install that"
        )


def _refuse_taken(folder: Path, *, replacing: bool) -> bool:
    """Whether there is something in the data directory, where that is allowed."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise DataError(f"{folder} cannot be made: {error.strerror}") from None
    taken = any((folder / name).exists() for name in (data.DATABASE, data.KEY_FILE))
    taken = taken or ((folder / data.FILES).is_dir() and any((folder / data.FILES).iterdir()))
    if taken and not replacing:
        raise ConflictError(
            f"{folder} holds a store; name an empty --data-dir, or add --replace to set it aside"
        )
    return taken


def _copy(source: Path, draft: Path, told: Manifest, progress: Progress) -> None:
    draft.mkdir(mode=0o700)
    total = sum(part.bytes for part in told.parts.values()) + told.file_bytes
    done = 0
    (draft / data.FILES).mkdir(mode=0o700)
    stored = (path for path in (source / data.FILES).rglob("*") if path.is_file())
    for path in (*(source / name for name in told.parts if name != manifest.MARKS), *stored):
        target = draft / path.relative_to(source)
        durably.copy_file(path, target)
        done += target.stat().st_size
        progress(min(done, total), total)


def _check(draft: Path, told: Manifest, bars: Bars) -> Report | None:
    """What is found in it. Raises ConflictError when it is not sound, or not what the manifest says."""
    driver = sqlite.open_store(draft / data.DATABASE)
    try:
        if migrations.current(driver.readers) != migrations.newest():
            # It is looked at by the version that made it; this one brings it up to date first.
            driver.migrate()
        report = verify(driver, draft, bars=bars).report
    finally:
        driver.dispose()
    if not report.sound:
        first = report.findings[0]
        raise ConflictError(
            f"the backup is not sound ({sum(report.counts.values())} findings, such as: {first.where}:"
            f" {first.what}); take another, or add --no-verify to have it all the same"
        )
    if told.hash is not None and told.hash != report.hash:
        raise ConflictError("the backup does not say what it said when it was made; take another")
    return report


# Whom it should not know.


def _merge_ledgers(draft: Path, ledgers: Sequence[Path]) -> None:
    own = LedgerFile(draft / data.LEDGER)
    known = set(own.read())
    for path in ledgers:
        fresh = [each for each in LedgerFile(path).read() if each not in known]
        own.append(fresh)
        known.update(fresh)


def _erase_again(settings: Settings, draft: Path) -> int:
    """Erase whom the ledger knows and the database does not. Returns how many persons."""
    house = open_house(replace(settings, data_dir=draft))

    async def main() -> int:
        await house.open()
        try:
            return await house.erasing.reconcile()
        finally:
            await house.close()

    return asyncio.run(main())


# Moving in.


def _set_aside(folder: Path) -> Path:
    aside = folder / time.strftime("before-%Y%m%d-%H%M%S", time.gmtime())
    aside.mkdir(mode=0o700)
    # The database first: without it nothing of the rest is served.
    for name in (*_LAST[::-1], f"{data.DATABASE}-shm"):
        if (folder / name).exists():
            (folder / name).rename(aside / name)
    durably.sync_file(folder)
    return aside


def _move_in(draft: Path, folder: Path) -> None:
    for name in _LAST:
        if (draft / name).exists():
            if name == data.FILES and (folder / name).is_dir():
                (folder / name).rmdir()
            (draft / name).rename(folder / name)
            durably.sync_file(folder)
