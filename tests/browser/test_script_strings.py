"""Strings that try to run as script, in every field that somebody may write, on every screen that shows it."""

import json
import random
from urllib.parse import quote

import httpx
import jwt
import pytest
from tests.canary import Canary
from tests.people import Agent, Talker, fresh_id

pytestmark = pytest.mark.browser

SAMPLE = 12
CHUNK = 300
OWN = [
    "javascript:alert(1)",
    "JaVaScRiPt://%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "zie https://shop.example/?q=<script>alert(1)</script>",
    'https://user:javascript@shop.example/"onclick=alert(1)//',
    "http://[javascript:alert(1)]",
    "mailto:a@b.example?body=<script>alert(1)</script>",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7} {{constructor.constructor('alert(1)')()}}",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</title></style></textarea></noscript></iframe><script>alert(1)</script>",
]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000"
    "000301010018dd8db00000000049454e44ae426082"
)


def read_strings(testdata):
    lines = (testdata / "badinput/xss/strings.txt").read_text("utf-8", "replace").splitlines()
    return [line for line in dict.fromkeys(lines) if line.strip() and "\0" not in line]


def drawn(testdata, count):
    return random.Random(20_26).sample(read_strings(testdata), count)


# That the canary sings.


def vulnerable(policy):
    async def answer(route):
        headers = {"Content-Security-Policy": policy} if policy else {}
        await route.fulfill(body="<p>", content_type="text/html", headers=headers)

    return answer


async def test_the_canary_sees_what_runs(testdata, browser):
    """A page that puts text into itself as markup: no sample may pass through it unseen."""
    strings = [*OWN[9:], *drawn(testdata, 60)]
    for policy in ("", "script-src 'self'"):
        context = await browser.new_context()
        canary = await Canary(["http://vulnerable.example/"]).watch(context)

        await context.route("**/*", vulnerable(policy))
        page = await context.new_page()
        await page.goto("http://vulnerable.example/")
        noticed = 0
        for text in strings:
            canary.seen.clear()
            await page.evaluate("(text) => { document.body.innerHTML = text }", text)
            await canary.scan(page)
            await page.wait_for_timeout(15)
            noticed += bool(canary.seen)
        assert noticed > len(strings) * 0.6
        canary.seen.clear()
        await page.evaluate("document.body.innerHTML = '<img src=x onerror=alert(1)>'")
        await page.wait_for_timeout(200)
        assert {each[0] for each in canary.seen} & {"alert", "policy"}
        assert ("alert" in {each[0] for each in canary.seen}) == (not policy)
        canary.seen.clear()
        await page.evaluate("document.body.innerHTML = '<a href=javascript:alert(1)>x</a>'")
        await canary.scan(page)
        assert canary.seen[0][1].startswith("a href=")
        await context.close()


# Everything that can be written.


SETTINGS = {
    "BALIE_CONNECTION_BURST": "100000",
    "BALIE_CONNECTIONS_PER_MINUTE": "100000",
    "BALIE_MESSAGE_BURST": "100000",
    "BALIE_MESSAGES_PER_SECOND": "1000",
    "BALIE_TRUSTED_PROXIES": "127.0.0.1",
}


