"""A whole office for tests: the web server over a real database file, a clock that one turns by hand."""

import random
from contextlib import asynccontextmanager

import httpx
from argon2 import PasswordHasher
from tests.places import Place

from balie.agents.commands import NewAgent
from balie.agents.room import AgentRoom
from balie.agents.setup import Beginning, create_agent, create_organisation_site_owner
from balie.conversations.projection import ConversationProjection
from balie.edge.limits import parse_networks
from balie.edge.ports import Ports
from balie.edge.settings import EdgeSettings
from balie.http.routes import HttpDeps, build_http
from balie.kernel.actor import SystemActor
from balie.organisations.commands import OrganisationCommands
from balie.store.engine import LogStore

ORIGIN = "http://localhost:8000"
SHOP = "https://shop.example"
PASSWORD = "correct horse battery"
NOON = 1_800_000_000_000

# What a hash costs is measured elsewhere; here it only has to be one.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Office:
    """The rooms, the server, and ways to walk in. `now` is the clock."""

    def __init__(self, store, origin=ORIGIN, static=None):
        self.now = NOON
        chance = random.Random(7)
        self.origin = origin
        self.store = store
        self.ports = Ports(store, lambda: self.now, chance.randbytes)
        self.settings = EdgeSettings(
            origin,
            trusted_proxies=parse_networks(["10.0.0.0/8"]),
            operator_token="letmein",
        )
        self.organisations = OrganisationCommands(self.ports)
        self.room = AgentRoom(self.ports, self.settings, self.organisations, CHEAP)
        self.ready = True
        self.deps = HttpDeps(
            ports=self.ports,
            settings=self.settings,
            organisations=self.organisations,
            agents=self.room,
            is_ready=self._is_ready,
            metrics=lambda: b"balie_events_total 0.0\n",
            max_file_bytes=1_000_000,
            **({"static": static} if static else {}),
        )
        self.app = build_http(self.deps)

    async def _is_ready(self):
        return self.ready

    async def begin(self, name="Fietswinkel", owner="Ana"):
        """An organisation with a site and an owner, `OWNER@NAME.example`."""
        return await create_organisation_site_owner(
            self.organisations,
            self.room,
            Beginning(
                organisation=name,
                site=f"Site van {name}",
                origins=(SHOP,),
                owner=owner,
                email=f"{owner}@{name}.example",
                password=PASSWORD,
            ),
        )

    async def hire(self, begun, name, role="agent"):
        """Another agent of an organisation that has begun, with PASSWORD."""
        domain = begun.owner.email.partition("@")[2]
        wish = NewAgent(name=name, email=f"{name}@{domain}", role=role)
        return await create_agent(self.room, begun.organisation.id, wish, PASSWORD)

    def system(self, begun):
        return SystemActor(organisation_id=begun.organisation.id)

    def browser(self, address="198.51.100.7", **headers):
        """A browser on a page of Balie's own, not signed in."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 40_000)),
            base_url=self.origin,
            headers={"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **headers},
        )

    async def enter(self, agent, password=PASSWORD, **headers):
        """A browser in which `agent` is signed in."""
        browser = self.browser(**headers)
        answer = await browser.post(
            "/api/v1/session", json={"email": agent.email, "password": password}
        )
        assert answer.status_code == 200, answer.text
        return browser


@asynccontextmanager
async def open_office(folder, **given):
    """An office over a fresh database file in `folder`."""
    store = LogStore(Place(folder).open(), ConversationProjection())
    store.start()
    try:
        yield Office(store, **given)
    finally:
        await store.stop()
