"""Whether every file that a row names lies there whole, and no bytes lie there that no row names."""

import hashlib
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select

from balie.app.operations.findings import Findings
from balie.app.operations.row_check import count_of, pages_of
from balie.app.operations.snapshots import Progress, snapshot
from balie.conversations.model import files
from balie.kernel.ids import milliseconds_of
from balie.store.blobs import Blobs
from balie.store.driver import Driver

DAY_MS = 86_400_000
FOLDERS = 64
SIZE = 500
_PLACES = {name: index for index, name in enumerate(files.c.keys())}


class FileCheck:
    """Compares rows and folder. Not `thorough`: sizes only, the bytes are not read."""

    def __init__(self, findings: Findings, folder: Path, *, thorough: bool) -> None:
        self._findings = findings
        self._folder = folder
        self._blobs = Blobs(folder)
        self._thorough = thorough
        self.bytes = 0

    def run(self, driver: Driver, progress: Progress) -> None:
        """Check them all."""
        total, done = count_of(driver, files), 0
        for rows in pages_of(driver, files, size=SIZE):
            wrong = [(row, what) for row in rows if (what := self._wrong(row))]
            self._tell(driver, wrong)
            done += len(rows)
            progress(min(done, total), total)
        self._look_for_strays(driver)

    def _wrong(self, row: Sequence[Any]) -> tuple[str, str] | None:
        """Kind and text of what is wrong with the bytes of this row."""
        size = row[_PLACES["size"]]
        try:
            path = self._blobs.path(row[_PLACES["id"]])
            there = path.stat().st_size
            if there != size:
                return "damaged file", f"it has {there:,} bytes and should have {size:,}"
            if self._thorough and _sha256(path) != row[_PLACES["sha256"]]:
                return "damaged file", "its bytes are not those that were brought"
        except (OSError, ValueError, TypeError) as error:
            return "missing file", f"its bytes cannot be read ({getattr(error, 'strerror', error)})"
        self.bytes += there
        return None

    def _tell(self, driver: Driver, wrong: Iterable[tuple[Sequence[Any], tuple[str, str]]]) -> None:
        for row, (kind, what) in wrong:
            key = row[_PLACES["id"]]
            # It may have been erased since its row was read.
            if _known(driver, [key]):
                self._findings.add(kind, f"file {key}", what)

    def _look_for_strays(self, driver: Driver) -> None:
        if not self._folder.is_dir():
            return
        now, folders = time.time_ns() // 1_000_000, self._blobs.folders()
        while some := list(islice(folders, FOLDERS)):
            old = [key for ids in some for key in ids if milliseconds_of(key) < now - DAY_MS]
            for stray in sorted(set(old) - _known(driver, old)):
                self._findings.add("stray file", f"file {stray}", "no row names it")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _known(driver: Driver, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), SIZE):
        query = select(files.c.id).where(files.c.id.in_(ids[start : start + SIZE]))
        with snapshot(driver) as connection:
            found.update(map(str, connection.execute(query).scalars()))
    return found