class Visitor:
    """A visitor who writes one text wherever he can."""

    def __init__(self, demo, text):
        self.demo, self.text = demo, text
        readable = text.isascii() and text.isprintable()
        page = {"url": text[:2_000], "title": text[:300], "referrer": text[:2_000]}
        hello = {"type": "hello", "site": demo.site, "page": page, "client": text[:300]}
        hello |= {"language": text[:35], "time_zone": text[:64]}
        headers = {"Origin": demo.url} | ({"User-Agent": text} if readable else {})
        self.line = Talker(f"ws://127.0.0.1:{demo.port}/ws/visitor", headers, hello)
        self.token = self.conversation = ""

    async def write(self):
        await self.line.open()
        self.token = self.line.welcome["visitor"]["token"]
        self.conversation = (await self.line.post(self.text))["conversation"]
        await self.line.send(
            {
                "type": "page",
                "url": f"https://shop.example/?{self.text[:1_900]}",
                "title": self.text[:300],
            }
        )
        async with self.browser() as http:
            await self.bring(http)
            await self.rename(http)
            await self.describe(http)
            rated = await http.put(
                f"/api/v1/visitor/conversations/{self.conversation}/rating",
                json={"score": 1, "comment": self.text[:2_000]},
            )
            assert rated.status_code in (204, 409), rated.text
        return self

    async def bring(self, http):
        ids = []
        for content, kind in ((PNG, "image/png"), (b"x", "text/plain")):
            headers = {"X-File-Name": quote(self.text[:600], safe=""), "Content-Type": kind}
            answer = await http.post("/api/v1/files", content=content, headers=headers)
            # A text that ends like a script is refused as a name.
            assert answer.status_code in (201, 415), answer.text
            if answer.status_code == 201:
                ids.append(answer.json()["id"])
        if ids:
            await self.line.post("", self.conversation, files=ids)

    async def describe(self, http):
        """What a hostile page could say in the visitor's name."""
        text = self.text[:900]
        cart = {"total": text, "items": [{"name": text, "url": text, "image": text}]}
        told = await http.put(
            "/api/v1/visitor/attributes", json={"attributes": {"cart": cart, "plan": text}}
        )
        assert told.status_code in (204, 413, 422, 429), told.text
        told = await http.post("/api/v1/visitor/events", json={"name": text[:60], "detail": cart})
        assert told.status_code in (204, 413, 422, 429), told.text

    async def rename(self, http):
        for claim in ({"name": self.text[:300]}, {"name": "Eva", "email": self.text[:300]}):
            answer = await http.put("/api/v1/visitor/identity", json=claim)
            assert answer.status_code in (200, 413, 422), answer.text

    async def prove(self, key):
        """The shop's own server vouches for a name that the visitor chose there."""
        claims = {"sub": self.text[:200], "aud": self.demo.site, "exp": 2**31}
        claims |= {"name": self.text, "email": self.text, "exp": key["now"] // 1_000 + 3_600}
        token = jwt.encode(claims, key["secret"], "HS256", headers={"kid": key["kid"]})
        async with self.browser() as http:
            answer = await http.put("/api/v1/visitor/identity", json={"token": token})
            if answer.status_code == 200:
                self.token = answer.json()["token"]

    def browser(self):
        headers = {"Authorization": f"Bearer {self.token}", "Origin": self.demo.url}
        # Everybody lives somewhere else: what one address may bring is limited.
        headers["X-Forwarded-For"] = (
            f"2001:db8:0:{random.Random(self.token).randrange(65_536):x}::1"
        )
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.demo.port}", headers=headers)


async def written_by_visitors(demo, strings):
    signed = json.loads((demo.folder / "demo.json").read_text())
    key = {"kid": signed["identity_kid"], "secret": signed["identity_secret"]}
    people = []
    for number, text in enumerate(strings):
        eva = await Visitor(demo, text).write()
        if number % 2:
            await eva.prove(key | {"now": eva.line.welcome["now"]})
        people.append(eva)
    return people


async def written_by_all(demo, owner, strings):
    """One conversation in which every text is said, by the visitor and by agents who are called so."""
    eva = await Visitor(demo, "hallo").write()
    path = f"/api/v1/conversations/{eva.conversation}"
    for text in strings:
        await eva.line.post(text, eva.conversation)
        async with eva.browser() as http:
            await eva.rename(http)
        await owner.patch("/api/v1/session/agent", json={"name": text[:80]})
        said = {"client_message_id": fresh_id(), "text": text}
        assert (await owner.post(f"{path}/messages", json=said)).status_code == 200
        noted = {"client_message_id": fresh_id(), "text": text}
        assert (await owner.post(f"{path}/notes", json=noted)).status_code == 200
        await owner.put(f"{path}/tags/{quote(text[:40], safe='')}")
        await owner.delete(f"{path}/assignment")
        await owner.put(f"{path}/assignment", json={})
    return eva


