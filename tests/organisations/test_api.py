"""Sites and keys over HTTP, and what the public may see of them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.office import ORIGIN, SHOP

from balie.kernel.events import AgentName


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def test_a_site_is_made_seen_and_changed(office):
    owner = await office.enter((await office.begin()).owner)
    office.now += 1
    wish = {
        "name": " Tweede  site ",
        "origins": ["https://WWW.example.nl/"],
        "languages": ["nl"],
        "look": {"accent": "#FD0"},
    }
    made = (await owner.post("/api/v1/sites", json=wish)).json()
    assert made["name"] == "Tweede site"
    assert made["origins"] == ["https://www.example.nl"]
    assert made["look"]["accent_asked"] == "#ffdd00"
    assert made["look"]["accent_corrected"]
    path = f"/api/v1/sites/{made['id']}"
    change = {
        "look": {"shape": "bar", "offset": 8},
        "texts": {"nl": {"greeting": "Dag <b>u</b>"}},
        "when_away": "hide",
        "after_close": "nothing",
    }
    changed = (await owner.patch(path, json=change)).json()
    assert changed["look"] == made["look"] | {"shape": "bar", "offset": 8}
    assert changed["texts"] == {"nl": {"greeting": "Dag <b>u</b>"}}
    assert changed["key"] == made["key"]
    # Texts of one language leave those of another.
    changed = (await owner.patch(path, json={"texts": {"en": {"away": "Gone"}}})).json()
    assert set(changed["texts"]) == {"nl", "en"}
    assert (await owner.get(path)).json() == changed
    listed = (await owner.get("/api/v1/sites")).json()["data"]
    assert [site["name"] for site in listed] == ["Site van Fietswinkel", "Tweede site"]


async def test_agents_see_names_only(office):
    begun = await office.begin()
    tom = await office.enter(await office.hire(begun, "Tom"))
    assert (await tom.get("/api/v1/sites")).json()["data"] == [
        {"id": begun.site.id, "name": begun.site.name}
    ]
    assert (await tom.get(f"/api/v1/sites/{begun.site.id}")).status_code == 403
    people = (await tom.get("/api/v1/agents")).json()["data"]
    assert all("email" not in person for person in people)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"origins": ["https://a.nl/x"]}, 422),
        ({"origins": ["*"]}, 422),
        ({"origins": "https://a.nl"}, 422),
        ({"languages": []}, 422),
        ({"languages": ["fr"]}, 422),
        ({"look": {"accent": "red"}}, 422),
        ({"look": {"accent": "#fff;}</style><script>"}}, 422),
        ({"look": {"shape": "blob"}}, 422),
        ({"look": {"offset": 1e9}}, 422),
        ({"look": {"offset": -5}}, 422),
        ({"name": ""}, 422),
        ({"name": "\u200b"}, 422),
        ({"name": "x" * 81}, 413),
        ({"texts": {"nl": {"greeting": "x" * 401}}}, 413),
        ({"texts": {"xx": {}}}, 422),
        ({"when_away": None, "after_close": "explode"}, 422),
        ([], 422),
        ("x", 422),
        (None, 422),
    ],
)
async def test_what_makes_no_sense_changes_nothing(office, body, status):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    path = f"/api/v1/sites/{begun.site.id}"
    before = (await owner.get(path)).json()
    answer = await owner.patch(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert (await owner.get(path)).json() == before


async def test_keys_are_shown_once_and_two_live(office):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    keys = f"/api/v1/sites/{begun.site.id}/keys"
    first = (await owner.post(keys, json={"algorithm": "HS256"})).json()
    assert len(first["secret"]) == 43
    public = pem(Ed25519PrivateKey.generate())
    second = (await owner.post(keys, json={"algorithm": "EdDSA", "public_key": public})).json()
    assert "secret" not in second
    assert (await owner.post(keys, json={"algorithm": "HS256"})).status_code == 409
    shown = await owner.get(f"/api/v1/sites/{begun.site.id}")
    assert [key["kid"] for key in shown.json()["keys"]] == [first["kid"], second["kid"]]
    assert first["secret"] not in shown.text
    assert (await owner.delete(f"{keys}/{first['kid']}")).status_code == 204
    assert (await owner.delete(f"{keys}/{first['kid']}")).status_code == 404
    assert (await owner.post(keys, json={"algorithm": "HS256"})).status_code == 201


@pytest.mark.parametrize(
    "public_key",
    [
        None,
        "",
        "rubbish",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        pem(generate_private_key(SECP256R1())),
        "é" * 100,
    ],
)
async def test_a_key_of_another_kind_is_refused(office, public_key):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    answer = await owner.post(
        f"/api/v1/sites/{begun.site.id}/keys",
        json={"algorithm": "EdDSA", "public_key": public_key},
    )
    assert answer.status_code == 422


async def test_the_organisation(office):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    assert (await owner.get("/api/v1/organisation")).json() == {
        "id": begun.organisation.id,
        "name": "Fietswinkel",
        "language": "nl",
        "retention_days": 365,
    }
    change = {"name": "De Fietswinkel", "retention_days": 30, "id": "x"}
    changed = (await owner.patch("/api/v1/organisation", json=change)).json()
    assert changed["retention_days"] == 30
    assert changed["id"] == begun.organisation.id
    for days in (0, -1, 10**9, 10**30, 1.5, "many", []):
        answer = await owner.patch("/api/v1/organisation", json={"retention_days": days})
        assert answer.status_code == 422, days
    assert (await owner.get("/api/v1/organisation")).json() == changed


# The public state.


async def state(office, begun, **headers):
    browser = office.browser()
    del browser.headers["origin"]
    return await browser.get(f"/api/v1/sites/{begun.site.key}/state", headers=headers)


async def test_the_state_says_who_is_there(office):
    begun = await office.begin()
    first = await state(office, begun)
    assert first.json()["desk"] == {"state": "away", "agents": []}
    assert first.json()["name"] == begun.site.name
    assert "origins" not in first.text
    ana = AgentName(begun.owner.id, "Ana")
    office.room.presence.seen(begun.organisation.id, ana, "tab", office.now)
    second = await state(office, begun)
    assert second.json()["desk"] == {
        "state": "here",
        "agents": [{"id": begun.owner.id, "name": "Ana"}],
    }
    assert first.headers["etag"] != second.headers["etag"]
    office.now += 45_000
    third = await state(office, begun)
    assert third.headers["etag"] == first.headers["etag"]


async def test_the_state_is_cached_and_asked_again(office):
    begun = await office.begin()
    answer = await state(office, begun)
    assert "max-age=" in answer.headers["cache-control"]
    assert "stale-while-revalidate=" in answer.headers["cache-control"]
    again = await state(office, begun, **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == answer.headers["etag"]


async def test_a_changed_site_shows_at_once(office):
    begun = await office.begin()
    await state(office, begun)
    owner = await office.enter(begun.owner)
    await owner.patch(f"/api/v1/sites/{begun.site.id}", json={"look": {"shape": "tab"}})
    assert (await state(office, begun)).json()["look"]["shape"] == "tab"


@pytest.mark.parametrize("origin", [SHOP, ORIGIN])
async def test_pages_of_the_site_may_ask(office, origin):
    begun = await office.begin()
    answer = await state(office, begun, Origin=origin)
    assert answer.headers["access-control-allow-origin"] == origin
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", SHOP + ".evil", "http://shop.example", SHOP + ":444"]
)
async def test_other_pages_may_not(office, origin):
    begun = await office.begin()
    answer = await state(office, begun, Origin=origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_a_made_up_key_is_no_site(office):
    begun = await office.begin()
    await office.enter(begun.owner)
    for key in ("x", begun.site.id, begun.site.key.upper(), begun.site.key + "%00", "%F0%9F%98%80"):
        answer = await office.browser().get(f"/api/v1/sites/{key}/state")
        assert answer.status_code == 404, key
