"""Balie on somebody else's page: it asks little, keeps nothing, reads nothing, and hears only its own."""

import re

import pytest
import pytest_asyncio
from tests.conftest import REPOSITORY
from tests.people import visitor

pytestmark = pytest.mark.browser

STATIC = REPOSITORY / "src/balie/static"

FORM = """<!doctype html><html lang="nl"><title>Afrekenen</title>
<form id="pay" action="/betaald" method="post">
<input name="name" autocomplete="cc-name" value="CANARY-NAME">
<input name="card" autocomplete="cc-number" value="CANARY-CARD">
<input name="code" type="password" autocomplete="cc-csc" value="CANARY-CODE">
<textarea name="remark">CANARY-REMARK</textarea>
<select name="bank"><option value="CANARY-BANK" selected>x</option></select>
</form>
<script>
window.Balie = window.Balie || ((...call) => (window.Balie.q ||= []).push(call));
</script>
<script async src="{balie}/balie.js" data-site="{site}"></script>"""

# Whoever reads a field, listens to keys, or sends a message, is written down with his stack.
SPIES = """(() => {
  window.read = []; window.posted = []; window.listened = [];
  if (!location.host.startsWith("shop.")) return;
  for (const kind of [HTMLInputElement, HTMLTextAreaElement, HTMLSelectElement, HTMLFormElement])
    for (const name of ["value", "defaultValue", "selectedOptions", "elements", "files"]) {
      const known = Object.getOwnPropertyDescriptor(kind.prototype, name);
      if (known?.get) Object.defineProperty(kind.prototype, name, {
        ...known, get() { window.read.push(name + new Error().stack); return known.get.call(this); } });
    }
  const data = window.FormData;
  window.FormData = class extends data {
    constructor(...given) { super(...given); window.read.push("FormData" + new Error().stack); } };
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (kind, ...rest) {
    if (/^(key|input|change|submit|paste|copy|before|composition)/.test(kind))
      window.listened.push([kind, this.localName ?? this.constructor.name]);
    return listen.call(this, kind, ...rest);
  };
})();
(() => {
  // Windows of other origins cannot be spied on, so their places are taken by spies.
  const spies = new WeakMap();
  const spied = (target) => {
    if (!target || target === window) return target;
    if (!spies.has(target)) spies.set(target, { postMessage(message, where, ...rest) {
      window.posted.push(typeof where === "string" ? where : (where?.targetOrigin ?? "/"));
      return target.postMessage(message, where, ...rest);
    } });
    return spies.get(target);
  };
  const instead = (kind, name) => {
    const { get } = Object.getOwnPropertyDescriptor(kind.prototype, name);
    Object.defineProperty(kind.prototype, name, { get() { return spied(get.call(this)); } });
  };
  instead(HTMLIFrameElement, "contentWindow");
  instead(MessageEvent, "source");
  const { parent } = window;
  if (parent !== window) Object.defineProperty(window, "parent", { get: () => spied(parent) });
})();"""


