"""People who talk while something goes wrong, and what the checker says of it afterwards.

A `Talk` has servers (one, or several over one database), pages over real sockets, and a rate at which they say
something. It writes down when each message was said and acknowledged.
"""

import asyncio
import contextlib
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from tests import places
from tests.faults.pages import AgentPage, Clock, Page, VisitorPage
from tests.people import Agent, Demo, fresh_id, visitor
from tests.simulation.history import History

from balie.conversations.projection import ConversationProjection
from balie.kernel.events import Envelope, decode_author, decode_payload
from balie.store import sqlite
from balie.store.postgres import PostgresDriver
from balie.store.schema import cursor_of

FROM_AGENTS = 0.1
QUIET_WITHIN = 90
"""Seconds in which what is under way must become less; a slow machine may take many such spells."""
LIMITLESS = {
    "BALIE_MESSAGES_PER_SECOND": "100000",
    "BALIE_MESSAGE_BURST": "100000",
    "BALIE_CONNECTIONS_PER_MINUTE": "1000000",
    "BALIE_CONNECTION_BURST": "1000000",
    "BALIE_FREE_BYTES": "0",
    "BALIE_LOG_LEVEL": "error",
}


class Notes(History):
    """What everyone did, with the moments of it."""

    def __init__(self) -> None:
        super().__init__()
        self.said_at: list[float] = []
        self.acked_at: dict[str, float] = {}

    def acked(self, name: str, frame: dict[str, Any]) -> None:
        self.acked_at.setdefault(frame["client_message_id"], time.monotonic())
        super().acked(name, frame)

    def waits(self, begun: float, ended: float, keys: set[str] | None = None) -> list[float]:
        """Seconds until each message said in that time (or those of `keys`) was acknowledged, sorted; infinite
        where it was not."""
        return sorted(
            self.acked_at.get(key, float("inf")) - at
            for (_, key, _), at in zip(self.said, self.said_at, strict=True)
            if begun <= at < ended and (keys is None or key in keys)
        )

    def acks_between(self, begun: float, ended: float) -> int:
        return sum(begun <= at < ended for at in self.acked_at.values())


