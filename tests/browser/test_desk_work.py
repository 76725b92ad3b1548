"""What an agent's screen shows of others by itself: of visitors, of colleagues, of the site."""

import re
import zipfile

import httpx
import pytest
from playwright.async_api import expect
from tests.browser.desks import violations

pytestmark = pytest.mark.browser


async def test_what_the_shop_tells_stands_beside_the_conversation_and_stays_live(
    browser, demo, sheet
):
    desk = await sheet()
    shop = await (await browser.new_context(locale="nl-NL", bypass_csp=True)).new_page()
    await shop.goto(demo.shop)
    await shop.evaluate(
        """() => {
            Balie('set', {plan: 'basis', old: true});
            Balie('set', {cart: {currency: 'EUR', total: 130000, items: [
                {name: 'Toer 8', price: 114900, detail: '54 cm'},
                {name: 'Zadel', price: 7550, quantity: 2},
            ]}});
            Balie('track', 'before the chat', 1);
            Balie('open');
        }"""
    )
    panel = shop.frame_locator("balie-launcher iframe")
    await panel.locator("textarea").fill("Past dit zadel op de Toer?")
    await panel.locator("textarea").press("Enter")
    row = desk.page.locator(".row", has_text="Past dit zadel").first
    await row.click()
    told = desk.page.locator("#visitor-card .told")
    await expect(told).to_contain_text("Niet geverifieerd")
    await expect(told.locator(".basket h4")).to_contain_text("€ 1.300,00")
    await expect(told.locator(".basket li").nth(1)).to_contain_text("2 ×")
    await expect(told.locator(".facts")).to_contain_text("basis")
    await expect(told).not_to_contain_text("before the chat")

    await shop.evaluate("Balie('set', {old: null}); Balie('track', 'maattabel', {sku: 'toer-8'})")
    await expect(told.locator(".path li").first).to_contain_text("maattabel sku: toer-8")
    await expect(told.locator(".facts")).not_to_contain_text("old")
    nasty = "<img src=x onerror=window.hit=1>"
    await shop.evaluate("text => Balie('set', {plan: text, cart: {items: [{name: text}]}})", nasty)
    await expect(told.locator(".facts")).to_contain_text(nasty)
    await expect(told.locator(".basket li")).to_have_text(nasty)
    assert await desk.page.evaluate("window.hit") is None

    await desk.page.reload()
    await expect(told.locator(".path li").first).to_contain_text("maattabel")
    await expect(told.locator(".facts")).to_contain_text(nasty)


async def test_the_page_of_people_follows_what_happens_elsewhere(browser, demo, sheet):
    watcher, other = await sheet(), await sheet()
    await watcher.page.goto(f"{demo.url}/app/settings/people")
    await expect(watcher.page.locator(".people tbody tr")).to_have_count(2)
    await other.page.goto(f"{demo.url}/app/settings/people")
    form = other.page.locator(".new-row")
    await form.get_by_label("Naam").fill("Joost Peters")
    await form.get_by_label("E-mail").fill("joost@tegenwind.example")
    await form.get_by_role("button").click()
    joost = watcher.page.locator(".people tbody tr", has_text="joost@tegenwind.example")
    await expect(joost).to_contain_text("Uitgenodigd")

    link = await other.page.locator(".fresh-link code").inner_text()
    guest = await (await browser.new_context(locale="nl-NL")).new_page()
    await guest.goto(link)
    await guest.get_by_label("Kies een wachtwoord").fill("vier lange losse woorden")
    await guest.get_by_role("button", name="Begin").click()
    await expect(guest.locator(".rail")).to_be_visible()
    await expect(joost).to_contain_text("Beschikbaar")
    await expect(other.page.locator(".fresh-link"), "a used link is not offered").to_have_count(0)

    menu = other.page.get_by_role("button", name="Wijzig Joost Peters")
    await menu.click()
    await other.page.get_by_role("menuitem", name="Wijzig naam").click()
    await other.page.keyboard.press("ControlOrMeta+a")
    await other.page.keyboard.type("Joost de Boer")
    await other.page.keyboard.press("Enter")
    await expect(joost).to_contain_text("Joost de Boer")
    await expect(guest.locator(".rail .me")).to_have_attribute(
        "title", "Joost de Boer, Beschikbaar"
    )
    await expect(joost.locator(".face [data-text]")).to_have_attribute("data-text", "JB")

    await other.page.get_by_role("button", name="Wijzig Joost de Boer").click()
    await other.page.get_by_role("menuitem", name="Neem toegang weg").click()
    await other.page.locator("dialog .grave").click()
    await expect(joost).to_contain_text("Geen toegang")
    await expect(guest.locator("[name=password]")).to_be_visible()


