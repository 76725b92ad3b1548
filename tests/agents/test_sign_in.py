"""Signing in over HTTP: cookies, tries, sessions, and what ends them."""

import asyncio

import pytest
from tests.office import ORIGIN, PASSWORD, open_office
from tests.places import everything

from balie.agents.commands import AgentChange
from balie.agents.model import DAY_MS


async def try_in(browser, email, password="wrong password"):
    return await browser.post("/api/v1/session", json={"email": email, "password": password})


async def test_signing_in_and_out(office):
    begun = await office.begin()
    browser = office.browser()
    answer = await try_in(browser, "ANA@fietswinkel.example", PASSWORD)
    assert answer.status_code == 200
    assert answer.json()["agent"]["role"] == "owner"
    assert answer.json()["organisation"] == {"id": begun.organisation.id, "name": "Fietswinkel"}
    assert (await browser.get("/api/v1/session")).json() == answer.json()
    assert (await browser.delete("/api/v1/session")).status_code == 204
    assert (await browser.get("/api/v1/session")).status_code == 401


async def test_a_page_asks_who_is_there_and_is_not_blamed_when_nobody_is(office):
    begun = await office.begin()
    browser = office.browser()
    nobody = await browser.get("/api/v1/recognition")
    assert (nobody.status_code, nobody.content) == (204, b"")
    answer = await try_in(browser, begun.owner.email, PASSWORD)
    recognised = await browser.get("/api/v1/recognition")
    assert recognised.json() == answer.json()
    assert recognised.headers["cache-control"] == "no-store"
    token = browser.cookies["balie"]
    elsewhere = office.browser(Authorization="Bearer x", Cookie=f"balie={token}")
    assert (await elsewhere.get("/api/v1/recognition")).status_code == 204
    await browser.delete("/api/v1/session")
    assert (await browser.get("/api/v1/recognition")).status_code == 204


