"""The authorisation matrix, generated from the table of routes: verb and path × who asks × whose it is.

For each door, everybody knocks with the ids of the first organisation. Who may not pass the policy is told
401 or 403. Who may, but to whom the thing does not belong, is told that there is no such thing. To whom it
belongs, gets it.
"""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from tests.office import CHEAP, PASSWORD
from tests.people import fresh_id

from balie.agents.commands import NewAgent
from balie.agents.passwords import Passwords
from balie.agents.setup import Beginning, create_agent, create_organisation_site_owner
from balie.app.commands import open_house
from balie.app.house import clock
from balie.app.server import Application
from balie.app.settings import Settings
from balie.contacts import tokens
from balie.edge.policy import Policy, route_policies
from balie.kernel.actor import VisitorActor

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
AGENTS = {"agent", "admin", "owner", "owner elsewhere"}
VISITORS = {"visitor", "another visitor", "visitor elsewhere"}
MAY_PASS = {
    Policy.PUBLIC: {"nobody"} | AGENTS | VISITORS,
    Policy.VISITOR: VISITORS,
    Policy.SIGNED_IN: VISITORS | AGENTS,
    Policy.AGENT: AGENTS,
    Policy.ADMIN: AGENTS - {"agent"},
    Policy.OWNER: {"owner", "owner elsewhere"},
}
# Doors that show or change only one's own, and so nobody else's whatever one says.
OWN = ("/session", "/sessions", "/session/agent", "/socket-tickets", "/visitor/conversations")


@dataclass
class World:
    """Two organisations, everybody in them, and the ids of what the first has."""

    house: object
    app: object
    ids: dict = field(default_factory=dict)
    browsers: dict = field(default_factory=dict)

    def knock(self, **headers):
        origin = self.house.settings.own_origin
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=origin,
            headers={"Origin": origin, **headers},
        )

    async def enter(self, agent):
        browser = self.knock()
        body = {"email": agent.email, "password": PASSWORD}
        answer = await browser.post("/api/v1/session", json=body)
        assert answer.status_code == 200, answer.text
        return browser

    def visit(self, site):
        actor = VisitorActor(
            organisation_id=site.organisation_id, site_id=site.id, visitor_id=fresh_id()
        )
        token = tokens.issue(self.house.secret, actor, clock())
        return self.knock(Authorization=f"Bearer {token}"), actor.visitor_id


@asynccontextmanager
async def open_world(folder):
    house = open_house(Settings(data_dir=folder))
    passwords = Passwords(house.ports.entropy, CHEAP)
    house.agents.passwords = house.agents.commands._passwords = passwords
    house.agents.sign_in._passwords = passwords
    await house.open()
    try:
        world = World(house, Application(house).http)
        await people(world)
        yield world
    finally:
        await house.close()


async def people(world):
    here, there = [await begin(world.house, name) for name in ("Here", "There")]
    hired = {
        role: await create_agent(
            world.house.agents,
            here.organisation.id,
            NewAgent(name=role, email=f"{role}@here.example", role=role),
            PASSWORD,
        )
        for role in ("agent", "admin")
    }
    visitor, visitor_id = world.visit(here.site)
    world.browsers = {
        "nobody": world.knock(),
        "visitor": visitor,
        "another visitor": world.visit(here.site)[0],
        "visitor elsewhere": world.visit(there.site)[0],
        "agent": await world.enter(hired["agent"]),
        "admin": await world.enter(hired["admin"]),
        "owner": await world.enter(here.owner),
        "owner elsewhere": await world.enter(there.owner),
    }
    world.ids = {
        "key": here.site.key,
        "site_id": here.site.id,
        "agent_id": hired["agent"].id,
        "visitor_id": visitor_id,
        **await belongings(world, here),
    }


async def begin(house, name):
    wish = Beginning(
        organisation=name,
        site=name,
        origins=(f"https://{name}.example",),
        owner=name,
        email=f"owner@{name}.example",
        password=PASSWORD,
    )
    return await create_organisation_site_owner(house.organisations, house.agents, wish)


