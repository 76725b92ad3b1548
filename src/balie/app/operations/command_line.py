"""The words of the command line for stores as a whole. Each ends with 0 when all is well, 1 when something was
found or refused, and 2 when it could not begin."""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from balie.app.operations import findings, log_marks
from balie.app.operations.backing_up import backup
from balie.app.operations.doctor.examination import examine
from balie.app.operations.doctor.remarks import Remark
from balie.app.operations.manifest import Manifest
from balie.app.operations.restoring import Restored, restore
from balie.app.operations.snapshots import Progress, opened
from balie.app.operations.upgrading import Check, check_upgrade
from balie.app.operations.verifying import Report, verify
from balie.app.progress import ProgressBar
from balie.app.settings import Settings, parse_database_url

Add = Callable[[str, str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]
"""Adds a command by its name, a line of help, and what runs it."""
ReadSettings = Callable[[argparse.Namespace], Settings]


class Operations:
    """The commands, over the settings that the command line reads."""

    def __init__(self, add: Add, settings: ReadSettings) -> None:
        self._add = add
        self._settings = settings
        self._add_verify()
        self._add_backup()
        self._add_restore()
        self._add_move()
        self._add_doctor()
        self._add_upgrade()

    # verify

    def _add_verify(self) -> None:
        command = self._add("verify", "see whether the store is whole", self._verify)
        command.add_argument("--quick", action="store_true", help="do not read the bytes of files")
        command.add_argument(
            "--keep", type=Path, metavar="FILE", help="note how far each log is, for --against"
        )
        command.add_argument(
            "--against", type=Path, metavar="FILE", help="see whether a log changed since then"
        )
        command.add_argument("--json", action="store_true", help="print JSON")

    def _verify(self, chosen: argparse.Namespace) -> int:
        settings = self._settings(chosen)
        marks = log_marks.read_marks(chosen.against) if chosen.against else {}
        with opened(settings) as driver:
            verified = verify(
                driver,
                folder_of(settings),
                marks=marks,
                thorough=not chosen.quick,
                bars=bars(quiet=chosen.json),
            )
        if chosen.keep:
            log_marks.write_marks(chosen.keep, verified.marks)
        tell_report(verified.report, as_json=chosen.json)
        return 0 if verified.report.sound else 1

    # backup and restore

    def _add_backup(self) -> None:
        command = self._add("backup", "copy everything, also while it is served", self._backup)
        command.add_argument("target", type=Path, help="the folder to make")
        command.add_argument(
            "--no-verify", action="store_true", help="do not read it again after it was written"
        )
        command.add_argument("--json", action="store_true", help="print JSON")

    def _backup(self, chosen: argparse.Namespace) -> int:
        settings = self._settings(chosen)
        folder_of(settings)
        told, report = backup(
            settings,
            chosen.target.expanduser().absolute(),
            verified=not chosen.no_verify,
            bars=bars(quiet=chosen.json),
        )
        if chosen.json:
            print(msgspec.json.encode(told).decode())
        else:
            tell_backup(chosen.target, told, report)
        return 0 if told.sound in (True, None) else 1

    def _add_restore(self) -> None:
        command = self._add("restore", "put a backup back", self._restore)
        command.add_argument("source", type=Path, help="the folder that `balie backup` made")
        command.add_argument(
            "--replace", action="store_true", help="set aside what is in the data directory"
        )
        command.add_argument(
            "--ledger",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="an erasures.jsonl that is newer than the backup; may be given again",
        )
        command.add_argument("--no-verify", action="store_true", help="do not look into it")
        command.add_argument("--json", action="store_true", help="print JSON")

    def _restore(self, chosen: argparse.Namespace) -> int:
        settings = self._settings(chosen)
        folder_of(settings)
        restored = restore(
            settings,
            chosen.source.expanduser().absolute(),
            replacing=chosen.replace,
            ledgers=chosen.ledger,
            verified=not chosen.no_verify,
            bars=bars(quiet=chosen.json),
        )
        if chosen.json:
            print(msgspec.json.encode(restored).decode())
        else:
            tell_restored(restored)
        return 0

    # migrate-store

    def _add_move(self) -> None:
        command = self._add("migrate-store", "move the store into PostgreSQL", self._move)
        command.add_argument(
            "--to", required=True, metavar="URL", help="an empty database: postgresql://…"
        )
        command.add_argument("--json", action="store_true", help="print JSON")

    def _move(self, chosen: argparse.Namespace) -> int:
        # Imported here: who has one file needs no driver for a server.
        from balie.app.operations.moving import move_store  # noqa: PLC0415

        settings = self._settings(chosen)
        folder_of(settings)
        moved = move_store(settings, parse_database_url(chosen.to), bars=bars(quiet=chosen.json))
        if chosen.json:
            print(msgspec.json.encode(moved).decode())
            return 0
        for name, rows in moved.rows.items():
            print(f"  {name:<20} {rows:>14,}")
        print("Every table and every log is there as it was here.")
        if moved.changed:
            print(f"{moved.changed:,} rows had U+0000 in a text, which PostgreSQL cannot hold;")
            print("it is U+FFFD now.")
        print(f"Now {moved.next}.")
        print(f"The file that was moved is {moved.source}; delete it when you need it no more.")
        return 0

    # doctor

    def _add_doctor(self) -> None:
        command = self._add("doctor", "find what is the matter, and what to do", self._doctor)
        command.add_argument("--offline", action="store_true", help="ask no other machine")
        command.add_argument("--json", action="store_true", help="print JSON")

    def _doctor(self, chosen: argparse.Namespace) -> int:
        settings = self._settings(chosen)
        folder_of(settings)
        remarks = list(examine(settings, offline=chosen.offline))
        faults = [each for each in remarks if each.level == "fault"]
        if chosen.json:
            told = {"healthy": not faults, "remarks": remarks}
            print(msgspec.json.encode(told).decode())
        else:
            tell_remarks(remarks)
        return 1 if faults else 0

    # upgrade

    def _add_upgrade(self) -> None:
        command = self._add("upgrade", "say what this version would do to the store", self._upgrade)
        command.add_argument(
            "--check", action="store_true", required=True, help="only say it; `migrate` does it"
        )
        command.add_argument("--json", action="store_true", help="print JSON")

    def _upgrade(self, chosen: argparse.Namespace) -> int:
        settings = self._settings(chosen)
        folder_of(settings)
        told = check_upgrade(settings)
        if chosen.json:
            print(msgspec.json.encode(told).decode())
        else:
            tell_check(told)
        return 0 if told.possible else 1


def tell_check(told: Check) -> None:
    """Print what an upgrade would do."""
    print(f"{told.database}: revision {told.revision or 'none'}, this version needs {told.newest}")
    if told.why_not:
        print(f"It cannot be brought up to date: {told.why_not}.")
        return
    if not told.migrations:
        print("Nothing to do: it is up to date.")
        return
    for plan in told.migrations:
        print(f"{plan.revision} {plan.title} {'Online.' if plan.online else 'Needs a stop.'}")
        for work in plan.work:
            rows = f" ({work.rows:,} rows, about {work.blocks_ms:,} ms)" if work.rows else ""
            print(f"    {work.what}{rows}")
    print(f"Nobody can write for about {told.blocks_ms:,} ms in all.")
    print(f"About {told.disk_bytes:,} bytes of disk are needed.")
    beside = "may go on meanwhile" if told.beside_older else "must stop before"
    print(f"Workers of the version before {beside}. Make a backup first: `balie backup`.")


def tell_remarks(remarks: list[Remark]) -> None:
    """Print what the doctor says, the worst first."""
    for each in sorted(remarks, key=lambda each: each.level != "fault"):
        print(f"{'!' if each.level == 'fault' else '·'} {each.about}: {each.what}.")
        print(f"    What to do: {each.do}.")
    faults = sum(each.level == "fault" for each in remarks)
    print(f"{faults} faults." if faults else "Healthy.")


def tell_backup(target: Path, told: Manifest, report: Report | None) -> None:
    """Print what the backup holds."""
    size = sum(part.bytes for part in told.parts.values()) + told.file_bytes
    print(f"{target}: {size:,} bytes, {told.files:,} files, of {moment(told.made_at)}")
    if report is None:
        print("It was not read again (--no-verify).")
        return
    for line in findings.in_lines(report.findings, report.counts):
        print(line)
    print("It was read again and is sound." if report.sound else "It is not sound; see above.")


def tell_restored(restored: Restored) -> None:
    """Print what was put back."""
    print(f"{restored.data_dir} is as it was at {moment(restored.made_at)}.")
    if restored.erased_again:
        print(f"Persons erased since, and now again: {restored.erased_again:,}.")
    if restored.set_aside:
        print(
            f"What lay there before is in {restored.set_aside}. Delete it when you need it no more:"
        )
        print("it still holds what was erased or grew old since.")


def moment(milliseconds: int) -> str:
    """A time in the clock of the world, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(milliseconds // 1_000))


def folder_of(settings: Settings) -> Path:
    """The data directory, absolute. What is made from here on is its owner's alone."""
    os.umask(0o077)
    return settings.data_dir.expanduser().absolute()


def bars(*, quiet: bool) -> Callable[[str], Progress]:
    """A progress bar for each part of the work, which goes when the next one comes."""

    def begin(label: str) -> Progress:
        return ProgressBar(label, quiet=quiet, vanishing=True)

    return begin


def tell_report(report: Report, *, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        print(msgspec.json.encode(report).decode())
        return
    log = report.tables.get("events")
    print(f"{report.database}, revision {report.revision}")
    print(f"{log.rows if log else 0:,} events in {_conversations(report):,} conversations")
    for name, table in report.tables.items():
        print(f"  {name:<16} {table.rows:>14,}")
    print(f"  {'bytes of files':<16} {report.file_bytes:>14,}")
    print(f"hash of all logs {report.hash}")
    for each in report.organisations:
        print(f"  {each.id} {each.conversations:,} conversations {each.hash}")
    for note in report.notes:
        print(f"Not looked at: {note}.")
    for line in findings.in_lines(report.findings, report.counts):
        print(line)
    print("Sound." if report.sound else f"\n{sum(report.counts.values()):,} findings.")


def _conversations(report: Report) -> int:
    return sum(each.conversations for each in report.organisations)
