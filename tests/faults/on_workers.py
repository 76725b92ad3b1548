"""Two workers over a PostgreSQL and a NATS of their own; each of the four goes away, alone and with others.

The second worker sits in a network of its own, with cables for the people, for PostgreSQL and for NATS.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from tests.clusters import Cluster
from tests.faults.on_network import Cable
from tests.faults.pages import Page
from tests.faults.rows import Asked, Outcome, folder, row
from tests.faults.talk import LIMITLESS, Talk
from tests.people import Agent, Demo, Talker, free_port, visitor
from tests.places import Nats

RECOVERY = 5.0
ACROSS = 1.0
"""Seconds in which a message is with the other worker, also where there is no NATS."""
BOTH = ("workers",)
PEOPLE, DATABASE, HINTS = 7, 8, 9
"""Of what the three cables are."""


class Town:
    """What the two workers are made of, and what can be done to it."""

    def __init__(self, home: Path, errors: Any, *, is_apart: bool) -> None:
        self.cables = [Cable(PEOPLE)] if is_apart else []
        self.cables += [Cable(each, to=self.cables[0]) for each in (DATABASE, HINTS) if is_apart]
        everywhere = "0.0.0.0" if is_apart else "127.0.0.1"
        self.cluster = Cluster({"listen_addresses": everywhere})
        if is_apart:
            self._let_in()
        self.nats = Nats(everywhere)
        self.url = self.cluster.database()
        port = free_port()
        settings = LIMITLESS | {"BALIE_ORIGIN": f"http://localhost:{port}"}
        near = settings | {"BALIE_DATABASE_URL": self.url, "BALIE_NATS_URL": self.nats.url}
        far = settings | self._from_afar() if is_apart else near
        self.workers = [
            Demo(home, port, near, errors=errors),
            Demo(home, settings=far, errors=errors, program=self._program()),
        ]
        self.addresses = ["127.0.0.1", self.cables[0].there if is_apart else "127.0.0.1"]

    def _let_in(self) -> None:
        with (self.cluster.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.0.0.0/8 trust\n")
        self.cluster.run("SELECT pg_reload_conf()")

    def _from_afar(self) -> dict[str, str]:
        _, database, hints = self.cables
        return {
            "BALIE_HOST": "0.0.0.0",
            "BALIE_DATABASE_URL": self.url.replace("127.0.0.1", database.here),
            "BALIE_NATS_URL": self.nats.url.replace("127.0.0.1", hints.here),
        }

    def _program(self) -> tuple[str, ...]:
        balie = str(Path(sys.executable).with_name("balie"))
        if not self.cables:
            return (balie,)
        return ("ip", "netns", "exec", self.cables[0].name, balie)

    def start(self) -> None:
        for cable in self.cables:
            cable.lay()
        for worker in self.workers:
            worker.start()

    def remove(self) -> None:
        for worker in self.workers:
            if worker.process is not None:
                worker.kill()
        self.nats.stop()
        self.cluster.remove()
        for cable in self.cables[:1]:
            cable.take_away()


class TownTalk(Talk):
    """Its pages are spread over both workers."""

    town: Town

    def of(self, page: Page) -> int:
        """The worker of a page: pages keep theirs."""
        return sum(map(ord, page.name)) % 2

    def address_of(self, page: Page) -> str:
        number = self.of(page)
        return f"{self.town.addresses[number]}:{self.servers[number].port}"

    async def stored_everywhere(self, within: float = 90) -> float:
        """Seconds until both workers store again."""
        each = (self._stored(number, within) for number in range(len(self.servers)))
        return max(await asyncio.gather(*each))

    async def _stored(self, number: int, within: float) -> float:
        began, status = time.monotonic(), 0
        said = self.note(f"a visitor at worker {number}")
        while time.monotonic() - began < within:
            status, _ = await self.ask_at(number, said)
            if status == 200:
                return time.monotonic() - began
            await asyncio.sleep(0.05)
        return float("inf")

    async def ask_at(self, number: int, said: tuple[str, str]) -> tuple[int, tuple[str, str]]:
        """`ask` a certain worker."""
        url = f"http://{self.town.addresses[number]}:{self.servers[number].port}"
        async with httpx.AsyncClient(base_url=url) as http:
            http.headers["Host"] = self.http.headers["Host"]
            return await self.ask(said, http=http)


@contextlib.asynccontextmanager
async def over_workers(
    asked: Asked, outcome: Outcome, *, is_apart: bool = False, rate: float = 60, visitors: int = 20
) -> AsyncIterator[TownTalk]:
    """People who talk with two workers while the block lasts; then the checker."""
    async with folder() as home:
        with (home / "log").open("ab") as errors:
            town = await asyncio.to_thread(Town, home / "data", errors, is_apart=is_apart)
            talk = TownTalk(
                town.workers,
                asked.chance(outcome.row),
                visitors=visitors,
                agents=4,
                rate=rate,
                url=town.url,
            )
            talk.town = town
            try:
                await asyncio.to_thread(town.start)
                await talk.open()
                await talk.knock()
                yield talk
                await talk.rest()
                talk.check()
            finally:
                talk.quiet = True
                await talk.close()
                await asyncio.to_thread(town.remove)
                outcome.said += len(talk.history.said)
                outcome.acked += len(talk.history.acks)
                outcome.findings += talk.history.findings


# What can be done to a town. Each lasts `seconds` at most, and mends what it broke.

Harm = Callable[[TownTalk, float], Awaitable[None]]


async def kill_a_worker(talk: TownTalk, _seconds: float) -> None:
    worker = talk.chance.choice(talk.servers)
    await asyncio.to_thread(worker.kill)
    await asyncio.to_thread(start_at_last, worker)


def start_at_last(worker: Demo) -> None:
    """As a supervisor does: a worker that finds no database ends, and is started anew."""
    while True:
        try:
            worker.start()
        except AssertionError:
            worker.kill()
            time.sleep(0.5)
        else:
            return


async def pause_a_worker(talk: TownTalk, seconds: float) -> None:
    worker = talk.chance.choice(talk.servers)
    if worker.process is not None:
        await hold(worker.process.pid, seconds)


async def kill_nats(talk: TownTalk, seconds: float) -> None:
    await asyncio.to_thread(talk.town.nats.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(talk.town.nats.start)


async def freeze_nats(talk: TownTalk, seconds: float) -> None:
    await hold(talk.town.nats.process.pid, seconds)


async def hold(pid: int, seconds: float) -> None:
    """A process stands still."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        os.kill(pid, signal.SIGCONT)


