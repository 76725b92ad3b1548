"""The launcher on pages that make it hard: strict policies, rough styles, applications that move."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect
from tests.browser.shopping import DESKTOP, PHONE, field, launcher, opened, panel, say

pytestmark = pytest.mark.browser

# What `docs/widget.md` asks of a shop, and nothing else.
STRICT = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'none';"
    " script-src {0}; connect-src {0}; img-src {0}; frame-src {0};"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
BY_NONCE = (
    "default-src 'none'; script-src 'nonce-abc' 'strict-dynamic';"
    " connect-src {0}; img-src {0}; frame-src {0}"
)
ROUGH = """
* { all: unset; letter-spacing: 1em; text-transform: uppercase }
* { box-sizing: content-box; border: 9px solid red; float: right; font: 40px serif }
html { font-size: 50% }
body { transform: translateX(40px) scale(0.5); filter: blur(1px); overflow: hidden }
body > div { position: fixed; inset: 0; z-index: 2000000000; background: pink }
iframe, section, button { display: none; width: 10px; height: 10px; visibility: hidden }
"""


class Pages(ThreadingHTTPServer):
    """A web server of a shop: the same page everywhere, as the test wants it."""

    text = ""
    policy = ""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Page)
        self.origin = f"http://lab.localhost:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.server.policy:
            self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    server = Pages()
    yield server
    server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def site(demo, desk):
    """The shop's site in the API of the owner."""
    sites = (await desk.agent.http.get("/api/v1/sites")).json()["data"]
    return f"/api/v1/sites/{sites[0]['id']}"


@pytest_asyncio.fixture(loop_scope="session")
async def host(browser, demo, desk, pages, site):
    """`await host(head, body)`: a page of a shop of its own making, with Balie on it."""
    allowed = {"origins": [demo.shop, pages.origin]}
    answer = await desk.agent.http.patch(site, json=allowed)
    assert answer.status_code == 200, answer.text

    async def open_page(head="", body="<h1>Shop</h1>", policy="", tag="", html="", **options):
        script = f"<script {tag} async src='{demo.url}/balie.js' data-site='{demo.site}'></script>"
        start = (
            f"<!doctype html><html lang=nl {html}><meta charset=utf-8><title>Lab</title>"
            "<meta name=viewport content='width=device-width'>"
        )
        pages.text = f"{start}{head}{script}<body>{body}"
        pages.policy = policy.format(demo.url)
        context = await browser.new_context(locale="nl-NL", **options)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        await page.add_init_script(
            "window.blocked = []; addEventListener('securitypolicyviolation',"
            " (e) => blocked.push(e.effectiveDirective + ' ' + e.blockedURI))"
        )
        await page.goto(f"{pages.origin}/lab")
        return page

    yield open_page
    for context in browser.contexts:
        await context.close()
    await desk.agent.http.patch(site, json={"origins": [demo.shop]})


@pytest.mark.parametrize(("policy", "tag"), [(STRICT, ""), (BY_NONCE, "nonce=abc")])
async def test_a_strict_policy_needs_only_what_the_document_says(host, desk, policy, tag):
    page = await host(policy=policy, tag=tag, viewport=DESKTOP)
    await opened(page)
    box = await page.locator("balie-launcher section").bounding_box()
    assert (box["width"], box["height"]) == (384, 680)
    await say(page, "Achter slot en grendel")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    assert await page.evaluate("blocked") == []
    assert page.complaints == []


async def test_rough_styles_do_not_reach_the_launcher(host, desk):
    fine = await host()
    rough = await host(head=f"<style>{ROUGH}</style>", body="<div><h1>Shop</h1></div>")
    for state in ("closed", "open"):
        looks = []
        for page in (fine, rough):
            if state == "open":
                await opened(page)
                await page.wait_for_timeout(400)
            names = "button, section" if state == "open" else "button, button *"
            looks.append(
                await page.locator("balie-launcher").evaluate(
                    """(launcher, names) => [...launcher.shadowRoot.querySelectorAll(names)].map((e) => {
                        const box = e.getBoundingClientRect(), look = getComputedStyle(e);
                        return [e.localName, box.x, box.y, box.width, box.height, look.color, look.font,
                                look.letterSpacing, look.textTransform, look.visibility];
                    })""",
                    names,
                )
            )
        assert looks[0] == looks[1], state
    top = await rough.evaluate(
        "document.elementFromPoint(innerWidth - 50, innerHeight - 50).localName"
    )
    assert top == "balie-launcher"


