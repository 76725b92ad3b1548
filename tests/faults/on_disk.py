"""The disk is full, read-only, broken or slow."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.faults.injecting import SYNCS, WRITES, injected, writer_of
from tests.faults.readings import readings
from tests.faults.rows import Asked, Outcome, folder, row, talking
from tests.faults.talk import Talk
from tests.people import free_port

RED_WITHIN = 2.0
RECOVERY = 5.0
MEGABYTE = 1_048_576


@contextlib.asynccontextmanager
async def small_disk(where: Path, megabytes: int) -> AsyncIterator[Path]:
    """A disk of its own, of that size."""
    where.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "balie", str(where)], check=True
    )
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)


def fill(file: Path) -> None:
    """Take all the room that there is."""
    with file.open("wb", buffering=0) as writing, contextlib.suppress(OSError):
        while True:
            writing.write(bytes(65_536))


@row("disk-full", "the data directory's own disk is filled under load, and freed again")
async def disk_full(asked: Asked, outcome: Outcome) -> None:
    async with folder() as home, small_disk(home / "disk", 64) as disk:
        filler = disk / "filler"
        async with talking(asked, outcome, disk / "data") as talk:
            for _ in range(asked.rounds or 3):
                outcome.tries += 1
                await asyncio.sleep(1)
                fill(filler)
                await refused(talk, outcome, asked.seconds or 3)
                os.truncate(filler, filler.stat().st_size - 10 * MEGABYTE)
                outcome.require_recovery(await talk.recovery(), RECOVERY)
                outcome.require(await talk.ready() < RECOVERY, "not ready again")


async def refused(talk: Talk, outcome: Outcome, seconds: float) -> None:
    """Nothing can be written, and that is said; what can be read, is."""
    # The log may have room of its own for a while, until it grows.
    began = time.monotonic()
    status, said = await talk.ask()
    while status == 200 and time.monotonic() - began < 30:
        status, said = await talk.ask()
    outcome.require(status == 503, f"a message that could not be stored was answered {status}")
    red = await talk.ready(503, RED_WITHIN)
    outcome.require(red <= RED_WITHIN, "/readyz was not red in time")
    outcome.require(await talk.read() == 200, "the console could not read")
    await asyncio.sleep(seconds)
    status, _ = await talk.ask(said)
    outcome.require(status == 503, f"a message was answered {status}")
    outcome.require(await talk.read() == 200, "the console could not read")


@row("disk-refuses", "the writer's n-th write, and all after it, find no room (ENOSPC)")
async def disk_refuses(asked: Asked, outcome: Outcome) -> None:
    await fail_writes(asked, outcome, "pwrite64:error=ENOSPC:when={n}+")


@row("write-fails", "the writer's n-th write, and all after it, fail (EIO)")
async def write_fails(asked: Asked, outcome: Outcome) -> None:
    await fail_writes(asked, outcome, "pwrite64:error=EIO:when={n}+")


@row("sync-fails", "the n-th sync, and all after it, fail (EIO)")
async def sync_fails(asked: Asked, outcome: Outcome) -> None:
    await fail_writes(asked, outcome, f"{SYNCS}:error=EIO:when={{n}}+")


async def fail_writes(asked: Asked, outcome: Outcome, fault: str) -> None:
    """The fault from a chosen call on, again and again at one server."""
    async with folder() as home, talking(asked, outcome, home / "data") as talk:
        writer, chance = await writer_of(talk.demo.process.pid), asked.chance("when")
        for _ in range(asked.rounds or 10):
            outcome.tries += 1
            when = fault.format(n=chance.randint(1, 60))
            async with injected(talk.demo.process.pid, when, threads=[writer]):
                await refused(talk, outcome, 0.5)
                await nothing_acknowledged(talk, outcome)
            outcome.require_recovery(await talk.recovery(), RECOVERY)
            outcome.require(await talk.ready() < RECOVERY, "not ready again")


async def nothing_acknowledged(talk: Talk, outcome: Outcome) -> None:
    """While no sync and no write succeeds, nobody is told that something was stored."""
    began = time.monotonic()
    await asyncio.sleep(0.5)
    acks = talk.history.acks_between(began, time.monotonic())
    outcome.require(not acks, f"{acks} acks while nothing could be stored")


@row(
    "sync-fails-once",
    "a single sync fails (EIO): the log is written anew before anything else is acknowledged",
)
async def sync_fails_once(asked: Asked, outcome: Outcome) -> None:
    async with folder() as home, talking(asked, outcome, home / "data") as talk:
        pid, chance = talk.demo.process.pid, asked.chance("when")
        writer = await writer_of(pid)
        for _ in range(asked.rounds or 10):
            outcome.tries += 1
            once = f"{SYNCS}:error=EIO:when={chance.randint(1, 60)}"
            async with injected(pid, once, threads=[writer]):
                outcome.require(await talk.ready(503, 15) < 15, "the failure was not seen")
                outcome.require_recovery(await talk.recovery(), RECOVERY)


@row("read-only", "the file system turns read-only under the server (EROFS), and back")
async def read_only(asked: Asked, outcome: Outcome) -> None:
    # The kernel refuses to remount what is open for writing, so that only an error of the disk leads here.
    faults = tuple(f"{call}:error=EROFS" for call in f"{WRITES},{SYNCS}".split(","))
    async with folder() as home, talking(asked, outcome, home / "data") as talk:
        pid = talk.demo.process.pid
        writer = await writer_of(pid)
        for _ in range(asked.rounds or 3):
            outcome.tries += 1
            async with injected(
                pid, *faults, threads=[writer], path=home / "data/balie.sqlite3-wal"
            ):
                await refused(talk, outcome, asked.seconds or 1)
                await nothing_acknowledged(talk, outcome)
            outcome.require_recovery(await talk.recovery(), RECOVERY)


LAG = 0.05


@row("slow-disk", "every sync takes 300 ms")
async def slow_disk(asked: Asked, outcome: Outcome) -> None:
    port = free_port()
    settings = {"BALIE_METRICS_PORT": str(port)}
    async with (
        folder() as home,
        talking(asked, outcome, home / "data", settings=settings, rate=15) as talk,
    ):
        writer = await writer_of(talk.demo.process.pid)
        outcome.tries = 1
        slow = f"{SYNCS}:delay_enter=300000"
        async with injected(talk.demo.process.pid, slow, threads=[writer]):
            before, began = await lags(port), time.monotonic()
            slowest = 0.0
            while time.monotonic() - began < (asked.seconds or 10):
                slowest = max(slowest, await answer_time(talk))
                await asyncio.sleep(0.2)
            after, ended = await lags(port), time.monotonic()
        late = share_above(LAG, before, after)
        await asyncio.sleep(2)
        waits = talk.history.waits(began, ended)
    outcome.figures |= {
        "loop late by more than 50 ms, share": round(late, 4),
        "slowest reading ms": round(slowest * 1_000),
        "ack ms p50": round(waits[len(waits) // 2] * 1_000),
        "ack ms p99": round(waits[int(len(waits) * 0.99)] * 1_000),
    }
    outcome.require(late <= 0.01, f"the event loop was late {late:.1%} of the time")
    outcome.require(slowest < 1, "reading had to wait for writing")


async def answer_time(talk: Talk) -> float:
    began = time.monotonic()
    assert await talk.read() == 200
    return time.monotonic() - began


async def lags(port: int) -> dict[float, float]:
    """How often the event loop was at most so late."""
    return {
        float(dict(labels)["le"]): value
        for (name, labels), value in (await readings(port)).items()
        if name == "balie_loop_lag_seconds_bucket"
    }


def share_above(bound: float, before: dict[float, float], after: dict[float, float]) -> float:
    every = after[float("inf")] - before[float("inf")]
    return 1 - (after[bound] - before[bound]) / every if every else 1.0