async def crash_postgres(talk: TownTalk, _seconds: float) -> None:
    await asyncio.to_thread(talk.town.cluster.stop)
    await asyncio.to_thread(talk.town.cluster.start)


async def end_connections(talk: TownTalk, _seconds: float) -> None:
    await asyncio.to_thread(talk.town.cluster.end_all)


async def kill_a_backend(talk: TownTalk, _seconds: float) -> None:
    await asyncio.to_thread(talk.town.cluster.kill_a_backend)


async def cut_database(talk: TownTalk, seconds: float) -> None:
    await cut(talk.town.cables[1:2], seconds)


async def cut_hints(talk: TownTalk, seconds: float) -> None:
    await cut(talk.town.cables[2:3], seconds)


async def cut_both(talk: TownTalk, seconds: float) -> None:
    await cut(talk.town.cables[1:], seconds)


async def cut_all(talk: TownTalk, seconds: float) -> None:
    await cut(talk.town.cables, seconds)


async def cut(cables: list[Cable], seconds: float) -> None:
    """Nobody is told."""
    for cable in cables:
        cable.pull()
    await asyncio.sleep(seconds)
    for cable in cables:
        cable.plug()


@dataclass(frozen=True)
class Trouble:
    harm: Harm
    what: str
    """Whom it meets: two that meet the same do not come together."""


