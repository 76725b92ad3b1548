"""What an agent's screen shows of others by itself: of visitors, of colleagues, of the site."""

import pytest
from playwright.async_api import expect
from tests.people import Demo

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    settings = {"BALIE_MESSAGE_BURST": "1000", "BALIE_CONNECTION_BURST": "1000"}
    running = Demo(tmp_path_factory.mktemp("demo"), settings=settings).start()
    yield running
    running.stop()


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