@pytest_asyncio.fixture(loop_scope="session")
async def street(browser, demo):
    """A context in which the shop's till (`/kassa`) is a page with a card form and Balie."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    await context.grant_permissions(["local-network-access"], origin=demo.shop)
    await context.add_init_script(SPIES)
    body = FORM.replace("{balie}", demo.url).replace("{site}", demo.site)

    async def answer(route):
        await route.fulfill(body=body, content_type="text/html")

    await context.route(f"{demo.shop}/kassa", answer)
    context.asked = []
    context.on("request", lambda request: context.asked.append(request))  # noqa: PLW0108 - idem
    yield context
    await context.close()


async def arrive(street, demo):
    page = await street.new_page()
    await page.goto(f"{demo.shop}/kassa", wait_until="load")
    await page.wait_for_function("document.querySelector('balie-launcher')")
    return page


def panel_of(page):
    return page.frame_locator("balie-launcher iframe")


async def kept(street, page):
    """Everything that a browser keeps of this visit."""
    for frame in page.frames:
        stored = await frame.evaluate(
            """async () => {
                const seen = async (look, none) => { try { return await look() } catch { return none } };
                return {
                    local: await seen(() => Object.keys(localStorage), []),
                    session: await seen(() => Object.keys(sessionStorage), []),
                    bases: (await seen(() => indexedDB.databases(), [])).length,
                    caches: await seen(() => caches.keys(), []),
                    workers: (await seen(() => navigator.serviceWorker.getRegistrations(), [])).length,
                    cookie: await seen(() => document.cookie, ""),
                };
            }"""
        )
        yield frame.url, stored
    yield "cookies", await street.cookies()


NOTHING = {"local": [], "session": [], "bases": 0, "caches": [], "workers": 0, "cookie": ""}


async def test_a_closed_widget_asks_twice_and_keeps_nothing(street, demo):
    page = await arrive(street, demo)
    await page.wait_for_timeout(1_500)
    asked = [each.url for each in street.asked if not each.url.endswith("/favicon.ico")]
    own = [each for each in asked if each != f"{demo.shop}/kassa"]
    assert sorted(own) == [f"{demo.url}/api/v1/sites/{demo.site}/state", f"{demo.url}/balie.js"]
    found = [each async for each in kept(street, page)]
    assert found == [(f"{demo.shop}/kassa", NOTHING), ("cookies", [])]


async def test_nothing_is_kept_or_read_before_somebody_speaks(street, demo):
    page = await arrive(street, demo)
    for name in ("name", "card", "code", "remark"):
        await page.focus(f"[name={name}]")
        await page.keyboard.type("CANARY-TYPED")
    await page.evaluate("Balie('open')")
    await panel_of(page).locator("textarea").first.wait_for()
    await page.evaluate("Balie('close')")
    await page.evaluate("Balie('pageView')")
    await page.wait_for_timeout(500)
    assert await page.evaluate("window.read") == []
    kinds = {tuple(each) for each in await page.evaluate("window.listened")}
    # Its own box may hear Escape; nobody may hear the page's keys.
    assert kinds <= {("keydown", "balie-launcher")}
    async for where, stored in kept(street, page):
        assert stored in (NOTHING, []), where
    for request in street.asked:
        said = f"{request.url} {request.post_data or ''} {await request.all_headers()}"
        assert "CANARY" not in said, request.url
        assert request.url.startswith((demo.url, demo.shop, "blob:", "data:")), request.url


async def test_what_is_said_never_carries_the_form_or_a_token_in_an_address(street, demo):
    said = []

    def listen(page):
        page.on("websocket", watch)

    def watch(socket):
        said.append(socket.url)
        socket.on("framesent", lambda frame: said.append(frame))  # noqa: PLW0108 - a method cannot be one

    street.on("page", listen)
    page = await arrive(street, demo)
    await page.evaluate("Balie('open')")
    box = panel_of(page).locator("textarea").first
    await box.fill("Is de 54 er nog?")
    await box.press("Enter")
    await panel_of(page).locator(".bubble", has_text="Is de 54 er nog?").wait_for()
    await page.wait_for_timeout(500)
    # This Chromium forbids storage to frames of other sites, so the page keeps it (as documented).
    own = await page.evaluate("({...localStorage})")
    key = f"balie.{demo.site}"
    assert own.keys() == {key, *(f"{key}.kept.{name}" for name in ("token", "visitor", "drafts"))}
    token = own[f"{key}.kept.token"]
    assert token
    assert len(token) > 60
    assert all("CANARY" not in each for each in said if isinstance(each, str))
    assert token not in said[0]
    for request in street.asked:
        headers = await request.all_headers()
        assert token not in request.url
        assert token not in headers.get("referer", "")
        assert "token=" not in request.url
    assert token not in await page.content()
    assert token not in await page.frames[1].content()
    assert token not in await page.evaluate("JSON.stringify([history.state, document.cookie])")


# Messages between windows.

SHAPES = """(own) => {
  const kinds = ["ready", "close", "unread", "live", "keep", "event", "hello", "kept", "changed",
    "agree", "agreed", "open", "page",
    "set", "identify", "shutdown", "track", "token", "loaded", "boot", "__proto__", "constructor"];
  const values = [undefined, null, true, 1, "x", [], {}, { count: 99, name: "EVIL" },
    { name: "token", value: "EVIL" }, { token: "EVIL" }, { name: "ready", detail: "EVIL" },
    { url: "https://evil.example/EVIL", title: "EVIL" }, { focus: true, full: true },
    { name: "EVIL", email: "evil@evil.example" }, { accent: "#ff0000" }];
  const shapes = [];
  for (const balie of kinds) for (const value of values) {
    shapes.push({ balie, value });
    shapes.push(JSON.stringify({ balie, value }));
  }
  for (const odd of [null, 0, "", "balie", [], { balie: {} }, { balie: ["open"] }, { balie: null },
    { event: "loaded", config: { authToken: "EVIL" } }, { type: "open" }, { source: "balie" }])
    shapes.push(odd);
  return shapes;
}"""
FLOOD = f"""() => {{
  const shapes = ({SHAPES})();
  const windows = new Set();
  const walk = (one) => {{
    windows.add(one);
    for (let at = 0; at < one.length; at++) walk(one[at]);
  }};
  walk(top);
  for (const other of [window.opener, window.victim]) if (other) walk(other);
  let count = 0;
  for (const each of windows) if (each !== window)
    for (const shape of shapes) {{ each.postMessage(shape, "*"); count++; }}
  return count;
}}"""


def evil_of(demo):
    return f"http://evil.localhost:{demo.port}"


async def state_of(page):
    """What a message that was heeded would change."""
    frame = next(each for each in page.frames if "/widget/" in each.url)
    launcher = await page.evaluate(
        """() => { const root = document.querySelector("balie-launcher").shadowRoot;
            return [root.innerHTML, document.title, location.href, {...localStorage}, {...sessionStorage},
                window.told] }"""
    )
    panel = await frame.evaluate(
        "[document.body.innerText, document.documentElement.style.cssText, document.title]"
    )
    return [launcher, panel]


async def test_messages_of_strangers_are_not_heard(street, demo):
    """A sibling frame, the page's opener and a page that it opened, each with hundreds of messages."""

    evil = evil_of(demo)

    async def stranger(route):
        await route.fulfill(body="<p>evil", content_type="text/html")

    await street.route(f"{evil}/**", stranger)
    outside = await street.new_page()
    await outside.goto(f"{evil}/opener")
    async with street.expect_page() as opened:
        await outside.evaluate(f"void (window.victim = window.open('{demo.shop}/kassa'))")
    page = await opened.value
    await page.wait_for_function("document.querySelector('balie-launcher')")
    await page.evaluate(
        """() => { window.told = [];
            for (const kind of ["ready", "open", "close", "unread", "identify", "EVIL"])
                addEventListener("balie:" + kind, () => window.told.push(kind)); }"""
    )
    await page.evaluate("Balie('open')")
    await panel_of(page).locator("textarea").first.wait_for()
    await page.evaluate(
        f"""() => new Promise((done) => {{ const frame = document.createElement("iframe");
            frame.src = "{evil}/sibling"; frame.onload = done; document.body.append(frame); }})"""
    )
    async with street.expect_page() as opened:
        await page.evaluate(f"void window.open('{evil}/child')")
    child = await opened.value
    await child.wait_for_load_state()
    sibling = next(each for each in page.frames if each.url.endswith("/sibling"))
    await page.bring_to_front()
    await page.wait_for_timeout(500)
    before = await state_of(page)
    sent = [await each.evaluate(FLOOD) for each in (sibling, outside, child)]
    assert min(sent) >= 500
    await page.wait_for_timeout(1_000)
    assert await state_of(page) == before
    # Ours still get through, each to the one it is meant for.
    await page.evaluate("Balie('close')")
    await page.wait_for_function("window.told.includes('close')")
    panel = next(each for each in page.frames if "/widget/" in each.url)
    assert set(await page.evaluate("window.posted")) == {demo.url}
    assert set(await panel.evaluate("window.posted")) == {demo.shop}


