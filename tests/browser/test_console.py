"""The console, used as agents use it: against the real server, with visitors over real sockets."""

import asyncio
import re

import pytest
from playwright.async_api import expect
from tests.browser.desks import DESKTOP, PHONE, Sheet, violations
from tests.people import fresh_id

pytestmark = pytest.mark.browser


async def test_a_wrong_password_is_told_where_it_was_typed(browser, demo):
    page = await (await browser.new_context(locale="nl-NL")).new_page()
    await page.goto(f"{demo.url}/app")
    await page.fill("[name=email]", "niemand@voorbeeld.example")
    await page.fill("[name=password]", "dit is het niet")
    await page.keyboard.press("Enter")
    await expect(page.locator(".fault")).to_contain_text("horen niet bij elkaar", timeout=20_000)
    assert await page.input_value("[name=email]") == "niemand@voorbeeld.example"
    await expect(page.locator("[name=password]")).to_be_focused()


async def test_a_link_that_no_longer_works_says_what_to_do(browser, demo):
    page = await (await browser.new_context(locale="en-GB")).new_page()
    await page.goto(f"{demo.url}/app/invitation#nosuchlink")
    await expect(page.locator("h1")).to_have_text("This link no longer works")


async def test_somebody_invited_chooses_a_password_and_sits_down(browser, demo, sheet):
    owner = await sheet()
    await owner.page.goto(f"{demo.url}/app/settings/people")
    form = owner.page.locator(".new-row")
    await form.get_by_label("Naam").fill("Joost Peters")
    await form.get_by_label("E-mail").fill("joost@tegenwind.example")
    await form.get_by_role("button").click()
    link = await owner.page.locator(".fresh-link code").inner_text()
    assert "#" in link, "the token must stand where no server log sees it"

    page = await (await browser.new_context(locale="nl-NL")).new_page()
    await page.goto(link)
    await expect(page.locator("h1")).to_have_text("Welkom, Joost")
    await page.get_by_label("Kies een wachtwoord").fill("kort")
    await page.get_by_role("button", name="Begin").click()
    await expect(page.locator(".fault")).to_contain_text("minstens 10")
    await page.get_by_label("Kies een wachtwoord").fill("vier lange losse woorden")
    await expect(page.locator(".strength")).to_contain_text("Sterk")
    await page.get_by_role("button", name="Begin").click()
    await expect(page.locator(".rail")).to_be_visible()
    assert page.url == f"{demo.url}/app"


async def test_who_asks_stands_in_the_queue_at_once_and_is_taken_with_a_key(sheet, someone):
    desk = await sheet()
    _, conversation = await someone("Past maat 54 als ik 1,78 m ben?")
    await expect(desk.row(conversation)).to_contain_text("Past maat 54")
    await expect(desk.row(conversation).locator(".clock")).to_be_visible()
    await desk.open(conversation)
    await desk.page.keyboard.press("t")
    await expect(desk.page.locator(".main-act")).to_contain_text("Sluit")
    await expect(desk.page.locator(".system").last).to_contain_text("Jij nam het gesprek")


async def test_an_answer_can_be_taken_back_and_is_then_sent_delivered_and_read(sheet, someone):
    desk = await sheet()
    els, conversation = await someone("Is hij op voorraad?")
    await desk.take(conversation)
    await desk.write("Ja, in Utrecht.")
    await expect(desk.status).to_contain_text("Haal terug")
    await desk.page.locator("#composer").blur()
    await desk.page.keyboard.press("z")
    await expect(desk.page.locator("#composer")).to_have_value("Ja, in Utrecht.")
    await expect(desk.page.locator(".message.ours")).to_have_count(0)

    await desk.page.focus("#composer")
    await desk.page.keyboard.press("Enter")
    await expect(desk.status).to_contain_text("· verstuurd", timeout=8_000)
    told = await els.expect("events")
    while told["events"][-1]["type"] != "message.posted":
        told = await els.expect("events")
    seq = told["events"][-1]["seq"]
    assert told["events"][-1]["data"]["text"] == "Ja, in Utrecht."
    mark = {"type": "mark", "conversation": conversation}
    await els.send(mark | {"delivered": seq, "read": 0})
    await expect(desk.status).to_contain_text("bezorgd")
    await els.send(mark | {"delivered": seq, "read": seq})
    await expect(desk.status).to_contain_text("gelezen")