PARTITIONS = {
    "cut off from PostgreSQL": Trouble(cut_database, "database"),
    "cut off from NATS": Trouble(cut_hints, "nats"),
    "cut off from both": Trouble(cut_both, "database"),
    "cut off from all": Trouble(cut_all, "database"),
}
TROUBLES = {
    "worker killed": Trouble(kill_a_worker, "worker"),
    "worker stands still": Trouble(pause_a_worker, "worker"),
    "NATS killed": Trouble(kill_nats, "nats"),
    "NATS stands still": Trouble(freeze_nats, "nats"),
    "PostgreSQL crashed": Trouble(crash_postgres, "database"),
    "connections ended": Trouble(end_connections, "database"),
    "backend killed": Trouble(kill_a_backend, "database"),
    **PARTITIONS,
}


async def again_and_again(
    asked: Asked, outcome: Outcome, names: list[str], *, longest: float, is_apart: bool = False
) -> None:
    async with over_workers(asked, outcome, is_apart=is_apart) as talk:
        for number in range(asked.rounds or 10):
            outcome.tries += 1
            await asyncio.sleep(talk.chance.uniform(0.3, 2))
            name = names[number % len(names)]
            await TROUBLES[name].harm(talk, until(longest, talk))
            await note_recovery(talk, outcome, name)


def until(longest: float, talk: Talk) -> float:
    """Some time between 0.2 s and `longest`, as often short as long."""
    return float(0.2 * (longest / 0.2) ** talk.chance.random())


async def note_recovery(talk: TownTalk, outcome: Outcome, name: str) -> None:
    seconds = await talk.stored_everywhere()
    outcome.require_recovery(seconds, RECOVERY)
    outcome.figures[name] = max(round(seconds, 2), outcome.figures.get(name, 0.0))


@row("workers-kill", "one of two workers is killed under load and started anew", on=BOTH)
async def workers_kill(asked: Asked, outcome: Outcome) -> None:
    await again_and_again(asked, outcome, ["worker killed"], longest=1)


@row("workers-pause", "one of two workers stands still for 0.2 to 30 s", on=BOTH)
async def workers_pause(asked: Asked, outcome: Outcome) -> None:
    await again_and_again(asked, outcome, ["worker stands still"], longest=asked.seconds or 30)


@row(
    "workers-pg",
    "PostgreSQL crashes, ends connections or loses a backend under two workers",
    on=BOTH,
)
async def workers_pg(asked: Asked, outcome: Outcome) -> None:
    names = [name for name, each in TROUBLES.items() if each.what == "database"]
    here = [name for name in names if name not in PARTITIONS]
    await again_and_again(asked, outcome, here, longest=1)


@row(
    "partition",
    "a worker is cut off from PostgreSQL, from NATS, from both, and from people too, for 0.2 to 60 s",
    on=BOTH,
)
async def partition(asked: Asked, outcome: Outcome) -> None:
    names, longest = list(PARTITIONS), asked.seconds or 60
    async with over_workers(asked, outcome, is_apart=True) as talk:
        for number in range(asked.rounds or 10):
            outcome.tries += 1
            name = names[number % len(names)]
            cutting = asyncio.create_task(TROUBLES[name].harm(talk, until(longest, talk)))
            if name != "cut off from all":
                await require_answers(talk, cutting, outcome)
            await cutting
            await note_recovery(talk, outcome, name)


async def require_answers(talk: TownTalk, cutting: asyncio.Task[None], outcome: Outcome) -> None:
    """Nobody waits at the worker for longer than a client of HTTP does, whatever he is told."""
    while not cutting.done():
        began = time.monotonic()
        status, _ = await talk.ask_at(1, talk.note("a visitor who asks meanwhile"))
        outcome.require(status in (200, 503), f"while a worker was cut off: {status}")
        took, key = round(time.monotonic() - began, 2), f"slowest {status} meanwhile, s"
        outcome.figures[key] = max(took, outcome.figures.get(key, 0.0))
        await asyncio.sleep(0.1)


