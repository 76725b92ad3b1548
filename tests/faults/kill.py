"""kill -9 under load: a real server, real sockets, real client sessions, and the checker over all they saw.

`python -m tests.faults.kill --rounds 1000 --seed 1 [--json FILE]`: 20 visitors and two agents talk at about
200 messages a second; the server is killed after 50 ms to 5 s and started again. Every ROUNDS_PER_STORE rounds
everyone falls silent, and what was said, acked and shown is compared with the database; then a new one begins.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from tests.people import Agent, Demo
from tests.simulation.history import History
from tests.simulation.people import Client
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from balie.conversations.projection import ConversationProjection
from balie.kernel.events import Envelope, decode_author, decode_payload
from balie.store import sqlite

ROUNDS_PER_STORE = 20
VISITORS = 20
MESSAGES_A_SECOND = 200
FROM_AGENTS = 0.1
QUIET_WITHIN = 90
"""Seconds in which what is under way must become less; a slow machine may take many such spells."""
LIMITLESS = {
    "BALIE_MESSAGES_PER_SECOND": "100000",
    "BALIE_MESSAGE_BURST": "100000",
    "BALIE_CONNECTIONS_PER_MINUTE": "1000000",
    "BALIE_CONNECTION_BURST": "1000000",
    "BALIE_LOG_LEVEL": "error",
}


class Clock:
    """Real time, where the simulation has its own."""

    @property
    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def after(self, delay: float, act: Any, *args: Any) -> None:
        asyncio.get_running_loop().call_later(delay / 1_000, act, *args)


class Page(Client):
    """A page over real sockets, whoever's it is."""

    actor = None

    def start(self) -> None:
        super().start()
        self.dialling: asyncio.Task[None] | None = None
        self.outgoing: asyncio.Queue[str] | None = None

    def do_connect(self, _effect: dict[str, Any]) -> None:
        self.hang_up()
        self.dialling = asyncio.get_running_loop().create_task(self.talk())

    def hang_up(self) -> None:
        self.outgoing = None
        if self.dialling is not None:
            self.dialling.cancel()
            self.dialling = None

    def do_send(self, effect: dict[str, Any]) -> None:
        if self.outgoing is not None:
            self.outgoing.put_nowait(msgspec.json.encode(effect["frame"]).decode())

    async def talk(self) -> None:
        code = 1006
        with contextlib.suppress(OSError, WebSocketException, httpx.HTTPError):
            code = await self.talk_until_it_ends()
        self.dialling = None
        self.world.closes[code] += 1
        self.step({"type": "disconnected", "code": code})

    async def talk_until_it_ends(self) -> int:
        hello = await self.hello_now()
        url = f"ws://127.0.0.1:{self.world.demo.port}/ws/{self.kind}"
        headers = {"Origin": self.world.demo.url} | self.cookies()
        how = {"compression": None, "ping_interval": None, "open_timeout": 5}
        async with connect(url, additional_headers=headers, **how) as socket:
            self.outgoing = asyncio.Queue()
            writing = asyncio.create_task(self.write(socket, self.outgoing))
            self.step({"type": "connected", "hello": hello})
            try:
                async for text in socket:
                    self.world.history.heard(self, text.encode())
                    self.step({"type": "received", "frames": msgspec.json.decode(text)})
            finally:
                writing.cancel()
            return socket.close_code or 1006

    async def write(self, socket: Any, outgoing: asyncio.Queue[str]) -> None:
        with contextlib.suppress(WebSocketException):
            while True:
                await socket.send(await outgoing.get())

    def do_fill(self, effect: dict[str, Any]) -> None:
        asyncio.get_running_loop().create_task(self.fill(effect))

    async def fill(self, effect: dict[str, Any]) -> None:
        conversation = effect["conversation"]
        query = {name: effect[name] for name in ("after", "before") if name in effect}
        try:
            answer = await self.http().get(self.events_path(conversation), params=query)
            answer.raise_for_status()
        except httpx.HTTPError:
            self.unfilled(conversation)
            return
        page = answer.json()
        events = page["data"] if isinstance(page, dict) else page
        self.step({"type": "filled", "conversation": conversation, "events": events})

    def cookies(self) -> dict[str, str]:
        return {}