async def test_a_note_is_never_told_to_the_visitor(sheet, someone):
    desk = await sheet()
    els, conversation = await someone("Wanneer komt mijn fiets?")
    await desk.take(conversation)
    await desk.page.keyboard.press("m")
    await desk.page.keyboard.type("Staat nog bij de monteur.")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("article.note")).to_contain_text("Staat nog bij de monteur.")
    await desk.page.keyboard.press("Escape")
    await desk.page.keyboard.press("r")
    await desk.write("Ik zoek het uit.")
    await desk.page.locator("#composer").fill("En")
    await desk.page.keyboard.press("Enter")  # what follows lets the first one go
    heard = await els.expect("events", within=10)
    while heard["events"][-1].get("data", {}).get("text") != "Ik zoek het uit.":
        heard = await els.expect("events", within=10)
    assert "monteur" not in repr(els.heard)


async def test_a_draft_survives_switching_and_a_reload(sheet, someone):
    desk = await sheet()
    _, first = await someone("Eerste")
    _, second = await someone("Tweede")
    await desk.open(first)
    await desk.page.fill("#composer", "Half af")
    await desk.open(second)
    await expect(desk.page.locator("#composer")).to_have_value("")
    await expect(desk.row(first)).to_contain_text("Concept: Half af")
    await desk.page.reload()
    await desk.open(first)
    await expect(desk.page.locator("#composer")).to_have_value("Half af")


async def test_something_new_while_writing_is_read_before_it_is_answered(sheet, someone):
    desk = await sheet()
    els, conversation = await someone("Kan het vrijdag?")
    await desk.take(conversation)
    await desk.page.fill("#composer", "Vrijdag kan.")
    await els.post("Of toch zaterdag", conversation)
    await expect(desk.page.locator(".composer .strip")).to_contain_text("terwijl je schreef")
    await desk.page.focus("#composer")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("#composer")).to_have_value("Vrijdag kan.")
    await expect(desk.page.locator(".composer .strip")).to_contain_text("Niet verstuurd")
    await desk.page.keyboard.press("Enter")
    await expect(desk.status).to_contain_text("Haal terug")


async def test_typing_is_seen_both_ways(sheet, someone):
    desk = await sheet()
    els, conversation = await someone("Hallo")
    await desk.take(conversation)
    await els.send({"type": "typing", "conversation": conversation, "on": True})
    await expect(desk.page.locator(".typing")).to_contain_text("typt")
    await expect(desk.row(conversation)).to_contain_text("typt nu")
    await desk.page.locator("#composer").press_sequentially("Dag")
    typing = await els.expect("typing", conversation=conversation, on=True)
    assert typing["by"]["kind"] == "agent"


async def test_files_go_up_with_a_preview_and_a_refusal_stays_to_be_tried_again(sheet, someone):
    desk = await sheet()
    els, conversation = await someone("Stuurt u de bon?")
    await desk.take(conversation)
    await desk.page.route("**/api/v1/files", lambda route: route.abort())
    bon = {"name": "bon.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n%%EOF\n"}
    await desk.page.set_input_files("input[type=file]", bon)
    failed = desk.page.locator(".attachments .failed")
    await expect(failed).to_contain_text("Niet gelukt")
    await desk.page.unroute("**/api/v1/files")
    await failed.get_by_role("button", name="Probeer opnieuw").click()
    await expect(desk.page.locator(".attachments")).to_contain_text("bon.pdf")
    await expect(failed).to_have_count(0)
    await expect(desk.page.locator(".attachments progress")).to_have_count(0)
    await desk.write("Alstublieft.")
    told = await els.expect("events", within=10)
    while told["events"][-1].get("data", {}).get("text") != "Alstublieft.":
        told = await els.expect("events", within=10)
    assert told["events"][-1]["data"]["files"][0]["name"] == "bon.pdf"


async def test_one_of_two_who_take_at_once_is_told_who_was_first(sheet, someone):
    noor, sem = await sheet(login=0), await sheet(login=1)
    _, conversation = await someone("Wie helpt mij?")
    for each in (noor, sem):
        await each.open(conversation)
    gate = asyncio.Event()

    async def arrive_second(route):
        await gate.wait()
        await route.continue_()

    await sem.page.route(re.compile(r"/assignment$"), arrive_second)
    await sem.page.locator(".main-act.primary").click()
    await noor.page.locator(".main-act.primary").click()
    await expect(noor.page.locator(".main-act")).to_contain_text("Sluit")
    gate.set()
    word = sem.page.locator(".strip.accent[role=status]", has_text="Noor was net eerder.")
    await expect(word).to_be_visible()
    await expect(sem.page.locator(".strip.late")).to_have_count(0)
    await expect(sem.page.locator(".main-act")).to_contain_text("Neem over")
    await expect(sem.page.locator(".conversation-header .who p")).to_contain_text("bij Noor")
    await expect(word).to_have_count(0, timeout=12_000)


