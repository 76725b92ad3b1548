"""The words of the command line for stores as a whole. Each ends with 0 when all is well, 1 when something was
found or refused, and 2 when it could not begin."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from balie.app.operations import findings, log_marks
from balie.app.operations.snapshots import Progress, opened
from balie.app.operations.verifying import Report, verify
from balie.app.progress import ProgressBar
from balie.app.settings import Settings

Add = Callable[[str, str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]
"""Adds a command by its name, a line of help, and what runs it."""
ReadSettings = Callable[[argparse.Namespace], Settings]


class Operations:
    """The commands, over the settings that the command line reads."""

    def __init__(self, add: Add, settings: ReadSettings) -> None:
        self._add = add
        self._settings = settings
        self._add_verify()

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