async def test_everything_is_found_by_typing_and_done_without_a_mouse(demo, sheet, someone):
    desk = await sheet()
    page = desk.page
    marit, conversation = await someone("Waar blijft mijn zadel?")
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{demo.port}/api/v1",
        headers={"Authorization": f"Bearer {marit.welcome['visitor']['token']}"},
    ) as http:
        await http.put("/visitor/identity", json={"name": "Márit Hoekstra"})
    await expect(desk.row(conversation)).to_contain_text("Márit")

    await page.keyboard.press("ControlOrMeta+k")
    field = page.get_by_role("combobox")
    await expect(field).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.type("marit")
    chosen = page.locator("[role=option][aria-selected=true]")
    await expect(chosen).to_contain_text("Márit Hoekstra")
    await page.keyboard.press("Enter")
    await expect(page.locator(".conversation-header h2")).to_contain_text("Márit Hoekstra")

    # From inside the composer; what is typed there stays.
    await page.fill("#composer", "Even kijken")
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("neem")
    await expect(chosen).to_have_text(re.compile("^Neem"))
    await page.keyboard.press("Enter")
    await expect(page.locator(".main-act")).to_contain_text("Sluit")
    await expect(page.locator("#composer")).to_have_value("Even kijken")

    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("zzzz")
    await expect(page.locator("dialog [role=status]")).to_have_text("Niets gevonden.")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("label")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menu", name="Labels")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("instel sites")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{demo.url}/app/settings/sites")
    await page.keyboard.press("?")
    await expect(page.locator("dialog")).to_contain_text("Zoek, of doe iets")


async def test_a_conversation_that_this_page_never_heard_of_is_found_by_name(demo, sheet, someone):
    first = await sheet()
    talker, conversation = await someone("Een vraag van lang geleden")
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{demo.port}/api/v1",
        headers={"Authorization": f"Bearer {talker.welcome['visitor']['token']}"},
    ) as http:
        await http.put("/visitor/identity", json={"email": "100%@zeldzaam.example"})
    await first.take(conversation)
    await first.page.locator(".main-act").click()
    desk = await sheet(login=1)
    await desk.page.keyboard.press("ControlOrMeta+k")
    await expect(desk.page.locator("dialog input")).to_be_focused()
    await desk.page.keyboard.type("zeldzaam")
    chosen = desk.page.locator("[role=option][aria-selected=true]")
    await expect(chosen).to_contain_text("100%@zeldzaam.example gesloten")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page).to_have_url(re.compile(conversation))


async def test_a_note_never_becomes_an_answer_nor_an_answer_a_note(sheet, someone):
    desk = await sheet()
    page = desk.page
    visitor, conversation = await someone("Krijg ik korting?")
    _, other = await someone("Iets anders")
    await desk.take(conversation)
    composer, hints = page.locator("#composer"), page.locator(".hints")
    await composer.fill("Een half antwoord")
    await composer.blur()
    await page.keyboard.press("m")
    await expect(composer).to_have_value("")
    await expect(hints).to_contain_text("bewaar voor collega")
    await page.keyboard.type("Klant krijgt al 10%")
    await page.get_by_role("button", name="Antwoord", exact=True).click()
    await expect(composer).to_have_value("Een half antwoord")
    await expect(hints).not_to_contain_text("collega")
    await page.get_by_role("button", name="Notitie", exact=True).click()
    await expect(composer).to_have_value("Klant krijgt al 10%")
    await page.keyboard.press("Enter")
    await expect(page.locator(".note")).to_contain_text("Klant krijgt al 10%")

    # It stays a note, and says so, until he says otherwise.
    await expect(composer).to_be_focused()
    await expect(page.get_by_role("button", name="Bewaar notitie")).to_be_visible()
    await page.keyboard.type("En nog iets")
    await page.keyboard.press("Enter")
    await expect(page.locator(".note")).to_have_count(2)
    told = [
        each for frame in visitor.heard if frame["type"] == "events" for each in frame["events"]
    ]
    assert {each["type"] for each in told if each["seq"] > 2} == {
        "conversation.assigned",
        "internal",
    }
    # Who comes back, comes to answer.
    await desk.row(other).click()
    await desk.row(conversation).click()
    await expect(page.get_by_role("button", name="Verstuur")).to_be_visible()
    await expect(composer).to_have_value("Een half antwoord")


