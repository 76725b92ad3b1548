"""Whether the clock may be believed, before anything is deleted by it.

A machine that starts with a wrong clock would delete for good what has years to go. So each sweep leaves the
time at which it ran in the data directory, and the next one compares. Without that file the newest trace of
people stands in for it. A doubt stops the sweep until a person has looked.
"""

import contextlib
import os
from pathlib import Path

import structlog
from sqlalchemy import func, select

from balie.agents.model import sessions
from balie.app import data
from balie.conversations.model import conversations
from balie.kernel.errors import ConflictError
from balie.store.engine import Store
from balie.store.schema import events
from balie.store.scope import EVERYWHERE

log = structlog.get_logger("balie.app")

DAY_MS = 86_400_000
BEHIND_MS = DAY_MS
"""A clock that is set back by less harms nothing: what is due goes a little later."""
FAR_MS = 30 * DAY_MS
NEAR_MS = 2 * DAY_MS
SHARE = 4
"""Above NEAR_MS, no more than one conversation in so many may go at once."""


class DoubtedClockError(ConflictError):
    """The clock does not go with what the store has seen; nothing was deleted."""


def doubt(now: int, mark: int | None, due: int, conversations_due: int, every: int) -> str | None:
    """What is wrong with `now`, in words; None when it may be believed.

    `mark` is when it was believed last, `due` all rows that would go, `every` all conversations there are.
    Milliseconds.
    """
    if mark is None:
        return None
    if now < mark - BEHIND_MS:
        return f"the clock is {_days(mark - now)} behind the last time that was known here"
    ahead, told = now - mark, f"{_days(now - mark)} have passed since the last time known here"
    if ahead > FAR_MS and due:
        return told
    if ahead > NEAR_MS and conversations_due * SHARE > every:
        return f"{told}, and {conversations_due:,} of {every:,} conversations would go"
    return None


def _days(milliseconds: int) -> str:
    return f"{milliseconds / DAY_MS:,.0f} days"


def may_be_doubted(now: int, mark: int | None) -> bool:
    """Whether it is worth counting what would go."""
    return mark is not None and not -BEHIND_MS <= now - mark <= NEAR_MS


def refusal(reason: str) -> DoubtedClockError:
    """What an administrator is told."""
    return DoubtedClockError(
        f"{reason}: nothing was deleted. Look at this machine's clock; if it is right, run"
        " `balie retention --trust-clock` once"
    )


async def last_known(store: Store, folder: Path) -> int | None:
    """When the clock was believed last; None for a store in which nothing ever happened."""
    with contextlib.suppress(OSError, ValueError):
        return int((folder / data.CLOCK).read_text())
    newest = select(events.c.at).order_by(events.c.position.desc()).limit(1)
    seen = select(func.max(sessions.c.last_seen_at))
    found = await store.read(
        lambda c: (c.execute(newest).scalar(), c.execute(seen).scalar()), of=EVERYWHERE
    )
    return max((at for at in found if at is not None), default=None)


async def count_conversations(store: Store) -> int:
    """How many there are, of everybody."""
    query = select(func.count()).select_from(conversations)
    return await store.read(lambda c: int(c.execute(query).scalar_one()), of=EVERYWHERE)


def remember(folder: Path, now: int) -> None:
    """Note that the clock was believed at `now`."""
    path = folder / data.CLOCK
    draft = path.with_name(f"{data.CLOCK}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(str(now))
        draft.replace(path)
    except OSError as error:
        # A full disk is no reason to keep what should go.
        log.warning("the time of this sweep could not be noted", error=error.strerror)
