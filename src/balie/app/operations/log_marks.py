"""How far each conversation had come when it was looked at, and what its log said until there.

A log is only ever added to, so what it said once it says for ever: whoever keeps these marks sees later whether
a disk has changed a word.
"""

from collections.abc import Mapping
from pathlib import Path

from balie.kernel.errors import MalformedError

HEAD = "balie-log/1"

Marks = Mapping[str, tuple[int, str]]
"""By conversation: its last seq at that time, and the hash of its log until there."""


def write_marks(path: Path, marks: Marks) -> None:
    """Write them to a file, readable by its owner. Raises MalformedError for a place that cannot be written."""
    lines = (f"{key} {seq} {told}\n" for key, (seq, told) in sorted(marks.items()))
    try:
        path.write_text(HEAD + "\n" + "".join(lines))
        path.chmod(0o600)
    except OSError as error:
        raise MalformedError(f"{path} cannot be written: {error.strerror}") from None


def read_marks(path: Path) -> Marks:
    """What `write_marks` wrote. Raises MalformedError for anything else."""
    try:
        return _parsed(path.read_text())
    except OSError as error:
        raise MalformedError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise MalformedError(f"{path} is no file that `balie verify --keep` wrote") from None


def _parsed(text: str) -> Marks:
    head, *lines = text.splitlines() or [""]
    if head != HEAD:
        raise ValueError("another kind of file")
    rows = [line.split() for line in lines]
    return {key: (int(seq), told) for key, seq, told in rows}
