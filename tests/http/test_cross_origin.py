"""Pages of a site may speak for its visitors; pages of others may not."""

import pytest
from tests.office import SHOP
from tests.people import fresh_id
from tests.town import open_town

EVIL = (
    "https://evil.example", "null", SHOP + ".evil.example", "http://shop.example",
    SHOP + ":8443", "https://shop.example@evil.example", SHOP.replace("shop", "xshop"),
)  # fmt: skip


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


def page(town, origin, side="noord"):
    token = town.sides[side].visitors["eva"]
    return town.browser(Origin=origin, Authorization=f"Bearer {token}")


async def say(browser, side):
    return await browser.post(
        "/api/v1/visitor/messages",
        json={
            "client_message_id": fresh_id(),
            "text": "hallo",
            "conversation": side.conversation,
        },
    )


async def test_a_page_of_the_site_may(town):
    side = town.sides["noord"]
    answer = await say(page(town, SHOP), side)
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "origin" in answer.headers["vary"].lower()
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", EVIL)
async def test_a_page_of_others_may_not(town, origin):
    side = town.sides["noord"]
    for answer in (
        await say(page(town, origin), side),
        await page(town, origin).get("/api/v1/visitor/conversations"),
        await page(town, origin).get(f"/api/v1/files/{side.file}"),
    ):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/visitor/messages", "/api/v1/files", "/sse/visitor"])
async def test_asking_first(town, path):
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    allowed = await town.browser(Origin=SHOP).options(path, headers=asked)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == SHOP
    assert "POST" in allowed.headers["access-control-allow-methods"]
    refused = await town.browser(Origin="https://evil.example").options(path, headers=asked)
    assert "access-control-allow-origin" not in refused.headers


async def test_agents_doors_are_never_open_to_other_pages(town):
    browser = town.sides["noord"].browsers["owner"]
    for path in ("/api/v1/conversations", "/api/v1/session", "/sse/agent"):
        asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
        answer = await browser.options(path, headers=asked)
        assert "access-control-allow-origin" not in answer.headers


async def test_a_changed_list_of_origins_counts_at_once(town):
    side = town.sides["noord"]
    owner = side.browsers["owner"]
    await owner.patch(f"/api/v1/sites/{side.site.id}", json={"origins": ["https://new.example"]})
    assert (await say(page(town, SHOP), side)).status_code == 403
    assert (await say(page(town, "https://new.example"), side)).status_code == 200
