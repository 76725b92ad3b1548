"""How many bytes people may bring, so that nobody fills the disk: tokens of visitors are free.

An address has so many bytes an hour; a visitor who has said nothing yet may let little lie; all that lies
without a message has a bound for the whole organisation; and something of the disk always stays free. Agents
have signed in: only the last counts for them.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, func, select

from balie.conversations.authors import author_key
from balie.conversations.model import conversations, files
from balie.edge.limits import Limiter, Rate
from balie.kernel.actor import Actor, VisitorActor
from balie.kernel.errors import BusyError, RateLimitedError, UnavailableError

HOUR_MS = 3_600_000
SPEAK_FIRST_MS = 60_000
TIDIED_MS = 10 * 60_000

log = structlog.get_logger("balie.conversations")


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """In bytes: of one address in an hour, of a visitor without a message, of all files of an organisation's
    visitors that no message took, and what stays free on the disk."""

    per_address: int
    unspoken: int
    waiting: int
    free: int


class Hold:
    """Room that was set aside for a file on its way; `keep` says how much of it was used."""

    def __init__(self) -> None:
        self.used = 0

    def keep(self, used: int) -> None:
        self.used = used


class Allowance:
    """What may still be brought. `folder` is where files lie."""

    def __init__(self, bounds: Bounds, folder: Path) -> None:
        self._bounds = bounds
        self._folder = folder
        rate = Rate(bounds.per_address, HOUR_MS / max(1, bounds.per_address))
        self._by_address = Limiter(rate, 50_000)

    @contextmanager
    def holding(self, actor: Actor, address: str, size: int, now: int) -> Iterator[Hold]:
        """Set `size` bytes aside while a file comes in; what was not kept is given back.

        Raises RateLimitedError where the address had its share, UnavailableError where the disk has.
        """
        self._refuse_full_disk(size)
        hold, counted = Hold(), isinstance(actor, VisitorActor)
        if counted:
            self._by_address.take(address, now, size)
        try:
            yield hold
        finally:
            if counted:
                self._by_address.give_back(address, now, size - hold.used)

    def _refuse_full_disk(self, size: int) -> None:
        if self._free() - size < self._bounds.free:
            raise UnavailableError("the disk is nearly full; no files are taken now")

    def check(self, connection: Connection, actor: Actor, size: int) -> None:
        """Whether `size` more bytes may lie here without a message.

        Raises RateLimitedError for a visitor who should say something first, BusyError where too much lies.
        """
        if not isinstance(actor, VisitorActor):
            return
        mine = _waiting(connection, files.c.author_id == author_key(actor))
        if mine + size > self._bounds.unspoken and not _has_spoken(connection, actor):
            raise RateLimitedError(
                "send a message with the files that are here already, then bring more",
                retry_after_ms=SPEAK_FIRST_MS,
            )
        of_all = _waiting(
            connection,
            files.c.organisation_id == actor.organisation_id,
            files.c.author_id.startswith("visitor:"),
        )
        if of_all + size > self._bounds.waiting:
            raise BusyError("too many files wait for a message", retry_after_ms=TIDIED_MS)

    def _free(self) -> int:
        """Bytes left on the disk; none where the disk itself went away."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError as error:
            log.warning("the disk of the files cannot be asked", error=error.strerror)
            return 0


def _waiting(connection: Connection, *of_whom: ColumnElement[bool]) -> int:
    """Bytes of files that no message took."""
    query = select(func.coalesce(func.sum(files.c.size), 0)).where(
        files.c.conversation_id.is_(None), *of_whom
    )
    return int(connection.execute(query).scalar_one())


def _has_spoken(connection: Connection, actor: VisitorActor) -> bool:
    """Whether he said something, or a site vouches for him."""
    if actor.contact_id is not None:
        return True
    query = select(conversations.c.id).where(conversations.c.visitor_id == actor.visitor_id)
    return connection.execute(query.limit(1)).first() is not None
