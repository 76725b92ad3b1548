"""Networks and servers as they are: sockets that are refused, a server that goes and comes, tabs at once."""

import asyncio
import contextlib
import re
import signal
import time

import jwt
import pytest
from playwright.async_api import Error, async_playwright, expect
from tests.people import Agent
from tests.refusing_proxy import RefusingProxy

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

DESKTOP = {"width": 1440, "height": 900}
LATER = 90_000


def panel(page):
    return page.frame_locator("balie-launcher iframe")


def field(page):
    return panel(page).locator("textarea").last


def log(page):
    return panel(page).get_by_role("log")


async def say(page, text):
    await field(page).fill(text)
    await field(page).press("Enter")


async def shop(context, demo):
    page = await context.new_page()
    await page.goto(demo.shop)
    await page.locator("balie-launcher button").click()
    await expect(field(page)).to_be_visible(timeout=LATER)
    return page


async def new_context(browser):
    return await browser.new_context(viewport=DESKTOP, locale="nl-NL")


async def console(context, demo):
    page = await context.new_page()
    await page.goto(f"{demo.url}/app")
    await page.fill("[name=email]", demo.logins[0]["email"])
    await page.fill("[name=password]", demo.logins[0]["password"])
    await page.keyboard.press("Enter")
    await expect(page.locator(".rail")).to_be_visible(timeout=LATER)
    return page


async def conversations(demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    rows = (await agent.http.get("/api/v1/conversations?limit=100")).json()["data"]
    found = {}
    for row in rows:
        path = f"/api/v1/conversations/{row['id']}/events?after=0"
        events = (await agent.http.get(path)).json()["data"]
        found[row["id"]] = [
            each["data"]["text"] for each in events if each["type"] == "message.posted"
        ]
    await agent.leave()
    return found


async def holding(demo, text):
    """The texts of the conversations in which this stands, once it stands there."""
    async with asyncio.timeout(LATER / 1_000):
        while True:
            found = [texts for texts in (await conversations(demo)).values() if text in texts]
            if found:
                return found
            await asyncio.sleep(0.5)


async def test_behind_a_proxy_that_refuses_sockets_both_sides_talk_and_reload(chromium_path, demo):
    async with RefusingProxy() as proxy, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox"],
            proxy={"server": f"http://127.0.0.1:{proxy.port}", "bypass": "<-loopback>"},
        )
        desk = await console(await new_context(browser), demo)
        page = await shop(await new_context(browser), demo)
        await say(page, "Hier komt geen socket door")
        await expect(panel(page).get_by_text("Verzonden")).to_be_visible(timeout=LATER)

        row = desk.locator(".row", has_text="Hier komt geen socket door")
        await expect(row).to_be_visible(timeout=LATER)
        await row.click()
        await desk.fill("#composer", "Maar dit wel")
        await desk.keyboard.press("Enter")
        await expect(log(page).get_by_text("Maar dit wel")).to_be_visible(timeout=LATER)

        await page.reload()
        await desk.reload()
        await expect(log(page).get_by_text("Maar dit wel")).to_be_visible(timeout=LATER)
        await say(page, "Ook na herladen")
        thread = desk.locator(".thread, main")
        await expect(thread.get_by_text("Ook na herladen").first).to_be_visible(timeout=LATER)
        await desk.fill("#composer", "Aan beide kanten")
        await desk.keyboard.press("Enter")
        await expect(log(page).get_by_text("Aan beide kanten")).to_be_visible(timeout=LATER)
        assert proxy.refused >= 2
        assert proxy.streams >= 4
        await browser.close()
    assert await holding(demo, "Hier komt geen socket door") == [
        ["Hier komt geen socket door", "Maar dit wel", "Ook na herladen", "Aan beide kanten"]
    ]


async def test_what_is_typed_while_the_server_is_shut_waits_visibly_and_goes_out_once(
    browser, own_demo
):
    page = await shop(await new_context(browser), own_demo)
    await say(page, "Voor het sluiten")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible(timeout=LATER)
    own_demo.stop()
    await say(page, "Terwijl het dicht is")
    waiting = panel(page).locator(".turn.is-waiting")
    await expect(waiting).to_contain_text("Terwijl het dicht is")
    own_demo.start()
    await expect(waiting).to_have_count(0, timeout=LATER)
    await expect(log(page).get_by_text("Terwijl het dicht is")).to_have_count(1)
    assert list((await conversations(own_demo)).values()) == [
        ["Voor het sluiten", "Terwijl het dicht is"]
    ]