async def test_close_reopen_and_label_by_keyboard_alone(demo, sheet, someone):
    desk = await sheet()
    _, conversation = await someone("Dank u")
    await desk.take(conversation)
    await desk.page.locator("#composer").blur()
    await desk.page.keyboard.press("l")
    await desk.page.keyboard.type("bedankje")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator(".conversation-header .tags")).to_contain_text("bedankje")
    await desk.page.keyboard.press("Escape")
    await desk.page.keyboard.press("e")
    await expect(desk.row(conversation)).to_have_count(0)
    await desk.page.goto(f"{demo.url}/app/closed")
    await desk.open(conversation)
    await desk.page.locator(".main-act").click()
    await expect(desk.page.locator(".main-act")).not_to_contain_text("Heropen")


async def test_what_was_written_without_a_connection_goes_out_once(sheet, someone):
    desk = await sheet()
    els, conversation = await someone("Bent u er nog?")
    await desk.take(conversation)
    await desk.page.context.set_offline(True)
    await expect(desk.page.locator(".strip").first).to_contain_text("Geen verbinding sinds")
    await expect(desk.row(conversation).locator(".clock.unknown")).to_be_visible()
    await desk.write("Ja, ik ben er.")
    await expect(desk.status).to_contain_text("Wacht op verbinding", timeout=8_000)
    await desk.page.context.set_offline(False)
    await expect(desk.status).to_contain_text("· verstuurd", timeout=10_000)
    await expect(desk.page.locator(".conversation .strip")).to_have_count(0)
    await els.post("Fijn", conversation)
    await expect(desk.page.locator(".message .bubble").last).to_have_text("Fijn")
    texts = await desk.page.locator(".message .bubble").all_inner_texts()
    assert texts.count("Ja, ik ben er.") == 1


async def test_no_row_moves_under_the_pointer(sheet, someone):
    desk = await sheet()
    first, one = await someone("Ik was eerst")
    _, two = await someone("Ik kom daarna")
    await desk.take(one)
    await desk.write("Momentje")
    await desk.take(two)
    await desk.page.evaluate("document.activeElement.blur()")
    await desk.row(two).hover()
    before = (await desk.row(two).bounding_box())["y"]
    await first.post("Nog iets", one)
    await expect(desk.row(one)).to_contain_text("Nog iets")
    assert (await desk.row(two).bounding_box())["y"] >= before - 1


async def test_a_row_that_changes_section_leaves_those_below_it_under_the_pointer(sheet, someone):
    desk = await sheet()
    page = desk.page
    _, one = await someone("Ik wacht het langst")
    _, two = await someone("Ik wacht korter")
    for each in (one, two):
        await desk.take(each)
    place = await desk.row(two).bounding_box()
    x, y = place["x"] + 40, place["y"] + 20
    await page.mouse.move(x, y)
    answered = asyncio.create_task(
        page.request.post(
            f"{desk.demo.url}/api/v1/conversations/{one}/messages",
            data={"client_message_id": fresh_id(), "text": "Momentje"},
            headers={"Origin": desk.demo.url},
        )
    )
    # Whose hand rests for three seconds no longer holds the rows.
    while "Momentje" not in await desk.row(one).inner_text():
        await page.mouse.move(x, y := y + 0.01)
        await asyncio.sleep(0.05)
    assert (await answered).ok
    assert abs((await desk.row(two).bounding_box())["y"] - place["y"]) <= 1
    await page.mouse.move(900, 400)
    await page.wait_for_function(
        "([id, y]) => document.querySelector(`.row[data-id='${id}']`).getBoundingClientRect().y < y - 1",
        arg=[two, place["y"]],
    )


async def test_the_visitor_card_tells_what_is_known_and_that_it_is_not_verified(
    demo, sheet, someone
):
    desk = await sheet()
    page = {"url": f"{demo.shop}/fietsen", "title": "Fietsen", "referrer": "https://zoek.example/"}
    els, conversation = await someone("Hoi", page=page, time_zone="Europe/Amsterdam")
    await els.send({"type": "page", "url": f"{demo.shop}/hulp", "title": "Hulp"})
    await desk.open(conversation)
    card = desk.page.locator("#visitor-card")
    await expect(card.locator(".path li").first).to_contain_text("Hulp")
    await expect(card.locator(".path li").nth(1)).to_contain_text("Fietsen")
    await expect(card).to_contain_text("zoek.example")
    await expect(card).to_contain_text("Amsterdam")


