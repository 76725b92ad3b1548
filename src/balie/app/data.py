"""The data directory: one database file, a folder of files, one secret. Nothing else is durable."""

import os
import secrets
from pathlib import Path

DATABASE = "balie.sqlite3"
FILES = "files"
LEDGER = "erasures.jsonl"
KEY_FILE = "secret.key"
CLOCK = "last-sweep"
SECRET_BYTES = 32


def prepare(folder: Path) -> Path:
    """Make the data directory, readable by its owner only. Returns it, absolute."""
    folder = folder.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / FILES).mkdir(exist_ok=True, mode=0o700)
    return folder


def secret(folder: Path) -> bytes:
    """The installation's secret, which signs visitors' tokens; made at the first start."""
    path = folder / KEY_FILE
    if not path.exists():
        draft = path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    found = path.read_bytes()
    if len(found) < SECRET_BYTES:
        raise RuntimeError(f"{path} is damaged: it should hold {SECRET_BYTES} bytes")
    return found
