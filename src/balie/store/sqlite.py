"""SQLite, opened the only way that Balie trusts: WAL, `synchronous=FULL`, a library without the WAL-reset bug.

Every SQLite from 3.7.0 to 3.51.2 can corrupt a WAL database when a write and a checkpoint of two
connections race (fixed in 3.51.3). Python's own library is often older, so the `pysqlite3` wheel is used.
"""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pysqlite3.dbapi2 as bundled
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from balie.store.line import raw
from balie.store.log import Projection
from balie.store.migrations import migrate
from balie.store.readers import READERS
from balie.store.schema import cursor_of
from balie.store.sole import SoleJournal
from balie.store.turn import OnlyTurn

DatabaseError: type[Exception] = bundled.Error
"""What the driver itself raises, past the toolkit."""

OLDEST_SAFE = (3, 51, 3)
BUSY_TIMEOUT_MS = 5_000
WAL_CHECKPOINT_PAGES = 4_000
PATIENCE_MS = 100


class UnsafeSqliteError(RuntimeError):
    """This machine's SQLite can corrupt data, and there is no safe one."""


def driver() -> ModuleType:
    """A DBAPI module over a safe SQLite. Raises UnsafeSqliteError when there is none."""
    refuse_unsafe(bundled.sqlite_version_info)
    return bundled  # type: ignore[no-any-return]


def refuse_unsafe(version: tuple[int, ...]) -> None:
    """Raises UnsafeSqliteError for a library with the WAL-reset bug."""
    if version < OLDEST_SAFE:
        found, wanted = (".".join(map(str, v)) for v in (version, OLDEST_SAFE))
        raise UnsafeSqliteError(
            f"SQLite {found} can corrupt its write-ahead log. Balie needs {wanted} or newer: "
            "install the package pysqlite3 from its wheel, or a newer system library."
        )


def open_engine(path: Path, *, module: ModuleType | None = None, readers: int = READERS) -> Engine:
    """An engine on the database file at `path`, which is made when it is not there.

    Connections begin transactions explicitly, with a plain `BEGIN`, or as the execution option `begin` says;
    where that is empty, somebody else does it.
    """
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        module=module or driver(),
        connect_args={"isolation_level": None, "check_same_thread": False},
        poolclass=QueuePool,
        pool_size=readers,
        max_overflow=0,
        # What people wrote are parameters; an error that names its statement must not tell them to a log.
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"wal_autocheckpoint={WAL_CHECKPOINT_PAGES}",
        "temp_store=MEMORY",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    if how := connection.get_execution_options().get("begin", "BEGIN"):
        connection.exec_driver_sql(how)


class SqliteDriver:
    """One file, or another SQLite database that `readers` and `writes` open."""

    name = "SQLite"

    def __init__(self, readers: Engine, writes: Engine) -> None:
        self.readers = readers
        self.writes = writes

    def is_used(self) -> bool:
        """See `Driver`."""
        return self.is_there()

    def is_there(self) -> bool:
        """See `Driver`."""
        return Path(str(self.readers.url.database)).exists()

    def migrate(self) -> str:
        """See `Driver`."""
        return migrate(self.readers)

    def journal(self, projection: Projection[Any]) -> SoleJournal[Any]:
        """Nobody else writes, or only seldom."""
        return SoleJournal(projection)

    def begin_reading(self, line: Any, _of: str) -> None:
        line.execute("BEGIN")

    def end_reading(self, connection: Connection) -> None:
        connection.rollback() if connection.in_transaction() else raw(connection).rollback()

    def begin_writing(self, line: Any, _of: Iterable[str]) -> Any:
        cursor = line.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        return cursor

    def enter(self, line: Any, of: Iterable[str]) -> None:
        """Who has the file has it all."""

    def is_spoilt(self, _line: Any) -> bool:
        return False

    def is_lost(self, _error: BaseException) -> bool:
        return False

    def is_broken(self, error: BaseException) -> bool:
        return isinstance(error, DBAPIError) and type(error.orig).__name__ == "OperationalError"

    def is_passing(self, _error: BaseException) -> bool:
        return False

    def is_unkept(self, error: BaseException) -> bool:
        # The library does not tell a failed sync from a failed write.
        cause = error.orig if isinstance(error, DBAPIError) else error
        return getattr(cause, "sqlite_errorname", "") == "SQLITE_IOERR"

    def renew(self) -> bool:
        """Each page of the log is copied into the file and synced there, and the log begun anew."""
        return truncate_log(self.readers)

    def translate(self, error: Exception) -> Exception:
        return error

    def probe(self, connection: Connection) -> None:
        """Rewrite the header: a transaction that reads only would succeed on a full disk."""
        cursor = cursor_of(connection)
        (version,) = cursor.execute("PRAGMA user_version").fetchone()
        cursor.execute(f"PRAGMA user_version = {version}")

    def dispose(self) -> None:
        self.readers.dispose()
        self.writes.dispose()

    def turn(self) -> OnlyTurn:
        """Who serves a file serves it alone; a command beside him may do the same, and does no harm."""
        return OnlyTurn()

    def settle(self) -> None:
        settle_log(self.readers)

    def scrub(self) -> bool:
        return truncate_log(self.readers)


def open_store(path: Path, *, module: ModuleType | None = None) -> SqliteDriver:
    """The database file at `path`, which is made when it is not there."""
    # One connection more than there are threads, for what is no query.
    readers = open_engine(path, module=module, readers=READERS + 1)
    return SqliteDriver(readers, open_engine(path, module=module, readers=1))


def settle_log(engine: Engine) -> None:
    """Move as much of the write-ahead log into the database as stands in nobody's way. Who deletes much does
    this between his transactions, or the commit that fills the log pays for it, and all who wait for it."""
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def truncate_log(engine: Engine) -> bool:
    """Move the whole write-ahead log into the database and cut it to nothing, so that what was deleted lies
    nowhere any more. False when somebody reads or writes for longer than PATIENCE_MS."""
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        # Who waits for readers holds up writers; so wait a little, and come back.
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        try:
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not busy
