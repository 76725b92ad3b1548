"""The launcher is a good guest on somebody else's page."""

import asyncio
import re
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.browser.shopping import field, launcher, panel, say

pytestmark = pytest.mark.browser

LAUNCHER = Path(__file__).resolve().parents[2] / "src" / "balie" / "static" / "balie.js"


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser):
    page = await browser.new_page()
    await page.set_content("<h1>Shop</h1>")
    return page


async def test_the_launcher_leaves_one_name_at_most_in_the_page(page):
    before = set(await page.evaluate("Object.getOwnPropertyNames(window)"))
    await page.add_script_tag(path=LAUNCHER)
    after = set(await page.evaluate("Object.getOwnPropertyNames(window)"))
    assert after - before <= {"Balie"}


async def test_the_launcher_loads_twice_without_complaint(page):
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.add_script_tag(path=LAUNCHER)
    await page.add_script_tag(path=LAUNCHER)
    assert await page.evaluate("customElements.get('balie-launcher') !== undefined")
    assert complaints == []


async def test_a_click_counts_when_the_button_is_redrawn_under_it(visit, desk):
    page = await visit()
    button = launcher(page)
    await button.hover()
    await page.mouse.down()
    redrawn = await page.evaluate(
        """() => {
            const launcher = document.querySelector("balie-launcher");
            const before = launcher.button.firstChild;
            launcher.draw(launcher.state, launcher.lang, "");
            return before !== launcher.button.firstChild;
        }"""
    )
    assert redrawn
    await page.mouse.up()
    await expect(field(page)).to_be_visible()


async def test_two_clicks_at_once_open_the_panel_once(visit, desk):
    page = await visit()
    await launcher(page).dblclick()
    await expect(field(page)).to_be_visible()
    await expect(launcher(page)).to_have_attribute("aria-expanded", "true")


async def test_who_clicks_again_while_nothing_happens_gets_the_panel(visit, desk):
    page = await visit()
    asked = asyncio.Queue()

    async def refuse_first(route):
        first = not asked.qsize()
        asked.put_nowait(route)
        await (route.abort() if first else route.continue_())

    await page.route(re.compile("/balie-panel.js"), refuse_first)
    async with page.expect_event("requestfailed"):
        await launcher(page).dispatch_event("click")
    await expect(launcher(page)).not_to_have_attribute("aria-expanded", "true")
    # Before the panel can be here: afterwards a click would close it.
    await launcher(page).evaluate("(button) => { button.click(); button.click(); }")
    await expect(field(page)).to_be_visible()
    await expect(launcher(page)).to_have_attribute("aria-expanded", "true")
    assert asked.qsize() == 2


async def test_a_page_that_may_keep_nothing_has_a_panel_that_talks(visit, desk):
    page = await visit()
    await page.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"])
            if (top === self) Object.defineProperty(window, name, {
                get() { throw new DOMException("not here", "SecurityError"); }
            });"""
    )
    await page.reload()
    await launcher(page).click()
    await say(page, "Zonder geheugen")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()


async def test_a_page_that_signs_off_before_anybody_came_near_leaves_nothing(visit, desk, demo):
    """The next one at this browser is nobody's heir."""
    page = await visit()
    await launcher(page).click()
    await say(page, "Voor de volgende niet te lezen")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    kept = "Object.keys(localStorage).filter((name) => name.startsWith('balie.'))"
    assert len(await page.evaluate(kept)) > 1
    # As after the end of a conversation, in another tab: the second script comes only when it is wanted.
    context = page.context
    await page.close()
    page = await context.new_page()
    await page.add_init_script(f"delete localStorage['balie.{demo.site}']")
    await page.goto(demo.shop)
    await page.wait_for_function("document.querySelector('balie-launcher')")
    await page.evaluate("Balie('shutdown')")
    await expect(launcher(page)).to_have_count(0)
    assert await page.evaluate(kept) == []