async def test_a_tab_that_is_reloaded_during_the_outage_sends_it_once(browser, own_demo):
    page = await shop(await new_context(browser), own_demo)
    await say(page, "Voor het sluiten")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible(timeout=LATER)
    own_demo.stop()
    await say(page, "Terwijl het dicht is")
    await expect(panel(page).locator(".turn.is-waiting")).to_be_visible()
    # The shop is gone, too: the browser shows its own page instead.
    with contextlib.suppress(Error):
        await page.reload()
    own_demo.start()
    await page.goto(own_demo.shop)
    await expect(log(page).get_by_text("Terwijl het dicht is")).to_be_visible(timeout=LATER)
    await expect(panel(page).locator(".turn.is-waiting")).to_have_count(0, timeout=LATER)
    assert list((await conversations(own_demo)).values()) == [
        ["Voor het sluiten", "Terwijl het dicht is"]
    ]


async def test_a_console_whose_server_restarts_is_not_signed_out(browser, own_demo):
    desk = await console(await new_context(browser), own_demo)
    own_demo.stop()
    own_demo.start()
    page = await shop(await new_context(browser), own_demo)
    await say(page, "Bent u er nog")
    row = desk.locator(".row", has_text="Bent u er nog")
    await expect(row).to_be_visible(timeout=LATER)


async def test_two_tabs_that_are_opened_at_once_are_one_visitor(browser, demo):
    context = await new_context(browser)
    one, two = await asyncio.gather(shop(context, demo), shop(context, demo))
    await asyncio.gather(say(one, "Uit het ene tabblad"), say(two, "Uit het andere tabblad"))
    for page in (one, two):
        await expect(panel(page).locator(".turn.is-waiting")).to_have_count(0, timeout=LATER)
    # The page keeps it for its frames, where the browser forbids them to.
    await holding(demo, "Uit het ene tabblad")
    await holding(demo, "Uit het andere tabblad")
    agent = await Agent(demo, demo.logins[0]).sign_in()
    rows = (await agent.http.get("/api/v1/conversations?limit=100")).json()["data"]
    mine = [row for row in rows if "tabblad" in row["last_message"]["text"]]
    assert len({row["visitor"]["id"] for row in mine}) == 1
    await agent.leave()


async def test_what_is_half_typed_stays_where_it_is_when_another_tab_begins(browser, own_demo):
    """The tab becomes the other one's visitor, and is welcomed as him; Enter sends what stands there."""
    context = await new_context(browser)
    one, two = await shop(context, own_demo), await shop(context, own_demo)
    await field(two).fill("Half getypt")
    await say(one, "Intussen elders")
    await expect(panel(two).get_by_text("Intussen elders")).to_be_visible(timeout=LATER)
    own_demo.stop()
    own_demo.start()
    # What comes after the welcome, has it behind it.
    [conversation] = await conversations(own_demo)
    agent = await Agent(own_demo, own_demo.logins[0]).sign_in()
    desk = await agent.console()
    await desk.post("Bent u daar", conversation)
    await desk.close()
    await agent.leave()
    await expect(panel(two).get_by_text("Bent u daar")).to_be_visible(timeout=LATER)
    await expect(field(two)).to_have_value("Half getypt")
    await field(two).press("Enter")
    await expect(log(two).get_by_text("Half getypt")).to_be_visible(timeout=LATER)
    assert await holding(own_demo, "Half getypt") == [["Half getypt"]]


async def test_what_is_typed_after_the_first_word_stays_when_that_arrives(browser, own_demo):
    page = await shop(await new_context(browser), own_demo)
    # What sends comes after the first screen.
    await page.wait_for_load_state("networkidle")
    own_demo.process.send_signal(signal.SIGSTOP)
    try:
        await say(page, "Eerste woord")
        await expect(panel(page).locator(".bubble", has_text="Eerste woord")).to_be_visible()
        await field(page).fill("En dan nog")
    finally:
        own_demo.process.send_signal(signal.SIGCONT)
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible(timeout=LATER)
    await expect(field(page)).to_have_value("En dan nog")
    await field(page).press("Enter")
    await expect(panel(page).locator(".turn.is-waiting")).to_have_count(0, timeout=LATER)
    assert await holding(own_demo, "En dan nog") == [["Eerste woord", "En dan nog"]]


