"""PostgreSQL, shared by any number of workers: psycopg on the store's own threads.

Connections are in autocommit, and every transaction is begun here, by one message that says also whose rows
it is for. psycopg prepares what is asked often; a ROLLBACK makes it forget that, so reads end with COMMIT.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, exists, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, PendingRollbackError
from sqlalchemy.pool import NullPool, QueuePool

from balie.kernel.errors import MalformedError, UnavailableError
from balie.store import guard, migrations, turn
from balie.store.bulk import without_nul
from balie.store.driver import UnusableError
from balie.store.line import raw
from balie.store.log import Projection
from balie.store.migrations.beside import make_missing
from balie.store.readers import READERS
from balie.store.schema import CURSOR, events, metadata
from balie.store.scope import EVERYWHERE
from balie.store.shared import SharedJournal
from balie.store.watch import Watch

OLDEST = 14
"""The oldest PostgreSQL that is still kept by its makers, and has all that is asked of it."""
MOVING = "moving"
"""What stands for the revision while a store is moved in."""
MIGRATING = 0xBA11E
"""The advisory lock of whoever migrates."""

# A server that is gone without a word is noticed within seconds, not by the kernel's two hours.
_CONNECT = {
    "application_name": "balie",
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
# A worker that was stopped in the middle holds up the others no longer than this; what waits longer for a
# lock is told `unavailable`.
_SESSION = (
    "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '5s';"
    " SET client_min_messages = warning"
)
_ABOUT = (
    "SELECT pg_backend_pid(), current_setting('server_version_num')::int,"
    " current_setting('synchronous_commit'),"
    " (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)"
)

_LOST = frozenset({"25006", "25P03", "57P01", "57P02", "57P03", "57P05"})
"""Read-only (the old primary after a failover), told to go, shutting down or starting."""
_BROKEN = frozenset({"08", "53", "57", "58", "XX"})
"""Classes: connection, resources (disk full too), operator, system, corruption."""
_PASSING = frozenset({"40001", "40P01", "23505"})
"""Serialisation, deadlock; and a number or id that another worker has just given: then it is there to see."""
_HELD = "55P03"
_NO_TEXT = frozenset({"22021", "22P05"})


class Words(Dumper):
    """Text as PostgreSQL can hold it."""

    def dump(self, obj: str) -> bytes:
        return without_nul(obj).encode()


class Cursor(psycopg.Cursor[Any]):
    """A cursor that takes `?` for a value, as SQLite's does, and rows as JSON (`balie.store.bulk`)."""

    takes_json = True

    def execute(self, query: Any, params: Any = None, **how: Any) -> "Cursor":
        super().execute(_translated(query), params, **how)
        return self

    def executemany(self, query: Any, params_seq: Any, **how: Any) -> None:
        super().executemany(_translated(query), params_seq, **how)


@lru_cache(maxsize=256)
def _translated(query: str) -> str:
    return query.replace("%", "%%").replace("?", "%s")


