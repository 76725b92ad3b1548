"""The data directory: one database file, a folder of files, one secret, and who holds it. Nothing else is
durable.

It is its owner's alone. What does not go together in it stops the start: a new secret or an empty store beside
old files is rather a slip, or half a backup, than a wish.
"""

import errno
import fcntl
import os
import secrets
from pathlib import Path

import structlog

DATABASE = "balie.sqlite3"
FILES = "files"
LEDGER = "erasures.jsonl"
KEY_FILE = "secret.key"
CLOCK = "last-sweep"
LOCK = "lock"
DEMO = "demo.json"
SECRET_BYTES = 32

_OURS = (DATABASE, FILES, LEDGER, KEY_FILE, CLOCK, LOCK, DEMO)
_NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)

log = structlog.get_logger("balie.app")


class DataError(RuntimeError):
    """The data directory cannot be used as it is; the text says what to do."""


def prepare(folder: Path, *, has_database: bool = True) -> Path:
    """Make the data directory and let nobody else read it; the database may be elsewhere. Returns it, absolute.
    Raises DataError."""
    folder = folder.expanduser().absolute()
    # SQLite gives its files the permissions that the process likes, and we have no others to make.
    os.umask(0o077)
    for place in (folder, folder / FILES):
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DataError(f"{place} cannot be made: {error.strerror}") from None
    if has_database:
        _refuse_odd(folder)
    _close_to_others(folder)
    return folder


def _refuse_odd(folder: Path) -> None:
    database = folder / DATABASE
    if database.exists() and not database.is_file():
        raise DataError(f"{database} is no file; put a backup of the database there")
    if database.exists() and database.stat().st_size == 0 and (folder / KEY_FILE).exists():
        raise DataError(
            f"{database} is empty, though this directory was used before; put a backup of it back,"
            " or delete the empty file to begin with nothing"
        )
    if not database.exists() and any((folder / FILES).iterdir()):
        raise DataError(
            f"{database} is missing beside files that it should know; put a backup of it back,"
            f" or move {folder / FILES} away to begin with nothing"
        )


# Nobody else's.


def _close_to_others(folder: Path) -> None:
    for place in (path for path in folder.iterdir() if _is_ours(path)):
        _restrict(place, 0o700 if place.is_dir() else 0o600)
    if all(map(_is_ours, folder.iterdir())):
        _restrict(folder, 0o700)
    elif folder.stat().st_mode & 0o077:
        log.warning("others may look into the data directory", folder=str(folder))


def _is_ours(path: Path) -> bool:
    """Whether Balie made it, by its name; drafts and the database's companions included."""
    return any(
        path.name == name or path.name.startswith((f"{name}-", f"{name}.")) for name in _OURS
    )


def _restrict(place: Path, mode: int) -> None:
    try:
        if place.stat().st_mode & 0o077:
            place.chmod(mode)
    except FileNotFoundError:
        # The database's companions come and go.
        return
    except OSError as error:
        log.warning("others may read the data", place=str(place), error=error.strerror)


# One server at a time.


def hold(folder: Path) -> int:
    """Be the one server of this directory, until the process ends, however it ends. Returns what is held,
    a file descriptor. Raises DataError where another server is."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DataError(f"{folder / LOCK} cannot be made: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise DataError(
            f"another server (process {holder or 'unknown'}) serves {folder}; stop it first, or"
            " choose another --data-dir"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise
        log.warning("this file system knows no locks; start only one server", folder=str(folder))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


# The secret.


def secret(folder: Path, *, is_used: bool) -> bytes:
    """The installation's secret, which signs visitors' tokens; made at the first start, not for a store that
    `is_used` already. Raises DataError."""
    path = folder / KEY_FILE
    if not path.exists():
        if is_used:
            raise DataError(
                f"{path} is missing beside a database; put it back from a backup, or make a new"
                f" one with `head -c {SECRET_BYTES} /dev/urandom > {path}`: every visitor then"
                " starts anew"
            )
        _draw_secret(path)
    found = path.read_bytes()
    if len(found) < SECRET_BYTES:
        raise DataError(
            f"{path} is damaged: it should hold {SECRET_BYTES} bytes; put it back from a backup"
        )
    return found


def _keep_first(draft: Path, path: Path) -> None:
    """Several workers may start at once; what one has drawn holds for all."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    except OSError:
        # This file system knows no links.
        draft.replace(path)
        return
    draft.unlink()


def _draw_secret(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        _keep_first(draft, path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from None
