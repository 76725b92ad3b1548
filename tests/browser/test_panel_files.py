"""Files in the panel: dropped, pasted, taken with a camera, failing, tried again, refused."""

import asyncio
import json
import re

import pytest
from playwright.async_api import expect
from tests.browser.shopping import PHONE, opened, panel, say
from tests.hostile_files import png

pytestmark = pytest.mark.browser

FILES = """(names) => {
    const given = new DataTransfer();
    for (const name of names) given.items.add(new File(["wat erin staat"], name));
    return given;
}"""


def frame_of(page):
    return next(frame for frame in page.frames if "/widget/" in frame.url)


def attach(page, *files):
    field = panel(page).locator("input[type=file][multiple]")
    return field.set_input_files(
        [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files]
    )


def saved(page, name):
    return panel(page).get_by_role("button", name=f"{name} bewaren")


async def talking(page, text):
    await opened(page)
    await say(page, text)
    await expect(panel(page).get_by_text("Verzonden")).to_be_visible()


async def test_files_may_be_dropped_on_the_conversation(visit, desk):
    page = await visit()
    await talking(page, "Ik sleep iets")
    given = await frame_of(page).evaluate_handle(FILES, ["een.pdf", "twee.txt"])
    screen = panel(page).locator(".screen")
    await screen.dispatch_event("dragover", {"dataTransfer": given})
    await expect(panel(page).get_by_text("Laat los om mee te sturen")).to_be_visible()
    await screen.dispatch_event("drop", {"dataTransfer": given})
    await expect(panel(page).get_by_text("Laat los om mee te sturen")).to_be_hidden()
    for name in ("een.pdf", "twee.txt"):
        await expect(saved(page, name)).to_be_visible()
    names = await panel(page).locator(".file-name").all_inner_texts()
    assert names == ["een.pdf", "twee.txt"]


async def test_files_may_be_dropped_before_anything_was_said(visit, desk):
    page = await visit()
    await opened(page)
    given = await frame_of(page).evaluate_handle(FILES, ["eerst.pdf"])
    await panel(page).locator(".screen").dispatch_event("drop", {"dataTransfer": given})
    await expect(saved(page, "eerst.pdf")).to_be_visible()


async def test_a_picture_may_be_pasted(visit, desk):
    page = await visit()
    await talking(page, "Ik plak een foto")
    await frame_of(page).evaluate(
        """(bytes) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], "image.png", {type: "image/png"}));
            document.querySelector("textarea").dispatchEvent(
                new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }""",
        list(png(30, 20)),
    )
    shot = panel(page).get_by_role("img", name="Foto: image.png")
    await expect(shot).to_be_visible()
    assert await shot.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 30


async def test_a_phone_offers_its_camera_until_one_types(visit, desk):
    page = await visit(viewport=PHONE)
    await opened(page)
    camera = panel(page).get_by_role("button", name="Foto maken")
    await expect(camera).to_be_visible()
    async with page.expect_file_chooser() as chooser:
        await camera.click()
    field = (await chooser.value).element
    assert await field.get_attribute("capture") == "environment"
    assert await field.get_attribute("accept") == "image/*"
    await (await chooser.value).set_files(
        {"name": "image.jpg", "mimeType": "image/png", "buffer": png(30, 20)}
    )
    await expect(panel(page).get_by_role("img", name="Foto: image.jpg")).to_be_visible()
    await panel(page).locator("textarea").fill("Ziet u het?")
    await expect(camera).to_have_count(0)


async def test_a_desk_without_a_camera_offers_none(visit):
    page = await visit()
    await opened(page)
    await expect(panel(page).get_by_role("button", name="Foto maken")).to_be_hidden()


async def test_an_upload_that_broke_says_so_and_can_be_tried_again(visit, desk):
    page = await visit()
    await talking(page, "Nu met hapering")
    broken = re.compile("/api/v1/files$")
    await page.context.route(broken, lambda route: route.abort())
    await attach(page, ("bon.pdf", "application/pdf", b"%PDF-1.4\n%%EOF"))
    await expect(panel(page).get_by_text("De verbinding viel weg")).to_be_visible()
    await page.context.unroute(broken)
    await panel(page).get_by_role("button", name="Opnieuw").click()
    await expect(saved(page, "bon.pdf")).to_be_visible()
    await expect(panel(page).get_by_text("De verbinding viel weg")).to_have_count(0)


REFUSED = [
    (429, {"code": "rate_limited", "retry_after_ms": 119_500}, "Over 2 min kan het weer."),
    (503, {"code": "unavailable"}, "Wij kunnen nu geen bestanden aannemen"),
    (502, "<h1>Bad gateway</h1>", "Wij kunnen nu geen bestanden aannemen"),
]


