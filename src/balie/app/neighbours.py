"""The other processes over the same store: what they wrote, and what they tell.

Every process reads the log by cursor, a few times a second, and so misses nothing whatever happens; hints only
say where to look at once. What this process wrote itself its own people have heard already.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from balie.bus.hints import Growth, Hint, Hints
from balie.conversations.growth import ROW_ONLY, Wanted, read_growth
from balie.conversations.model import Conversation
from balie.kernel.errors import BalieError
from balie.kernel.ports import Clock
from balie.realtime.hub import Hub
from balie.store import notices
from balie.store.engine import Store
from balie.store.live import Grown, Place, end_of_log, grown_after
from balie.store.log import Appended
from balie.store.notices import Notice
from balie.store.scope import EVERYWHERE

LOOK_EVERY = 0.25
"""Seconds between two looks at the log; longer where hints come."""
LOOK_EVERY_WITH_HINTS = 0.5
GATHER = 0.01
"""Seconds between two hints to the others; the first after a pause leaves at once."""
SOFT_EVERY = 0.1
"""Idem of notices that nobody waits for."""
PAGE = 2_000
TOLD_ROUNDS = 240
"""Looks after which it is forgotten what was told already, half of it each time."""
NOTICES = 500
MOST_OUTGOING = 5_000
"""Notices that wait for a store that takes none; who was away for longer asks the others anew."""

log = structlog.get_logger("balie.app")

Span = tuple[int, int]
NOTHING: Span = (1, 0)
Hear = Callable[[Notice], None]


class Neighbours:
    """Follows what the other processes do. `start` it inside the event loop."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        hints: Hints,
        clock: Clock,
        worker: str,
        *,
        shared: bool,
    ) -> None:
        """`shared`: others write events as well; where not, only their notices are read."""
        self.worker = worker
        self._store = store
        self._hub = hub
        self._hints = hints
        self._clock = clock
        self._shared = shared
        self.hear: Hear = lambda _: None
        self._log_place = Place()
        self._notice_place = Place()
        # By conversation: from which number to which they are on their way to the log's reader here, and were
        # told already.
        self._told: dict[str, Span] = {}
        self._told_before: dict[str, Span] = {}
        self._rounds = 0
        self._grown: dict[str, Growth] = {}
        self._gathering = False
        self._hinted_last = 0.0
        self._hinted: dict[str, Growth] = {}
        self._fetching = False
        self._outgoing: list[tuple[str, str]] = []
        self._sending = False
        self._look = asyncio.Event()
        self._is_following = False
        self._level_at = monotonic()
        self._tasks: set[asyncio.Task[None]] = set()

    # Living.

    async def start(self) -> None:
        """Hear everything that is written from now on."""
        now = self._clock()
        self._log_place, self._notice_place = await self._store.read(
            lambda c: (end_of_log(c, now), notices.end_of_notices(c, now)), of=EVERYWHERE
        )
        self._is_following = True
        self._hints.start(self._hinted_at)
        self.do(self._follow())

    async def stop(self) -> None:
        """Tell what waits, and hear no more."""
        for task in tuple(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        with contextlib.suppress(BalieError):
            await self._send()
        await self._hints.stop()

    @property
    def is_hinted(self) -> bool:
        """Whether hints come and go now."""
        return self._hints.is_connected

    def lag(self) -> float:
        """Seconds since this process last knew all that there was to be known."""
        return monotonic() - self._level_at

    def do(self, work: Any) -> None:
        """Do something beside what is done now; it ends with `stop`."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What happened here.

    def committed(self, appended: Appended[Conversation]) -> None:
        """This process has written: the others are hinted at it, and it is not told here again."""
        if not self._shared or not appended.envelopes:
            return
        conversation = appended.envelopes[0].conversation_id
        first, last = appended.envelopes[0].seq, appended.envelopes[-1].seq
        self._note_told(conversation, first, last)
        if not self._hints.is_connected:
            return
        before = self._grown.get(conversation)
        self._grown[conversation] = Growth(
            appended.organisation_id, conversation, before.first if before else first, last
        )
        if not self._gathering:
            self._gathering = True
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self._hinted_last + GATHER), self._tell_grown)

    def _note_told(self, conversation: str, first: int, last: int) -> None:
        """What others said between two things that were said here is in neither, and is still to be told."""
        begin, end = self._told_of(conversation)
        if first <= end + 1 and last >= begin - 1:
            self._told[conversation] = min(first, begin), max(last, end)
        elif last > end:
            self._told[conversation] = first, last

    def _told_of(self, conversation: str) -> Span:
        return self._told.get(conversation) or self._told_before.get(conversation, NOTHING)

    def _forget_told(self) -> None:
        """What was told two turns ago has been read from the log since; and if not, whoever hears it twice
        drops it."""
        self._told, self._told_before = {}, self._told

    def _tell_grown(self) -> None:
        self._gathering = False
        self._hinted_last = asyncio.get_running_loop().time()
        grown, self._grown = self._grown, {}
        self._hints.tell(Hint(self.worker, tuple(grown.values())))

    def tell(self, kind: str, body: Any, *, soft: bool = False) -> None:
        """Tell the other processes. `soft`: it may wait for company. Who serves a file serves it alone, and has
        nobody to tell; a command beside him has him."""
        if self._is_following and not self._shared:
            return
        self._outgoing.append((kind, msgspec.json.encode(body).decode()))
        if not soft:
            self.do(self._send())
        elif not self._sending:
            self._sending = True
            asyncio.get_running_loop().call_later(SOFT_EVERY, lambda: self.do(self._send()))

    def tell_in(self, connection: Connection, organisation_id: str, kind: str, body: Any) -> None:
        """As `tell`, in a transaction of a room's own, which may end in nothing; `hurry` when it is on disk."""
        if self._is_following and not self._shared:
            return
        told = [(kind, msgspec.json.encode(body).decode())]
        notices.post(connection, self.worker, told, self._clock(), organisation_id)

    def hurry(self) -> None:
        """Have the others look for notices now."""
        self._hints.tell(Hint(self.worker, notices=True))

    async def _send(self) -> None:
        self._sending = False
        told, self._outgoing = self._outgoing, []
        if not told:
            return
        now = self._clock()
        try:
            await self._store.write(
                lambda c: notices.post(c, self.worker, told, now), of=EVERYWHERE
            )
        except BalieError as error:
            log.warning("the other processes were not told yet", error=str(error))
            self._tell_again(told)
            return
        self._hints.tell(Hint(self.worker, notices=True))

    def _tell_again(self, told: list[tuple[str, str]]) -> None:
        self._outgoing = [*told, *self._outgoing][:MOST_OUTGOING]
        if not self._sending:
            self._sending = True
            asyncio.get_running_loop().call_later(LOOK_EVERY, lambda: self.do(self._send()))

    # What happened elsewhere.

    async def _follow(self) -> None:
        while True:
            try:
                more = await self._look_once()
            except BalieError:
                # The store says so in its own words.
                more = False
            except Exception:
                log.exception("following the other processes failed")
                more = False
            if not more:
                await self._rest()

    async def _rest(self) -> None:
        connected = self._hints.is_connected
        pause = LOOK_EVERY_WITH_HINTS if connected or not self._shared else LOOK_EVERY
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`, which in Python 3.11 may swallow that it was cancelled.
            async with asyncio.timeout(pause):
                await self._look.wait()
        self._look.clear()

    async def _look_once(self) -> bool:
        """Read once what is new. True when there is more."""
        began = monotonic()
        self._rounds += 1
        if self._rounds % TOLD_ROUNDS == 0:
            self._forget_told()
        grown, told = await self._store.read(self._read, of=EVERYWHERE)
        events, log_place = grown
        heard, self._notice_place = told
        for notice in heard:
            if notice.worker != self.worker:
                self.hear(notice)
        await self._fetch(self._news(events))
        # Not before: what could not be fetched is looked for again.
        self._log_place = log_place
        more = len(events) >= PAGE or len(heard) >= NOTICES
        if not more:
            self._level_at = began
        return more

    def _read(
        self, connection: Any
    ) -> tuple[tuple[list[Grown], Place], tuple[list[Notice], Place]]:
        now = self._clock()
        events = (
            grown_after(connection, self._log_place, PAGE, now)
            if self._shared
            else ([], self._log_place)
        )
        return events, notices.notices_after(connection, self._notice_place, NOTICES, now)

    def _news(self, events: Iterable[Grown]) -> dict[str, Growth]:
        """What nobody here was told yet, by conversation."""
        news: dict[str, Growth] = {}
        for event in events:
            begin, end = self._told_of(event.conversation_id)
            if begin <= event.seq <= end:
                continue
            before = news.get(event.conversation_id)
            first, last = (before.first, before.last) if before else (event.seq, event.seq)
            news[event.conversation_id] = Growth(
                event.organisation_id,
                event.conversation_id,
                min(first, event.seq),
                max(last, event.seq),
            )
        return news

    def _hinted_at(self, hint: Hint) -> None:
        if hint.worker == self.worker:
            return
        if hint.notices:
            self._look.set()
        for each in hint.grown:
            if not self._wanted(each):
                continue
            before = self._hinted.get(each.conversation_id)
            first = min(before.first, each.first) if before else each.first
            last = max(before.last, each.last) if before else each.last
            self._hinted[each.conversation_id] = Growth(
                each.organisation_id, each.conversation_id, first, last
            )
        if self._hinted and not self._fetching:
            self._fetching = True
            self.do(self._fetch_hinted())

    async def _fetch_hinted(self) -> None:
        try:
            while self._hinted:
                hinted, self._hinted = self._hinted, {}
                await self._fetch(hinted)
                # Not before: who reads the log meanwhile would pass by what could not be fetched. What is told
                # twice, whoever hears it drops.
                for each in hinted.values():
                    self._note_told(each.conversation_id, each.first, each.last)
        except BalieError:
            # The log is read anyway.
            return
        except Exception:
            log.exception("following a hint failed")
        finally:
            self._fetching = False

    def _wanted(self, growth: Growth) -> Wanted | None:
        """What is to be read of it for those who are connected here."""
        hub = self._hub
        if hub.is_followed(growth.conversation_id):
            return Wanted(growth.first, growth.last)
        if growth.first == 1 and hub.has_visitors(growth.organisation_id):
            # Another tab of the same visitor may have begun it.
            return Wanted(1, 1)
        return ROW_ONLY if hub.has_consoles(growth.organisation_id) else None

    async def _fetch(self, grown: dict[str, Growth]) -> None:
        wanted = {
            conversation: what
            for conversation, growth in grown.items()
            if (what := self._wanted(growth)) is not None
        }
        if not wanted:
            return
        for appended in await self._store.read(lambda c: read_growth(c, wanted), of=EVERYWHERE):
            self._deliver(appended)

    def _deliver(self, appended: Appended[Conversation]) -> None:
        if self._told_of(appended.state.id)[1] > appended.state.last_seq:
            # Something newer was said here meanwhile, and its row is on its way; that a conversation began,
            # nobody else tells.
            self._hub.announce(appended)
            return
        if appended.envelopes:
            self._hub.committed(appended)
        else:
            self._hub.listed(appended.state)