async def test_the_cookie_is_nobody_elses(office):
    begun = await office.begin()
    answer = await try_in(office.browser(), begun.owner.email, PASSWORD)
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("balie=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path):
    async with open_office(tmp_path, origin="https://balie.example") as office:
        begun = await office.begin()
        answer = await try_in(office.browser(), begun.owner.email, PASSWORD)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-balie=")
        assert "secure" in cookie.lower()
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        browser = await office.enter(begun.owner)
        assert (await browser.get("/api/v1/session")).status_code == 200
        # The name that plain http uses is worth nothing here.
        plain = browser.cookies["__Host-balie"]
        stranger = office.browser(Cookie=f"balie={plain}")
        assert (await stranger.get("/api/v1/session")).status_code == 401


async def test_a_token_shown_elsewhere_than_in_the_cookie_is_worth_nothing(office):
    begun = await office.begin()
    token = (await office.enter(begun.owner)).cookies["balie"]
    bearer = office.browser(Authorization=f"Bearer {token}")
    assert (await bearer.get("/api/v1/session")).status_code == 401
    both = office.browser(Authorization="Bearer x", Cookie=f"balie={token}")
    assert (await both.get("/api/v1/session")).status_code == 401


async def test_the_database_holds_no_token(office, tmp_path):
    begun = await office.begin()
    token = (await office.enter(begun.owner)).cookies["balie"]
    files = list(tmp_path.glob("balie.sqlite3*"))
    assert files or office.store.driver.name != "SQLite"
    assert not any(secret in str(everything(office.store.driver)) for secret in (token, PASSWORD))
    assert not any(token.encode() in file.read_bytes() for file in files)
    assert not any(PASSWORD.encode() in file.read_bytes() for file in files)


async def test_five_tries_and_how_many_are_left(office):
    begun = await office.begin()
    browser = office.browser()
    left = []
    for _ in range(5):
        answer = await try_in(browser, begun.owner.email)
        assert answer.status_code == 401
        assert answer.json()["code"] == "wrong_password"
        left.append(answer.json()["attempts_left"])
    assert left == [4, 3, 2, 1, 0]
    answer = await try_in(browser, begun.owner.email, PASSWORD)
    assert answer.status_code == 429
    assert answer.json()["code"] == "rate_limited"
    assert int(answer.headers["retry-after"]) * 1_000 >= answer.json()["retry_after_ms"] > 0
    office.now += answer.json()["retry_after_ms"]
    assert (await try_in(browser, begun.owner.email, PASSWORD)).status_code == 200
    # Who is in has all his tries again.
    assert (await try_in(browser, begun.owner.email)).json()["attempts_left"] == 4


async def test_an_unknown_address_gets_the_same_answers(office):
    begun = await office.begin()
    idle = await office.hire(begun, "Idle")
    await office.room.commands.change_agent(
        office.system(begun), idle.id, AgentChange(disabled=True)
    )
    known, unknown, disabled = [
        [await try_in(office.browser(), email) for _ in range(7)]
        for email in (begun.owner.email, "nobody@fietswinkel.example", idle.email)
    ]
    for answers in zip(known, unknown, disabled, strict=True):
        assert len({answer.status_code for answer in answers}) == 1
        assert len({answer.text for answer in answers}) == 1
    right = await try_in(office.browser(address="192.0.2.1"), idle.email, PASSWORD)
    assert right.json()["code"] == "wrong_password"


async def test_another_browser_or_header_buys_no_tries(office):
    begun = await office.begin()
    for number in range(5):
        browser = office.browser(
            **{"User-Agent": f"b{number}", "X-Forwarded-For": f"1.2.3.{number}"}
        )
        assert (await try_in(browser, begun.owner.email)).status_code == 401
    assert (await try_in(office.browser(), begun.owner.email)).status_code == 429
    # In IPv6 a customer has a whole /64.
    for number in range(5):
        browser = office.browser(address=f"2001:db8::{number}")
        assert (await try_in(browser, begun.owner.email)).status_code == 401
    browser = office.browser(address="2001:db8::ffff:1")
    assert (await try_in(browser, begun.owner.email)).status_code == 429


async def test_who_guesses_does_not_lock_out_the_owner(office):
    begun = await office.begin()
    for _ in range(60):
        await try_in(office.browser(address="192.0.2.66"), begun.owner.email)
    answer = await try_in(office.browser(), begun.owner.email, PASSWORD)
    assert answer.status_code == 200


async def test_one_place_cannot_try_every_account(office):
    await office.begin()
    browser = office.browser()
    answers = [await try_in(browser, f"a{number}@x.example") for number in range(60)]
    assert sum(answer.status_code == 401 for answer in answers) == 50


async def test_many_at_once_get_no_more_tries(office):
    begun = await office.begin()
    browser = office.browser()
    answers = await asyncio.gather(*(try_in(browser, begun.owner.email) for _ in range(40)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 35


async def test_own_sessions_are_listed_and_ended(office):
    begun = await office.begin()
    firefox = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
    laptop = await office.enter(begun.owner, **firefox)
    office.now += 1_000
    phone = await office.enter(begun.owner)
    listed = (await phone.get("/api/v1/sessions")).json()["data"]
    assert [session["current"] for session in listed] == [True, False]
    assert listed[1]["device"] == "Firefox, Linux"
    assert listed[1]["address"] == "198.51.100.x"
    ended = []
    office.room.on_sessions_ended(ended.extend)
    assert (await phone.delete(f"/api/v1/sessions/{listed[1]['id']}")).status_code == 204
    assert ended == [listed[1]["id"]]
    assert (await laptop.get("/api/v1/session")).status_code == 401
    assert (await phone.get("/api/v1/session")).status_code == 200


async def test_nobody_ends_the_session_of_another(office):
    begun = await office.begin()
    tom = await office.enter(await office.hire(begun, "Tom"))
    ana = await office.enter(begun.owner)
    session = (await ana.get("/api/v1/sessions")).json()["data"][0]["id"]
    assert (await tom.delete(f"/api/v1/sessions/{session}")).status_code == 404
    assert (await ana.get("/api/v1/session")).status_code == 200


async def test_a_new_password_ends_the_other_sessions_and_renews_this_one(office):
    begun = await office.begin()
    here, there = await office.enter(begun.owner), await office.enter(begun.owner)
    old = here.cookies["balie"]
    ended = []
    office.room.on_sessions_ended(ended.extend)
    body = {"password": "another long one", "current_password": PASSWORD}
    assert (await here.patch("/api/v1/session/agent", json=body)).status_code == 200
    assert here.cookies["balie"] != old
    assert (await here.get("/api/v1/session")).status_code == 200
    assert (await there.get("/api/v1/session")).status_code == 401
    assert len(ended) == 1
    stolen = office.browser(Cookie=f"balie={old}")
    assert (await stolen.get("/api/v1/session")).status_code == 401
    assert (await try_in(office.browser(), begun.owner.email, PASSWORD)).status_code == 401
    await office.enter(begun.owner, "another long one")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"password": "another long one"}, 401),
        ({"password": "another long one", "current_password": "wrong"}, 401),
        ({"password": "short", "current_password": PASSWORD}, 422),
    ],
)
async def test_a_new_password_takes_the_old_one(office, body, status):
    begun = await office.begin()
    browser = await office.enter(begun.owner)
    assert (await browser.patch("/api/v1/session/agent", json=body)).status_code == status
    await office.enter(begun.owner)


