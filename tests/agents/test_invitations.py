"""One-time links: one winner, one week, one person."""

import asyncio
import random
import re

import pytest
from tests.office import PASSWORD

from balie.agents.model import INVITATION_MS
from balie.agents.setup import drawn_password, reset_password
from balie.kernel.errors import NotFoundError

JOOST = {"name": "Joost", "email": "joost@fietswinkel.example", "role": "agent", "language": "nl"}
CHOICE = {"name": "Joost Peters", "password": "a long password"}


def token_of(invited):
    url = invited["invitation"]["url"]
    # Behind the #: no server and no Referer header ever sees it.
    before, _, token = url.partition("#")
    assert before == "http://localhost:8000/app/invitation"
    assert len(token) >= 22
    return token


async def invite(office, begun, **given):
    owner = await office.enter(begun.owner)
    answer = await owner.post("/api/v1/agents", json=JOOST | given)
    assert answer.status_code == 201, answer.text
    return owner, answer.json()


async def accept(office, token, body=CHOICE, browser=None):
    browser = browser or office.browser()
    return await browser.put(f"/api/v1/invitations/{token}/acceptance", json=body)


async def test_from_link_to_work(office):
    begun = await office.begin()
    owner, invited = await invite(office, begun)
    token = token_of(invited)
    browser = office.browser()
    shown = (await browser.get(f"/api/v1/invitations/{token}")).json()
    assert shown == {
        "kind": "invitation",
        "name": "Joost",
        "email": "joost@fietswinkel.example",
        "language": "nl",
        "organisation": {"id": begun.organisation.id, "name": "Fietswinkel"},
        "invited_by": "Ana",
        "expires_at": office.now + INVITATION_MS,
    }
    answer = await accept(office, token, browser=browser)
    assert answer.json()["agent"]["name"] == "Joost Peters"
    assert (await browser.get("/api/v1/session")).json() == answer.json()
    listed = {a["name"]: a for a in (await owner.get("/api/v1/agents")).json()["data"]}
    assert listed["Joost Peters"]["active"]
    assert "invitation" not in listed["Joost Peters"]


async def test_a_hundred_at_once_and_one_gets_in(office):
    begun = await office.begin()
    _, invited = await invite(office, begun)
    token = token_of(invited)
    answers = await asyncio.gather(
        *(
            accept(office, token, CHOICE | {"password": f"lindelaan acht {n:03}"})
            for n in range(100)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 99
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    agent = next(answer for answer in answers if answer.status_code == 200).json()["agent"]
    browser = office.browser()
    body = {"email": agent["email"], "password": f"lindelaan acht {winner:03}"}
    assert (await browser.post("/api/v1/session", json=body)).status_code == 200


async def test_a_link_lasts_a_week(office):
    begun = await office.begin()
    owner, invited = await invite(office, begun)
    token = token_of(invited)
    office.now += INVITATION_MS - 1
    assert (await office.browser().get(f"/api/v1/invitations/{token}")).status_code == 200
    office.now += 1
    assert (await office.browser().get(f"/api/v1/invitations/{token}")).status_code == 404
    assert (await accept(office, token)).status_code == 404
    joost = invited["agent"]["id"]
    again = await owner.post(f"/api/v1/agents/{joost}/invitation")
    assert (await accept(office, token_of(again.json()))).status_code == 200


async def test_a_new_link_ends_the_old_one(office):
    begun = await office.begin()
    owner, invited = await invite(office, begun)
    again = await owner.post(f"/api/v1/agents/{invited['agent']['id']}/invitation")
    assert (await accept(office, token_of(invited))).status_code == 404
    assert (await accept(office, token_of(again.json()))).status_code == 200


async def test_a_link_of_somebody_disabled_is_dead(office):
    begun = await office.begin()
    owner, invited = await invite(office, begun)
    joost = f"/api/v1/agents/{invited['agent']['id']}"
    await owner.patch(joost, json={"disabled": True})
    assert (await accept(office, token_of(invited))).status_code == 404
    assert (await owner.post(f"{joost}/invitation")).status_code == 409


async def test_a_bad_password_does_not_use_up_the_link(office):
    begun = await office.begin()
    _, invited = await invite(office, begun)
    token = token_of(invited)
    for password in ("short", "aaaaaaaaaaaaaaa", JOOST["email"]):
        assert (await accept(office, token, CHOICE | {"password": password})).status_code == 422
    assert (await accept(office, token)).status_code == 200


async def test_a_forgotten_password(office):
    begun = await office.begin()
    tom = await office.hire(begun, "Tom")
    browser = await office.enter(tom)
    link = await reset_password(office.room, " TOM@fietswinkel.example ")
    token = link.url.partition("#")[2]
    shown = (await office.browser().get(f"/api/v1/invitations/{token}")).json()
    assert shown["kind"] == "password"
    answer = await accept(office, token, {"password": "a new walnut desk", "name": "Somebody"})
    assert answer.json()["agent"]["name"] == "Tom"
    assert (await browser.get("/api/v1/session")).status_code == 401
    refused = await office.browser().post(
        "/api/v1/session", json={"email": tom.email, "password": PASSWORD}
    )
    assert refused.status_code == 401
    with pytest.raises(NotFoundError):
        await reset_password(office.room, "nobody@x.example")


@pytest.mark.parametrize("token", ["x", "%00", "a" * 3_000, "..", "é", "'; DROP TABLE agents;--"])
async def test_a_made_up_link_opens_nothing(office, token):
    await office.begin()
    assert (await office.browser().get(f"/api/v1/invitations/{token}")).status_code == 404
    assert (await accept(office, token)).status_code == 404


async def test_the_database_holds_no_link(office, tmp_path):
    begun = await office.begin()
    _, invited = await invite(office, begun)
    token = token_of(invited).encode()
    files = list(tmp_path.glob("balie.sqlite3*"))
    assert not any(token in file.read_bytes() for file in files)


def test_a_drawn_password_can_be_read_aloud():
    drawn = drawn_password(random.Random(1).randbytes)
    assert re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", drawn)
    assert drawn_password(random.Random(2).randbytes) != drawn
