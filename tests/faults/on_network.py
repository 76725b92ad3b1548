"""A cable is pulled: nobody is told, on either side."""

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.faults.crowds import open_now
from tests.faults.pages import Page
from tests.faults.rows import Asked, Outcome, folder, row, talking
from tests.faults.talk import Talk
from tests.people import free_port

NEW_NETWORK = 0x40000000
GONE_WITHIN = 45.0
BACK_WITHIN = 5.0


class Cable:
    """A network of its own, at the other end of a cable; or one more cable to the network of another."""

    def __init__(self, number: int = 7, *, to: "Cable | None" = None) -> None:
        # Not those of another run beside this one.
        net = f"10.{100 + os.getpid() % 100}.{number}"
        self.here, self.there = f"{net}.1", f"{net}.2"
        self.is_first = to is None
        self.name = to.name if to else f"balie{os.getpid()}"
        self.near, self.far = f"vb{os.getpid()}a{number}", f"vb{os.getpid()}b{number}"

    def lay(self) -> None:
        if self.is_first:
            run(f"ip netns add {self.name}")
            run(f"ip -n {self.name} link set lo up")
        run(f"ip link add {self.near} type veth peer name {self.far} netns {self.name}")
        run(f"ip address add {self.here}/30 dev {self.near}")
        run(f"ip -n {self.name} address add {self.there}/30 dev {self.far}")
        self.plug()

    def plug(self) -> None:
        run(f"ip link set {self.near} up")
        run(f"ip -n {self.name} link set {self.far} up")

    def pull(self) -> None:
        run(f"ip link set {self.near} down")

    def take_away(self) -> None:
        run(f"ip netns delete {self.name}")

    def line(self) -> socket.socket:
        """A socket of that network; a thread goes there to make it."""
        made: list[socket.socket] = []
        thread = threading.Thread(target=self._make, args=(made,))
        thread.start()
        thread.join()
        return made[0]

    def _make(self, made: list[socket.socket]) -> None:
        with Path(f"/run/netns/{self.name}").open() as place:
            assert ctypes.CDLL(None).setns(place.fileno(), NEW_NETWORK) == 0
            made.append(socket.socket())


def run(command: str) -> None:
    subprocess.run(command.split(), check=True, capture_output=True)


class FarTalk(Talk):
    """Some of its visitors sit at the other end of the cable."""

    cable: Cable

    async def way(self, page: Page) -> dict[str, Any]:
        if not self.is_far(page):
            return {}
        line = self.cable.line()
        line.settimeout(0)
        async with asyncio.timeout(2):
            await asyncio.get_running_loop().sock_connect(line, (self.cable.here, self.demo.port))
        return {"sock": line}

    def is_far(self, page: Page) -> bool:
        return page.name in ("visitor0", "visitor1", "visitor2", "agent1")


@contextlib.asynccontextmanager
async def cable() -> AsyncIterator[Cable]:
    made = Cable()
    made.lay()
    try:
        yield made
    finally:
        made.take_away()


@row(
    "half-open",
    "the cable of three visitors and an agent is pulled, and nobody is told; plugged in after they are gone",
)
async def half_open(asked: Asked, outcome: Outcome) -> None:
    port = free_port()
    settings = {"BALIE_HOST": "0.0.0.0", "BALIE_METRICS_PORT": str(port)}
    async with folder() as home, cable() as laid:
        FarTalk.cable = laid
        async with talking(
            asked, outcome, home / "data", settings=settings, kind=FarTalk, rate=20
        ) as talk:
            await asyncio.sleep(3)
            far = [page for page in talk.clients.values() if talk.is_far(page)]
            for _ in range(asked.rounds or 1):
                outcome.tries += 1
                await pull_and_plug(laid, talk, far, port, outcome)


async def pull_and_plug(
    laid: Cable, talk: Talk, far: list[Page], port: int, outcome: Outcome
) -> None:
    every = await open_now(port)
    laid.pull()
    gone = await wait_until(lambda: open_now(port), every - len(far), 60)
    outcome.figures["the server noticed after s"] = round(gone, 1)
    outcome.require(gone <= GONE_WITHIN, f"the server noticed after {gone:.0f} s")
    laid.plug()
    # What browsers tell a page when the network is back.
    for page in far:
        page.step({"type": "online"})
    outcome.require_recovery(await wait_until(lambda: open_now(port), every, 60), BACK_WITHIN)


async def wait_until(count: Any, wanted: int, within: float) -> float:
    """Seconds until it counts so many; infinite where it does not in time."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < within:
        if await count() == wanted:
            return passed
        await asyncio.sleep(0.1)
    return float("inf")