async def test_a_page_from_right_to_left(host, desk):
    page = await host(html="dir=rtl")
    await opened(page)
    button = await launcher(page).bounding_box()
    box = await page.locator("balie-launcher section").bounding_box()
    assert button["x"] + button["width"] == 1280 - 20
    assert box["x"] + box["width"] == 1280 - 20


async def test_an_application_that_replaces_its_body_keeps_the_launcher(host, desk):
    page = await host()
    await opened(page)
    await say(page, "Blijf staan")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    await page.evaluate(
        """() => {
            history.pushState({}, "", "/lab?tweede");
            document.title = "Tweede";
            document.body.replaceWith(document.createElement("body"));
            Balie("pageView");
        }"""
    )
    await expect(panel(page).get_by_text("Blijf staan")).to_be_visible()
    conversation = await desk.take("Blijf staan")
    row = (await desk.agent.http.get(f"/api/v1/conversations/{conversation}")).json()
    assert row["page"]["url"].endswith("/lab?tweede")
    assert row["page"]["title"] == "Tweede"


async def test_a_second_launcher_on_a_page_changes_nothing(host, desk, demo):
    page = await host()
    await expect(launcher(page)).to_be_visible()
    await page.evaluate(
        """(address) => new Promise((done) => {
            const script = document.createElement("script");
            Object.assign(script, {src: address, onload: done}).dataset.site = "another";
            document.head.append(script);
        })""",
        f"{demo.url}/balie.js?again",
    )
    await opened(page)
    assert await page.locator("balie-launcher").count() == 1
    assert page.complaints == []


async def test_a_site_may_hide_while_nobody_is_there(host, site, desk):
    assert (await desk.agent.http.patch(site, json={"when_away": "hide"})).status_code == 200
    try:
        here = await host()
        await expect(launcher(here)).to_be_visible()
        await desk.console.send({"type": "alive", "awake": True, "status": "away"})
        away = await host()
        await expect(away.locator("balie-launcher")).to_be_attached()
        await expect(launcher(away)).to_be_hidden()
        await away.evaluate("Balie('open')")
        await say(away, "Toch iets")
        await expect(panel(away).get_by_text("Verzonden")).to_be_visible()
        await panel(away).get_by_label("Chat sluiten").click()
        await expect(away.locator("balie-launcher section")).to_be_hidden()
    finally:
        await desk.agent.http.patch(site, json={"when_away": "message"})
        await desk.console.send({"type": "alive", "awake": True, "status": "available"})


async def test_the_keyboard_of_a_phone_takes_room_from_the_panel_only(host, desk):
    page = await host(viewport=PHONE, has_touch=True, is_mobile=True)
    await opened(page)
    await say(page, "Boven het toetsenbord")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    await page.evaluate(
        """() => {
            for (const [name, value] of [["height", 380], ["offsetTop", 30]])
                Object.defineProperty(visualViewport, name, {get: () => value, configurable: true});
            visualViewport.dispatchEvent(new Event("resize"));
        }"""
    )
    box = await page.locator("balie-launcher section").bounding_box()
    assert (box["y"], box["height"]) == (30, 380)
    head = await panel(page).locator(".head").bounding_box()
    assert head["height"] == 54
    await expect(panel(page).get_by_text("Boven het toetsenbord")).to_be_in_viewport()
    assert (await field(page).bounding_box())["y"] < 30 + 380


