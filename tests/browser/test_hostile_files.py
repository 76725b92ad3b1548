"""Nothing in a file runs, however it is opened in a browser that may have it."""

import json

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Error
from tests.hostile_files import LIES
from tests.people import Agent, visitor

pytestmark = pytest.mark.browser

LOAD = """(address) => new Promise((done) => {
    const script = document.createElement("script");
    script.onload = () => done(true);
    script.onerror = () => done(false);
    script.src = address;
    document.documentElement.append(script);
})"""


@pytest.fixture
def demo(own_demo):
    """Each test has a demo of its own."""
    return own_demo


@pytest_asyncio.fixture(loop_scope="session")
async def files(demo):
    """Every file that lies, said to the shop by a visitor."""
    eva = await visitor(demo).open()
    token = eva.welcome["visitor"]["token"]
    kept = []
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{demo.port}", headers={"Authorization": f"Bearer {token}"}
    ) as http:
        for content, told, name, _ in LIES:
            headers = {"Content-Type": told, "X-File-Name": name}
            answer = await http.post("/api/v1/files", content=content, headers=headers)
            assert answer.status_code == 201, answer.text
            kept.append(answer.json()["id"])
    conversation = None
    for start in range(0, len(kept), 10):
        ack = await eva.post("", conversation, files=kept[start : start + 10])
        conversation = ack["conversation"]
    await eva.close()
    return kept


@pytest_asyncio.fixture(loop_scope="session")
async def page(demo, browser):
    """A page of the browser in which an agent is signed in, that counts what runs in it."""
    tom = await Agent(demo, demo.logins[0]).sign_in()
    context = await browser.new_context()
    cookies = [{"name": n, "value": v, "url": demo.url} for n, v in tom.http.cookies.items()]
    await context.add_cookies(cookies)
    page = await context.new_page()
    page.ran = []
    page.on("dialog", lambda dialog: page.ran.append(dialog.message))
    yield page
    await tom.leave()


async def test_a_file_at_its_own_address_is_saved_and_not_shown(demo, page, files):
    for each in files:
        async with page.expect_download():
            with pytest.raises(Error, match=r"Download is starting|ERR_ABORTED"):
                await page.goto(f"{demo.url}/api/v1/files/{each}")
    assert page.ran == []


async def test_a_file_is_no_script_and_no_frame(demo, page, files):
    await page.goto(f"{demo.url}/healthz")
    for each in files:
        address = f"/api/v1/files/{each}"
        assert not await page.evaluate(LOAD, address), each
        frame = f"document.body.innerHTML = '<iframe src=' + {json.dumps(address)} + '></iframe>'"
        await page.evaluate(frame)
    assert page.ran == []


async def test_a_picture_that_calls_itself_a_page_opens_as_a_picture(demo, browser):
    """Also for who brings it: a stranger may have talked him into it."""
    both = next(content for content, _, name, _ in LIES if name == "both.html")
    context = await browser.new_context()
    page = await context.new_page()
    ran = []
    context.on("dialog", lambda dialog: ran.append(dialog.message))
    await page.goto(f"{demo.url}/chat/{demo.site}")
    await page.locator("textarea").first.fill("kijk")
    await page.locator("textarea").first.press("Enter")
    await page.locator(".bubble").first.wait_for()
    file = {"name": "both.html", "mimeType": "text/html", "buffer": both}
    await page.set_input_files("input[type=file][multiple]", file)
    shot = page.locator("a.shot[href^='blob:']")
    await shot.wait_for()
    async with context.expect_page() as opened:
        await shot.click()
    tab = await opened.value
    await tab.wait_for_load_state()
    assert await tab.evaluate("document.contentType") == "image/png"
    assert ran == []
