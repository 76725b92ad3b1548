"""Two organisations on one installation never see a byte of each other, nor change one."""

import msgspec
from sqlalchemy import select

from balie.agents.commands import AgentChange
from balie.edge.policy import route_policies
from balie.kernel.events import AgentName
from balie.organisations.commands import OrganisationChange, SiteChange
from balie.organisations.model import Texts
from balie.store.schema import metadata
from balie.store.scope import EVERYWHERE

CANARY = "KANARIE"


async def plant(office, begun):
    """The canary in every field of an organisation that takes text."""
    inside = office.system(begun)
    await office.organisations.change_organisation(inside, OrganisationChange(name=f"{CANARY} 1"))
    await office.organisations.change_site(
        inside,
        begun.site.id,
        SiteChange(
            name=f"{CANARY} 2",
            origins=(f"https://{CANARY}.example",),
            texts={"nl": Texts(f"{CANARY} 3", f"{CANARY} 4", f"{CANARY} 5")},
        ),
    )
    await office.organisations.create_key(inside, begun.site.id, "HS256")
    hired = await office.hire(begun, f"{CANARY}6")
    await office.room.commands.change_agent(inside, hired.id, AgentChange(name=f"{CANARY} 7"))
    name = AgentName(hired.id, f"{CANARY} 8")
    office.room.presence.seen(begun.organisation.id, name, "tab", office.now)
    browser = await office.enter(hired, **{"User-Agent": f"{CANARY} 9"})
    await browser.patch("/api/v1/session/agent", json={"settings": {"x": f"{CANARY} 10"}})
    return hired, browser


async def rows_of(office, begun):
    """Every row of an organisation in every table, as the store holds it."""

    def read(connection):
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    select(table).where(table.c.organisation_id == begun.organisation.id)
                )
            ]
            for table in metadata.sorted_tables
            if "organisation_id" in table.c
        }

    return await office.store.read(read, of=EVERYWHERE)


async def test_no_door_leads_to_the_neighbours(office):
    mine, theirs = await office.begin("Mine"), await office.begin("Theirs", "Bea")
    hired, neighbour = await plant(office, theirs)
    kid = (await (await office.enter(theirs.owner)).get(f"/api/v1/sites/{theirs.site.id}")).json()[
        "keys"
    ][0]["kid"]
    their_session = (await neighbour.get("/api/v1/sessions")).json()["data"][0]["id"]
    ids = {
        "site_id": [theirs.site.id],
        "agent_id": [hired.id, theirs.owner.id],
        "session_id": [their_session],
        "kid": [kid],
    }
    office.now += 1
    owner = await office.enter(mine.owner)
    before = await rows_of(office, theirs)
    assert any(CANARY in str(rows) for rows in before.values()), "the canary was not planted"
    tried = 0
    for verb, path in route_policies(office.app.routes):
        names = [p[1:-1].partition(":")[0] for p in path.split("/") if p.startswith("{")]
        # A site's key and what it opens are public.
        if (
            not path.startswith("/api/v1")
            or not set(names) <= ids.keys()
            or path == "/api/v1/session"
        ):
            continue
        for address in addresses(path, ids):
            body = None if verb in ("GET", "DELETE") else BODIES.get(path.rsplit("/", 1)[-1], {})
            answer = await owner.request(verb, address, json=body)
            assert CANARY.lower() not in answer.text.lower(), (verb, address, answer.text)
            if names:
                assert answer.status_code == 404, (verb, address, answer.status_code)
            tried += 1
    assert tried >= 20
    assert await rows_of(office, theirs) == before
    assert (await neighbour.get("/api/v1/session")).status_code == 200


BODIES = {
    "keys": {"algorithm": "HS256"},
    "agents": {"name": "x", "email": "x@mine.example"},
    "sites": {"name": "x"},
}


def addresses(path, ids):
    """`path` with each of the neighbours' ids in its parameters."""
    found = [path]
    for part in path.split("/"):
        if part.startswith("{"):
            values = ids[part[1:-1].partition(":")[0]]
            found = [address.replace(part, value) for address in found for value in values]
    return found


async def test_what_the_server_owns_cannot_be_said_by_a_client(office):
    """Every valid write, sent again with fields that are the server's to set: ignored, each of them."""
    mine, theirs = await office.begin("Mine"), await office.begin("Theirs", "Bea")
    owner = await office.enter(mine.owner)
    stolen = {
        "id": theirs.owner.id,
        "organisation_id": theirs.organisation.id,
        "key": theirs.site.key,
        "created_at": 1,
        "active": True,
        "password_hash": "x",
        "verified": True,
        "material": "x",
        "invited_by": "Bea",
    }
    before = await rows_of(office, theirs)
    for verb, path, body in [
        ("PATCH", "/api/v1/organisation", {"name": "Still mine"}),
        ("POST", "/api/v1/sites", {"name": "Mine too"}),
        ("PATCH", f"/api/v1/sites/{mine.site.id}", {"name": "Mine again"}),
        ("POST", f"/api/v1/sites/{mine.site.id}/keys", {"algorithm": "HS256"}),
        ("POST", "/api/v1/agents", {"name": "Tom", "email": "tom@mine.example"}),
        ("PATCH", f"/api/v1/agents/{mine.owner.id}", {"name": "Ana B"}),
        ("PATCH", "/api/v1/session/agent", {"name": "Ana C"}),
    ]:
        answer = await owner.request(verb, path, json=stolen | body)
        assert answer.status_code in (200, 201), (path, answer.text)
        said = answer.text
        assert theirs.organisation.id not in said
        assert theirs.site.key not in said
        assert theirs.owner.id not in said
    assert await rows_of(office, theirs) == before
    people = (await owner.get("/api/v1/agents")).json()["data"]
    assert {p["name"]: p["active"] for p in people} == {"Ana C": True, "Tom": False}
    assert msgspec.json.decode((await owner.get("/api/v1/organisation")).content)["id"] == (
        mine.organisation.id
    )


async def test_every_table_names_its_organisation():
    assert [t.name for t in metadata.sorted_tables if "organisation_id" not in t.c] == []
