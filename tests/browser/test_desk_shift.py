"""A shift at the desk: what reaches an agent who looks elsewhere, who works together, who sees otherwise."""

import pytest
from playwright.async_api import expect
from tests.browser.desks import violations

pytestmark = pytest.mark.browser

HEAR = """() => {
    window.heard = {tones: 0, notes: []};
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...at) { window.heard.tones++; return start.apply(this, at); };
    window.Notification = class {
        static permission = 'default';
        static requestPermission() { this.permission = 'granted'; return Promise.resolve('granted'); }
        constructor(title, options) { window.heard.notes.push([title, options.tag]); window.lastNote = this; }
        close() {}
    };
}"""
HIDE = """hidden => {
    Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


async def test_a_conversation_is_handed_to_a_colleague_who_is_there(sheet, someone):
    noor, sem = await sheet(), await sheet(login=1)
    await sem.page.evaluate(HEAR)
    await sem.page.mouse.click(700, 300)
    visitor, conversation = await someone("Wie weet iets van remmen?")
    await sem.page.wait_for_function("window.heard.tones > 0")
    await noor.take(conversation)
    await sem.page.wait_for_timeout(2_100)
    tones = await sem.page.evaluate("window.heard.tones")
    await noor.page.keyboard.press("o")
    menu = noor.page.get_by_role("menu")
    await expect(menu.get_by_role("menuitem", name="Sem Bakker")).to_contain_text("beschikbaar")
    await menu.get_by_role("menuitem", name="Sem Bakker").press("Enter")
    await expect(noor.page.locator(".conversation-header")).to_contain_text("bij Sem Bakker")

    # What is handed to one is heard, as what is new in the queue is.
    await sem.page.wait_for_function("tones => window.heard.tones > tones", arg=tones)
    mine = sem.page.locator(".section", has_text="Wacht op jou")
    await expect(mine).to_contain_text("1")
    await sem.open(conversation)
    await expect(sem.page.locator(".system").last).to_contain_text("gaf het gesprek aan jou")
    await sem.write("Ik, zeg het maar.")
    await expect(sem.page.locator(".message.ours")).to_have_count(1)
    await expect(noor.page.locator(".message.ours")).to_contain_text(
        "Ik, zeg het maar.", timeout=9000
    )
    told = await visitor.expect("events", within=9)
    while told["events"][-1]["type"] != "message.posted":
        told = await visitor.expect("events", within=9)
    assert told["events"][-1]["author"]["name"] == "Sem Bakker"


async def test_what_was_closed_is_opened_again(sheet, someone):
    desk = await sheet()
    _, conversation = await someone("Toch nog iets")
    await desk.take(conversation)
    await desk.page.locator(".main-act").click()
    await expect(desk.row(conversation)).to_have_count(0)
    await desk.page.locator(".links").get_by_text("Gesloten").click()
    await desk.open(conversation)
    await desk.page.locator(".main-act", has_text="Heropen").click()
    await expect(desk.page.locator(".main-act")).to_contain_text("Sluit")
    await expect(desk.page.locator(".system").last).to_contain_text("Jij")
    await desk.page.locator(".list-header a").click()
    await expect(desk.row(conversation)).to_be_visible()


async def test_title_sound_and_notification_reach_who_looks_elsewhere(demo, sheet, someone):
    desk = await sheet()
    page = desk.page
    await page.evaluate(HEAR)
    await page.locator(".me").click()
    await page.locator(".menu a", has_text="profiel").click()
    switch = page.get_by_role("switch", name="Meldingen van de browser")
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "true")
    before = await page.title()
    await page.evaluate(HIDE, "hidden")
    visitor, conversation = await someone("Is daar iemand?")
    await page.wait_for_function("window.heard.notes.length > 0")
    heard = await page.evaluate("window.heard")
    assert heard["tones"] >= 2
    assert heard["notes"][0][1] == conversation
    assert "wacht" in heard["notes"][0][0]
    assert await page.title() != before
    assert (await page.title()).startswith("(")
    await page.evaluate(HIDE, "visible")
    await page.evaluate("window.lastNote.onclick()")
    await expect(page).to_have_url(f"{demo.url}/app/c/{conversation}")

    await page.locator(".me").click()
    await page.get_by_role("menuitemcheckbox").click()
    await page.keyboard.press("Escape")
    await page.wait_for_timeout(2_100)
    tones = (await page.evaluate("window.heard"))["tones"]
    await visitor.post("Hallo?", conversation)
    await expect(page.locator(".bubble").last).to_have_text("Hallo?")
    assert (await page.evaluate("window.heard"))["tones"] == tones


async def test_a_browser_that_refuses_notifications_is_told_of(demo, sheet):
    desk = await sheet()
    await desk.page.evaluate(HEAR)
    await desk.page.evaluate(
        "() => { Notification.requestPermission = () => { Notification.permission = 'denied';"
        " return Promise.resolve('denied'); }; }"
    )
    await desk.page.locator(".me").click()
    await desk.page.locator(".menu a", has_text="profiel").click()
    switch = desk.page.get_by_role("switch", name="Meldingen van de browser")
    before = await switch.get_attribute("aria-checked")
    if before == "true":
        await switch.click()
        await expect(switch).to_have_attribute("aria-checked", "false")
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "false")
    await expect(desk.page.locator(".page")).to_contain_text("browser")


async def test_five_chats_at_once_and_nobody_out_of_sight(sheet, someone):
    desk = await sheet()
    page = desk.page
    talks = [await someone(f"Vraag {number} van vijf") for number in range(5)]
    for _, conversation in talks:
        await desk.take(conversation)
    for number, (_, conversation) in enumerate(talks):
        await desk.row(conversation).click()
        await page.fill("#composer", f"Half antwoord {number}")
    for number, (_, conversation) in enumerate(talks):
        await desk.row(conversation).click()
        await expect(page.locator("#composer")).to_have_value(f"Half antwoord {number}")
    # Send and on to who waits longest, five times, without leaving the keyboard.
    for left in range(5, 0, -1):
        await page.keyboard.press("ControlOrMeta+Enter")
        if left > 1:
            await expect(page.locator("#composer")).to_be_focused()
    for visitor, conversation in talks:
        heard = await visitor.expect("events", within=12, conversation=conversation)
        while heard["events"][-1]["type"] != "message.posted":
            heard = await visitor.expect("events", within=12, conversation=conversation)
        number = talks.index((visitor, conversation))
        assert heard["events"][-1]["data"]["text"] == f"Half antwoord {number}"


@pytest.mark.parametrize(
    "how",
    [
        {"forced_colors": "active"},
        {"reduced_motion": "reduce"},
        # 1440 × 900 at 200 %.
        {"viewport": {"width": 720, "height": 450}, "device_scale_factor": 2},
        {"locale": "en-GB"},
    ],
    ids=["forced colours", "reduced motion", "zoomed", "English"],
)
async def test_who_sees_otherwise_can_do_the_same(demo, sheet, someone, how):
    desk = await sheet(**how)
    page = desk.page
    english = "locale" in how
    if english:
        await page.request.patch(
            f"{demo.url}/api/v1/session/agent",
            data={"language": "en"},
            headers={"Origin": demo.url},
        )
        await page.reload()
    try:
        _, conversation = await someone("Kan ik hier terecht?")
        await page.goto(f"{demo.url}/app/c/{conversation}")
        await page.locator(".main-act.primary").click()
        await expect(page.locator(".main-act")).to_contain_text("Close" if english else "Sluit")
        await page.fill("#composer", "Zeker.")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message.ours")).to_be_visible()
        # The colours are the reader's own, which axe does not see.
        unseen = {"color-contrast"} if "forced_colors" in how else set()
        found = {"talk": await violations(page)}
        for place in ("people", "sites", "organisation", "profile"):
            await page.goto(f"{demo.url}/app/settings/{place}")
            await expect(page.locator(".page-head")).to_be_visible()
            found[place] = await violations(page)
            width = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert width <= 0, place
        assert [each for place in found.values() for each in place if each[0] not in unseen] == []
        if "reduced_motion" in how:
            moving = await page.evaluate(
                "document.getAnimations().filter(each => each.effect.getTiming().duration > 10).length"
            )
            assert moving == 0
    finally:
        if english:
            await page.request.patch(
                f"{demo.url}/api/v1/session/agent",
                data={"language": "nl"},
                headers={"Origin": demo.url},
            )
