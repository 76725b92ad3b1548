"""Many who do not read, and many who come and go for a long time."""

import asyncio
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

from tests.faults.readings import readings
from tests.faults.rows import Asked, Outcome, folder, row, talking
from tests.faults.talk import Talk
from tests.people import free_port
from tests.simulation.people import TEXT, masked

READERS = 500
MOST_GROWTH = 64
"""Megabytes, for all of them together."""
LONG = 8_000
"""Letters in what is said in the busy room."""
MEGABYTE = 1_048_576
CROWD: dict[str, Any] = {
    "visitors": 100,
    "listeners": 1_900,
    "rate": 200,
    "settings": {"BALIE_CONNECTIONS_PER_ADDRESS": "10000"},
}


@row("slow-readers", "500 sockets with a receive buffer of 4 KB stop reading in a busy room")
async def slow_readers(asked: Asked, outcome: Outcome) -> None:
    outcome.tries = asked.rounds or READERS
    port, seconds = free_port(), asked.seconds or 20
    settings = {
        "BALIE_METRICS_PORT": str(port),
        "BALIE_CONNECTIONS_PER_VISITOR": "10000",
        "BALIE_CONNECTIONS_PER_ADDRESS": "10000",
    }
    async with folder() as home, talking(asked, outcome, home / "data", settings=settings) as talk:
        alone = await p99(talk, seconds)
        lines = [await deaf(talk) for _ in range(outcome.tries)]
        pid = talk.demo.process.pid
        before, ended = resident(pid), time.monotonic() + seconds
        busy = asyncio.create_task(fill_the_room(talk, ended))
        beside = await p99(talk, seconds)
        said = await busy
        growth = (resident(pid) - before) / MEGABYTE
        # Whoever has read nothing for 40 s is gone; who let too much pile up, sooner.
        late = time.monotonic() + 60
        while (left := await open_now(port)) > len(talk.clients) and time.monotonic() < late:
            await asyncio.sleep(1)
        told = await readings(port)
        for line in lines:
            line.close()
    outcome.figures |= {
        "said in the room": said,
        "others' ack ms p99 before": round(alone * 1_000, 1),
        "others' ack ms p99 beside them": round(beside * 1_000, 1),
        "growth MB": round(growth, 1),
        "connections left": left,
        "closed by code": {
            dict(labels)["code"]: int(value)
            for (name, labels), value in told.items()
            if name == "balie_connections_closed_total"
        },
    }
    outcome.require(growth < MOST_GROWTH, f"the server grew by {growth:.0f} MB")
    # Below this, a share says more of the machine than of the crowd.
    outcome.require(beside < max(2 * alone, 0.05), "others had to wait for those who do not read")
    outcome.require(left <= len(talk.clients), f"{left} connections are left")


async def deaf(talk: Talk) -> socket.socket:
    """A socket of the visitor of the busy room that greets and reads nothing of what follows."""
    loop, line = asyncio.get_running_loop(), socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.settimeout(0)
    await loop.sock_connect(line, ("127.0.0.1", talk.demo.port))
    head = (
        "GET /ws/visitor HTTP/1.1", f"Host: {talk.demo.url.removeprefix('http://')}",
        f"Origin: {talk.demo.url}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RFRg==", "", "",
    )  # fmt: skip
    await loop.sock_sendall(line, "\r\n".join(head).encode())
    await heard(line, b"\r\n\r\n")
    hello = {"type": "hello", "site": talk.demo.site, "token": talk.token, "language": "nl"}
    hello["resume"] = [{"conversation": talk.asked_in, "last_seq": 0}]
    await loop.sock_sendall(line, masked(TEXT, json.dumps(hello).encode()))
    await heard(line, b'"welcome"')
    return line


async def heard(line: socket.socket, what: bytes) -> None:
    """Read on until that has come."""
    found = b""
    while what not in found:
        more = await asyncio.get_running_loop().sock_recv(line, 1_000)
        assert more, f"not let in: {found[-200:]!r}"
        found += more


async def fill_the_room(talk: Talk, ended: float) -> int:
    """Say long things in the busy room, as quickly as they are stored but at most 20 a second."""
    said = 0
    while time.monotonic() < ended:
        status, _ = await talk.ask(size=LONG)
        assert status == 200
        said += 1
        await asyncio.sleep(0.05)
    return said


async def p99(talk: Talk, seconds: float) -> float:
    """How long people wait for an ack, from now on."""
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    ended = time.monotonic()
    await asyncio.sleep(1)
    mine = {key for name, key, _ in talk.history.said if name in talk.clients}
    waits = talk.history.waits(begun, ended, mine)
    return waits[int(len(waits) * 0.99)]


async def open_now(port: int) -> int:
    return int(
        sum(
            value
            for (name, _), value in (await readings(port)).items()
            if name == "balie_connections"
        )
    )


def resident(pid: int) -> int:
    """Bytes that a process holds."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1_024
    raise AssertionError("no memory is told")


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@row(
    "soak",
    "100 visitors talk for long beside 1,900 who only listen; each minute 5 % come back anew",
    on=("sqlite", "postgresql"),
)
async def soak(asked: Asked, outcome: Outcome) -> None:
    seconds = asked.seconds or 7_200
    every = min(60.0, seconds / 12)
    samples: list[tuple[float, int, int]] = []
    async with folder() as home, talking(asked, outcome, home / "data", **CROWD) as talk:
        pid, begun = talk.demo.process.pid, time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            # Not consoles: those of this harness hear each conversation from its beginning, which none does.
            visitors = [page for page in talk.clients.values() if page.kind == "visitor"]
            some = len(visitors) // 20
            for page in talk.chance.sample(visitors, some):
                page.reload()
                await asyncio.sleep(every / some)
            samples.append((passed / 3_600, resident(pid), descriptors(pid)))
            megabytes = samples[-1][1] / MEGABYTE
            sys.stderr.write(f"{passed:.0f} s: {megabytes:.1f} MB, {samples[-1][2]} descriptors\n")
            outcome.tries += 1
    # After the caches have filled.
    warm = samples[len(samples) // 3 :]
    outcome.figures |= {
        "MB at the beginning": round(samples[0][1] / MEGABYTE, 1),
        "MB at the end": round(samples[-1][1] / MEGABYTE, 1),
        "MB an hour, after a third": round(slope(warm, 1) / MEGABYTE, 1),
        "descriptors at the beginning, at the end": (samples[0][2], samples[-1][2]),
    }
    outcome.require(samples[-1][2] <= samples[0][2] + 20, "descriptors are not given back")


def slope(samples: list[tuple[float, int, int]], column: int) -> float:
    """By how much a column grows in an hour (least squares)."""
    times, values = [each[0] for each in samples], [each[column] for each in samples]
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((time - middle) ** 2 for time in times)
    if not spread:
        return 0.0
    pairs = zip(times, values, strict=True)
    return sum((time - middle) * (value - mean) for time, value in pairs) / spread
