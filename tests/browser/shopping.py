"""Visitors of the demo shop with Balie's panel, and an agent at the desk."""

import asyncio

from playwright.async_api import expect

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}


class Desk:
    """An agent who is at the desk, with a console that stays awake."""

    def __init__(self, agent, console):
        self.agent = agent
        self.console = console
        self._awake = asyncio.create_task(self._beat())

    async def _beat(self):
        while True:
            await self.console.send({"type": "alive", "awake": True, "status": "available"})
            await asyncio.sleep(10)

    async def take(self, text):
        """Take the conversation that ends with this text; its id."""
        async with asyncio.timeout(5):
            while True:
                answer = await self.agent.http.get("/api/v1/conversations?view=open")
                for row in answer.json()["data"]:
                    if row.get("last_message", {}).get("text", "").startswith(text):
                        await self.agent.http.put(
                            f"/api/v1/conversations/{row['id']}/assignment", json={}
                        )
                        await self.console.send(
                            {"type": "resume", "conversation": row["id"], "last_seq": 0}
                        )
                        return row["id"]
                await asyncio.sleep(0.1)

    async def read(self, text, conversation):
        """Wait until the visitor has read this, the last that was said."""
        async with asyncio.timeout(15):
            while True:
                answer = await self.agent.http.get(f"/api/v1/conversations/{conversation}")
                row = answer.json()
                assert row["last_message"]["text"] == text
                if row["receipts"]["visitor"]["read"] >= row["last_message"]["seq"]:
                    return
                await asyncio.sleep(0.1)

    async def leave(self):
        self._awake.cancel()
        await self.console.close()
        await self.agent.leave()


def launcher(page):
    return page.locator("balie-launcher button")


def panel(page):
    return page.frame_locator("balie-launcher iframe")


def field(page):
    return panel(page).locator("textarea").last


async def say(page, text):
    await field(page).fill(text)
    await field(page).press("Enter")


async def opened(page):
    await launcher(page).click()
    await expect(field(page)).to_be_visible()
