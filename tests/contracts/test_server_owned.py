"""What the server decides stays the server's: every good write, with fields that are not for clients."""

import json

import pytest
from tests.contracts.test_authorisation import address, body_of, table
from tests.people import fresh_id
from tests.places import everything, looking
from tests.town import open_town

MARK = "ffffffff-ffff-7fff-bfff-ffffffffffff"
# Where a role may be given, by whom it may be given is tried with the roles.
GIVES_ROLES = {("POST", "/api/v1/agents"), ("PATCH", "/api/v1/agents/{agent_id:str}")}
TAKES = {
    ("PUT", "/api/v1/conversations/{conversation_id:str}/assignment"): {"agent", "from"},
    ("PATCH", "/api/v1/organisation"): {"name"},
}


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


def owned(side):
    """Fields that no client decides, with values that would show."""
    return {
        "id": MARK,
        "organisation": MARK,
        "organisation_id": side.organisation_id,
        "organisationId": side.organisation_id,
        "site_id": side.site.id,
        "conversation_id": side.conversation,
        "visitor": MARK,
        "visitor_id": MARK,
        "contact": MARK,
        "contact_id": MARK,
        "external_id": MARK,
        "author": {"kind": "agent", "id": MARK, "name": MARK},
        "author_id": MARK,
        "agent_id": MARK,
        "key": MARK,
        "kid": MARK,
        "secret": MARK,
        "material": MARK,
        "role": "owner",
        "is_admin": True,
        "disabled": True,
        "verified": True,
        "seq": 9_999,
        "last_seq": 9_999,
        "at": 1,
        "created_at": 1,
        "started_at": 1,
        "password_hash": MARK,
        "picture": f"/pictures/{MARK}.webp",
        "by": "system",
        "__proto__": {"role": "owner"},
        "constructor": MARK,
    }


def rows(town):
    """Everything in the store, by table."""
    return everything(town.house.store.driver)


def of_side(dump, side):
    """The rows that name this organisation, or something in it."""
    known = (side.organisation_id, side.site.id, side.conversation, side.canary, side.visitor_id)
    return {
        name: [row for row in lines if any(each in row for each in known)]
        for name, lines in dump.items()
    }


async def test_no_field_of_the_servers_is_taken_from_a_client(town):
    noord, zuid = town.sides["noord"], town.sides["zuid"]
    theirs = of_side(rows(town), zuid)
    assert sum(map(len, theirs.values())) > 10
    extra, tried = owned(zuid), 0
    roles = await people(noord)
    visitor = town.browser(Authorization=f"Bearer {noord.visitors['eva']}")
    for door in table(town):
        body = body_of(noord).get(door)
        if body is None or door == ("POST", "/api/v1/session") or "/invitations/" in door[1]:
            continue
        asker = visitor if "/visitor/" in door[1] else noord.browsers["owner"]
        allowed = TAKES.get(door, set()) | ({"role", "disabled"} if door in GIVES_ROLES else set())
        for name, value in extra.items():
            if name in body or name in allowed:
                continue
            good = dict(body_of(noord)[door]) | {name: value}
            answer = await asker.request(door[0], address(door[1], noord), json=good)
            assert answer.status_code in (200, 201, 204, 409, 422), (door, name, answer.text)
            assert MARK not in answer.text or answer.status_code == 422, (door, name)
            tried += 1
    assert tried > 250
    after = rows(town)
    assert of_side(after, zuid) == theirs
    assert MARK not in json.dumps(after)
    assert (await people(noord)).items() >= roles.items()
    await no_time_was_set_back(town)


async def people(side):
    """(role, disabled) by id of who was there."""
    answer = await side.browsers["owner"].get("/api/v1/agents")
    return {each["id"]: (each["role"], each.get("disabled")) for each in answer.json()["data"]}


async def no_time_was_set_back(town):
    with looking(town.house.store.driver) as connection:
        for name, column in (
            ("events", "at"),
            ("conversations", "started_at"),
            ("visitors", "created_at"),
        ):
            least = connection.exec_driver_sql(f"SELECT min({column}) FROM {name}").scalar()
            assert least > 1_000_000, name


async def test_no_frame_says_who_speaks_or_when(town):
    noord, zuid = town.sides["noord"], town.sides["zuid"]
    theirs = of_side(rows(town), zuid)
    lines = [
        await town.visitor_socket(noord, "eva"),
        await town.agent_socket(noord, "agent"),
    ]
    extra = owned(zuid)
    for line in lines:
        for name, value in extra.items():
            said = {"client_message_id": fresh_id(), "conversation": noord.conversation}
            heard = len(line.heard)
            await line.say(**({name: value} | {"type": "post", "text": "hallo"} | said))
            # Presence and the like may come before it.
            while "ack" not in line.kinds()[heard:]:
                await town.settled(line, len(line.heard))
            assert "error" not in line.kinds()[heard:], name
    for line in lines:
        line.connection.leave()
    after = rows(town)
    assert of_side(after, zuid) == theirs
    assert MARK not in json.dumps(after)
    await no_time_was_set_back(town)


async def test_a_hello_says_nothing_of_who_one_is(town):
    noord = town.sides["noord"]
    line = await town.visitor_socket(noord, "eva", **owned(town.sides["zuid"]))
    welcome = line.heard[0]
    assert welcome["type"] == "welcome"
    assert welcome["visitor"]["id"] == noord.visitor_id
    assert not welcome["visitor"].get("verified")
    assert MARK not in line.raw.decode()
    line.connection.leave()
