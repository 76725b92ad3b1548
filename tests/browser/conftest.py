"""A real Chromium for the tests of screens."""

import pytest
from playwright.async_api import async_playwright
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
