"""The line between server and PostgreSQL: reset, held up, or silent for a while."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator

import httpx
from tests.clusters import Cluster
from tests.faults.rows import Asked, Outcome, folder, row, talking
from tests.faults.talk import Talk

RECOVERY = 5.0
ANSWERED = 10.0
"""Seconds in which everybody is told something, whatever it is."""
CROWD = 200
KINDS = ("reset", "held up", "silent")


class Line:
    """A proxy before PostgreSQL. Held up: bytes wait, and come later. Silent: they are gone, and so is every
    connection that lost some; nobody is told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.flows = asyncio.Event()
        self.flows.set()
        self.silent: set[asyncio.StreamWriter] = set()
        """Ends that hear no more."""
        self.is_silent = False
        self.ends: list[asyncio.StreamWriter] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        self.server = await asyncio.start_server(self.meet, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, on = await asyncio.open_connection("127.0.0.1", self.port)
        self.ends += [writer, on]
        for source, target in ((reader, on), (there, writer)):
            task = asyncio.create_task(self.pump(source, target))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self.flows.wait()
                if self.is_silent:
                    self.silent.add(target)
                if target not in self.silent:
                    target.write(data)
                    await target.drain()
        if target not in self.silent:
            target.close()

    def silence_newest(self) -> None:
        """The connection that came last is lost, and nobody is told."""
        self.silent |= set(self.ends[-2:])

    async def trouble(self, kind: str, seconds: float) -> None:
        """Mended when it returns."""
        if kind == "reset":
            self.reset()
        elif kind == "held up":
            self.flows.clear()
            await asyncio.sleep(seconds)
            self.flows.set()
        else:
            self.is_silent = True
            await asyncio.sleep(seconds)
            self.is_silent = False

    def reset(self) -> None:
        ends, self.ends = self.ends, []
        for end in ends:
            end.transport.abort()

    async def close(self) -> None:
        self.server.close()
        self.flows.set()
        self.reset()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def over_a_line(asked: Asked, outcome: Outcome) -> AsyncIterator[tuple[Talk, Line]]:
    cluster = await asyncio.to_thread(Cluster)
    line = Line(cluster.port)
    try:
        url = await asyncio.to_thread(cluster.database)
        through = url.replace(str(cluster.port), str(await line.open()))
        plain = Asked(asked.seed, asked.rounds, asked.seconds)
        settings = {"BALIE_DATABASE_URL": through}
        async with (
            folder() as home,
            talking(plain, outcome, home / "data", settings=settings, url=url) as talk,
        ):
            yield talk, line
        await line.close()
    finally:
        await asyncio.to_thread(cluster.remove)


@row(
    "pg-line",
    "connections to PostgreSQL are reset, held up or silent for up to 20 s",
    on=("postgresql",),
)
async def pg_line(asked: Asked, outcome: Outcome) -> None:
    async with over_a_line(asked, outcome) as (talk, line):
        for number in range(asked.rounds or 9):
            outcome.tries += 1
            await asyncio.sleep(talk.chance.uniform(0.3, 1))
            kind = KINDS[number % len(KINDS)]
            seconds = 0.5 * ((asked.seconds or 20) / 0.5) ** talk.chance.random()
            troubling = asyncio.create_task(line.trouble(kind, seconds))
            await require_answers(talk, troubling, outcome, kind)
            recovery = await talk.recovery()
            outcome.require_recovery(recovery, RECOVERY)
            outcome.figures[kind] = max(round(recovery, 2), outcome.figures.get(kind, 0.0))


async def require_answers(
    talk: Talk, troubling: asyncio.Task[None], outcome: Outcome, kind: str
) -> None:
    """Whoever asks meanwhile is answered in time."""
    while not troubling.done():
        began = time.monotonic()
        status, _ = await talk.ask()
        outcome.require(status in (200, 503), f"{kind}: {status}")
        name = f"slowest {status} while {kind}, s"
        took = round(time.monotonic() - began, 1)
        outcome.figures[name] = max(took, outcome.figures.get(name, 0.0))
        await asyncio.sleep(0.1)
    await troubling


@row(
    "pg-crowd",
    "200 ask at once for lists while the line to PostgreSQL is held up for 5 s",
    on=("postgresql",),
)
async def pg_crowd(asked: Asked, outcome: Outcome) -> None:
    answers: Counter[int] = Counter()
    async with over_a_line(asked, outcome) as (talk, line):
        for _ in range(asked.rounds or 3):
            outcome.tries += 1
            holding = asyncio.create_task(line.trouble("held up", asked.seconds or 5))
            await asyncio.sleep(0.1)
            began = time.monotonic()
            answers.update(await ask_all(talk))
            took = time.monotonic() - began
            await holding
            outcome.figures["slowest answer s"] = round(took, 1)
            outcome.require_recovery(await talk.recovery(), RECOVERY)
    outcome.figures["answers"] = dict(answers)
    outcome.require(set(answers) <= {200, 503}, f"answers: {dict(answers)}")


async def ask_all(talk: Talk) -> list[int]:
    cookies = talk.agents[0].agent.http.cookies
    limits = httpx.Limits(max_connections=CROWD)
    async with httpx.AsyncClient(
        base_url=talk.http.base_url, cookies=cookies, limits=limits, timeout=2 * ANSWERED
    ) as http:
        http.headers["Host"] = talk.http.headers["Host"]
        answers = await asyncio.gather(
            *(http.get("/api/v1/conversations?view=all") for _ in range(CROWD)),
            return_exceptions=True,
        )
    return [0 if isinstance(each, BaseException) else each.status_code for each in answers]
