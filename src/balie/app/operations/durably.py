"""Files and folders that are on disk before anybody counts on them, and are their owner's alone."""

import hashlib
import os
import shutil
from pathlib import Path

CHUNK = 1 << 20


def copy_file(source: Path, target: Path) -> str:
    """Copy, synced. Returns the SHA-256 of what was copied, in hex. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        while part := reading.read(CHUNK):
            told.update(part)
            writing.write(part)
        writing.flush()
        os.fsync(writing.fileno())
    return told.hexdigest()


def write_file(target: Path, content: bytes) -> None:
    """Write, synced. Raises OSError."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as writing:
        writing.write(content)
        writing.flush()
        os.fsync(writing.fileno())


def sync_file(path: Path) -> None:
    """Have the bytes of a file, or the names in a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(root: Path) -> None:
    """Have all names below a folder on disk."""
    for folder, _, _ in os.walk(root):
        sync_file(Path(folder))


def sha256_of(path: Path) -> str:
    """Of a file, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(folder: Path) -> None:
    """A folder that was never finished, or nothing."""
    shutil.rmtree(folder, ignore_errors=True)