async def test_a_second_tab_that_stood_open_goes_on_as_the_first(browser, demo):
    context = await new_context(browser)
    one, two = await shop(context, demo), await shop(context, demo)
    await say(one, "Eerst hier")
    await expect(panel(one).get_by_text("Verzonden")).to_be_visible(timeout=LATER)
    await expect(log(two).get_by_text("Eerst hier")).to_be_visible(timeout=LATER)
    await say(two, "En toen daar")
    await expect(log(one).get_by_text("En toen daar")).to_be_visible(timeout=LATER)
    assert await holding(demo, "Eerst hier") == [["Eerst hier", "En toen daar"]]


async def test_a_tab_in_the_background_does_not_say_where_the_visitor_is(browser, demo):
    """The agent sees the page that the visitor looks at, also after every tab came back."""
    context = await new_context(browser)
    back = await shop(context, demo)
    await say(back, "Waar ben ik nu")
    await expect(panel(back).get_by_text("Verzonden")).to_be_visible(timeout=LATER)
    frame = next(each for each in back.frames if "/widget/" in each.url)
    await frame.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", {get: () => true, configurable: true});
          Object.defineProperty(document, "visibilityState",
            {get: () => "hidden", configurable: true});
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    front = await context.new_page()
    await front.goto(f"{demo.shop}/hulp")
    now_on = await page_of(demo, "Waar ben ik nu", "/hulp")
    assert now_on.endswith("/hulp")
    await frame.evaluate("() => dispatchEvent(new Event('offline'))")
    await frame.evaluate("() => dispatchEvent(new Event('online'))")
    await asyncio.sleep(3)
    assert await page_of(demo, "Waar ben ik nu", "/hulp") == now_on
    await frame.evaluate(
        "() => { delete document.hidden; delete document.visibilityState;"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    assert await page_of(demo, "Waar ben ik nu", "/") != now_on


async def page_of(demo, text, ending):
    """Where the agent is told that the visitor of this message is, once it ends so, or after a while."""
    agent = await Agent(demo, demo.logins[0]).sign_in()
    for _ in range(30):
        rows = (await agent.http.get("/api/v1/conversations?limit=100")).json()["data"]
        row = next(each for each in rows if each["last_message"]["text"] == text)
        if row["page"]["url"].endswith(ending):
            break
        await asyncio.sleep(0.5)
    await agent.leave()
    return row["page"]["url"]


async def signed(demo, person):
    """A proof of who somebody is, by a key of the demo's site."""
    owner = await Agent(demo, demo.logins[0]).sign_in()
    site = (await owner.http.get("/api/v1/sites")).json()["data"][0]
    made = await owner.http.post(f"/api/v1/sites/{site['id']}/keys", json={"algorithm": "HS256"})
    key = made.json()
    await owner.leave()
    claims = {"sub": person, "aud": demo.site, "exp": int(time.time()) + 600, "name": "Ana"}
    return jwt.encode(claims, key["secret"], "HS256", headers={"kid": key["kid"]})


async def test_who_proves_who_he_is_while_he_talks_doubles_and_loses_nothing(browser, demo):
    """The answer to the proof is held up, so that the old socket is closed long before it."""
    context = await new_context(browser)
    page = await shop(context, demo)
    await say(page, "Nog onbekend")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible(timeout=LATER)

    async def slowly(route):
        answer = await route.fetch()
        await asyncio.sleep(2)
        await route.fulfill(response=answer)

    await page.route(re.compile("/visitor/identity"), slowly)
    proof = await signed(demo, "klant-7")
    await say(page, "Vlak ervoor")
    await page.evaluate("token => Balie('identify', {token})", proof)
    for number in range(3):
        await say(page, f"Tijdens {number}")
        await asyncio.sleep(0.6)
    await expect(panel(page).locator(".turn.is-waiting")).to_have_count(0, timeout=LATER)
    texts = ["Nog onbekend", "Vlak ervoor", "Tijdens 0", "Tijdens 1", "Tijdens 2"]
    assert await holding(demo, "Tijdens 2") == [texts]
    for text in texts:
        await expect(log(page).get_by_text(text, exact=True)).to_have_count(1)
