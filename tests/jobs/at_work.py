"""A store with jobs in it, for tests: a clock that one turns by hand."""

import random
from contextlib import asynccontextmanager

from tests.contracts.test_log import Log

from balie.jobs import queue
from balie.jobs.model import NewJob
from balie.store.scope import EVERYWHERE

NOW = 1_800_000_000_000


class Works:
    """A log, and the queue beside it."""

    def __init__(self, place) -> None:
        self.log = Log(place)
        self.store = self.log.store
        self.now = NOW
        self.entropy = random.Random(3).randbytes

    def clock(self):
        return self.now

    async def write(self, command):
        return await self.store.write(command, of=EVERYWHERE)

    async def read(self, query):
        return await self.store.read(query, of=EVERYWHERE)

    async def add(self, *wishes):
        return await self.write(lambda c: queue.add(c, wishes, self.now))

    async def lease(self, lane="org/x", limit=10, lasts=1_000):
        until = self.now + lasts
        return await self.write(lambda c: queue.lease(c, lane, limit, self.now, until))

    async def jobs(self, *states):
        return await self.read(lambda c: queue.find_all(c, states, 10_000))

    async def states(self):
        return sorted(job.state for job in await self.jobs())


def wish(number, lane="org/x", organisation="org", subject="", name="test"):
    return NewJob(
        organisation_id=organisation,
        queue=name,
        key=f"{lane}:{number}",
        lane=lane,
        subject=subject,
        payload=f'{{"number":{number}}}',
    )


@asynccontextmanager
async def at_work(place):
    works = Works(place)
    works.store.start()
    try:
        yield works
    finally:
        await works.store.stop()
