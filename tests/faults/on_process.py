"""The server is killed, at any moment and at every system call, or stands still."""

import asyncio
import os
import signal

from tests.faults.injecting import injected, writer_of
from tests.faults.kill import run as kill_often
from tests.faults.rows import Asked, Outcome, folder, row, talking
from tests.faults.talk import Talk

CALLS = 30
"""System calls of a thread around one message, and more; those that are not reached kill nobody."""


@row("kill", "kill -9 after 50 ms to 5 s under load")
async def kill(asked: Asked, outcome: Outcome) -> None:
    tally = await kill_often(asked.rounds or 20, asked.seed)
    outcome.tries, outcome.said, outcome.acked = tally.kills, tally.said, tally.acked
    outcome.findings = tally.findings
    outcome.recovered = [each / 1_000 for each in tally.restarts_ms]


@row(
    "kill-each-call",
    "kill -9 at the n-th system call of one message, for every n, in each thread that works at it",
)
async def kill_each_call(asked: Asked, outcome: Outcome) -> None:
    killed = 0
    async with (
        folder() as home,
        # Nobody else talks, so that the calls are those of one message.
        talking(asked, outcome, home / "data", rate=0, visitors=2, agents=1) as talk,
    ):
        talk.clients["visitor0"].say_something()
        for number in range(1, (asked.rounds or CALLS) + 1):
            for is_writer in (False, True):
                outcome.tries += 1
                killed += await kill_at(talk, number, outcome, is_writer=is_writer)
    outcome.figures["killed"] = killed
    outcome.require(killed, "no call killed the server")


async def kill_at(talk: Talk, number: int, outcome: Outcome, *, is_writer: bool) -> bool:
    """Say one thing, and have the server die at that call, or live where so many do not come."""
    pid = talk.demo.process.pid
    threads = [await writer(talk) if is_writer else pid]
    fault = f"all:signal=SIGKILL:when={number}"
    visitor = talk.clients["visitor0"]
    async with asyncio.timeout(60):
        while talk.under_way(visitor):
            await asyncio.sleep(0.05)
    async with injected(pid, fault, threads=threads):
        visitor.say_something()
        said = talk.history.said[-1][1]
        async with asyncio.timeout(30):
            while talk.demo.process.poll() is None and said not in talk.history.acked_at:
                await asyncio.sleep(0.02)
    died = talk.demo.process.poll() is not None
    if died:
        talk.demo.kill()
        await asyncio.to_thread(talk.demo.start)
        outcome.recovered.append(await talk.ready())
    return died


async def writer(talk: Talk) -> int:
    looking = asyncio.create_task(writer_of(talk.demo.process.pid))
    while not looking.done():
        await talk.ask()
        await asyncio.sleep(0.1)
    return looking.result()


@row(
    "pause",
    "the server stands still (SIGSTOP) for 0.1 to 90 s, and goes on",
    on=("sqlite", "postgresql"),
)
async def pause(asked: Asked, outcome: Outcome) -> None:
    chance = asked.chance("pause")
    longest = asked.seconds or 90
    async with folder() as home, talking(asked, outcome, home / "data") as talk:
        for _ in range(asked.rounds or 10):
            outcome.tries += 1
            await asyncio.sleep(1)
            # As many short ones as long ones.
            await stand_still(talk, 0.1 * (longest / 0.1) ** chance.random())
            outcome.require_recovery(await talk.recovery(), 5)


async def stand_still(talk: Talk, seconds: float) -> None:
    os.kill(talk.demo.process.pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(talk.demo.process.pid, signal.SIGCONT)
