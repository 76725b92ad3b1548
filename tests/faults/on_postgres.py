"""PostgreSQL goes away under the servers, in every way that it can."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from tests.clusters import Cluster
from tests.faults.rows import Asked, Outcome, folder, row, talking
from tests.faults.talk import Talk

RECOVERY = 3.0
BOTH = ("postgresql",)


@contextlib.asynccontextmanager
async def over_a_cluster(asked: Asked, outcome: Outcome) -> AsyncIterator[tuple[Talk, Cluster]]:
    """Talk over a PostgreSQL of its own, which syncs as it does in earnest."""
    cluster = await asyncio.to_thread(Cluster)
    try:
        url = await asyncio.to_thread(cluster.database)
        settings = {"BALIE_DATABASE_URL": url}
        plain = Asked(asked.seed, asked.rounds, asked.seconds)
        async with (
            folder() as home,
            talking(plain, outcome, home / "data", settings=settings, url=url) as talk,
        ):
            yield talk, cluster
    finally:
        await asyncio.to_thread(cluster.remove)


async def again_and_again(
    asked: Asked, outcome: Outcome, harm: Callable[[Cluster], Awaitable[None]]
) -> None:
    async with over_a_cluster(asked, outcome) as (talk, cluster):
        for _ in range(asked.rounds or 10):
            outcome.tries += 1
            await asyncio.sleep(talk.chance.uniform(0.5, asked.seconds or 5))
            await harm(cluster)
            outcome.require_recovery(await talk.recovery(), RECOVERY)


@row("pg-crash", "PostgreSQL is stopped at once (immediate) and started anew under load", on=BOTH)
async def pg_crash(asked: Asked, outcome: Outcome) -> None:
    async def harm(cluster: Cluster) -> None:
        await asyncio.to_thread(cluster.stop)
        await asyncio.to_thread(cluster.start)

    await again_and_again(asked, outcome, harm)


@row("pg-terminate", "pg_terminate_backend ends all connections under load", on=BOTH)
async def pg_terminate(asked: Asked, outcome: Outcome) -> None:
    await again_and_again(asked, outcome, lambda cluster: asyncio.to_thread(cluster.end_all))


@row("pg-kill-backend", "one backend of PostgreSQL dies (kill -9) under load", on=BOTH)
async def pg_kill_backend(asked: Asked, outcome: Outcome) -> None:
    await again_and_again(asked, outcome, lambda cluster: asyncio.to_thread(cluster.kill_a_backend))