async def test_back_from_another_page_the_conversation_goes_on(chromium_path, demo, desk):
    """As browsers do it that keep the page they left whole; a test's Chromium does so only when told."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        page = await (await browser.new_context(locale="nl-NL")).new_page()
        await page.goto(f"{demo.shop}/")
        await opened(page)
        await say(page, "Ik kijk even elders")
        await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
        await page.evaluate(
            "addEventListener('pageshow', (e) => (window.cameBack = e.persisted)); 0"
        )
        await page.goto(f"{demo.url}/healthz")
        # No page is loaded when one comes back whole.
        await page.evaluate("setTimeout(() => history.back())")
        await page.wait_for_url(f"{demo.shop}/", wait_until="commit")
        assert await page.evaluate("cameBack")
        conversation = await desk.take("Ik kijk even elders")
        await desk.console.post("Bent u er weer?", conversation)
        await desk.read("Bent u er weer?", conversation)
        # The frame is on the screen, but out of the test's sight from here on.
        await page.keyboard.type("Ja hoor")
        await page.keyboard.press("Enter")
        assert await desk.take("Ja hoor") == conversation
        await browser.close()


async def test_sound_is_made_only_when_the_panel_is_out_of_sight(host, desk):
    page = await host()
    frame_script = """
        window.tones = 0;
        window.AudioContext = class {
            currentTime = 0; destination = {};
            createOscillator() { tones++; return {frequency: {}, connect: (to) => to, start() {}, stop() {}}; }
            createGain() {
                const gain = {setValueAtTime() {}, exponentialRampToValueAtTime() {}};
                return {gain, connect: (to) => to};
            }
        };
    """
    await page.add_init_script(frame_script)
    await page.reload()
    await opened(page)
    await say(page, "Piept het?")
    conversation = await desk.take("Piept het?")
    frame = next(frame for frame in page.frames if "/widget/" in frame.url)
    await desk.console.post("In beeld.", conversation)
    await expect(panel(page).get_by_text("In beeld.")).to_be_visible()
    assert await frame.evaluate("tones") == 0
    await launcher(page).click()
    await desk.console.post("Uit beeld.", conversation)
    await expect(launcher(page)).to_have_accessible_name(re.compile("1 ongelezen bericht"))
    assert await frame.evaluate("tones") == 2
    await launcher(page).click()
    await panel(page).get_by_label("Meer keuzes").click()
    await panel(page).get_by_role("button", name="Geluid uitzetten").click()
    await launcher(page).click()
    await desk.console.post("Stil.", conversation)
    await expect(launcher(page)).to_have_accessible_name(re.compile("1 ongelezen bericht"))
    assert await frame.evaluate("tones") == 2


async def test_what_is_typed_before_the_panel_can_talk_waits_where_it_stands(host, desk):
    page = await host()
    rest = re.compile("/rest-")
    await page.context.route(rest, lambda route: route.abort())
    await opened(page)
    await say(page, "Op een traag net")
    await field(page).press("Enter")
    await expect(panel(page).get_by_text("De verbinding viel weg")).to_be_visible()
    await expect(field(page)).to_have_value("Op een traag net")
    await page.context.unroute(rest)
    await expect(panel(page).get_by_text("De verbinding viel weg")).to_be_hidden(timeout=15_000)
    await field(page).press("Enter")
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()
    await expect(field(page)).to_have_value("")
    assert await panel(page).locator(".bubble").all_inner_texts() == ["Op een traag net"]


async def test_the_edges_of_a_phone_stay_free(browser, demo):
    context = await browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    page = await context.new_page()
    await page.goto(f"{demo.url}/chat/{demo.site}")
    desk = page.locator(".desk")
    before = await desk.bounding_box()
    devtools = await context.new_cdp_session(page)
    edges = {"top": 47, "bottom": 34, "left": 0, "right": 0}
    await devtools.send("Emulation.setSafeAreaInsetsOverride", {"insets": edges})
    head = await page.locator(".head").bounding_box()
    after = await desk.bounding_box()
    assert head["y"] == 47
    assert after["height"] == before["height"] + 34
    assert after["y"] + after["height"] == PHONE["height"]
    await context.close()


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(34, 34, 34)")]
)
async def test_the_button_is_as_dark_as_its_reader_wants(host, scheme, ground):
    page = await host(color_scheme=scheme)
    await expect(launcher(page)).to_have_css("background-color", ground)