class PostgresDriver:
    """One PostgreSQL database. Raises UnusableError for an address that is none."""

    name = "PostgreSQL"

    def __init__(self, url: str) -> None:
        # One connection more than there are threads, for what is no query.
        self.owner = _open_engine(url, _prepare_owner, poolclass=NullPool)
        """As whoever signs in, without the role that the rooms take on. For what the rooms never do."""
        self._watch = Watch(self.owner)
        self.readers = self._pool(url, READERS + 1)
        self.writes = self._pool(url, 1)

    def _pool(self, url: str, size: int) -> Engine:
        return _open_engine(url, self._prepare, poolclass=QueuePool, pool_size=size, max_overflow=0)

    def _prepare(self, line: Any, record: Any) -> None:
        self._watch.add(line, _prepare(line, record))

    def is_there(self) -> bool:
        """See `Driver`."""
        return migrations.current(self.owner) is not None

    def is_used(self) -> bool:
        """See `Driver`: not before anybody has said something."""
        with self.owner.connect() as connection, connection.begin():
            self.enter(raw(connection), (EVERYWHERE,))
            if migrations.revision(connection) is None:
                return False
            return bool(connection.execute(select(exists().select_from(events))).scalar_one())

    def migrate(self) -> str:
        """See `Driver`. All in one transaction, and one worker at a time; then indexes, beside others."""
        with self.owner.connect() as connection, connection.begin():
            refuse_old(connection)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
            self.enter(raw(connection), (EVERYWHERE,))
            _refuse_moving(connection)
            if migrations.revision(connection) != migrations.newest():
                migrations.upgrade(connection)
                guard.close(connection)
                guard.make_role(connection)
            guard.refuse_open(connection)
        make_missing(self.owner, metadata.tables.values())
        return migrations.newest()

    def journal(self, projection: Projection[Any]) -> SharedJournal[Any]:
        """Other workers write as well."""
        return SharedJournal(projection)

    def begin_reading(self, line: Any, of: str) -> None:
        _run(line, f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_scope((of,))}")

    def end_reading(self, connection: Connection) -> None:
        connection.commit() if connection.in_transaction() else _run(raw(connection), "COMMIT")

    def begin_writing(self, line: Any, of: Iterable[str]) -> Any:
        # The isolation that sees, once it holds a lock, what others did until then.
        _run(line, f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {_scope(of)}")
        return Cursor(line)

    def enter(self, line: Any, of: Iterable[str]) -> None:
        _run(line, _scope(of))

    def is_spoilt(self, line: Any) -> bool:
        return bool(line.pgconn.transaction_status != TransactionStatus.INTRANS)

    def is_lost(self, error: BaseException) -> bool:
        if isinstance(error, PendingRollbackError):
            return True
        cause = _cause(error)
        if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
            return _state(error) in _LOST
        return cause.sqlstate is None or cause.sqlstate[:2] == "08" or cause.sqlstate in _LOST

    def is_broken(self, error: BaseException) -> bool:
        state = _state(error)
        return self.is_lost(error) or state[:2] in _BROKEN or state == _HELD or state in _PASSING

    def is_passing(self, error: BaseException) -> bool:
        return _state(error) in _PASSING

    def is_unkept(self, _error: BaseException) -> bool:
        """The server stops by itself, and comes back from its log."""
        return False

    def renew(self) -> bool:
        return True

    def translate(self, error: Exception) -> Exception:
        cause = _cause(error)
        if isinstance(cause, UnicodeEncodeError) or _state(error) in _NO_TEXT:
            return MalformedError("a text cannot hold half a surrogate pair")
        if self.is_broken(error):
            return UnavailableError("the database cannot be used now; nothing was stored")
        return error

    def probe(self, connection: Connection) -> None:
        """Write one row as it was."""
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def dispose(self) -> None:
        self._watch.stop()
        self.readers.dispose()
        self.writes.dispose()

    def turn(self) -> turn.SharedTurn:
        return turn.SharedTurn(self.owner, turn.SILENT_MS)

    def settle(self) -> None:
        """The server does that by itself."""

    def scrub(self) -> bool:
        """Have the server tidy up now what it would have later; `docs/store.md` says what stays even then."""
        with self.owner.connect().execution_options(begin="") as connection:
            for name in sorted(metadata.tables):
                connection.exec_driver_sql(f"VACUUM (SKIP_LOCKED) {name}")
        return True


def _refuse_moving(connection: Connection) -> None:
    if migrations.revision(connection) == MOVING:
        raise UnusableError(
            "a store is being moved into this database; let `balie migrate-store` finish"
        )


def refuse_old(connection: Connection) -> None:
    """Raises UnusableError for a server older than OLDEST."""
    version = int(str(connection.exec_driver_sql("SHOW server_version_num").scalar_one()))
    if version < OLDEST * 10_000:
        raise UnusableError(
            f"this is PostgreSQL {version // 10_000}; Balie needs {OLDEST} or newer"
        )


def _open_engine(url: str, prepare: Callable[[Any, Any], None], **pool: Any) -> Engine:
    try:
        place = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise UnusableError(
            "BALIE_DATABASE_URL should be like postgresql://user:password@host/database"
        ) from None
    engine = create_engine(
        place,
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,
        connect_args={key: value for key, value in _CONNECT.items() if key not in place.query},
        # What people wrote are parameters; an error that names its statement must not tell them to a log.
        hide_parameters=True,
        **pool,
    )
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_owner(line: Any, record: Any) -> None:
    line.adapters.register_dumper(str, Words)
    record.info[CURSOR] = Cursor


def _prepare(line: Any, record: Any) -> int:
    """Make a connection ready; returns the number of the server's process that serves it."""
    _prepare_owner(line, record)
    _run(line, _SESSION)
    backend, version, synchronous, passes_by = line.execute(_ABOUT).fetchone()
    if version >= OLDEST * 10_000 and synchronous == "off":
        # An `ack` is for what is on disk.
        _run(line, "SET synchronous_commit = on")
    if passes_by:
        _run(line, f"SET ROLE {guard.ROLE}")
    return int(backend)


def _begin(connection: Connection) -> None:
    if how := connection.get_execution_options().get("begin", "BEGIN"):
        _run(raw(connection), how)


def _scope(of: Iterable[str]) -> str:
    ids = ",".join(sorted(of)).replace("'", "''")
    return f"SET LOCAL balie.scope = '{ids}'"


def _run(line: Any, command: str) -> None:
    """Run statements without values or rows, in one message. Raises psycopg.Error."""
    result = line.pgconn.exec_(command.encode())
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return
    if line.pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError("the connection is lost")
    raise error_from_result(result)


def _cause(error: BaseException | None) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _state(error: BaseException) -> str:
    """The five characters by which PostgreSQL names an error; none for what is not its own."""
    cause = _cause(error)
    return (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""
