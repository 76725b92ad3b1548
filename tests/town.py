"""A town for tests: two organisations on one installation, with twin people, sites, talks and files."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.office import CHEAP, PASSWORD, SHOP
from tests.people import fresh_id
from tests.places import address

from balie.agents.commands import NewAgent
from balie.agents.setup import Beginning, create_agent, create_organisation_site_owner
from balie.app.house import House, clock
from balie.app.server import Application
from balie.app.settings import Settings
from balie.contacts import tokens
from balie.kernel.actor import VisitorActor
from balie.realtime.agent import AgentConnection
from balie.realtime.outbox import Outbox
from balie.realtime.visitor import VisitorConnection

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000"
    "000301010018dd8db00000000049454e44ae426082"
)


@dataclass
class Side:
    """One organisation and what is in it. Every text of it holds its `canary`."""

    canary: str
    organisation_id: str
    site: Any
    agents: dict[str, Any]
    browsers: dict[str, httpx.AsyncClient]
    visitors: dict[str, str] = field(default_factory=dict)
    conversation: str = ""
    file: str = ""
    kid: str = ""
    session: str = ""
    visitor_id: str = ""


class Town:
    """The house in which both live, without a network."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.application = Application(house)
        self.origin = house.edge.origin
        self.sides: dict[str, Side] = {}

    def browser(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.application, client=("198.51.100.7", 40_000)),
            base_url=self.origin,
            headers={"Origin": self.origin, **headers},
        )

    async def settle(self, name: str) -> Side:
        """An organisation with an owner, an admin, an agent, somebody who left, two visitors, one talk."""
        begun = await create_organisation_site_owner(
            self.house.organisations,
            self.house.agents,
            Beginning(
                organisation=f"{name} canary-{name}",
                site=f"Site {name} canary-{name}",
                origins=(SHOP,),
                owner="Ana",
                email=f"ana@{name}.example",
                password=PASSWORD,
            ),
        )
        people = {"owner": begun.owner}
        for who, role in (("Bea", "admin"), ("Tom", "agent"), ("Gus", "agent")):
            wish = NewAgent(
                name=f"{who} canary-{name}", email=f"{who}@{name}.example".lower(), role=role
            )
            key = "former" if who == "Gus" else role
            people[key] = await create_agent(
                self.house.agents, begun.organisation.id, wish, PASSWORD
            )
        side = Side(f"canary-{name}", begun.organisation.id, begun.site, people, {})
        for role, agent in people.items():
            side.browsers[role] = await self.enter(agent.email)
        await side.browsers["owner"].patch(
            f"/api/v1/agents/{people['former'].id}", json={"disabled": True}
        )
        await self._talk(side)
        self.sides[name] = side
        return side

    async def enter(self, email: str) -> httpx.AsyncClient:
        browser = self.browser()
        answer = await browser.post("/api/v1/session", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return browser

    async def _talk(self, side: Side) -> None:
        for who in ("eva", "mo"):
            side.visitors[who] = self.token(side)
        eva = self.browser(Authorization=f"Bearer {side.visitors['eva']}")
        file = await eva.post(
            "/api/v1/files",
            content=PNG,
            headers={"X-File-Name": f"{side.canary}.png", "Content-Type": "image/png"},
        )
        side.file = file.json()["id"]
        said = await eva.post(
            "/api/v1/visitor/messages",
            json={
                "client_message_id": fresh_id(),
                "text": f"hallo {side.canary}",
                "files": [side.file],
            },
        )
        assert said.status_code == 200, said.text
        side.conversation = said.json()["conversation"]
        await eva.put("/api/v1/visitor/identity", json={"name": f"Eva {side.canary}"})
        owner = side.browsers["owner"]
        await owner.put(f"/api/v1/conversations/{side.conversation}/tags/{side.canary}")
        key = await owner.post(f"/api/v1/sites/{side.site.id}/keys", json={"algorithm": "HS256"})
        side.kid = key.json()["kid"]
        sessions = await side.browsers["agent"].get("/api/v1/sessions")
        side.session = sessions.json()["data"][0]["id"]
        row = await owner.get(f"/api/v1/conversations/{side.conversation}")
        side.visitor_id = row.json()["visitor"]["id"]

    def token(self, side: Side) -> str:
        actor = VisitorActor(
            organisation_id=side.organisation_id, site_id=side.site.id, visitor_id=fresh_id()
        )
        return tokens.issue(self.house.secret, actor, clock())

    # Sockets without a network.

    async def settled(self, line: "Line", heard: int) -> None:
        """Wait until `line` heard more than so many frames; nothing at all fails."""
        async with asyncio.timeout(5):
            while len(line.heard) <= heard:  # noqa: ASYNC110 - a list has no event for it
                await asyncio.sleep(0.005)

    async def visitor_socket(self, side: Side, who: str, **more: Any) -> "Line":
        line = Line()
        line.connection = VisitorConnection(
            self.house.live_services(),
            line,
            origin=self.origin,
            address="198.51.100.7",
            user_agent="",
        )
        hello = {"type": "hello", "site": side.site.key, "token": side.visitors[who]}
        await line.say(**(more | hello))
        return line

    async def agent_socket(self, side: Side, role: str) -> "Line":
        browser = side.browsers[role]
        ticket = (await browser.post("/api/v1/socket-tickets")).json().get("ticket", "none")
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        line = Line()
        line.connection = AgentConnection(
            self.house.live_services(),
            line,
            origin=self.origin,
            address="198.51.100.7",
            cookies=cookies,
        )
        await line.say(type="hello", ticket=ticket)
        return line


class Line:
    """One end of a connection: what was pushed to it, and with what it was ended."""

    name = "socket"

    def __init__(self) -> None:
        self.connection: Any = None
        # What is pushed is heard at once, so nothing ever waits in it.
        self.outbox = Outbox()
        self.heard: list[dict[str, Any]] = []
        self.raw = b""
        self.ended: int | None = None
        self.outbox = Outbox()

    def push(self, frame: bytes) -> None:
        self.raw += frame
        self.heard.append(json.loads(frame))

    def end(self, code: int, _reason: str) -> None:
        self.ended = code

    async def say(self, **frame: Any) -> None:
        await self.connection.receive(json.dumps(frame))

    def kinds(self) -> list[str]:
        return [frame["type"] for frame in self.heard]


@asynccontextmanager
async def open_town(folder, **more):
    """Two organisations, `noord` and `zuid`, in one house over a fresh data directory; `more` settings."""
    usual = {"message_burst": 100_000, "connection_burst": 100_000, "metrics_token": "letmein"}
    where = {"data_dir": folder, "database_url": address(folder)}
    settings = Settings(**(where | usual | more))
    house = House(settings, CHEAP)
    house.store.driver.migrate()
    await house.open()
    town = Town(house)
    try:
        for name in ("noord", "zuid"):
            await town.settle(name)
        yield town
    finally:
        await house.close()
