"""A real Chromium for the tests of screens."""

import pytest
from playwright.async_api import async_playwright
from tests.browser.desks import DESKTOP, Sheet
from tests.people import visitor
from tools.browser import find_chromium


@pytest.fixture(scope="session")
def chromium_path():
    """Where Chromium is. Without one the test fails: `make test` installs it."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium: run `make browser`, or name one in BALIE_CHROMIUM")
    return path


@pytest.fixture
async def browser(chromium_path):
    """A fresh Chromium. It runs without its sandbox, because root cannot have one."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox"]
        )
        yield chromium
        await chromium.close()


@pytest.fixture
async def sheet(browser, demo):
    """A console at a desk, in Dutch; `await sheet(login=1, viewport=PHONE)` signs somebody in."""

    async def make(login=0, **options):
        context = await browser.new_context(
            **{"viewport": DESKTOP, "locale": "nl-NL", "bypass_csp": True} | options
        )
        page = await context.new_page()
        return await Sheet(page, demo).sign_in(demo.logins[login])

    return make


@pytest.fixture
async def someone(demo):
    """`await someone("Hallo")`: a visitor who has just asked something, and his conversation."""
    came = []

    async def come(text, **hello):
        talker = await visitor(demo, **hello).open()
        came.append(talker)
        ack = await talker.post(text)
        return talker, ack["conversation"]

    yield come
    for talker in came:
        await talker.close()