async def test_disabling_ends_everything_at_once(office):
    begun = await office.begin()
    tom = await office.hire(begun, "Tom")
    browser, owner = await office.enter(tom), await office.enter(begun.owner)
    ticket = (await browser.post("/api/v1/socket-tickets")).json()["ticket"]
    token = browser.cookies["balie"]
    ended = []
    office.room.on_sessions_ended(ended.extend)
    answer = await owner.patch(f"/api/v1/agents/{tom.id}", json={"disabled": True})
    assert answer.json()["disabled"]
    assert len(ended) == 1
    assert (await browser.get("/api/v1/session")).status_code == 401
    assert await office.room.redeem(ticket, token) is None
    assert (await try_in(office.browser(), tom.email, PASSWORD)).status_code == 401
    await owner.patch(f"/api/v1/agents/{tom.id}", json={"disabled": False})
    # Old sessions do not come back with him.
    assert (await browser.get("/api/v1/session")).status_code == 401
    await office.enter(tom)


async def test_sessions_end_by_themselves(office):
    begun = await office.begin()
    browser = await office.enter(begun.owner)
    for _ in range(4):
        office.now += 20 * DAY_MS
        assert (await browser.get("/api/v1/session")).status_code == 200
    office.now += 11 * DAY_MS
    # Used all the time, but ninety days old.
    assert (await browser.get("/api/v1/session")).status_code == 401
    browser = await office.enter(begun.owner)
    office.now += 30 * DAY_MS
    assert (await browser.get("/api/v1/session")).status_code == 401


async def test_a_ticket_and_a_cookie_belong_together(office):
    begun = await office.begin()
    ana, tom = await office.enter(begun.owner), await office.enter(await office.hire(begun, "Tom"))

    async def ticket(browser):
        return (await browser.post("/api/v1/socket-tickets")).json()["ticket"]

    assert await office.room.redeem(await ticket(ana), tom.cookies["balie"]) is None
    assert await office.room.redeem(await ticket(ana), None) is None
    good = await ticket(ana)
    actor = await office.room.redeem(good, ana.cookies["balie"])
    assert actor.agent_id == begun.owner.id
    assert await office.room.redeem(good, ana.cookies["balie"]) is None


async def test_what_one_may_change_about_oneself(office):
    begun = await office.begin()
    tom = await office.hire(begun, "Tom")
    browser = await office.enter(tom)
    body = {
        "name": " Tom  Bakker ",
        "language": "en",
        "settings": {"sound": False, "keys": ["j", "k"]},
        # Not his to say: ignored.
        "role": "owner",
        "id": begun.owner.id,
        "organisation_id": "x",
        "disabled": True,
        "email": "x@x.example",
    }
    answer = await browser.patch("/api/v1/session/agent", json=body)
    assert answer.json()["agent"] == {
        "id": tom.id,
        "name": "Tom Bakker",
        "email": tom.email,
        "role": "agent",
        "language": "en",
        "settings": {"sound": False, "keys": ["j", "k"]},
    }
    big = await browser.patch("/api/v1/session/agent", json={"settings": {"x": "y" * 5_000}})
    assert big.status_code == 413
    assert (await browser.get("/api/v1/session")).json() == answer.json()


async def test_pages_of_others_cannot_sign_anybody_in(office):
    begun = await office.begin()
    foreign = office.browser(Origin="https://evil.example", **{"Sec-Fetch-Site": "cross-site"})
    answer = await try_in(foreign, begun.owner.email, PASSWORD)
    assert answer.status_code == 403
    assert ORIGIN in answer.json()["detail"]
