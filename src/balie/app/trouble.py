"""What stops a command, in one line for whoever typed it."""

import errno

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from balie.store.sqlite import DatabaseError

_ADVICE = {
    "malformed": "put a backup back",
    "not a database": "put a backup back",
    "full": "make room on the disk",
    "disk I/O": "make room on the disk, or look whether it fails",
    "unable to open": "it must be a file that this user may write",
    "readonly": "it must be a file that this user may write",
    "locked": "another program holds it; try again when that is done",
}
_OF_SERVER = {
    "starting up": "wait until it has started",
    "shutting down": "wait until it is back",
    "permission denied": "let this user own the database, or give him the right",
    "password authentication failed": "look at user and password in BALIE_DATABASE_URL",
    "no password supplied": "put the password into BALIE_DATABASE_URL, or into the file ~/.pgpass",
    "no pg_hba.conf entry": "let the server accept this user from this machine (pg_hba.conf)",
    "role": "look at the user in BALIE_DATABASE_URL",
    "database": "make the database first, or look at its name in BALIE_DATABASE_URL",
    "resolve": "look at the host in BALIE_DATABASE_URL",
    "refused": "start the server, or look at host and port in BALIE_DATABASE_URL",
    "timeout": "start the server, or look at host and port in BALIE_DATABASE_URL",
    "too many": "raise max_connections of the server: each worker needs six",
    "connection slots": "raise max_connections of the server: each worker needs six",
    "read-only": "name the primary server in BALIE_DATABASE_URL",
}
_WORLD = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def in_words(error: Exception) -> str | None:
    """What is the matter, where the world is to blame; None for a fault of Balie's own."""
    if isinstance(error, CommandError):
        return (
            "the store was made by another version of Balie, newer than this one; install that"
            " version, or put back a backup that this one made"
        )
    if isinstance(error, DBAPIError):
        told = str(error.orig)
        return _of_server(told) if _is_of_server(error.orig) else _of_database(told)
    if isinstance(error, DatabaseError):
        return _of_database(str(error))
    if isinstance(error, UnicodeDecodeError) and b"database" in error.object:
        # What SQLite says names what it found, and that need be no text.
        return _of_database(error.object.decode(errors="replace"))
    if isinstance(error, OSError) and error.errno in _WORLD:
        return f"{error.filename or 'the data directory'}: {error.strerror}"
    return None


def _is_of_server(error: BaseException | None) -> bool:
    # By its name: its library is not loaded where there is no server.
    return type(error).__module__.startswith("psycopg")


def _of_server(said: str) -> str:
    advice = next((told for part, told in _OF_SERVER.items() if part in said), "look at its log")
    return f"the database cannot be used ({said.strip().splitlines()[0]}): {advice}"


def _of_database(said: str) -> str:
    advice = next((told for part, told in _ADVICE.items() if part in said), "put a backup back")
    return f"the database cannot be used ({said}): {advice}"
