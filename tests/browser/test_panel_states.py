"""What the panel shows while it has no connection, and how it stands on small screens."""

import re

import pytest
from playwright.async_api import expect
from tests.browser.shopping import DESKTOP, launcher, opened, panel, say
from tests.people import Agent

pytestmark = pytest.mark.browser

SMALLEST = {"width": 320, "height": 640}
HERE, CUT = "zit aan de balie", "Wacht op verbinding"


async def present(demo):
    """Somebody at the desk, until the server goes."""
    console = await (await Agent(demo, demo.logins[0]).sign_in()).console()
    await console.send({"type": "alive", "awake": True, "status": "available"})


async def test_a_panel_that_is_not_connected_promises_nothing(own_demo, browser):
    await present(own_demo)
    page = await (await browser.new_context(viewport=DESKTOP, locale="nl-NL")).new_page()
    await page.goto(own_demo.shop)
    await expect(launcher(page)).to_have_accessible_name(re.compile("^Chat met"))
    await opened(page)
    await say(page, "Is daar iemand?")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    await panel(page).get_by_role("button", name="Terug").click()
    who, line = panel(page).locator(".desk .who"), panel(page).locator(".who-line")
    await expect(who).to_contain_text(HERE)
    own_demo.kill()
    await expect(who).to_contain_text(CUT, timeout=2_500)
    await expect(who).not_to_contain_text(HERE)
    await panel(page).get_by_role("button", name="Is daar iemand?").click()
    await expect(line).to_have_text(CUT)
    await expect(panel(page).locator(".banner")).to_contain_text("De verbinding viel weg")
    own_demo.start()
    await expect(panel(page).locator(".banner")).to_have_count(0, timeout=30_000)
    await expect(line).not_to_have_text(CUT)


async def test_the_composer_stays_where_it_is_when_one_begins_to_talk(visit, desk):
    page = await visit()
    await opened(page)
    composer = panel(page).locator(".composer")
    before = await composer.bounding_box()
    await say(page, "Past het nog?")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    assert await composer.bounding_box() == before


@pytest.mark.parametrize("language", ["nl", "en"])
async def test_an_empty_composer_is_one_line_on_the_smallest_phone(browser, demo, language):
    context = await browser.new_context(viewport=SMALLEST, has_touch=True, is_mobile=True)
    page = await context.new_page()
    await page.goto(f"{demo.url}/chat/{demo.site}?language={language}")
    await expect(page.locator("html")).to_have_attribute("lang", language)
    assert (await page.locator(".composer").bounding_box())["height"] < 50


async def test_what_is_written_from_right_to_left_runs_that_way(visit, desk, sheet):
    page = await visit()
    await opened(page)
    await say(page, "מה המחיר?")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    await desk.take("מה")
    console = (await sheet()).page
    await console.locator(".row", has_text="מה המחיר").click()
    for bubble in (
        panel(page).locator(".log .bubble").last,
        console.locator(".bubble", has_text="מה המחיר").last,
    ):
        await expect(bubble).to_be_visible()
        assert await ends_left(bubble)


async def ends_left(bubble):
    """Does the last letter stand to the left of the first?"""
    return await bubble.evaluate(
        """(bubble) => {
            const walk = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT);
            const text = walk.nextNode();
            const left = (at) => {
                const range = document.createRange();
                range.setStart(text, at);
                range.setEnd(text, at + 1);
                return range.getBoundingClientRect().left;
            };
            return left(text.length - 1) < left(0);
        }"""
    )