async def test_who_asks_while_the_console_is_connecting_stands_in_the_queue(demo, browser, someone):
    context = await browser.new_context(viewport=DESKTOP, locale="nl-NL")
    page = await context.new_page()
    may_connect = asyncio.Event()

    async def later(route):
        await may_connect.wait()
        await route.continue_()

    await page.route("**/api/v1/socket-tickets", later)
    desk = await Sheet(page, demo).sign_in(demo.logins[0])
    _, conversation = await someone("Is er al iemand?")
    may_connect.set()
    await expect(desk.row(conversation)).to_be_visible()
    await context.close()


async def test_script_in_words_and_names_stays_text(sheet, someone):
    desk = await sheet()
    nasty = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> javascript:hit'
    page = {"url": "javascript:window.hit=1", "title": nasty, "referrer": "javascript:1"}
    _, conversation = await someone(nasty, page=page)
    await desk.open(conversation)
    await expect(desk.page.locator(".bubble").last).to_have_text(nasty)
    assert await desk.page.evaluate("window.hit") is None
    assert await desk.page.locator("#visitor-card a[href^=javascript]").count() == 0


async def test_a_phone_shows_one_column_and_the_faces_of_the_other_chats(demo, sheet, someone):
    desk = await sheet(viewport=PHONE, has_touch=True, is_mobile=True)
    for question in ("Eerste op de telefoon", "Tweede op de telefoon"):
        _, conversation = await someone(question)
        await desk.page.goto(f"{demo.url}/app/c/{conversation}")
        await desk.page.locator(".main-act.primary").click()
        await expect(desk.page.locator(".main-act")).to_contain_text("Sluit")
    await expect(desk.page.locator(".list")).to_be_hidden()
    assert await desk.page.locator(".chips a").count() >= 2
    assert await desk.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert await violations(desk.page) == []
    await desk.page.locator(".conversation-header .only-phone").click()
    await expect(desk.page.locator(".list")).to_be_visible()
    await expect(desk.page.locator(".conversation")).to_be_hidden()
    await desk.page.goto(f"{demo.url}/app/settings/profile")
    await expect(desk.page.locator(".places [aria-current]")).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_screen_breaks_the_rules_of_accessibility(demo, sheet, someone, scheme):
    desk = await sheet(color_scheme=scheme)
    _, conversation = await someone("Hallo allemaal")
    found = {"list": await violations(desk.page)}
    await desk.take(conversation)
    found["conversation"] = await violations(desk.page)
    await desk.page.keyboard.press("?")
    await expect(desk.page.locator("dialog")).to_be_visible()
    found["keys"] = await violations(desk.page)
    for place in ("people", "sites", "organisation", "profile"):
        await desk.page.goto(f"{demo.url}/app/settings/{place}")
        await expect(desk.page.locator(".page-head")).to_be_visible()
        found[place] = await violations(desk.page)
    assert [place for place in found if found[place]] == [], found


async def test_a_look_is_previewed_while_it_changes_and_reaches_the_site_when_put_live(demo, sheet):
    desk = await sheet()
    await desk.page.goto(f"{demo.url}/app/settings/sites")
    await desk.page.locator(".sites a.button").first.click()
    await desk.page.get_by_label("Kleurcode").fill("#ffe14d")
    await expect(desk.page.locator(".row-of .hint").first).to_contain_text("donkerder")
    await desk.page.get_by_label("Begroeting, Nederlands").fill("Dag, waarmee helpen we?")
    await expect(desk.page.locator(".panel-sample")).to_contain_text("Dag, waarmee helpen we?")
    await desk.page.get_by_role("button", name="Zet live").click()
    await expect(desk.page.locator(".page-head [role=status]")).to_have_text("Alles staat live")
    state = await (await desk.page.request.get(f"{demo.url}/api/v1/sites/{demo.site}/state")).json()
    look = state.get("look", state)
    for scheme, colour in (("Licht", look["accent"]), ("Donker", look["accent_dark"])):
        await desk.page.get_by_role("button", name=scheme, exact=True).click()
        shown = await desk.page.locator(".body-sample svg").first.evaluate(
            "element => getComputedStyle(element).color"
        )
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        assert shown == f"rgb({red}, {green}, {blue})", scheme
