"""`balie verify`: whether a store is sound, and hashes by which two stores can be compared."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from sqlalchemy.exc import DBAPIError

from balie.app import data
from balie.app.operations.engine_check import check_engine
from balie.app.operations.file_check import FileCheck
from balie.app.operations.findings import Finding, Findings
from balie.app.operations.hashing import RowSum
from balie.app.operations.log_check import LogCheck
from balie.app.operations.log_marks import Marks
from balie.app.operations.row_check import RowCheck
from balie.app.operations.snapshots import Progress
from balie.conversations.model import conversations
from balie.store import migrations
from balie.store.driver import Driver
from balie.store.schema import events
from balie.store.sqlite import DatabaseError

_BACKUP = "stop the server and put a backup back (`balie restore`)"
_TELL = (
    "keep a copy of the store and tell the makers of Balie; a backup that is sound can be put back"
)
ADVICE = {
    "damage": f"the disk or its memory may be failing: look at its log, then {_BACKUP}",
    "unguarded": "run `balie migrate` as the owner of the database",
    "foreign numbers": "who follows the log does not see them: run the statements of docs/operate/backup.md"
    " that belong to putting a dump into another server",
    "hole": f"the numbers of a conversation have no holes: {_BACKUP}",
    "twice": _TELL,
    "owner": f"rows of one organisation stand among another's: {_BACKUP}",
    "unreadable": f"what is written there is nothing that Balie wrote: {_BACKUP}",
    "changed": f"a log is only ever added to, so a disk or a hand has changed it: {_BACKUP}",
    "order": f"an index is damaged: {_BACKUP}",
    "empty": _TELL,
    "row": "the log is the truth and lists may show something else; " + _TELL,
    "file": "the message stays and its file cannot be opened; a backup that has it can be put back",
    "orphan": _TELL,
    "reference": _TELL,
    "missing file": "copy it from a backup into the folder `files`, or leave it: it cannot be opened",
    "damaged file": "copy it from a backup into the folder `files`; look whether the disk fails",
    "stray file": "`balie retention` deletes it; a running server does so every hour",
}


class OrganisationSum(msgspec.Struct, frozen=True):
    """`hash` is over the whole log of the organisation's conversations."""

    id: str
    conversations: int
    events: int
    hash: str


class TableSum(msgspec.Struct, frozen=True):
    """`hash` is over all rows; that of the log stands with the organisations."""

    rows: int
    hash: str | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `balie verify --json` prints. `findings` holds few of each kind, `counts` how many there are;
    `notes` is what could not be looked at."""

    sound: bool
    database: str
    revision: str
    tables: dict[str, TableSum]
    file_bytes: int
    hash: str
    organisations: list[OrganisationSum]
    counts: dict[str, int]
    findings: list[Finding]
    notes: list[str]


class Verification(msgspec.Struct, frozen=True):
    """A report, and marks for a later look."""

    report: Report
    marks: Marks


Bars = Callable[[str], Progress]
"""What shows how far a part of the work is, by its name."""


def no_bars(_label: str) -> Progress:
    """Show nothing."""
    return lambda _done, _all: None


def verify(
    driver: Driver,
    folder: Path,
    *,
    marks: Marks | None = None,
    thorough: bool = True,
    bars: Bars = no_bars,
) -> Verification:
    """Look at the whole store of `driver`, with its files in the data directory `folder`. Nothing is changed.

    Not `thorough`: the bytes of files are not read. Raises what a database does that cannot be read at all.
    """
    findings, notes = Findings(ADVICE), list[str]()
    revision = migrations.current(driver.readers)
    logs = LogCheck(findings, marks or {})
    rows = RowCheck(findings)
    files = FileCheck(findings, folder / data.FILES, thorough=thorough)
    for step in (
        lambda: check_engine(driver, findings, notes),
        lambda: logs.run(driver, bars("Reading conversations")),
        lambda: rows.run(driver, bars("Reading tables")),
        lambda: files.run(driver, bars("Reading files")),
    ):
        _try(step, findings)
    report = _report(driver, revision or "", logs, rows, files, findings, notes)
    return Verification(report, logs.marks)


def _try(step: Callable[[], None], findings: Findings) -> None:
    """One part that cannot be read is a finding, and no reason to leave out the others."""
    try:
        step()
    except (DBAPIError, DatabaseError) as error:
        told = error.orig if isinstance(error, DBAPIError) else error
        findings.add("damage", "database", str(told))
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        findings.add("unreadable", "database", repr(error))


def _report(
    driver: Driver,
    revision: str,
    logs: LogCheck,
    rows: RowCheck,
    files: FileCheck,
    findings: Findings,
    notes: list[str],
) -> Report:
    whole = RowSum()
    for each in logs.log.values():
        whole.take(each)
    sums = {**rows.tables, conversations.name: logs.rows}
    return Report(
        sound=not findings,
        database=driver.name,
        revision=revision,
        tables={
            name: TableSum(sums[name].rows, None if name == events.name else sums[name].hex)
            for name in sorted(sums)
        },
        file_bytes=files.bytes,
        hash=whole.hex,
        organisations=[
            OrganisationSum(key, each.rows, logs.events[key], each.hex)
            for key, each in sorted(logs.log.items())
        ],
        counts=dict(findings.counts),
        findings=findings.kept,
        notes=notes,
    )