@pytest.mark.parametrize(("status", "told", "word"), REFUSED)
async def test_a_server_that_takes_no_files_now_says_so_beside_the_file(
    visit, desk, status, told, word
):
    page = await visit()
    await talking(page, f"Met een bon {status}")
    refused = re.compile("/api/v1/files$")
    body = told if isinstance(told, str) else json.dumps(told)
    await page.context.route(refused, lambda route: route.fulfill(status=status, body=body))
    await attach(page, ("bon.pdf", "application/pdf", b"%PDF-1.4\n%%EOF"))
    await expect(panel(page).locator(".file.is-failed")).to_contain_text(word)
    await page.context.unroute(refused)
    await panel(page).get_by_role("button", name="Opnieuw").click()
    await expect(saved(page, "bon.pdf")).to_be_visible()


async def test_who_has_said_nothing_and_may_bring_no_more_hears_what_to_do(visit, desk):
    page = await visit()
    await opened(page)
    refused = re.compile("/api/v1/files$")
    told = json.dumps({"code": "rate_limited", "retry_after_ms": 60_000})
    await page.context.route(refused, lambda route: route.fulfill(status=429, body=told))
    await attach(page, ("bon.pdf", "application/pdf", b"%PDF-1.4\n%%EOF"))
    await expect(panel(page).get_by_text("Typ eerst een bericht, dan mag dit mee")).to_be_visible()
    await page.context.unroute(refused)
    await say(page, "Hier is mijn bon")
    await expect(panel(page).get_by_text(re.compile("^Verzonden"))).to_be_visible()
    await panel(page).get_by_role("button", name="Opnieuw").click()
    await expect(saved(page, "bon.pdf")).to_be_visible()


async def test_two_at_once_keep_their_order_and_the_second_may_be_stopped(visit, desk):
    page = await visit()
    await talking(page, "Twee tegelijk")
    gate = asyncio.Event()

    async def hold(route):
        await gate.wait()
        await route.continue_()

    await page.context.route(re.compile("/api/v1/files$"), hold)
    await attach(
        page,
        ("een.txt", "text/plain", b"een"),
        ("twee.txt", "text/plain", b"twee"),
        ("drie.txt", "text/plain", b"drie"),
    )
    await expect(panel(page).get_by_role("progressbar")).to_have_count(3)
    await panel(page).get_by_role("button", name="Stop met versturen").nth(1).click()
    await expect(panel(page).get_by_text("twee.txt")).to_have_count(0)
    gate.set()
    await expect(saved(page, "drie.txt")).to_be_visible()
    assert await panel(page).locator(".file-name").all_inner_texts() == ["een.txt", "drie.txt"]


async def test_what_would_run_is_refused_beside_the_file(visit, desk):
    page = await visit()
    await talking(page, "Mag dit mee?")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await attach(page, ("foto.jpg.exe", "image/jpeg", b"MZ"))
    await expect(panel(page).locator(".file.is-failed")).to_contain_text("kan iets uitvoeren")
    assert not any("/files" in url for url in asked)
    await panel(page).get_by_role("button", name="Weghalen").click()
    # Its name says nothing, its first bytes do: the server tells.
    await attach(page, ("foto.jpg", "image/jpeg", b"MZ" + bytes(100)))
    await expect(panel(page).locator(".file.is-failed")).to_contain_text("kan iets uitvoeren")
    await expect(panel(page).get_by_role("button", name="Opnieuw")).to_have_count(0)


async def test_how_large_a_file_may_be_is_the_servers_setting(visit, demo):
    page = await visit()
    await opened(page)
    told = await frame_of(page).evaluate(
        "JSON.parse(document.getElementById('balie-boot').textContent).max_file_bytes"
    )
    assert told == 10 * 2**20


SEEN = """(node) => {
    const desk = document.querySelector('footer.desk').getBoundingClientRect();
    const own = node.getBoundingClientRect();
    return own.bottom <= desk.top + 1 && own.top >= 0;
}"""


async def test_what_fails_or_waits_comes_into_view_above_the_desk(visit, desk):
    page = await visit()
    await talking(page, "\n".join(["Een lang verhaal."] * 30))
    await attach(page, ("groot.pdf", "application/pdf", b"%PDF" + bytes(11_000_000)))
    await attach(page, ("virus.exe", "application/octet-stream", b"MZ"))
    failed = panel(page).locator(".is-failed.meta")
    await expect(failed).to_have_count(2)
    await asyncio.sleep(0.3)
    assert await failed.last.evaluate(SEEN)
    await panel(page).get_by_role("textbox").fill("\n".join(["Nog een regel"] * 6))
    await asyncio.sleep(0.3)
    assert await failed.last.evaluate(SEEN)
    await page.context.set_offline(True)
    await panel(page).get_by_role("button", name="Verstuur").click()
    waits = panel(page).locator(".is-unsent.meta")
    await expect(waits).to_be_visible()
    await asyncio.sleep(0.3)
    assert await waits.evaluate(SEEN)
    assert await failed.last.evaluate(SEEN)
