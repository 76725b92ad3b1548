"""A real Chromium for the tests of screens."""

import asyncio

import pytest
from playwright.async_api import async_playwright, expect
from tests.browser import desks
from tests.browser.shopping import DESKTOP, Desk
from tests.people import Agent, visitor
from tools.browser import find_chromium

# What must come, comes; how soon on a machine that others use too, is no matter of these tests.
expect.set_options(timeout=15_000)


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
            **{"viewport": desks.DESKTOP, "locale": "nl-NL", "bypass_csp": True} | options
        )
        page = await context.new_page()
        return await desks.Sheet(page, demo).sign_in(demo.logins[login])

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


@pytest.fixture
async def desk(demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    present = Desk(agent, await agent.console())
    await asyncio.sleep(0.3)
    yield present
    await present.leave()


@pytest.fixture
async def visit(browser, demo):
    """Opens the shop as a new visitor; the page remembers what went wrong on it."""

    async def open_page(path="/", viewport=DESKTOP, **options):
        phone = viewport["width"] < 480
        context = await browser.new_context(
            viewport=viewport, locale="nl-NL", has_touch=phone, is_mobile=phone, **options
        )
        page = await context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        await page.goto(f"{demo.shop}{path}")
        return page

    yield open_page
    for context in browser.contexts:
        await context.close()
