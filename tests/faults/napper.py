"""A worker that others stop: it leases a job, says so, and after a pause sends it.

python -m tests.faults.napper STORE PORT LEASE_MS
"""

import asyncio
import os
import sys
import time
from ipaddress import ip_network
from pathlib import Path

from balie.conversations.projection import ConversationProjection
from balie.jobs.model import Result
from balie.jobs.rules import Terms
from balie.jobs.running import Done, Runner
from balie.outbound import network
from balie.outbound.door import Door
from balie.store import sqlite
from balie.store.engine import LogStore
from balie.store.postgres import PostgresDriver

PAUSE = 0.5


async def main(place: str, port: int, lease: int) -> None:
    driver = PostgresDriver(place) if "://" in place else sqlite.open_store(Path(place))
    store = LogStore(driver, ConversationProjection())
    store.start()
    door = Door(network.resolve, network.connect, allowed=[ip_network("127.0.0.0/8")])

    async def send(job, held):
        print("leased", flush=True)
        # Stopped here, it wakes up with the lease of long ago.
        await asyncio.sleep(PAUSE)
        await door.post(
            f"http://127.0.0.1:{port}/",
            b"napper",
            {"webhook-id": job.id},
            circuit="test",
            before_sending=held.check,
        )
        return Done(Result("answered", 299))

    clock = lambda: time.time_ns() // 1_000_000  # noqa: E731
    runner = Runner(store, clock, os.urandom, {"test": send}, Terms(lease=lease))
    await runner.start()
    await asyncio.to_thread(sys.stdin.readline)
    await runner.stop()
    await store.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
