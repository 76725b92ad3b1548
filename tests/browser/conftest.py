"""A real Chromium for the tests of screens."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect
from tests.browser import desks
from tests.browser.shopping import DESKTOP, Desk
from tests.people import Agent, visitor
from tools.browser import find_chromium

# What must come, comes; how soon on a machine that others use too, is no matter of these tests.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items):
    """All of them share a Chromium, and so an event loop."""
    for item in items:
        here = Path(__file__).parent in item.path.parents
        if here and asyncio.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium_path():
    """Where Chromium is. Without one the test fails: `make test` installs it."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium: run `make browser`, or name one in BALIE_CHROMIUM")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(chromium_path):
    """One Chromium for all tests of a process, without its sandbox, because root cannot have one."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox"]
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium):
    """What a test opens in it, is closed after it."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sheet(browser, demo):
    """A console at a desk, in Dutch; `await sheet(login=1, viewport=PHONE)` signs somebody in."""

    async def make(login=0, **options):
        context = await browser.new_context(
            **{"viewport": desks.DESKTOP, "locale": "nl-NL", "bypass_csp": True} | options
        )
        page = await context.new_page()
        return await desks.Sheet(page, demo).sign_in(demo.logins[login])

    return make


@pytest_asyncio.fixture(loop_scope="session")
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


@pytest_asyncio.fixture(loop_scope="session")
async def desk(demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    present = Desk(agent, await agent.console())
    await asyncio.sleep(0.3)
    yield present
    await present.leave()


@pytest_asyncio.fixture(loop_scope="session")
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
