"""What the server will not take is not lost: it goes back to where one typed it."""

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.people import Agent, visitor

pytestmark = pytest.mark.browser

FILL = """(field, text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
}"""

ROOM_BELOW = """line => document.querySelector(".body").getBoundingClientRect().bottom
    - line.getBoundingClientRect().bottom"""


@pytest_asyncio.fixture(loop_scope="session")
async def chat(browser, demo):
    page = await (await browser.new_context(locale="nl-NL")).new_page()
    await page.goto(f"{demo.url}/chat/{demo.site}")
    await page.locator("textarea").first.wait_for()
    return page


async def say(page, text):
    field = page.locator("textarea").first
    await field.evaluate(FILL, text)
    await field.press("Enter")


HALF = "String.fromCharCode(0x61, 0xd83d, 0x62)"


@pytest.mark.parametrize(
    "text",
    ["'te lang ' + 'x'.repeat(16_000)", "'a' + String.fromCharCode(0) + 'b'", f"'half ' + {HALF}"],
)
async def test_a_refused_text_goes_back_to_the_composer(chat, text):
    await say(chat, "hallo")
    await expect(chat.locator(".turn .meta", has_text="Verzonden")).to_be_visible()
    written = await chat.evaluate(f"window.written = {text}")
    await chat.locator("textarea").first.evaluate(
        """(field) => { field.value = window.written;
            field.dispatchEvent(new Event("input", { bubbles: true })); }"""
    )
    await chat.locator("textarea").first.press("Enter")
    failed = chat.locator(".is-failed")
    await expect(failed).to_be_visible()
    # However tall it is, what can be done about it stands clear of the composer.
    assert await failed.evaluate(ROOM_BELOW) > 16
    await failed.get_by_role("button", name="Aanpassen").click()
    assert await chat.evaluate(
        "document.querySelector('textarea').value.length === window.written.length"
    )
    assert written
    await expect(failed).to_have_count(0)
    # And it stands in nobody's way.
    await say(chat, "gewoon dit")
    await expect(chat.locator(".bubble", has_text="gewoon dit")).to_be_visible()
    await expect(chat.locator(".turn .meta", has_text="Verzonden")).to_be_visible()
    await expect(chat.locator(".is-failed")).to_have_count(0)


async def test_a_colleague_is_told_before_he_sends(browser, demo):
    eva = await visitor(demo).open()
    ack = await eva.post("hallo")
    tom = await Agent(demo, demo.logins[0]).sign_in()
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="nl-NL")
    cookies = [{"name": n, "value": v, "url": demo.url} for n, v in tom.http.cookies.items()]
    await context.add_cookies(cookies)
    page = await context.new_page()
    await page.goto(f"{demo.url}/app/c/{ack['conversation']}")
    field = page.locator("textarea").first
    await field.wait_for()
    long = "x" * 16_001
    await field.evaluate(FILL, long)
    await field.press("Enter")
    await page.wait_for_timeout(300)
    assert await field.input_value() == long
    answer = await tom.http.get(f"/api/v1/conversations/{ack['conversation']}/events")
    assert len(answer.json()["data"]) == 2
    await eva.close()
    await tom.leave()
