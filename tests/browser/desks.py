"""A console in a browser, as agents use it."""

from pathlib import Path

from playwright.async_api import expect

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}
AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Sheet:
    """A console in a browser of its own."""

    def __init__(self, page, demo):
        self.page = page
        self.demo = demo

    async def sign_in(self, login):
        await self.page.goto(f"{self.demo.url}/app")
        await self.page.fill("[name=email]", login["email"])
        await self.page.fill("[name=password]", login["password"])
        await self.page.keyboard.press("Enter")
        # A password is dear to check; on a busy machine that takes its time.
        await expect(self.page.locator(".rail")).to_be_visible(timeout=20_000)
        await expect(self.page.locator(".ghost")).to_have_count(0, timeout=10_000)
        return self

    def row(self, conversation):
        return self.page.locator(f'.row[data-id="{conversation}"]')

    async def open(self, conversation):
        await self.bring_into_sight(conversation)
        await self.row(conversation).click()
        await expect(self.page.locator("#composer")).to_be_visible()
        await self.page.locator("#composer").blur()

    async def bring_into_sight(self, conversation):
        """Only the rows near what is in sight are drawn."""
        for _ in range(20):
            if await self.row(conversation).count():
                return
            await self.page.locator(".list .scroll").evaluate("box => box.scrollBy(0, 300)")
            await self.page.wait_for_timeout(100)

    async def take(self, conversation):
        await self.open(conversation)
        await self.page.locator(".main-act.primary").click()
        await expect(self.page.locator(".main-act")).to_contain_text("Sluit")

    async def write(self, text):
        await self.page.fill("#composer", text)
        await self.page.keyboard.press("Enter")

    @property
    def status(self):
        return self.page.locator(".message.ours .status").last


async def violations(page):
    """What axe finds once everything that moves has arrived."""
    await page.evaluate("Promise.allSettled(document.getAnimations().map(each => each.finished))")
    if not await page.evaluate("typeof axe !== 'undefined'"):
        await page.add_script_tag(path=AXE)
    found = await page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(r => r.violations)", TAGS
    )
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]
