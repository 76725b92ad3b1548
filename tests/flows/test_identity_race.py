"""A visitor proves who he is while he talks: what was stored and not yet acknowledged is stored once."""

import time

import jwt
import pytest
from tests.people import fresh_id
from tests.town import PNG, open_town

from balie.contacts import tokens
from balie.conversations import commands, queries
from balie.kernel.events import ConversationStarted, MessagePosted
from balie.realtime.protocol.frames import Close


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as town:
        yield town


@pytest.fixture
async def side(town):
    return town.sides["noord"]


@pytest.fixture
async def proof(side):
    """Signs who somebody is, as the site's own server would."""
    made = await side.browsers["owner"].post(
        f"/api/v1/sites/{side.site.id}/keys", json={"algorithm": "HS256"}
    )
    key = made.json()

    def sign(person):
        claims = {"sub": person, "aud": side.site.key, "exp": int(time.time()) + 600, "name": "Ana"}
        return jwt.encode(claims, key["secret"], "HS256", headers={"kid": key["kid"]})

    return sign


class Browser:
    """A visitor's browser: its token, and what it says over HTTP."""

    def __init__(self, town, side):
        self.town, self.side = town, side
        self.token = town.token(side)

    def http(self, token=None):
        return self.town.browser(Authorization=f"Bearer {token or self.token}")

    async def post(self, key, text="Waar blijft mijn fiets?", conversation=None, **how):
        token = how.pop("token", None)
        said = {"client_message_id": key, "conversation": conversation, "text": text, **how}
        answer = await self.http(token).post("/api/v1/visitor/messages", json=said)
        return answer.status_code, answer.json()

    async def prove(self, token):
        answer = await self.http().put("/api/v1/visitor/identity", json={"token": token})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]
        return answer.json()

    async def own(self):
        return (await self.http().get("/api/v1/visitor/conversations")).json()["data"]


@pytest.fixture
async def browser(town, side):
    return Browser(town, side)


async def said_in(town, side, conversation):
    agent = side.browsers["owner"]
    page = (await agent.get(f"/api/v1/conversations/{conversation}/events")).json()["data"]
    return [event["data"]["text"] for event in page if event["type"] == "message.posted"]


async def test_a_message_that_comes_again_under_the_new_id_has_the_same_place(
    town, side, browser, proof
):
    _, begun = await browser.post(fresh_id(), "hallo")
    key = fresh_id()
    status, first = await browser.post(key, conversation=begun["conversation"])
    assert status == 200
    await browser.prove(proof("klant-7"))
    status, again = await browser.post(key, conversation=begun["conversation"])
    assert (status, again) == (200, first)
    status, later = await browser.post(fresh_id(), "nog iets", begun["conversation"])
    # In between stands who he turned out to be.
    assert (status, later["seq"]) == (200, first["seq"] + 2)
    texts = await said_in(town, side, begun["conversation"])
    assert texts == ["hallo", "Waar blijft mijn fiets?", "nog iets"]


async def test_the_first_message_of_a_conversation_finds_it_again_under_the_new_id(
    town, side, browser, proof
):
    key = fresh_id()
    _, first = await browser.post(key)
    await browser.prove(proof("klant-7"))
    status, again = await browser.post(key)
    assert (status, again) == (200, first)
    assert [each["id"] for each in await browser.own()] == [first["conversation"]]


async def test_a_proof_whose_answer_was_lost_is_given_again_and_nothing_doubles(
    town, side, browser, proof
):
    key = fresh_id()
    _, first = await browser.post(key)
    old = browser.token
    await browser.prove(proof("klant-7"))
    browser.token = old
    await browser.prove(proof("klant-7"))
    await browser.prove(proof("klant-7"))
    assert (await browser.post(key)) == (200, first)
    assert len(await browser.own()) == 1


async def test_files_that_were_brought_before_go_with_the_message_after(town, side, browser, proof):
    _, begun = await browser.post(fresh_id(), "hallo")
    brought = await browser.http().post(
        "/api/v1/files",
        content=PNG,
        headers={"X-File-Name": "fiets.png", "Content-Type": "image/png"},
    )
    await browser.prove(proof("klant-7"))
    status, _ = await browser.post(
        fresh_id(), "kijk", begun["conversation"], files=[brought.json()["id"]]
    )
    assert status == 200


async def test_what_was_said_while_it_was_found_out_belongs_to_whom_he_is(
    town, side, browser, proof, monkeypatch
):
    """A conversation that was begun after the others were handed over, before the old socket was closed."""
    late = {}
    close = town.house.hub.end_visitor

    def begin_then_close(visitor_id, code, reason):
        if not late:
            late["key"] = fresh_id()
            town.house.store.submit(late_post(town, browser, late["key"]), lambda *_: None)
        close(visitor_id, code, reason)

    monkeypatch.setattr(town.house.hub, "end_visitor", begin_then_close)
    await browser.post(fresh_id(), "hallo")
    await browser.prove(proof("klant-7"))
    status, late_ack = await browser.post(late["key"], "net op tijd")
    assert status == 200
    assert len(await browser.own()) == 2
    assert late_ack["conversation"] in {each["id"] for each in await browser.own()}
    rows = (await side.browsers["owner"].get("/api/v1/conversations")).json()["data"]
    assert [row["last_message"]["text"] for row in rows].count("net op tijd") == 1


def late_post(town, browser, key):
    house = town.house
    actor = tokens.read(house.secret, browser.token, time.time_ns() // 1_000_000)
    opening = ConversationStarted(site=actor.site_id)
    command = commands.post(actor, None, key, "net op tijd", opening=opening)
    return house.conversations._append(command)


async def test_the_old_sockets_are_told_to_come_back_with_the_new_token(town, side, browser, proof):
    side.visitors["ana"] = browser.token
    line = await town.visitor_socket(side, "ana")
    await town.settled(line, 0)
    await browser.prove(proof("klant-7"))
    assert line.ended == Close.RENAMED
    late = await town.visitor_socket(side, "ana")
    assert late.ended == Close.RENAMED


async def test_another_person_on_the_same_browser_finds_nothing_of_the_one_before(
    town, side, browser, proof
):
    key = fresh_id()
    _, first = await browser.post(key)
    await browser.prove(proof("klant-7"))
    await browser.prove(proof("klant-8"))
    assert await browser.own() == []
    status, _ = await browser.post(fresh_id(), "ik ook", first["conversation"])
    assert status == 404
    status, own = await browser.post(key)
    assert status == 200
    assert own["conversation"] != first["conversation"]


async def test_whoever_kept_the_old_token_reaches_nothing_with_it(town, side, browser, proof):
    key = fresh_id()
    _, first = await browser.post(key)
    old = browser.token
    await browser.prove(proof("klant-7"))
    status, _ = await browser.post(fresh_id(), "wie ben ik", first["conversation"], token=old)
    assert status == 404
    # What he had said himself he is told again, and it is not stored again.
    assert await browser.post(key, token=old) == (200, first)
    assert await said_in(town, side, first["conversation"]) == ["Waar blijft mijn fiets?"]


async def test_the_log_holds_it_once(town, side, browser, proof):
    key = fresh_id()
    _, first = await browser.post(key)
    await browser.prove(proof("klant-7"))
    await browser.post(key)
    actor = tokens.read(town.house.secret, browser.token, time.time_ns() // 1_000_000)
    page = await queries.find_events(
        town.house.store, actor, first["conversation"], after=0, before=None, limit=50
    )
    assert [type(each.payload) for each in page.events].count(MessagePosted) == 1