@row("mixed", "one to three of all these at once, for up to 10 s, drawn from the seed", on=BOTH)
async def mixed(asked: Asked, outcome: Outcome) -> None:
    async with over_workers(asked, outcome, is_apart=True, rate=200) as talk:
        for _ in range(asked.rounds or 50):
            outcome.tries += 1
            await asyncio.sleep(talk.chance.uniform(0.3, 4))
            names = drawn(talk)
            longest = asked.seconds or 10
            await asyncio.gather(
                *(TROUBLES[name].harm(talk, until(longest, talk)) for name in names)
            )
            await note_recovery(talk, outcome, " + ".join(names))
    outcome.figures = {"slowest recovery s": max(outcome.recovered, default=0.0)}


def drawn(talk: TownTalk) -> list[str]:
    """Troubles that do not meet the same."""
    names = talk.chance.sample(sorted(TROUBLES), talk.chance.randint(1, 3))
    met: dict[str, str] = {}
    for name in names:
        met.setdefault(TROUBLES[name].what, name)
    return list(met.values())


@row("nats-lost", "NATS is killed or stands still for up to 10 s; two workers talk on", on=BOTH)
async def nats_lost(asked: Asked, outcome: Outcome) -> None:
    async with over_workers(asked, outcome, rate=20) as talk, Across(talk) as across:
        for number in range(asked.rounds or 10):
            outcome.tries += 1
            name = ("NATS killed", "NATS stands still")[number % 2]
            began = time.monotonic()
            await TROUBLES[name].harm(talk, max(1.0, until(asked.seconds or 10, talk)))
            across.away.append((began, time.monotonic()))
            await asyncio.sleep(talk.chance.uniform(0.5, 2))
            outcome.require_recovery(await talk.stored_everywhere(), RECOVERY)
    outcome.figures |= across.figures()
    slowest = outcome.figures["ms from worker to worker without NATS: 50 %, 99 %, longest"][1]
    outcome.require(slowest < ACROSS * 1_000, f"99 % are across within {slowest} ms only")


class Across:
    """How long it takes until an agent at the second worker hears what a visitor says at the first."""

    def __init__(self, talk: TownTalk) -> None:
        self.talk = talk
        self.took: list[tuple[float, float]] = []
        self.away: list[tuple[float, float]] = []

    async def __aenter__(self) -> Self:
        first, second = self.talk.servers
        self.agent = await Agent(second, second.logins[0]).sign_in()
        self.visitor = await visitor(first).open()
        text, key = self.talk.note("a visitor")
        self.conversation = (await self.visitor.post(text, key=key))["conversation"]
        self.console: Talker = await self.agent.console()
        await self.console.send(
            {"type": "resume", "conversation": self.conversation, "last_seq": 0}
        )
        self.saying = asyncio.create_task(self.say())
        return self

    async def say(self) -> None:
        while True:
            text, key = self.talk.note("a visitor")
            began = time.monotonic()
            await self.visitor.send(
                {
                    "type": "post",
                    "client_message_id": key,
                    "conversation": self.conversation,
                    "text": text,
                }
            )
            await self.heard(text)
            self.took.append((began, time.monotonic() - began))
            await asyncio.sleep(0.1)

    async def heard(self, text: str) -> None:
        async with asyncio.timeout(30):
            while not any(text in str(frame) for frame in self.console.heard[-20:]):
                await asyncio.sleep(0.002)

    async def __aexit__(self, *_: object) -> None:
        self.saying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.saying
        await self.visitor.close()
        await self.console.close()
        await self.agent.leave()

    def figures(self) -> dict[str, Any]:
        def is_away(at: float) -> bool:
            return any(began <= at <= ended for began, ended in self.away)

        return {
            "ms from worker to worker with NATS: 50 %, 99 %, longest": shares(
                [took for at, took in self.took if not is_away(at)]
            ),
            "ms from worker to worker without NATS: 50 %, 99 %, longest": shares(
                [took for at, took in self.took if is_away(at)]
            ),
        }


def shares(seconds: list[float]) -> list[int]:
    """In milliseconds: half of them, 99 % of them, all of them are that quick."""
    waits = sorted(seconds)
    last = len(waits) - 1
    return [round(waits[int(last * share)] * 1_000) for share in (0.5, 0.99, 1)]
