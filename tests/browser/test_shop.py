"""The demo shop in a browser: what it tells Balie, and what it needs no script for."""

import asyncio

import pytest
import pytest_asyncio
import uvicorn

from balie.demo.shop import shop_app

pytestmark = pytest.mark.browser

BALIE = "http://localhost:9"
LISTENER = """
window.before = (window.Balie?.q ?? []).map((call) => [...call]);
window.Balie = (...call) => (window.calls ||= []).push(call);
"""


@pytest_asyncio.fixture(loop_scope="session")
async def shop():
    """The address of a running shop."""
    app = shop_app(
        balie_url=BALIE, site_key="site-1", sign_identity=lambda claims: f"for {claims['sub']}"
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, ws="none", log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest_asyncio.fixture(loop_scope="session")
async def opened(browser):
    """Opens pages on which `balie.js` is the given script."""

    async def open_page(script=LISTENER, **options):
        context = await browser.new_context(**options)

        async def balie(route):
            await route.fulfill(content_type="text/javascript", body=script)

        await context.route(f"{BALIE}/**", balie)
        page = await context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda line: page.complaints.append(line.text))
        return page

    yield open_page
    for context in browser.contexts:
        await context.close()


async def queued(page):
    """What waits for a Balie that has not come."""
    return await page.evaluate("(window.Balie.q ?? []).map((call) => [...call])")


async def test_account_hands_over_the_signed_proof_under_the_policy(shop, opened):
    page = await opened()
    await page.goto(f"{shop}/account", wait_until="load")
    told = await page.evaluate("[window.before, window.calls]")
    assert [["identify", {"token": "for klant-2041"}]] in told
    assert page.complaints == []


async def test_calls_wait_in_the_queue_while_balie_is_away(shop, opened):
    page = await opened(script="")
    await page.goto(f"{shop}/en/account", wait_until="load")
    assert await queued(page) == [["identify", {"token": "for klant-2041"}]]
    await page.goto(f"{shop}/hulp", wait_until="load")
    await page.get_by_role("button", name="Vraag het de balie").click()
    assert await queued(page) == [["open"]]


async def test_cart_is_told_after_adding_to_it(shop, opened):
    page = await opened(script="")
    await page.goto(f"{shop}/en/bicycles/mistral")
    assert await page.evaluate("window.Balie") is None
    await page.get_by_role("button", name="Add to cart").click()
    await page.wait_for_url("**/en/cart", wait_until="load")
    [[name, told], [happened, moment, detail]] = await queued(page)
    assert (name, happened, moment) == ("set", "track", "Put in the cart")
    assert told["cart"]["items"][0]["sku"] == "mistral_53_klaproos"
    assert detail.startswith("Mistral (€")
    await page.reload(wait_until="load")
    assert [call[0] for call in await queued(page)] == ["set"]
    assert page.complaints == []


async def test_colour_and_view_change_without_javascript(shop, opened):
    page = await opened(java_script_enabled=False, reduced_motion="reduce")
    await page.goto(f"{shop}/fietsen/luwte")
    bicycle = page.locator(".stage .bike")
    before, green = await bicycle.bounding_box(), await bicycle.screenshot()
    await page.get_by_label("klaproosrood").check(force=True)
    assert await bicycle.screenshot() != green
    await page.get_by_label("Zadel").check(force=True)
    after = await bicycle.bounding_box()
    assert after["width"] > 2 * before["width"]


@pytest.mark.parametrize("path", ["/", "/fietsen/luwte", "/winkelmand", "/account", "/weg"])
@pytest.mark.parametrize("width", [320, 1440])
async def test_no_page_is_wider_than_its_window(shop, opened, path, width):
    page = await opened(viewport={"width": width, "height": 740})
    await page.goto(shop + path)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0