async def belongings(world, here):
    """A conversation with a file in it, a key, a session and a link of the first organisation."""
    visitor, owner = world.browsers["visitor"], world.browsers["owner"]
    file = (
        await visitor.post("/api/v1/files", content=b"CANARY", headers={"X-File-Name": "a.txt"})
    ).json()
    body = {"client_message_id": fresh_id(), "text": "CANARY", "files": [file["id"]]}
    ack = await visitor.post("/api/v1/visitor/messages", json=body)
    assert ack.status_code == 200, ack.text
    keys = f"/api/v1/sites/{here.site.id}/keys"
    kid = (await owner.post(keys, json={"algorithm": "HS256"})).json()["kid"]
    session = (await owner.get("/api/v1/sessions")).json()["data"][0]["id"]
    return {
        "conversation_id": ack.json()["conversation"],
        "file_id": file["id"],
        "kid": kid,
        "session_id": session,
        "tag": "label",
    }


def body_for(verb, path, world):
    """A body that the door takes, so that what is refused is refused for who asks."""
    last = path.rsplit("/", 1)[-1]
    message = {"client_message_id": fresh_id(), "text": "x"}
    return {
        "messages": message
        | ({"conversation": world.ids["conversation_id"]} if "/visitor/" in path else {}),
        "notes": message,
        "assignment": {"agent": None},
        "rating": {"score": 5},
        "identity": {"name": "x"},
        "keys": {"algorithm": "HS256"},
        "sites": {"name": "x"},
        "agents": {"name": "x", "email": f"{fresh_id()}@x.example"},
        "session": {"email": "nobody@x.example", "password": "x"},
    }.get(last, {})


def address(path, ids):
    """`path` with the first organisation's ids; None when a parameter has none here."""
    found = []
    for part in path.split("/"):
        name = part[1:-1].partition(":")[0] if part.startswith("{") else None
        if name is not None and name not in ids:
            return None
        found.append(part if name is None else ids[name])
    return "/".join(found)


async def ask(world, who, verb, path):
    raw = path.endswith(("/files", "/picture"))
    given = {"content": b"x"} if raw else {"json": body_for(verb, path, world)}
    return await world.browsers[who].request(
        verb, address(path, world.ids), **(given if verb in UNSAFE - {"DELETE"} else {})
    )


def doors(world):
    return [
        (verb, path, policy)
        for (verb, path), policy in sorted(route_policies(world.app.routes).items())
        if path.startswith("/api/v1") and address(path, world.ids)
    ]


async def test_every_door_asks_who_is_there(tmp_path):
    async with open_world(tmp_path) as world:
        wrong = []
        tried = 0
        for verb, path, policy in doors(world):
            for who in world.browsers.keys() - MAY_PASS[policy]:
                answer = await ask(world, who, verb, path)
                tried += 1
                if answer.status_code not in (401, 403) or "CANARY" in answer.text:
                    wrong.append((verb, path, who, answer.status_code))
        assert wrong == []
        assert tried > 150


async def test_nobody_gets_what_belongs_to_another(tmp_path):
    async with open_world(tmp_path) as world:
        wrong = []
        tried = 0
        for verb, path, policy in doors(world):
            if policy is Policy.PUBLIC or path.removeprefix("/api/v1") in OWN:
                continue
            for who in strangers(path) & MAY_PASS[policy]:
                answer = await ask(world, who, verb, path)
                tried += 1
                hidden = answer.status_code == 404 if needs_id(path) else answer.status_code < 500
                if not hidden or "CANARY" in answer.text:
                    wrong.append((verb, path, who, answer.status_code, answer.text[:120]))
        assert wrong == []
        assert tried > 40


def strangers(path):
    """To whom the first organisation's things do not belong."""
    others = {"owner elsewhere", "visitor elsewhere", "another visitor"}
    # Of a session only its own agent knows.
    return others | ({"agent", "admin"} if "{session_id" in path else set())


def needs_id(path):
    return "{" in path or path.endswith("/visitor/messages")


@pytest.mark.parametrize("who", ["visitor", "agent", "admin", "owner"])
async def test_everybody_gets_his_own(tmp_path, who):
    """Otherwise a server that refuses all would pass the tests above."""
    async with open_world(tmp_path) as world:
        shown = 0
        for verb, path, policy in doors(world):
            if verb != "GET" or who not in MAY_PASS[policy] or "{token" in path:
                continue
            answer = await ask(world, who, verb, path)
            assert answer.status_code == 200, (path, answer.status_code, answer.text)
            shown += 1
        assert shown >= (4 if who == "visitor" else 9)
