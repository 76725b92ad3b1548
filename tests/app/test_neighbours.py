"""Following other processes through a store that fails now and then: late, but nothing is passed by."""

import asyncio
from types import SimpleNamespace

import pytest

from balie.app.neighbours import Neighbours
from balie.bus.hints import Growth, Hint, NoHints
from balie.kernel.errors import UnavailableError
from balie.store.live import Grown, Place

ORGANISATION, CONVERSATION = "o", "c"


class Store:
    """Two readings: what is new in the log, and what of it is fetched. `failing` of the latter fail first."""

    def __init__(self, failing):
        self.failing = failing
        self.log = []
        self.fetched = 0
        self.posted = []
        self.refuses = 0

    async def read(self, query, **_):
        await asyncio.sleep(0)
        if getattr(query, "__name__", "") == "_read":
            done = self.reader._log_place.top
            return (self.log[done:], Place(len(self.log))), ([], Place())
        if self.failing:
            self.failing -= 1
            raise UnavailableError("not now")
        self.fetched += 1
        state = SimpleNamespace(id=CONVERSATION, last_seq=len(self.log))
        return [SimpleNamespace(state=state, envelopes=(object(),))]

    async def write(self, command, **_):
        await asyncio.sleep(0)
        if self.refuses:
            self.refuses -= 1
            raise UnavailableError("not now")
        self.posted.append(command)


class Hub:
    """Somebody follows the conversation."""

    def __init__(self):
        self.heard = []
        self.announced = []

    def announce(self, appended):
        self.announced.append(appended)

    def is_followed(self, _conversation):
        return True

    def committed(self, appended):
        self.heard.append(appended)


def following(failing=0):
    store, hub = Store(failing), Hub()
    made = Neighbours(store, hub, NoHints(), lambda: 0, "me", shared=True)
    store.reader = made
    return made, store, hub


async def test_what_could_not_be_fetched_is_fetched_at_the_next_look():
    neighbours, store, hub = following(failing=2)
    store.log.append(Grown(ORGANISATION, CONVERSATION, 1))
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await neighbours._look_once()
    assert hub.heard == []
    await neighbours._look_once()
    assert len(hub.heard) == 1
    await neighbours._look_once()
    assert len(hub.heard) == 1


async def test_a_hint_that_could_not_be_followed_hides_nothing_from_who_reads_the_log():
    neighbours, store, hub = following(failing=1)
    store.log.append(Grown(ORGANISATION, CONVERSATION, 1))
    neighbours._hinted_at(Hint("other", (Growth(ORGANISATION, CONVERSATION, 1, 1),)))
    await asyncio.gather(*neighbours._tasks)
    assert hub.heard == []
    await neighbours._look_once()
    assert len(hub.heard) == 1


async def test_what_a_hint_has_brought_is_not_fetched_again():
    neighbours, store, hub = following()
    store.log.append(Grown(ORGANISATION, CONVERSATION, 1))
    neighbours._hinted_at(Hint("other", (Growth(ORGANISATION, CONVERSATION, 1, 1),)))
    await asyncio.gather(*neighbours._tasks)
    await neighbours._look_once()
    assert (len(hub.heard), store.fetched) == (1, 1)


async def test_what_could_not_be_told_is_told_later():
    neighbours, store, _ = following()
    store.refuses = 2
    neighbours.tell("sessions_ended", {"sessions": ["s"]})
    async with asyncio.timeout(3):
        while not store.posted:  # noqa: ASYNC110 - it is tried again by the clock
            await asyncio.sleep(0.01)
    assert neighbours._outgoing == []


async def test_what_others_said_before_one_said_something_himself_is_told():
    neighbours, store, hub = following()
    second = SimpleNamespace(conversation_id=CONVERSATION, seq=2)
    appended = SimpleNamespace(organisation_id=ORGANISATION, envelopes=(second,))
    neighbours.committed(appended)
    store.log += [Grown(ORGANISATION, CONVERSATION, 1), Grown(ORGANISATION, CONVERSATION, 2)]
    await neighbours._look_once()
    assert len(hub.heard) == 1


async def test_what_was_said_here_is_not_fetched():
    neighbours, store, hub = following()
    for seq in (7, 8):
        said = SimpleNamespace(conversation_id=CONVERSATION, seq=seq)
        neighbours.committed(SimpleNamespace(organisation_id=ORGANISATION, envelopes=(said,)))
        store.log.append(Grown(ORGANISATION, CONVERSATION, seq))
    await neighbours._look_once()
    assert (hub.heard, store.fetched) == ([], 0)


async def test_that_a_conversation_began_is_told_though_something_newer_was_said_here_meanwhile():
    neighbours, store, hub = following()
    store.log.append(Grown(ORGANISATION, CONVERSATION, 1))
    read = store.read

    async def slowly(query, **how):
        found = await read(query, **how)
        if query.__name__ != "_read":
            said = SimpleNamespace(conversation_id=CONVERSATION, seq=2)
            neighbours.committed(SimpleNamespace(organisation_id=ORGANISATION, envelopes=(said,)))
        return found

    store.read = slowly
    await neighbours._look_once()
    assert hub.heard == []
    assert len(hub.announced) == 1


async def test_who_does_not_keep_up_is_behind():
    neighbours, store, _ = following(failing=1)
    await neighbours._look_once()
    level = neighbours.lag()
    store.log.append(Grown(ORGANISATION, CONVERSATION, 1))
    await asyncio.sleep(0.05)
    with pytest.raises(UnavailableError):
        await neighbours._look_once()
    assert neighbours.lag() >= level + 0.05
    await neighbours._look_once()
    assert neighbours.lag() < 0.05