async def test_what_is_not_live_yet_stays_in_this_browser_and_says_so(demo, sheet):
    desk = await sheet()
    page = desk.page
    await page.goto(f"{demo.url}/app/settings/sites")
    await page.locator(".sites a.button").first.click()
    state = page.locator(".page-head [role=status]")
    await expect(state).to_have_text("Alles staat live")
    await page.get_by_label("Begroeting, Nederlands").fill("Zeg het maar")
    await page.get_by_label("Kleurcode").fill("#2d2f38")
    await expect(state).to_have_text("2 wijzigingen, nog niet live")
    await page.reload()
    await expect(state).to_have_text("2 wijzigingen, nog niet live")
    await expect(page.locator(".panel-sample")).to_contain_text("Zeg het maar")
    shown = await (await page.request.get(f"{demo.url}/api/v1/sites/{demo.site}/state")).json()
    assert "Zeg het maar" not in str(shown)
    await page.get_by_role("button", name="Gooi weg").click()
    await expect(state).to_have_text("Alles staat live")
    await expect(page.get_by_label("Begroeting, Nederlands")).to_have_value("")


@pytest.mark.parametrize("size", [(820, 1180), (360, 740)])
async def test_the_preview_is_at_hand_on_every_screen(demo, sheet, size):
    desk = await sheet(viewport={"width": size[0], "height": size[1]})
    page = desk.page
    await page.goto(f"{demo.url}/app/settings/sites")
    await page.locator(".sites a.button").first.click()
    await page.get_by_label("Begroeting, Nederlands").fill("Zeg het maar")
    if size[0] < 640:
        await expect(page.locator(".preview")).to_be_hidden()
        await page.get_by_role("button", name="Voorbeeld", exact=True).click()
        await expect(page.locator(".site-form")).to_be_hidden()
    await expect(page.locator(".panel-sample")).to_be_in_viewport()
    await expect(page.locator(".panel-sample")).to_contain_text("Zeg het maar")
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert await violations(page) == []


async def test_an_administrator_hands_over_and_erases_a_person_from_the_screen(sheet, someone):
    desk, colleague = await sheet(), await sheet(login=1)
    page = desk.page
    _, conversation = await someone("Vergeet mij, kanarievogel")
    await desk.open(conversation)
    await expect(colleague.row(conversation)).to_be_visible()
    card = page.locator("#visitor-card")
    more = card.get_by_role("button", name="Meer met deze persoon")
    await more.click()
    async with page.expect_download() as coming:
        await page.get_by_role("menuitem", name="Download").click()
    with zipfile.ZipFile(await (await coming.value).path()) as archive:
        said = b"".join(archive.read(name) for name in archive.namelist())
    assert b"kanarievogel" in said

    await more.press("Enter")
    await page.keyboard.press("End")
    await expect(page.get_by_role("menuitem", name="voorgoed")).to_be_focused()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("1 gesprek, met elk bericht")
    sure = dialog.get_by_role("button", name="Wis voorgoed")
    await dialog.get_by_label("Typ").press("Enter")
    await expect(sure).to_have_attribute("aria-disabled", "true")
    assert await violations(page) == []
    await dialog.get_by_label("Typ").fill("wis")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("1 gesprek is gewist")
    await expect(desk.row(conversation)).to_have_count(0)
    await expect(colleague.row(conversation)).to_have_count(0)


async def test_an_agent_is_not_offered_what_only_administrators_may(sheet, someone):
    desk = await sheet(login=1)
    _, conversation = await someone("Hallo")
    await desk.open(conversation)
    card = desk.page.locator("#visitor-card")
    await expect(card).to_contain_text("Apparaat")
    await expect(card.get_by_role("button", name="Meer met deze persoon")).to_have_count(0)
    await desk.page.keyboard.press("ControlOrMeta+k")
    await desk.page.keyboard.type("wis")
    await expect(desk.page.locator("[role=option]", has_text="voorgoed")).to_have_count(0)
