"""Who may do what, to whose things: every route and every socket verb × every role × own and foreign.

The table is generated from the routes and verbs that exist. One that is new and not told here how to be
called fails the first test.
"""

import asyncio

import pytest
from tests.people import fresh_id
from tests.places import looking
from tests.town import HOOK, PNG, open_town

from balie.edge.policy import SOCKET_VERBS, Policy, route_policies
from balie.store.schema import cursor_of

PUBLIC_PAGES = {
    "/", "/app", "/app/{path:path}", "/widget/{key:str}", "/chat/{key:str}", "/balie.js",
    "/balie-panel.js", "/assets/{path:path}", "/healthz", "/readyz",
}  # fmt: skip

VISITORS = ("eva", "mo")
AGENTS = ("agent", "admin", "owner")
RANK = {"agent": 0, "admin": 1, "owner": 2}
NEEDS = {Policy.AGENT: 0, Policy.ADMIN: 1, Policy.OWNER: 2}


def body_of(side):
    """A good body for each route that takes one."""
    message = {"client_message_id": fresh_id(), "text": "hallo"}
    return {
        ("POST", "/api/v1/session"): {"email": "x@y.example", "password": "wrong"},
        ("PATCH", "/api/v1/session/agent"): {"language": "nl"},
        ("PUT", "/api/v1/invitations/{token:str}/acceptance"): {"name": "X", "password": "p"},
        ("POST", "/api/v1/agents"): {
            "name": "Nieuw",
            "email": f"{fresh_id()}@x.example",
            "role": "agent",
        },
        ("PATCH", "/api/v1/agents/{agent_id:str}"): {"language": "nl"},
        ("PATCH", "/api/v1/organisation"): {"language": "nl"},
        ("POST", "/api/v1/webhooks"): {"url": HOOK, "types": ["message.posted"]},
        ("PATCH", "/api/v1/webhooks/{endpoint_id:str}"): {"types": ["message.posted"]},
        ("POST", "/api/v1/sites"): {"name": "Nieuw"},
        ("PATCH", "/api/v1/sites/{site_id:str}"): {"after_close": "rate"},
        ("POST", "/api/v1/sites/{site_id:str}/keys"): {"algorithm": "HS256"},
        ("POST", "/api/v1/visitor/messages"): message | {"conversation": side.conversation},
        ("PUT", "/api/v1/visitor/identity"): {"name": "Eva"},
        ("PUT", "/api/v1/visitor/attributes"): {"attributes": {"plan": "basis"}},
        ("POST", "/api/v1/visitor/events"): {"name": "bekeken"},
        ("PUT", "/api/v1/visitor/conversations/{conversation_id:str}/rating"): {"score": 4},
        ("POST", "/api/v1/conversations/{conversation_id:str}/messages"): message,
        ("POST", "/api/v1/conversations/{conversation_id:str}/notes"): message,
        ("PUT", "/api/v1/conversations/{conversation_id:str}/assignment"): {},
    }


RAW = {("POST", "/api/v1/files"), ("PUT", "/api/v1/agents/{agent_id:str}/picture")}
# What would take the test's own people away is tried in the tests of its room.
APART = {
    ("DELETE", "/api/v1/session"),
    ("DELETE", "/api/v1/sessions/{session_id:str}"),
    ("DELETE", "/api/v1/webhooks/{endpoint_id:str}"),
}


def ids_of(side):
    return {
        "conversation_id": side.conversation,
        "site_id": side.site.id,
        "agent_id": side.agents["agent"].id,
        "file_id": side.file,
        "kid": side.kid,
        "visitor_id": side.visitor_id,
        "tag": side.canary,
        "endpoint_id": side.webhook,
        "delivery_id": side.delivery,
    }


def address(path, side):
    known = ids_of(side)
    return "/".join(
        known.get(part[1:].partition(":")[0], "none") if part.startswith("{") else part
        for part in path.split("/")
    )


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


def table(town):
    return {
        door: policy
        for door, policy in sorted(route_policies(town.application.http.routes).items())
        if door[1] not in PUBLIC_PAGES and door not in APART
    }


async def ask(town, browser, door, target):
    verb, path = door
    body = body_of(target)
    more = {"json": body[door]} if door in body else {}
    if door in RAW:
        more = {"content": PNG, "headers": {"Content-Type": "image/png", "X-File-Name": "a.png"}}
    return await browser.request(verb, address(path, target), **more)


def may(policy, role):
    """Whether the policy lets this role through at all."""
    if policy is Policy.PUBLIC:
        return True
    if role in VISITORS:
        return policy in (Policy.VISITOR, Policy.SIGNED_IN)
    if role in AGENTS:
        return policy is Policy.SIGNED_IN or RANK[role] >= NEEDS.get(policy, 9)
    return False


def people(town):
    """(side, role, browser) of everybody who could ask."""
    yield "nobody", "nobody", town.browser()
    yield "nobody", "forger", town.browser(Authorization="Bearer x.y")
    for name, side in town.sides.items():
        for who in VISITORS:
            yield name, who, town.browser(Authorization=f"Bearer {side.visitors[who]}")
        for role in (*AGENTS, "former"):
            yield name, role, side.browsers[role]