class VisitorPage(Page):
    kind = "visitor"

    async def hello_now(self) -> dict[str, Any]:
        return {"site": self.world.demo.site}

    def events_path(self, conversation: str) -> str:
        return f"/api/v1/visitor/conversations/{conversation}/events"

    def http(self) -> httpx.AsyncClient:
        self.world.http.headers["Authorization"] = f"Bearer {self.session.token}"
        return self.world.http

    def say_something(self) -> None:
        # A first message is waited for, so that each visitor has one conversation.
        known = self.known()
        if known is not None or not self.session.outbox.items:
            self.say(known)


class AgentPage(Page):
    kind = "agent"

    def __init__(self, world: Any, name: str, agent: Agent) -> None:
        self.agent = agent
        super().__init__(world, name)

    async def hello_now(self) -> dict[str, Any]:
        answer = await self.agent.http.post("/api/v1/socket-tickets")
        answer.raise_for_status()
        return {"ticket": answer.json()["ticket"]}

    def cookies(self) -> dict[str, str]:
        cookies = self.agent.http.cookies.items()
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies)}

    def events_path(self, conversation: str) -> str:
        return f"/api/v1/conversations/{conversation}/events"

    def http(self) -> httpx.AsyncClient:
        return self.agent.http

    def told_inbox(self, frame: dict[str, Any]) -> None:
        for row in frame["rows"]:
            self.follow(row["id"])

    def say_something(self) -> None:
        if conversation := self.known():
            self.say(conversation, "note" if self.world.chance.random() < 0.2 else "post")


class Database:
    """The database of a server that has stopped, as the checker reads it."""

    def __init__(self, folder: Path) -> None:
        [path] = folder.glob("*.sqlite3")
        self.connection = sqlite.driver().connect(str(path))

    def log(self) -> dict[str, list[Envelope]]:
        logs: dict[str, list[Envelope]] = {}
        for row in self.connection.execute(
            "SELECT conversation_id, seq, at, author, payload, client_message_id FROM events"
            " ORDER BY position"
        ):
            author, payload = decode_author(row[3]), decode_payload(row[4])
            envelope = Envelope(row[0], row[1], row[2], author, payload, row[5])
            logs.setdefault(row[0], []).append(envelope)
        return logs

    def state(self, conversation: str) -> Any:
        return ConversationProjection().load(self.connection.cursor(), conversation)

    def verdict(self) -> str:
        return str(self.connection.execute("PRAGMA integrity_check").fetchone()[0])