def test_no_script_posts_to_whom_it_may_concern():
    scripts = [*STATIC.rglob("*.js")]
    assert len(scripts) > 3
    for script in scripts:
        text = script.read_text("utf-8")
        assert not re.search(r"""postMessage\([^;]{0,200}?,\s*(["'`])\*\1""", text), script.name


async def test_a_flood_that_is_ours_would_be_heard(street, demo):
    """The shapes are right: from the page itself the panel heeds them, so above it was who said it."""
    page = await arrive(street, demo)
    await page.evaluate("Balie('open')")
    await panel_of(page).locator("textarea").first.wait_for()
    frame = next(each for each in page.frames if "/widget/" in each.url)
    await frame.wait_for_function("window.posted.length > 0")
    await frame.evaluate("parent.postMessage({ balie: 'unread', value: { count: 7 } }, '*')")
    await page.wait_for_function("document.title.startsWith('(7) ')")


async def test_no_other_site_frames_the_panel_or_the_console(street, demo):
    evil = evil_of(demo)

    async def stranger(route):
        path = route.request.url.removeprefix(evil)
        await route.fulfill(
            body=f"<iframe src='{demo.url}{path}'></iframe>", content_type="text/html"
        )

    await street.route(f"{evil}/**", stranger)
    await street.grant_permissions(["local-network-access"], origin=evil)
    page = await street.new_page()
    refused = []
    page.on("console", lambda line: refused.append(line.text))
    for path in (f"/widget/{demo.site}", f"/chat/{demo.site}", "/app", "/"):
        refused.clear()
        await page.goto(f"{evil}{path}", wait_until="load")
        await page.wait_for_timeout(200)
        assert page.frames[1].url.startswith("chrome-error:"), path
        assert any("frame-ancestors" in each for each in refused), (path, refused)


async def test_a_page_that_is_nobodys_gets_no_launcher(street, demo):
    evil = evil_of(demo)

    async def stranger(route):
        body = FORM.replace("{balie}", demo.url).replace("{site}", demo.site)
        await route.fulfill(body=body, content_type="text/html")

    await street.route(f"{evil}/**", stranger)
    await street.grant_permissions(["local-network-access"], origin=evil)
    page = await street.new_page()
    await page.goto(f"{evil}/", wait_until="load")
    await page.wait_for_timeout(800)
    assert await page.evaluate("document.querySelector('balie-launcher')") is None
    assert any(re.search("/state$", each.url) for each in street.asked)


async def test_a_token_from_the_page_or_its_address_is_nobodys_session(street, demo):
    """Whoever could hand a visitor a token could read what he says next."""
    mallory = await visitor(demo).open()
    await mallory.post("ik luister mee")
    token = mallory.welcome["visitor"]["token"]
    page = await street.new_page()
    await page.goto(
        f"{demo.url}/chat/{demo.site}?token={token}&visitor={token}&session={token}#token={token}"
    )
    box = page.locator("textarea").first
    await box.fill("geheim")
    await box.press("Enter")
    await page.locator(".bubble", has_text="geheim").wait_for()
    await page.wait_for_timeout(300)
    assert not [each for each in mallory.heard if "geheim" in str(each)]
    assert "ik luister mee" not in await page.locator("body").inner_text()
    await mallory.close()
