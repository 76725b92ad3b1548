"""The launcher is a good guest on somebody else's page."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

LAUNCHER = Path(__file__).resolve().parents[2] / "src" / "balie" / "static" / "balie.js"


@pytest.fixture
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
