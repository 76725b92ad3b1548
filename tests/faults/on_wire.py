"""Frames come twice, in another order, late, or by half."""

import asyncio

from tests.faults.proxy import Proxy
from tests.faults.rows import Asked, Outcome, folder, row, talking
from tests.people import free_port


@row(
    "frames",
    "10 % of frames come twice, 10 % swapped, some up to 3 s late, some cut in the middle, both ways",
)
async def frames(asked: Asked, outcome: Outcome) -> None:
    port = free_port()
    proxy = Proxy(port, asked.chance("frames"))
    front = await proxy.open()
    async with (
        folder() as home,
        talking(asked, outcome, home / "data", port=port, front=front) as talk,
    ):
        await asyncio.sleep(asked.seconds or 60)
        proxy.calm()
        outcome.require(talk.closes[1_006], "no connection was cut")
    outcome.tries = sum(proxy.did.values())
    outcome.figures |= dict(proxy.did)
    await proxy.close()
