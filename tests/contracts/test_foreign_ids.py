"""What belongs to another organisation looks from here as if it had never been: same refusal, nothing changed.

Every route whose path holds an id, and every id that stands in a body or a frame.
"""

import asyncio

import pytest
from sqlalchemy import select
from tests.contracts.test_authorisation import AGENTS, ask, table
from tests.people import fresh_id
from tests.places import looking
from tests.town import open_town

from balie.store.schema import metadata


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


class Never:
    """A side of which nothing exists, with ids as good as any."""

    def __init__(self, real):
        self.canary = real.canary
        self.conversation, self.file, self.kid, self.visitor_id = (fresh_id() for _ in range(4))
        self.webhook, self.delivery = fresh_id(), fresh_id()
        self.site = type("Site", (), {"id": fresh_id()})
        self.agents = {"agent": type("Agent", (), {"id": fresh_id()})}


def everything(town, organisation_id):
    """All rows of an organisation, table by table; and how many files lie about."""
    owned = [table for table in metadata.sorted_tables if "organisation_id" in table.c]
    assert len(owned) > 5
    with looking(town.house.store.driver) as connection:
        return {
            table.name: sorted(
                str(tuple(row))
                for row in connection.execute(
                    select(table).where(table.c.organisation_id == organisation_id)
                )
            )
            for table in owned
        }


def told(answer):
    return answer.status_code, answer.content, sorted(answer.headers)


async def test_a_foreign_id_is_refused_as_one_that_never_was(town):
    north, south = town.sides["noord"], town.sides["zuid"]
    before, differing, tried = everything(town, south.organisation_id), [], 0
    askers = [(role, north.browsers[role]) for role in AGENTS]
    askers += [("eva", town.browser(Authorization=f"Bearer {north.visitors['eva']}"))]
    for door in table(town):
        if "{" not in door[1] or "invitation" in door[1]:
            continue
        for role, browser in askers:
            foreign = await ask(town, browser, door, south)
            never = await ask(town, browser, door, Never(south))
            tried += 1
            if told(foreign) != told(never):
                differing.append(
                    (*door, role, foreign.status_code, foreign.text[:80], never.text[:80])
                )
    assert differing == []
    assert tried > 80
    assert everything(town, south.organisation_id) == before


async def test_a_foreign_id_in_a_body_opens_nothing(town):
    north, south = town.sides["noord"], town.sides["zuid"]
    before, never = everything(town, south.organisation_id), Never(south)
    owner = north.browsers["owner"]
    eva = town.browser(Authorization=f"Bearer {north.visitors['eva']}")
    own = f"/api/v1/conversations/{north.conversation}"

    async def refused(browser, verb, path, make):
        answers = []
        for side in (south, never):
            answer = await browser.request(verb, path, json=make(side))
            assert answer.status_code == 404, answer.text
            answers.append(answer.text.replace(side.file, "ID"))
        assert answers[0] == answers[1], path

    def with_file(side):
        return {"client_message_id": fresh_id(), "text": "hallo", "files": [side.file]}

    def to(side):
        return {"client_message_id": fresh_id(), "text": "x", "conversation": side.conversation}

    await refused(owner, "POST", f"{own}/messages", with_file)
    await refused(eva, "POST", "/api/v1/visitor/messages", with_file)
    await refused(eva, "POST", "/api/v1/visitor/messages", to)
    await refused(
        owner, "PUT", f"{own}/assignment", lambda side: {"agent": side.agents["agent"].id}
    )
    # Whose it was is no key to it: `from` only says whom one knew to have it.
    taken = await owner.put(f"{own}/assignment", json={"from": south.agents["agent"].id})
    assert south.canary not in taken.text
    assert everything(town, south.organisation_id) == before


@pytest.mark.parametrize("kind", ["visitor", "agent"])
async def test_a_frame_with_a_foreign_id_is_refused_as_with_one_that_never_was(town, kind):
    north, south = town.sides["noord"], town.sides["zuid"]
    before = everything(town, south.organisation_id)
    heard = []
    for side in (south, Never(south)):
        line = await (
            town.visitor_socket(
                north, "eva", resume=[{"conversation": side.conversation, "last_seq": 0}]
            )
            if kind == "visitor"
            else town.agent_socket(north, "agent")
        )
        key, about = fresh_id(), side.conversation
        post = {"type": "post", "client_message_id": key, "text": "binnen"}
        frames = [
            {"type": "resume", "conversation": about, "last_seq": 0},
            {"type": "resume", "conversation": about, "last_seq": 2**40},
            post | {"conversation": about},
            post | {"conversation": north.conversation, "files": [side.file]},
            {"type": "mark", "conversation": about, "delivered": 1, "read": 1},
            {"type": "typing", "conversation": about, "on": True},
        ]
        for frame in frames:
            await line.say(**frame)
        # The answers: to two resumes (the second replaces the first), two messages, and the ping.
        await line.say(type="ping")
        wanted = 3
        async with asyncio.timeout(5):
            while len(errors := [f for f in line.heard if f["type"] == "error"]) < wanted:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        line.connection.leave()
        heard.append(
            {
                (
                    frame["code"],
                    frame["detail"].replace(side.file, "FILE"),
                    frame["ref"].replace(key, "KEY").replace(about, "ID"),
                )
                for frame in errors
            }
        )
        assert south.canary.encode() not in line.raw
    assert heard[0] == heard[1]
    assert len(heard[0]) == 3
    assert everything(town, south.organisation_id) == before
