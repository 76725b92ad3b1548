"""Webhooks in the console's settings: made, chosen, tried, looked after, on a desk and on a phone."""

import re

import pytest
from playwright.async_api import expect
from tests.browser.desks import PHONE, violations
from tests.outbound.sinks import Sink, listening, say
from tests.people import Agent

pytestmark = pytest.mark.browser
SETTINGS = {
    "BALIE_OUTBOUND_ALLOW": "127.0.0.0/8",
    "BALIE_MESSAGE_BURST": "1000",
    "BALIE_CONNECTION_BURST": "1000",
}


async def test_a_webhook_from_its_making_to_its_end(sheet, someone, demo):
    owner = (await sheet()).page
    async with listening(Sink()) as sink:
        await owner.goto(f"{demo.url}/app/settings/webhooks")
        form = owner.locator(".new-row")
        await form.get_by_label("Adres").fill("https://10.0.0.1/")
        await form.get_by_role("button").click()
        await expect(form.locator(".fault")).to_contain_text("Dit adres kan niet")
        await form.get_by_label("Adres").fill(f"http://127.0.0.1:{sink.port}/haak")
        await form.get_by_role("button").click()
        await expect(owner.locator(".fresh-link code")).to_have_text(re.compile("^whsec_.{44}$"))
        assert await violations(owner) == []
        await owner.locator(".webhooks li", has_text="/haak").get_by_role("link").click()

        await expect(owner.locator(".fresh-link")).to_have_count(0)
        await owner.get_by_label("Gesprek gesloten").uncheck()
        await owner.get_by_label("Gesprek begonnen").uncheck()
        await owner.get_by_role("button", name="Bewaar").click()
        await expect(owner.locator(".save [role=status]")).to_have_text("Bewaard")
        await owner.get_by_role("button", name="Stuur een proef").click()
        await expect(owner.locator(".outcome")).to_contain_text("Aangekomen: 200")

        await someone("waar is mijn fiets?")
        await sink.until(2)
        await owner.reload()
        row = owner.locator(".deliveries li")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("Aangekomen")
        assert await violations(owner) == []
        await row.get_by_role("button", name="Opnieuw versturen").click()
        await sink.until(3)
        told = [request.headers["webhook-id"] for request in sink.heard]
        assert told[1] == told[2] != told[0]

        await owner.get_by_role("button", name="Verwijder webhook").click()
        await owner.get_by_role("dialog").get_by_role("button", name="Verwijder webhook").click()
        await expect(owner.locator(".webhooks")).not_to_contain_text("/haak")


async def test_one_that_was_switched_off_is_noticed_and_told_why(sheet, someone, demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    async with listening(Sink(say(410))) as sink:
        wish = {"url": f"http://127.0.0.1:{sink.port}/weg", "types": ["message.posted"]}
        made = (await agent.http.post("/api/v1/webhooks", json=wish)).json()["webhook"]
        await someone("hallo?")
        await sink.until(1)
        page = (await sheet(viewport=PHONE, color_scheme="dark")).page
        await page.goto(f"{demo.url}/app/settings/people")
        await expect(page.locator(".places .notice")).to_have_count(1)
        await page.goto(f"{demo.url}/app/settings/webhooks/{made['id']}")
        await expect(page.locator(".strip.late").first).to_contain_text("410")
        await expect(page.locator(".deliveries li")).to_contain_text("Mislukt")
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert await page.evaluate(wide)
        assert await violations(page) == []
    await agent.http.delete(f"/api/v1/webhooks/{made['id']}")
    await agent.leave()


async def test_who_does_not_administer_sees_none_of_it(sheet, demo):
    page = (await sheet(login=1)).page
    await page.goto(f"{demo.url}/app/settings/webhooks")
    await expect(page.locator(".page-head h2")).to_have_text("Profiel")