def reaches(policy, path, side, role, target):
    """Whether what the route is about is there for this person; None where it is about nothing."""
    if "{" not in path or policy is Policy.PUBLIC:
        return None
    if role in VISITORS:
        return side == target and role == "eva"
    return side == target


async def test_every_route_is_told_how_to_be_called(town):
    known = body_of(town.sides["noord"])
    unsafe = {door for door in table(town) if door[0] in ("POST", "PUT", "PATCH")}
    bodiless = {
        door
        for door in unsafe
        if door not in known and door not in RAW and not door[1].endswith(BODILESS)
    }
    assert bodiless == set()


BODILESS = (
    "/closure", "/tags/{tag:str}", "/socket-tickets", "/invitation", "/erasure", "/secret", "/test",
    "/replay",
)  # fmt: skip


async def test_every_cell_of_the_matrix(town):
    wrong, cells = [], 0
    for door, policy in table(town).items():
        for side, role, browser in people(town):
            for target_name, target in town.sides.items():
                answer = await ask(town, browser, door, target)
                cells += 1
                status = answer.status_code
                fits = verdict(policy, door, side, role, target_name, status)
                if not fits or status >= 500:
                    wrong.append((*door, f"{role}@{side} → {target_name}", status))
                foreign = next(n for n in town.sides if n != side) if side in town.sides else None
                if foreign and town.sides[foreign].canary.encode() in answer.content:
                    wrong.append((*door, f"{role}@{side} saw {foreign}", status))
    assert wrong == []
    assert cells >= 1_000


def verdict(policy, door, side, role, target, status):
    if policy is Policy.PUBLIC:
        return True
    if not may(policy, role):
        return status in (401, 403)
    there = reaches(policy, door[1], side, role, target)
    if there is False:
        return status in (403, 404) if door[1].endswith("/picture") else status == 404
    if there is None and door == ("POST", "/api/v1/visitor/messages"):
        # It names its conversation in the body.
        return status == 200 if (side, role) == (target, "eva") else status == 404
    return status not in (401, 403, 404) or _own_limit(door, side, role, target, status)


def _own_limit(door, side, role, target, status):
    """Refusals that depend on more than the role, and are tested where they belong."""
    verb, path = door
    if path.endswith("/picture"):
        return status == 403 and role == "agent" and side == target
    if path.endswith(("/keys/{kid:str}", "/tags/{tag:str}")) and verb == "DELETE":
        # The first who may has removed it.
        return status == 404
    if "/visitors/" in path:
        return status == 404
    return False


@pytest.mark.parametrize("verb", ["post", "resume", "mark", "typing"])
async def test_a_visitor_reaches_only_his_own_talk(town, verb):
    for side_name, side in town.sides.items():
        for who in VISITORS:
            for target_name, target in town.sides.items():
                line = await town.visitor_socket(side, who)
                before = target_state(town, target)
                await say(line, verb, target.conversation)
                mine = side_name == target_name and who == "eva"
                check(line, verb, mine, before, target_state(town, target))
                line.connection.leave()


@pytest.mark.parametrize("verb", ["post", "note", "resume", "mark", "typing"])
async def test_an_agent_reaches_only_his_own_organisation(town, verb):
    for side_name, side in town.sides.items():
        for role in AGENTS:
            for target_name, target in town.sides.items():
                line = await town.agent_socket(side, role)
                before = target_state(town, target)
                await say(line, verb, target.conversation)
                check(line, verb, side_name == target_name, before, target_state(town, target))
                line.connection.leave()


def target_state(town, side):
    wanted = "SELECT last_seq, visitor_read, agent_read FROM conversations WHERE id = ?"
    with looking(town.house.store.driver) as connection:
        return tuple(cursor_of(connection).execute(wanted, (side.conversation,)).fetchone())


ANSWERS = {"ack", "error", "events", "resync"}


async def say(line, verb, conversation):
    frames = {
        "post": {"client_message_id": fresh_id(), "text": "binnen"},
        "note": {"client_message_id": fresh_id(), "text": "binnen"},
        "resume": {"last_seq": 0},
        "mark": {"read": 1},
        "typing": {"on": True},
    }
    heard = len(line.heard)
    await line.say(type=verb, conversation=conversation, **frames[verb])
    # Soft frames are answered with nothing, to whomever; the others always with something.
    for _ in range(5 if verb in ("mark", "typing") else 200):
        await asyncio.sleep(0.02)
        # Who comes and goes is told meanwhile; that is no answer.
        if any(frame["type"] in ANSWERS for frame in line.heard[heard:]):
            break


def check(line, verb, mine, before, after):
    if mine:
        if verb == "resume":
            assert "events" in line.kinds()
        if verb in ("post", "note"):
            assert "ack" in line.kinds()
        return
    assert after == before
    assert not {"events", "ack", "receipt"} & set(line.kinds())
    if verb in ("post", "note", "resume"):
        assert [f["code"] for f in line.heard if f["type"] == "error"] == ["not_found"]


async def test_who_left_opens_no_console(town):
    line = await town.agent_socket(town.sides["noord"], "former")
    assert line.ended == 4401
    assert line.heard == []


async def test_every_verb_has_a_policy_and_a_test():
    tested = {"post", "note", "resume", "mark", "typing"}
    about_nothing_of_others = {"leave", "page", "ping", "alive"}
    assert {verb for _, verb in SOCKET_VERBS} <= tested | about_nothing_of_others