class Database:
    """The database of servers that have stopped, as the checker reads it."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.driver = PostgresDriver(url) if url else sqlite.open_store(_file_of(folder))

    def log(self) -> dict[str, list[Envelope]]:
        logs: dict[str, list[Envelope]] = {}
        for row in self.rows(
            "SELECT conversation_id, seq, at, author, payload, client_message_id FROM events"
            " ORDER BY conversation_id, seq"
        ):
            author, payload = decode_author(row[3]), decode_payload(row[4])
            envelope = Envelope(row[0], row[1], row[2], author, payload, row[5])
            logs.setdefault(row[0], []).append(envelope)
        return logs

    def rows(self, query: str) -> list[Any]:
        with places.looking(self.driver) as connection:
            return list(connection.exec_driver_sql(query))

    def state(self, conversation: str) -> Any:
        with places.looking(self.driver) as connection:
            return ConversationProjection().load(cursor_of(connection), conversation)

    def verdict(self) -> str:
        if self.driver.name != "SQLite":
            return "ok"
        return str(self.rows("PRAGMA integrity_check")[0][0])


def _file_of(folder: Path) -> Path:
    [path] = folder.glob("*.sqlite3")
    return path


class Talk:
    """It is the world of its pages."""

    def __init__(
        self,
        servers: list[Demo],
        chance: random.Random,
        *,
        visitors: int = 20,
        agents: int = 2,
        listeners: int = 0,
        rate: float = 200,
        front: str | None = None,
        url: str = "",
    ) -> None:
        self.servers = servers
        self.url = url or places.address(servers[0].folder, servers[0].database)
        self.chance = chance
        self.numbers = (visitors, agents)
        self.listeners = listeners
        """Visitors besides, who are connected and say nothing."""
        self.rate = rate
        self.clockwork = Clock()
        self.history = Notes()
        self.clients: dict[str, Page] = {}
        self.agents: list[AgentPage] = []
        self.closes: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.front = front
        """Where pages connect, where that is not a server itself."""
        self.quiet = False
        self.server = None
        self.organisation = ""

    @property
    def demo(self) -> Demo:
        return self.servers[0]

    def address_of(self, page: Page) -> str:
        number = list(self.clients).index(page.name)
        return self.front or f"127.0.0.1:{self.servers[number % len(self.servers)].port}"

    async def way(self, _page: Page) -> dict[str, Any]:
        """What else the library of sockets is to be told of a page's next connection."""
        return {}

    async def open(self) -> None:
        """Start what does not run, let everybody in, and let them begin."""
        for server in self.servers:
            if server.process is None:
                await asyncio.to_thread(server.start)
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.demo.port}")
        self.http.headers["Host"] = self.demo.url.removeprefix("http://")
        await self.invite()
        self.talking = asyncio.create_task(self.talk())

    async def invite(self) -> None:
        visitors, agents = self.numbers
        for number in range(visitors + self.listeners):
            name = f"visitor{number}"
            self.clients[name] = VisitorPage(self, name)
        self.agents = [
            AgentPage(self, f"agent{number}", await Agent(self.demo, login).sign_in())
            for number, login in enumerate(self.demo.logins[:agents])
        ]
        self.clients |= {agent.name: agent for agent in self.agents}
        for page in self.clients.values():
            page.open()

    async def talk(self) -> None:
        visitors = [self.clients[f"visitor{number}"] for number in range(self.numbers[0])]
        while self.rate and not self.quiet:
            await asyncio.sleep(self.chance.expovariate(self.rate))
            is_agents = self.agents and self.chance.random() < FROM_AGENTS
            self.chance.choice(self.agents if is_agents else visitors).say_something()

    # What somebody beside them finds.

    async def knock(self) -> str:
        """A visitor's token and a conversation of his, for `ask`."""
        talker = await visitor(self.demo).open()
        text, key = self.note("a visitor")
        ack = await talker.post(text, key=key)
        await talker.close()
        self.token = str(talker.welcome["visitor"]["token"])
        self.asked_in = str(ack["conversation"])
        return self.asked_in

    def note(self, name: str, size: int = 0) -> tuple[str, str]:
        """A text that nobody said, of at least so many letters, and its key."""
        text, key = f"besides {len(self.history.said)} ".ljust(size, "x"), fresh_id()
        self.history.said.append((name, key, text))
        self.history.said_at.append(time.monotonic())
        return text, key

    async def ask(
        self,
        again: tuple[str, str] | None = None,
        size: int = 0,
        http: httpx.AsyncClient | None = None,
    ) -> tuple[int, tuple[str, str]]:
        """Say something beside them, over HTTP: the status, and what was said."""
        text, key = said = again or self.note("a visitor", size)
        body = {"client_message_id": key, "conversation": self.asked_in, "text": text}
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = await (http or self.http).post(
                "/api/v1/visitor/messages", json=body, headers=headers, timeout=10
            )
        except httpx.HTTPError:
            return 0, said
        return answer.status_code, said

    async def read(self) -> int:
        """The status with which a console's list of conversations is answered."""
        try:
            answer = await self.agents[0].agent.http.get("/api/v1/conversations", timeout=10)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    async def ready(self, wanted: int = 200, within: float = 60) -> float:
        """Seconds until `/readyz` answers so; infinite where it does not in time."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < within:
            with contextlib.suppress(httpx.HTTPError):
                answer = await self.http.get("/readyz", timeout=2)
                if answer.status_code == wanted:
                    return time.monotonic() - began
            await asyncio.sleep(0.02)
        return float("inf") if passed >= within else passed

    async def recovery(self, within: float = 60) -> float:
        """Seconds until something is stored again."""
        began = time.monotonic()
        said = None
        while time.monotonic() - began < within:
            status, said = await self.ask(said)
            if status == 200:
                return time.monotonic() - began
            await asyncio.sleep(0.05)
        return float("inf")

    # The end.

    async def rest(self) -> None:
        """Nobody says anything more; what is under way arrives."""
        self.quiet = True
        await self.talking
        await self.wait_for_rest()

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

    def check(self) -> None:
        """Compare with the database as the last life of the servers leaves it, killed once more."""
        for server in self.servers:
            if server.process is not None:
                server.kill()
        self.disk = Database(self.demo.folder, self.url)
        try:
            if (verdict := self.disk.verdict()) != "ok":
                self.history.find("corrupt", verdict)
            [self.organisation] = {
                row[0] for row in self.disk.rows("SELECT organisation_id FROM conversations")
            }
            self.history.check(self)
        finally:
            self.disk.driver.dispose()

    async def close(self) -> None:
        """Everybody leaves."""
        for page in self.clients.values():
            page.step({"type": "shut"})
        await self.http.aclose()
        for page in self.agents:
            await page.agent.leave()
        for server in self.servers:
            if server.process is not None:
                server.kill()