@dataclass
class Tally:
    """What a run came to."""

    kills: int = 0
    said: int = 0
    acked: int = 0
    findings: list[tuple[str, str]] = field(default_factory=list)
    restarts_ms: list[int] = field(default_factory=list)
    closes: Counter[int] = field(default_factory=Counter)

    def result(self, seed: int) -> dict[str, Any]:
        restarts = sorted(self.restarts_ms)
        return {
            "seed": seed,
            "kills": self.kills,
            "messages": self.said,
            "acked": self.acked,
            "findings": dict(Counter(kind for kind, _ in self.findings)),
            "closes": dict(self.closes),
            "restart_ms": {
                "median": restarts[len(restarts) // 2],
                "p95": restarts[int(len(restarts) * 0.95)],
                "most": restarts[-1],
            },
        }


class Campaign:
    """Some rounds over one database. It is the world of its pages."""

    def __init__(self, folder: Path, chance: random.Random, port: int | None = None) -> None:
        ports = {"port": port} if port else {}
        self.demo = Demo(folder, settings=LIMITLESS, **ports)
        self.chance = chance
        self.clockwork = Clock()
        self.history = History()
        self.clients: dict[str, Page] = {}
        self.closes: Counter[int] = Counter()
        self.server = None
        self.quiet = False
        self.died_at = 0.0

    async def run(self, rounds: int, tally: Tally) -> None:
        await asyncio.to_thread(self.demo.start)
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.demo.port}")
        self.http.headers["Host"] = self.demo.url.removeprefix("http://")
        await self.invite()
        talking = asyncio.create_task(self.talk())
        for _ in range(rounds):
            await asyncio.sleep(self.chance.uniform(0.05, 5))
            await self.kill(tally)
        self.quiet = True
        await talking
        await self.wait_for_rest()
        self.check(tally)
        for page in self.clients.values():
            page.step({"type": "shut"})
        await self.http.aclose()
        await asyncio.gather(*(each.agent.leave() for each in self.agents))

    async def invite(self) -> None:
        for number in range(VISITORS):
            name = f"visitor{number}"
            self.clients[name] = VisitorPage(self, name)
        self.agents = [
            AgentPage(self, f"agent{number}", await Agent(self.demo, login).sign_in())
            for number, login in enumerate(self.demo.logins[:2])
        ]
        self.clients |= {agent.name: agent for agent in self.agents}
        for page in self.clients.values():
            page.open()

    async def talk(self) -> None:
        visitors = [page for page in self.clients.values() if page.kind == "visitor"]
        while not self.quiet:
            await asyncio.sleep(self.chance.expovariate(MESSAGES_A_SECOND))
            speaks = self.agents if self.chance.random() < FROM_AGENTS else visitors
            self.chance.choice(speaks).say_something()

    async def kill(self, tally: Tally) -> None:
        await asyncio.to_thread(self.demo.kill)
        began = time.perf_counter()
        await asyncio.to_thread(self.demo.start)
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await self.http.get("/readyz")).status_code == 200:
                    break
            await asyncio.sleep(0.01)
        tally.restarts_ms.append(round((time.perf_counter() - began) * 1_000))
        tally.kills += 1

    async def wait_for_rest(self) -> None:
        """Everybody is connected and has nothing under way; what gets stuck, the checker tells."""
        least, late = sys.maxsize, 0.0
        while under_way := sum(map(self.under_way, self.clients.values())):
            if under_way < least:
                least, late = under_way, time.monotonic() + QUIET_WITHIN
            elif time.monotonic() > late:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)

    def under_way(self, page: Page) -> int:
        """What this page still waits for: messages, gaps, its connection."""
        session = page.session
        behind = sum(bool(log.behind or log.filling) for log in session.logs.values())
        return (session.status != "live") + len(session.outbox.items) + behind

    def check(self, tally: Tally) -> None:
        """Compare with the database as the last life of the server leaves it, killed once more."""
        self.demo.kill()
        self.disk = Database(self.demo.folder)
        if (verdict := self.disk.verdict()) != "ok":
            self.history.find("corrupt", verdict)
        [self.organisation] = {
            row[0]
            for row in self.disk.connection.execute("SELECT organisation_id FROM conversations")
        }
        self.history.check(self)
        tally.said += len(self.history.said)
        tally.acked += len(self.history.acks)
        tally.closes += self.closes
        tally.findings += self.history.findings


async def run(rounds: int, seed: int, *, port: int | None = None, note: Any = None) -> Tally:
    """Kill the server so many times. `note` is called with the tally after each database."""
    tally = Tally()
    while tally.kills < rounds:
        chance = random.Random(f"{seed}/{tally.kills}")
        with tempfile.TemporaryDirectory() as folder:
            campaign = Campaign(Path(folder) / "data", chance, port)
            await campaign.run(min(ROUNDS_PER_STORE, rounds - tally.kills), tally)
        if note:
            note(tally)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()

    told = [0]

    def note(tally: Tally) -> None:
        result = json.dumps(tally.result(asked.seed))
        print(result, flush=True)
        for kind, what in tally.findings[told[0] : told[0] + 20]:
            print(f"{kind}: {what[:300]}", flush=True)
        told[0] = len(tally.findings)
        if asked.json:
            asked.json.write_text(result + "\n")

    tally = asyncio.run(run(asked.rounds, asked.seed, port=asked.port, note=note))
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