async def written_by_administrators(demo, owner, strings):
    """Sites, people and the organisation itself, called so; the keys and ids of the sites."""
    sites = []
    for number, text in enumerate(strings):
        texts = {"greeting": text[:300], "away": text[:300], "label": text[:24]}
        wish = {
            "name": text[:60],
            "origins": [demo.shop],
            "texts": {"nl": texts, "en": texts},
            "look": {"shape": "bar"},
        }
        answer = await owner.post("/api/v1/sites", json=wish)
        assert answer.status_code in (201, 413, 422), answer.text
        if answer.status_code == 201:
            sites.append(answer.json())
        person = {"name": text[:80], "email": f"a{number}-{fresh_id()}@x.example", "role": "agent"}
        assert (await owner.post("/api/v1/agents", json=person)).status_code in (201, 413, 422)
        await owner.patch("/api/v1/organisation", json={"name": text[:80]})
    return sites


# Every screen.

GO = """(path) => {
  const link = document.createElement("a");
  link.href = path;
  document.body.append(link);
  link.click();
  link.remove();
}"""
SAID = """(text) => [...document.querySelectorAll(".bubble")].some((each) => each.textContent === text)"""
LINKS = """() => [...document.querySelectorAll(".bubble a, .note a")].map(
  ({ protocol, target, rel }) => [protocol, target, rel].join(" "))"""


async def look_through_the_console(context, canary, demo, people, talk, sites):
    page = await context.new_page()
    await page.goto(f"{demo.url}/app")
    await page.wait_for_selector("a.row")
    await scroll_to_the_end(page, canary, ".scroll")
    for eva in people:
        await page.evaluate(GO, f"/app/c/{eva.conversation}")
        await page.wait_for_function(SAID, arg=eva.text)
        await canary.scan(page)
    await page.evaluate(GO, f"/app/c/{talk.conversation}")
    await page.wait_for_function(SAID, arg=talk.last)
    await scroll_up(page, canary)
    links = set(await page.evaluate(LINKS))
    assert links <= {f"{kind}: _blank noopener noreferrer nofollow" for kind in ("http", "https")}
    shown = ["team", "closed", *(f"settings{path}" for path in ("", "/profile", "/people"))]
    shown += [
        "settings/organisation",
        "settings/sites",
        *(f"settings/sites/{s['id']}" for s in sites),
    ]
    for path in shown:
        await page.evaluate(GO, f"/app/{path}")
        await page.wait_for_timeout(150)
        await canary.scan(page)
    await page.goto(f"{demo.url}/app/settings/people")
    await page.wait_for_selector("main")
    await canary.scan(page)
    return page


async def scroll_to_the_end(page, canary, selector):
    for _ in range(200):
        await canary.scan(page)
        more = await page.evaluate(
            """(selector) => {
                const box = document.querySelector(selector), before = box.scrollTop;
                box.scrollTop += box.clientHeight;
                return box.scrollTop > before;
            }""",
            selector,
        )
        await page.wait_for_timeout(30)
        if not more:
            return


async def scroll_up(page, canary):
    """Through the thread, from its end to its beginning."""
    for _ in range(400):
        await canary.scan(page)
        await page.mouse.move(700, 400)
        await page.mouse.wheel(0, -700)
        await page.wait_for_timeout(20)
        if await page.evaluate("document.querySelector('[data-index=\"1\"]') !== null"):
            await canary.scan(page)
            return


