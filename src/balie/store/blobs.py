"""Files on disk, found by the hash of nothing but their own id: names never come from outside.

A blob is written to a temporary file, synced, and renamed, so that a name either holds the whole file or
does not exist.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from balie.kernel.ids import parse_id


class Blobs:
    """A folder of blobs, spread over 4,096 folders."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, blob_id: str) -> Path:
        """Where a blob lies. Raises ValueError for what is no id."""
        name = parse_id(blob_id)
        return self._root / name[-3:] / name

    def write(self, blob_id: str, content: bytes) -> None:
        """Keep `content`, synced to disk, before returning."""
        target = self.path(blob_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _sync_folder(target.parent)

    def read(self, blob_id: str) -> bytes:
        """The bytes of a blob. Raises FileNotFoundError when there is none."""
        return self.path(blob_id).read_bytes()

    def open(self, blob_id: str) -> BinaryIO:
        """A blob, to be read in pieces and closed. Raises FileNotFoundError when there is none."""
        return self.path(blob_id).open("rb")

    def delete(self, blob_id: str) -> None:
        """Remove a blob; nothing happens when it is gone already."""
        self.path(blob_id).unlink(missing_ok=True)

    def folders(self) -> Iterator[list[str]]:
        """The ids of all blobs, folder by folder; of drafts that were never finished, too."""
        for folder in sorted(self._root.iterdir()):
            if names := {path.stem for path in folder.iterdir()}:
                yield sorted(filter(_is_id, names))

    def discard(self, blob_id: str) -> None:
        """Remove a blob and what a crash may have left of its making."""
        self.delete(blob_id)
        self.path(blob_id).with_suffix(".new").unlink(missing_ok=True)


def _is_id(name: str) -> bool:
    try:
        return parse_id(name) == name
    except ValueError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
