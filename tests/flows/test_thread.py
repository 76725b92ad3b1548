"""One thin thread, end to end: a visitor and an agent talk, and a crash loses nothing."""

import httpx
import pytest
from tests.people import Agent, fresh_id, visitor

DATABASES = ("sqlite", "postgresql")


@pytest.fixture
def demo(own_demo):
    """Each test has a demo of its own."""
    return own_demo


async def test_a_visitor_and_an_agent_talk(demo):
    ana = await visitor(demo, page={"url": f"{demo.shop}/fietsen", "title": "Fietsen"}).open()
    tom = await Agent(demo, demo.logins[0]).sign_in()
    console = await tom.console()

    ack = await ana.post("Past maat 54 als ik 1,78 m ben?")
    conversation = ack["conversation"]
    assert ack["seq"] == 2
    row = (await console.expect("inbox"))["rows"][0]
    assert row["last_message"]["text"] == "Past maat 54 als ik 1,78 m ben?"
    assert row["page"]["url"].endswith("/fietsen")

    await console.send({"type": "resume", "conversation": conversation, "last_seq": 0})
    events = (await console.expect("events"))["events"]
    assert [event["seq"] for event in events] == [1, 2]

    answer = await console.post("Ja, 54 past u precies.", conversation)
    assert answer["seq"] == 4
    told = [await ana.expect("events")]
    while told[-1]["events"][-1]["seq"] < 4:
        told.append(await ana.expect("events"))
    said = [event for frame in told for event in frame["events"] if event["seq"] > 2]
    assert [event["type"] for event in said] == ["conversation.assigned", "message.posted"]
    assert said[-1]["data"]["text"] == "Ja, 54 past u precies."
    for each in (ana, console):
        await each.close()


async def test_who_was_named_before_he_opened_the_panel_has_a_language_and_a_time_zone(demo):
    ana = await visitor(demo, language="nl", time_zone="Europe/Amsterdam").open()
    token = {"Authorization": f"Bearer {ana.welcome['visitor']['token']}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/api/v1", headers=token) as http:
        answer = await http.put("/visitor/identity", json={"name": "Ana"})
        assert answer.status_code == 200, answer.text
    conversation = (await ana.post("Past maat 54?"))["conversation"]
    tom = await Agent(demo, demo.logins[0]).sign_in()
    card = (await tom.http.get(f"/api/v1/conversations/{conversation}/visitor")).json()
    assert card["visitor"]["name"] == "Ana"
    assert (card["language"], card["time_zone"]) == ("nl", "Europe/Amsterdam")
    await ana.close()
    await tom.leave()


async def test_the_agent_sees_each_page_that_loads_anew_and_none_twice(demo):
    def page(name):
        return {"url": f"{demo.shop}/{name}", "title": name}

    ana = await visitor(demo, page=page("fietsen")).open()
    conversation = (await ana.post("Ik kijk nog even rond"))["conversation"]
    tom = await Agent(demo, demo.logins[0]).sign_in()
    console = await tom.console()
    await console.send({"type": "resume", "conversation": conversation, "last_seq": 2})
    token = ana.welcome["visitor"]["token"]
    loads = [await visitor(demo, token, page=page(name)).open() for name in ("fietsen", "hulp")]

    event = (await console.expect("events", conversation=conversation))["events"][0]
    assert (event["seq"], event["type"]) == (3, "page.viewed")
    assert event["data"]["title"] == "hulp"
    for each in (ana, *loads, console):
        await each.close()
    await tom.leave()


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(demo):
    ana = await visitor(demo).open()
    token = ana.welcome["visitor"]["token"]
    first = await ana.post("een")
    keys = [fresh_id() for _ in range(20)]
    for number, key in enumerate(keys):
        await ana.post(f"bericht {number}", first["conversation"], key)
    demo.kill()
    await ana.close()

    demo.start()
    again = visitor(demo, token)
    await again.open(resume=[{"conversation": first["conversation"], "last_seq": 0}])
    events = (await again.expect("events"))["events"]
    texts = [event["data"]["text"] for event in events if event["type"] == "message.posted"]
    assert texts == ["een", *(f"bericht {number}" for number in range(20))]
    repeated = await again.post("bericht 7", first["conversation"], keys[7])
    assert repeated["seq"] == events[9]["seq"]
    await again.close()


async def test_a_first_message_sent_twice_starts_one_conversation(demo):
    ana = await visitor(demo).open()
    key = fresh_id()
    one = await ana.post("hallo", key=key)
    two = await ana.post("hallo", key=key)
    assert one == two
    await ana.close()


async def test_the_demo_stops_cleanly(demo):
    ana = await visitor(demo).open()
    assert demo.stop() == 0
    await ana.expect("draining")
    assert await ana.expect_close() == 1012
    await ana.close()


async def test_what_the_page_tells_reaches_the_agent_and_not_the_visitor(demo):
    ana = await visitor(demo).open()
    conversation = (await ana.post("Wat kost verzending?"))["conversation"]
    tom = await Agent(demo, demo.logins[0]).sign_in()
    console = await tom.console()
    await console.send({"type": "resume", "conversation": conversation, "last_seq": 2})
    http = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{demo.port}/api/v1",
        headers={"Authorization": f"Bearer {ana.welcome['visitor']['token']}"},
    )
    cart = {"total": 9500, "items": [{"name": "Zadel", "price": 9500, "quantity": 1}]}

    async def tell(verb, path, body):
        return (await http.request(verb, f"/visitor/{path}", json=body)).status_code

    assert await tell("PUT", "attributes", {"attributes": {"cart": cart, "plan": "basis"}}) == 204
    assert await tell("PUT", "attributes", {"attributes": {"cart": cart, "plan": None}}) == 204
    assert await tell("PUT", "attributes", {"attributes": {"cart": cart}}) == 204
    assert await tell("POST", "events", {"name": "in wagen", "detail": {"sku": "zadel"}}) == 204
    assert await tell("POST", "events", {"name": ""}) == 422

    told = []
    while len(told) < 3:
        told += (await console.expect("events", conversation=conversation))["events"]
    assert [(each["type"], each["seq"]) for each in told] == [
        ("visitor.described", 3),
        ("visitor.described", 4),
        ("event.tracked", 5),
    ], "what is known already is not said again"
    card = (await tom.http.get(f"/api/v1/conversations/{conversation}/visitor")).json()
    assert card["attributes"] == {"cart": cart}
    assert [(each["name"], each["detail"]) for each in card["events"]] == [
        ("in wagen", {"sku": "zadel"})
    ]
    seen = (await http.get(f"/visitor/conversations/{conversation}/events?after=2")).json()["data"]
    assert [set(event) - {"seq"} for event in seen] == [{"type"}] * 3
    assert {event["type"] for event in seen} == {"internal"}

    # A page that never stops telling is told to.
    assert 429 in [await tell("POST", "events", {"name": "klik"}) for _ in range(120)]
    await http.put(f"/visitor/conversations/{conversation}/closure")
    for each in (ana, console):
        await each.close()
    await http.aclose()
    await tom.leave()
