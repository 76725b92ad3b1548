"""What a backup says of itself: `manifest.json`, written last."""

from pathlib import Path

import msgspec

from balie.app import data
from balie.app.operations.durably import sha256_of
from balie.app.operations.verifying import OrganisationSum, TableSum
from balie.kernel.errors import MalformedError

FORMAT = "balie-backup/1"
NAME = "manifest.json"
MARKS = "log.marks"
PARTS = (data.DATABASE, data.LEDGER, data.KEY_FILE, data.CLOCK, MARKS)
"""What lies in a backup beside the folder of files; the ledger, the clock and the marks need not."""


class Part(msgspec.Struct, frozen=True):
    """One file; `sha256` in hex."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`made_at` in milliseconds since 1970 is the moment that the database is of. `sound` is None where the
    backup was not read again after it was written."""

    format: str
    version: str
    revision: str
    made_at: int
    parts: dict[str, Part]
    files: int
    file_bytes: int
    sound: bool | None = None
    tables: dict[str, TableSum] = {}
    organisations: list[OrganisationSum] = []
    hash: str | None = None


def read_manifest(folder: Path) -> Manifest:
    """Raises MalformedError for what is no backup, or was never finished."""
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except OSError as error:
        raise MalformedError(
            f"{folder} is no backup: {NAME} cannot be read ({error.strerror})"
        ) from None
    except msgspec.MsgspecError as error:
        raise MalformedError(f"{folder / NAME} is damaged: {error}") from None
    if found.format != FORMAT:
        raise MalformedError(f"{folder} is a backup of another kind: {found.format}")
    return found


def refuse_changed(folder: Path, manifest: Manifest) -> None:
    """Raises MalformedError where a part is not what was written."""
    for name, part in manifest.parts.items():
        try:
            same = name in PARTS and sha256_of(folder / name) == part.sha256
        except OSError as error:
            raise MalformedError(
                f"the backup is not whole: {name} cannot be read ({error.strerror})"
            ) from None
        if not same:
            raise MalformedError(f"the backup is damaged: {name} is not what was written")
    if data.DATABASE not in manifest.parts:
        raise MalformedError(f"the backup is not whole: {data.DATABASE} is missing")
