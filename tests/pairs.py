"""Two processes over one PostgreSQL, at two ports, and what one does with them."""

import asyncio
import time
from contextlib import contextmanager

from tests.people import PATIENT, Demo
from tests.places import address

TOKEN = "a-token-of-the-operator"
"""Opens the figures."""
CALM = PATIENT | {"BALIE_MESSAGES_PER_SECOND": "1000", "BALIE_METRICS_TOKEN": TOKEN}
SECOND = 1.0


class Pair:
    """A `balie serve` each, at two ports, under one name."""

    def __init__(self, folder, nats=None):
        self.settings = {"BALIE_DATABASE_URL": address(folder, "postgresql")} | CALM
        if nats is not None:
            self.settings["BALIE_NATS_URL"] = nats.url
        self.first = Demo(folder, settings=self.settings)
        self.second = Demo(folder, settings=self.settings)

    def start(self):
        # The second finds what the first has made; its own address is one more origin of the shop.
        self.first.start()
        self.second.start()
        return self

    def stop(self):
        for each in (self.second, self.first):
            if each.process is not None:
                each.stop()


@contextmanager
def running(folder, nats=None):
    pair = Pair(folder, nats).start()
    try:
        yield pair
    finally:
        pair.stop()


async def follow(console, conversation):
    await console.send({"type": "resume", "conversation": conversation, "last_seq": 0})
    return await console.expect("events", conversation=conversation)


def texts(talker, conversation):
    return [
        event["data"]["text"]
        for frame in talker.heard
        if frame["type"] == "events" and frame["conversation"] == conversation
        for event in frame["events"]
        if event["type"] == "message.posted"
    ]


async def until(found, within=SECOND, step=0.01):
    """How long it took until `found` was so."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while not found():  # noqa: ASYNC110 - what comes has no event of its own
            await asyncio.sleep(step)
    return time.monotonic() - began
