"""Real dialogues, typed by visitors into the widget and by an agent into the console, five at a time."""

import json
import random

import pytest
from playwright.async_api import expect
from tests.people import Demo

pytestmark = pytest.mark.browser

SEED = 20
AT_ONCE = 5
SIZE = {"width": 1440, "height": 900}
VISITORS = {"user", "USER", "customer"}
LONGEST = 24


@pytest.fixture
def demo(tmp_path):
    settings = {"BALIE_MESSAGE_BURST": "1000", "BALIE_CONNECTION_BURST": "1000"}
    running = Demo(tmp_path / "data", settings=settings).start()
    yield running
    running.stop()


def dialogues(testdata, count):
    """Dialogues of both collections, drawn by SEED: lists of (said by the visitor, text)."""
    found = []
    for name in ("taskmaster4/dialogs.jsonl", "sgd/dialogues.jsonl"):
        lines = (testdata / "data" / name).read_text("utf-8").splitlines()
        for line in random.Random(SEED).sample(lines, count):
            turns = [(turn[0] in VISITORS, turn[1]) for turn in json.loads(line)["turns"]]
            # A chat begins with the visitor, and the composer takes a line break for "send".
            while turns and not turns[0][0]:
                turns.pop(0)
            kept = [(mine, text) for mine, text in turns if text.strip() and "\n" not in text]
            if kept and len(kept) <= LONGEST:
                found.append(kept)
    random.Random(SEED).shuffle(found)
    return found[:count]


async def test_a_few_dialogues(browser, demo, testdata):
    await play(browser, demo, dialogues(testdata, 5))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_twenty_dialogues(browser, demo, testdata):
    await play(browser, demo, dialogues(testdata, 20))


async def play(browser, demo, chosen):
    assert chosen
    desk = await Desk(browser, demo).sign_in()
    for start in range(0, len(chosen), AT_ONCE):
        chats = [Chat(browser, demo, turns) for turns in chosen[start : start + AT_ONCE]]
        for chat in chats:
            await chat.begin()
        longest = max(len(chat.turns) for chat in chats)
        for number in range(1, longest):
            for chat in chats:
                if number < len(chat.turns):
                    await chat.go_on(desk, number)
        for chat in chats:
            await chat.check(desk)
            await chat.end()
    assert desk.complaints == []


class Chat:
    """One dialogue: a visitor's page, and what was said so far."""

    def __init__(self, browser, demo, turns):
        self.browser = browser
        self.demo = demo
        self.turns = turns
        self.conversation = None

    async def begin(self):
        context = await self.browser.new_context(viewport=SIZE, locale="nl-NL")
        self.page = await context.new_page()
        self.complaints = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await self.page.goto(self.demo.shop)
        await self.page.locator("balie-launcher button").click()
        self.panel = self.page.frame_locator("balie-launcher iframe")
        await self.say(self.turns[0][1])

    async def say(self, text):
        field = self.panel.locator("textarea").last
        await field.fill(text)
        await field.press("Enter")
        await expect(self.panel.locator(".bubble", has_text=text).last).to_be_visible()

    async def go_on(self, desk, number):
        mine, text = self.turns[number]
        if self.conversation is None:
            self.conversation = await desk.find(self.turns[0][1])
        if mine:
            await self.say(text)
        else:
            await desk.answer(self.conversation, text)
            await expect(self.panel.locator(".bubble", has_text=text).last).to_be_visible()

    async def check(self, desk):
        """Every text is on both screens and in the log: byte for byte, once, in order."""
        texts = [text for _, text in self.turns]
        assert await self.panel.locator(".bubble").all_inner_texts() == texts
        assert await desk.log(self.conversation or await desk.find(texts[0])) == self.turns
        assert self.complaints == []

    async def end(self):
        await self.page.context.close()


class Desk:
    """The agent's console in a browser of its own."""

    def __init__(self, browser, demo):
        self.browser = browser
        self.demo = demo
        self.complaints = []

    async def sign_in(self):
        context = await self.browser.new_context(viewport=SIZE, locale="nl-NL")
        self.page = page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(f"{self.demo.url}/app")
        await page.fill("[name=email]", self.demo.logins[0]["email"])
        await page.fill("[name=password]", self.demo.logins[0]["password"])
        await page.keyboard.press("Enter")
        await expect(page.locator(".rail")).to_be_visible()
        await self.ask("PATCH", "session/agent", {"settings": {"undo_seconds": 0}})
        await page.reload()
        await expect(page.locator(".rail")).to_be_visible()
        return self

    async def ask(self, verb, path, body=None):
        return await self.page.evaluate(
            """async ([verb, path, body]) => {
                const answer = await fetch(`/api/v1/${path}`, {
                    method: verb,
                    headers: body ? { "content-type": "application/json" } : {},
                    body: body ? JSON.stringify(body) : undefined,
                });
                if (!answer.ok) throw new Error(`${verb} ${path}: ${answer.status}`);
                return await answer.json();
            }""",
            [verb, path, body],
        )

    async def find(self, first_words):
        """The conversation that begins with these words and that nobody has found yet."""
        for row in (await self.ask("GET", "conversations?view=open&limit=200"))["data"]:
            events = (await self.ask("GET", f"conversations/{row['id']}/events?after=0"))["data"]
            said = [event["data"]["text"] for event in events if event["type"] == "message.posted"]
            if said[0] == first_words:
                return row["id"]
        raise AssertionError(f"no conversation begins with {first_words!r}")

    async def answer(self, conversation, text):
        row = self.page.locator(f'.row[data-id="{conversation}"]')
        await row.click()
        # Nobody types before he sees whose conversation it is.
        await expect(row).to_have_attribute("aria-current", "true")
        field = self.page.locator("#composer")
        await field.fill(text)
        await expect(field).to_have_value(text)
        await field.press("Enter")
        await expect(field).to_have_value("")

    async def log(self, conversation):
        events = (await self.ask("GET", f"conversations/{conversation}/events?after=0&limit=200"))[
            "data"
        ]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return [
            (event["author"]["kind"] == "visitor", event["data"]["text"])
            for event in events
            if event["type"] == "message.posted"
        ]
