"""Who may do what to whom, over HTTP."""

import asyncio

import pytest
from PIL import Image
from tests.agents.test_pictures import encoded
from tests.office import PASSWORD


async def test_an_address_is_used_once_on_the_whole_installation(office):
    one, two = await office.begin("One"), await office.begin("Two", "Bea")
    owner = await office.enter(two.owner)
    body = {"name": "X", "email": one.owner.email.upper(), "role": "agent", "language": "nl"}
    assert (await owner.post("/api/v1/agents", json=body)).status_code == 409


@pytest.mark.parametrize("role", ["agent", "admin"])
async def test_a_lesser_one_does_not_touch_an_owner(office, role):
    begun = await office.begin()
    browser = await office.enter(await office.hire(begun, "Tom", role))
    ana = f"/api/v1/agents/{begun.owner.id}"
    picture = encoded(Image.new("RGB", (9, 9)), "PNG")
    assert (await browser.patch(ana, json={"role": "agent"})).status_code == 403
    assert (await browser.patch(ana, json={"disabled": True})).status_code == 403
    assert (await browser.patch(ana, json={"name": "Gone"})).status_code == 403
    assert (await browser.post(f"{ana}/invitation")).status_code == 403
    assert (await browser.put(f"{ana}/picture", content=picture)).status_code == 403
    body = {"name": "Me", "email": "me@x.example", "role": "owner"}
    assert (await browser.post("/api/v1/agents", json=body)).status_code == 403


async def test_nobody_raises_himself(office):
    begun = await office.begin()
    tom = await office.hire(begun, "Tom", "admin")
    browser = await office.enter(tom)
    answer = await browser.patch(f"/api/v1/agents/{tom.id}", json={"role": "owner"})
    assert answer.status_code == 403
    assert (await browser.get("/api/v1/session")).json()["agent"]["role"] == "admin"


@pytest.mark.parametrize("change", [{"role": "admin"}, {"role": "agent"}, {"disabled": True}])
async def test_the_last_owner_stays(office, change):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    ana = f"/api/v1/agents/{begun.owner.id}"
    answer = await owner.patch(ana, json=change)
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"
    await office.hire(begun, "Bea", "owner")
    assert (await owner.patch(ana, json=change)).status_code == 200


async def test_two_owners_who_demote_each_other_at_once_leave_one(office):
    begun = await office.begin()
    bea = await office.hire(begun, "Bea", "owner")
    browsers = [await office.enter(begun.owner), await office.enter(bea)]
    answers = await asyncio.gather(
        browsers[0].patch(f"/api/v1/agents/{bea.id}", json={"role": "agent"}),
        browsers[1].patch(f"/api/v1/agents/{begun.owner.id}", json={"role": "agent"}),
    )
    assert 200 in [answer.status_code for answer in answers]
    people = [b for b in browsers if (await b.get("/api/v1/session")).status_code == 200]
    listed = (await people[0].get("/api/v1/agents")).json()["data"]
    assert sum(person["role"] == "owner" for person in listed) == 1


async def test_a_demotion_counts_at_once(office):
    begun = await office.begin()
    tom = await office.hire(begun, "Tom", "admin")
    browser, owner = await office.enter(tom), await office.enter(begun.owner)
    assert (await browser.get(f"/api/v1/sites/{begun.site.id}")).status_code == 200
    await owner.patch(f"/api/v1/agents/{tom.id}", json={"role": "agent"})
    assert (await browser.get(f"/api/v1/sites/{begun.site.id}")).status_code == 403


async def test_a_picture_is_public_small_and_lasting(office):
    begun = await office.begin()
    browser = await office.enter(begun.owner)
    path = f"/api/v1/agents/{begun.owner.id}/picture"
    image = encoded(Image.new("RGB", (2_000, 1_000), "teal"), "JPEG")
    answer = await browser.put(path, content=image, headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 200, answer.text
    address = answer.json()["picture"]
    shown = await office.browser().get(address)
    assert shown.headers["content-type"] == "image/webp"
    assert "immutable" in shown.headers["cache-control"]
    assert len(shown.content) < 20_000
    assert (await browser.get("/api/v1/session")).json()["agent"]["picture"] == address
    # The same picture again is the same address.
    assert (await browser.put(path, content=image)).json()["picture"] == address


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"<svg onload=alert(1)>", 422),
        (b"GIF89a;alert(1)", 422),
        (b"x" * 9_000_000, 413),
    ],
)
async def test_a_bad_picture_is_refused(office, content, status):
    begun = await office.begin()
    browser = await office.enter(begun.owner)
    path = f"/api/v1/agents/{begun.owner.id}/picture"
    answer = await browser.put(path, content=content, headers={"Content-Type": "image/png"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "name", ["x", "x.webp", "../x", "%2e%2e%2fx", "0" * 64, "0" * 64 + ".webp"]
)
async def test_a_made_up_picture_is_none(office, name):
    assert (await office.browser().get(f"/pictures/{name}")).status_code == 404


async def test_everybody_may_leave_but_not_as_the_last(office):
    begun = await office.begin()
    tom = await office.hire(begun, "Tom", "admin")
    browser = await office.enter(tom)
    assert (
        await browser.patch(f"/api/v1/agents/{tom.id}", json={"disabled": True})
    ).status_code == 200
    refused = await office.browser().post(
        "/api/v1/session", json={"email": tom.email, "password": PASSWORD}
    )
    assert refused.status_code == 401


async def test_a_replaced_picture_is_gone_unless_a_colleague_has_the_same(office):
    begun = await office.begin()
    ana = await office.enter(begun.owner)
    tom = await office.hire(begun, "Tom")

    async def give(agent, colour):
        picture = encoded(Image.new("RGB", (9, 9), colour), "PNG")
        answer = await ana.put(f"/api/v1/agents/{agent.id}/picture", content=picture)
        return answer.json()["picture"]

    async def is_shown(path):
        return (await ana.get(path)).status_code == 200

    first = await give(begun.owner, "teal")
    assert await give(tom, "teal") == first
    second = await give(begun.owner, "navy")
    assert await is_shown(first)
    third = await give(tom, "maroon")
    assert [await is_shown(each) for each in (first, second, third)] == [False, True, True]
    assert await give(tom, "maroon") == third
    assert await is_shown(third)