async def look_at_the_shop(context, canary, demo, site, token):
    """The launcher on a page of the shop, its panel open for the visitor with this token."""
    # The page keeps it, where the browser forbids that to the frame.
    key = f"balie.{site['key']}"
    kept = {key: "live", f"{key}.kept.token": token}
    await context.add_init_script(
        f"if (location.host.startsWith('shop.')) Object.assign(localStorage, {json.dumps(kept)})"
    )
    script = f"<script src='{demo.url}/balie.js' data-site='{site['key']}'></script>"
    body = f"<!doctype html><title>Shop</title><p>Shop</p>{script}"
    address = f"{demo.shop}/proef"

    async def answer(route):
        await route.fulfill(body=body, content_type="text/html")

    await context.route(address, answer)
    # To the browser, a page that comes from the test is not of this machine.
    await context.grant_permissions(["local-network-access"], origin=demo.shop)
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_function("document.querySelector('balie-launcher')")
    await canary.scan(page)
    await page.evaluate("Balie('open')")
    panel = page.frame_locator("balie-launcher iframe")
    await panel.locator("textarea").first.wait_for()
    if site["key"] == demo.site:
        await panel.locator(".bubble").first.wait_for()
    await canary.scan(page)
    await page.close()


async def look_at_the_panel(context, canary, demo, talk):
    """The conversation as its visitor sees it, on a page of its own."""
    await context.add_init_script(
        f"localStorage.setItem('balie:{demo.site}:token', {json.dumps(talk.token)})"
    )
    page = await context.new_page()
    await page.goto(f"{demo.url}/chat/{demo.site}")
    await page.wait_for_selector("textarea")
    await page.wait_for_function(SAID, arg=talk.last)
    await canary.scan(page)
    links = set(await page.evaluate(LINKS))
    kinds = ("http", "https", "mailto")
    assert links <= {f"{kind}: _blank noopener noreferrer nofollow" for kind in kinds}
    await page.close()


async def nothing_runs(browser, demo, strings, sites):
    tom = await Agent(demo, demo.logins[0]).sign_in()
    tom.http.timeout = 30
    people = await written_by_visitors(demo, strings)
    talk = await written_by_all(demo, tom.http, strings)
    talk.last = strings[-1]
    made = await written_by_administrators(demo, tom.http, strings)
    sites = random.Random(7).sample(made, sites)
    homes = [demo.url, demo.shop, f"ws://{demo.url.removeprefix('http://')}"]

    desk = await browser.new_context(viewport={"width": 1440, "height": 900})
    canary = await Canary(homes).watch(desk)
    cookies = [{"name": n, "value": v, "url": demo.url} for n, v in tom.http.cookies.items()]
    await desk.add_cookies(cookies)
    await look_through_the_console(desk, canary, demo, people, talk, sites)
    for each in people[::2]:
        await tom.http.put(f"/api/v1/conversations/{each.conversation}/closure")
    page = await desk.new_page()
    await page.goto(f"{demo.url}/app/closed")
    await page.wait_for_selector("a.row")
    await scroll_to_the_end(page, canary, ".scroll")

    home = await browser.new_context(viewport={"width": 1280, "height": 900})
    await canary.watch(home)
    await look_at_the_panel(home, canary, demo, talk)
    for site in [{"key": demo.site}, *sites]:
        street = await browser.new_context(viewport={"width": 1280, "height": 900})
        await canary.watch(street)
        await look_at_the_shop(street, canary, demo, site, talk.token)
        await street.close()
    await page.wait_for_timeout(300)
    assert canary.seen == []
    for each in (*people, talk):
        await each.line.close()
    await tom.leave()


async def test_no_string_of_a_sample_runs_anywhere(testdata, browser, demo):
    await nothing_runs(browser, demo, [*drawn(testdata, SAMPLE), *OWN], sites=2)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("chunk", range(15))
async def test_no_string_runs_anywhere(testdata, browser, demo, chunk):
    strings = read_strings(testdata)[chunk * CHUNK : (chunk + 1) * CHUNK]
    if strings:
        await nothing_runs(browser, demo, strings, sites=10)


def test_the_long_run_takes_every_string(testdata):
    assert len(read_strings(testdata)) <= 15 * CHUNK
