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
_WORLD = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def in_words(error: Exception) -> str | None:
    """What is the matter, where the world is to blame; None for a fault of Balie's own."""
    if isinstance(error, CommandError):
        return (
            "the store was made by another version of Balie, newer than this one; install that"
            " version, or put back a backup that this one made"
        )
    if isinstance(error, DBAPIError):
        return _of_database(str(error.orig))
    if isinstance(error, DatabaseError):
        return _of_database(str(error))
    if isinstance(error, OSError) and error.errno in _WORLD:
        return f"{error.filename or 'the data directory'}: {error.strerror}"
    return None


def _of_database(said: str) -> str:
    advice = next((told for part, told in _ADVICE.items() if part in said), "put a backup back")
    return f"the database cannot be used ({said}): {advice}"
