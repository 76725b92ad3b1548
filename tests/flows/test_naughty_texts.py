"""Texts that break programs, in every field: kept to the letter, cleaned, or refused by type."""

import asyncio
import io
import json
import random
import unicodedata
import zipfile
from urllib.parse import quote

import pytest
from tests.people import fresh_id
from tests.town import open_town

from balie.kernel.visible import shows_something

SAMPLE = 60
CODES = {
    "malformed", "too_long", "empty", "not_found", "conflict", "closed", "rate_limited", "busy",
    "unauthorised", "forbidden", "method_not_allowed", "unsupported_media_type", "unknown_type",
}  # fmt: skip
# As JSON writes them; Python's own strings cannot all be sent.
HALVES = ['"\\ud800"', '"\\udc00"', '"a\\udfffb"', '"\\ud83d"', '"\\udc00\\ud800"']
NULS = ['"\\u0000"', '"a\\u0000b"', '"\\u0000\\u0000\\u0000x"']
NUMBERS = ["-1", "0", "1", "9223372036854775807", "9223372036854775808", "1" + "0" * 30, "1e5", "NaN",
    "Infinity", "0x10", "１", "1.5", "", " ", "true", "null", "-0", "+1", "1_000", "[]"]  # fmt: skip


@pytest.fixture
async def town(tmp_path):
    async with open_town(tmp_path) as built:
        yield built


def read_strings(testdata):
    bad = testdata / "badinput"
    plain = json.loads((bad / "blns/blns.json").read_text("utf-8"))
    told = [each["text"] for each in json.loads((bad / "unicode.json").read_text("utf-8"))]
    scripts = (bad / "xss/strings.txt").read_text("utf-8", "replace").splitlines()
    return [*told, *plain], scripts


def drawn(testdata, long):
    few, many = read_strings(testdata)
    chance = random.Random(20_26)
    return (
        [*few, *many]
        if long
        else [*few[:60], *chance.sample(few, SAMPLE), *chance.sample(many, SAMPLE)]
    )


LONG = [False, pytest.param(True, marks=[pytest.mark.long, pytest.mark.timeout(900)])]


def sendable(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_body(**fields):
    """JSON with surrogates as escapes, as a hostile client writes it."""
    return {"content": json.dumps(fields).encode(), "headers": {"Content-Type": "application/json"}}


@pytest.mark.parametrize("long", LONG)
async def test_a_message_is_kept_to_the_letter_or_refused(town, testdata, long):
    side = town.sides["noord"]
    eva = await town.visitor_socket(side, "eva")
    owner, kept = side.browsers["owner"], []
    for text in drawn(testdata, long):
        heard = len(eva.heard)
        said = {"client_message_id": fresh_id(), "conversation": side.conversation}
        await eva.connection.receive(json.dumps({"type": "post", "text": text} | said))
        await town.settled(eva, heard)
        answer = eva.heard[heard]
        if not sendable(text) or "\0" in text or not shows_something(text):
            assert answer["type"] == "error", text
            assert answer["code"] in ("malformed", "empty")
            continue
        assert answer["type"] == "ack", (text, answer)
        kept.append((answer["seq"], text))
    assert len(kept) > SAMPLE
    texts = await told(owner, f"/api/v1/conversations/{side.conversation}/events")
    assert [(seq, texts[seq]) for seq, _ in kept] == kept
    mine = town.browser(Authorization=f"Bearer {side.visitors['eva']}")
    texts = await told(mine, f"/api/v1/visitor/conversations/{side.conversation}/events")
    assert [(seq, texts[seq]) for seq, _ in kept] == kept
    await lists_can_be_read(town, side)
    eva.connection.leave()


async def told(browser, path):
    """Texts of all messages by seq, as HTTP tells them."""
    texts, after = {}, 0
    while True:
        page = (await browser.get(f"{path}?after={after}&limit=200")).json()
        texts |= {
            e["seq"]: e["data"]["text"] for e in page["data"] if "text" in (e.get("data") or {})
        }
        if not page["data"]:
            return texts
        after = page["data"][-1]["seq"]


async def lists_can_be_read(town, side):
    """Whatever was written, what shows it still answers, in UTF-8 and in JSON."""
    mine = town.browser(Authorization=f"Bearer {side.visitors['eva']}")
    doors = [
        (side.browsers["owner"], "conversations?view=open"),
        (side.browsers["owner"], "conversations?view=closed"),
        (side.browsers["owner"], f"conversations/{side.conversation}/visitor"),
        (side.browsers["owner"], "tags"),
        (side.browsers["owner"], f"visitors/{side.visitor_id}/export"),
        (mine, "visitor/conversations"),
        (mine, f"visitor/conversations/{side.conversation}/transcript"),
    ]
    for browser, path in doors:
        while (answer := await browser.get(f"/api/v1/{path}")).status_code == 429:  # noqa: ASYNC110
            # As a client is told to.
            await asyncio.sleep(answer.json()["retry_after_ms"] / 1_000)
        assert answer.status_code == 200, (path, answer.text[:300])
        for said in written(answer.content):
            said.decode("utf-8", "strict")


def written(content):
    """The texts in an answer, which may be an archive."""
    if not content.startswith(b"PK"):
        return [content]
    archive = zipfile.ZipFile(io.BytesIO(content))
    return [archive.read(name) for name in archive.namelist() if name.endswith((".json", ".txt"))]


def writes(side):
    """(who, verb, path, body) of every text that goes over HTTP."""
    talk = f"/api/v1/conversations/{side.conversation}"
    own = f"/api/v1/visitor/conversations/{side.conversation}"

    def message(text):
        return {"client_message_id": fresh_id(), "text": text}

    return [
        ("eva", "POST", "/api/v1/visitor/messages", lambda s: message(s) | {"conversation": side.conversation}),
        ("eva", "POST", "/api/v1/visitor/messages", lambda s: message("x") | {"conversation": s}),
        ("eva", "POST", "/api/v1/visitor/messages", lambda s: message("x") | {"client_message_id": s}),
        ("eva", "POST", "/api/v1/visitor/messages", lambda s: message("x") | {"files": [s]}),
        ("eva", "PUT", "/api/v1/visitor/identity", lambda s: {"name": s}),
        ("eva", "PUT", "/api/v1/visitor/identity", lambda s: {"email": s}),
        ("eva", "PUT", "/api/v1/visitor/identity", lambda s: {"email": f"{s[:40]}@x.example"}),
        ("eva", "PUT", "/api/v1/visitor/identity", lambda s: {"token": s}),
        ("eva", "PUT", "/api/v1/visitor/attributes", lambda s: {"attributes": {"plan": s}}),
        ("eva", "PUT", "/api/v1/visitor/attributes", lambda s: {"attributes": {s: [{s: s}]}}),
        ("eva", "POST", "/api/v1/visitor/events", lambda s: {"name": s, "detail": {s: [s]}}),
        ("eva", "PUT", f"{own}/rating", lambda s: {"score": 3, "comment": s}),
        ("eva", "PUT", f"{own}/rating", lambda s: {"score": s}),
        ("owner", "POST", f"{talk}/messages", message),
        ("owner", "POST", f"{talk}/notes", message),
        ("owner", "PUT", f"{talk}/assignment", lambda s: {"agent": s}),
        ("owner", "PUT", f"{talk}/assignment", lambda s: {"from": s}),
        ("owner", "PATCH", "/api/v1/session/agent", lambda s: {"name": s}),
        ("owner", "PATCH", "/api/v1/session/agent", lambda s: {"settings": {s: [s]}}),
        ("owner", "PATCH", "/api/v1/session/agent", lambda s: {"password": s, "current_password": s}),
    ]  # fmt: skip


@pytest.mark.parametrize("long", LONG)
async def test_no_text_makes_the_server_fail(town, testdata, long):
    side = town.sides["noord"]
    browsers = side.browsers | {"eva": town.browser(Authorization=f"Bearer {side.visitors['eva']}")}
    strings = drawn(testdata, long) if long else drawn(testdata, long)[::3]
    for text in [*strings, "x" * 17_000, "é" * 60_000]:
        for who, verb, path, body in writes(side):
            if "password" in body("x") and len(text) > 200:
                continue
            answer = await browsers[who].request(verb, path, **as_body(**body(text)))
            expected(answer, path, text)
        for who, verb, path in paths(side, text):
            expected(await browsers[who].request(verb, path), path, text)
    await lists_can_be_read(town, side)
    names_are_clean(await shown_names(side))


def expected(answer, path, text):
    """A good answer, or a refusal that a program can read."""
    assert answer.status_code < 500, (path, text[:80], answer.text[:300])
    if answer.status_code >= 400:
        assert answer.json()["code"] in CODES | {"taken", "wrong_password"}, (path, answer.text)


def paths(side, text):
    """Texts in addresses: labels, ids, questions."""
    raw = quote(text[:300].encode("utf-8", "surrogatepass"), safe="")
    talk = f"/api/v1/conversations/{side.conversation}"
    yield "owner", "PUT", f"{talk}/tags/{raw}"
    yield "owner", "DELETE", f"{talk}/tags/{raw}"
    yield "owner", "GET", f"/api/v1/conversations/{raw}"
    yield "owner", "GET", f"/api/v1/conversations?view={raw}"
    yield "owner", "GET", f"/api/v1/conversations?view=closed&cursor={raw}"
    yield "owner", "GET", f"{talk}/events?after={raw}&limit={raw}"
    yield "owner", "GET", f"/api/v1/visitors/{raw}/export"
    yield "owner", "GET", f"/api/v1/files/{raw}"
    yield "owner", "GET", f"/api/v1/sites/{raw}"
    yield "owner", "DELETE", f"/api/v1/sites/{side.site.id}/keys/{raw}"
    yield "owner", "DELETE", f"/api/v1/sessions/{raw}"
    yield (
        "eva",
        "GET",
        f"/api/v1/visitor/conversations/{side.conversation}/transcript?language={raw}",
    )
    yield "eva", "GET", f"/api/v1/visitor/conversations/{raw}/events"


async def shown_names(side):
    row = (await side.browsers["owner"].get(f"/api/v1/conversations/{side.conversation}")).json()
    agents = (await side.browsers["owner"].get("/api/v1/agents")).json()["data"]
    return [row["visitor"].get("name") or "x", *row.get("tags", []), *(a["name"] for a in agents)]


def names_are_clean(names):
    for name in names:
        assert name.strip() == name
        assert name
        assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in name), name
        assert not set(name) & set("\u202e\u202d\u2066\u200f")


@pytest.mark.parametrize("half", [*HALVES, *NULS])
async def test_what_is_no_text_is_refused_where_it_counts(town, half):
    side = town.sides["noord"]
    eva = town.browser(Authorization=f"Bearer {side.visitors['eva']}")
    head = f'{{"client_message_id":"{fresh_id()}","conversation":"{side.conversation}","text":'
    typed = {"Content-Type": "application/json"}
    body = head + half + "}"
    answer = await eva.post("/api/v1/visitor/messages", content=body, headers=typed)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == "malformed"
    for name, path in (("name", "identity"), ("email", "identity"), ("token", "identity")):
        answer = await eva.put(
            f"/api/v1/visitor/{path}", content=f'{{"{name}":{half}}}', headers=typed
        )
        assert answer.status_code < 500
    line = await town.visitor_socket(side, "eva")
    for kind in (body[:-1] + ',"type":"post"}', f'{{"type":"page","url":{half},"title":{half}}}'):
        await line.connection.receive(kind)
        await asyncio.sleep(0.01)
    assert "ack" not in line.kinds()
    refused = next(frame for frame in line.heard if frame["type"] == "error")
    assert refused["code"] == "malformed"
    # Who sends until he hears must hear which one it was.
    assert refused["ref"] == json.loads(head + '""}')["client_message_id"]
    line.connection.leave()
    await lists_can_be_read(town, side)


@pytest.mark.parametrize("long", LONG)
async def test_a_page_and_a_hello_may_hold_any_text(town, testdata, long):
    side = town.sides["noord"]
    owner = side.browsers["owner"]
    for text in drawn(testdata, long):
        page = {"url": text[:2_000], "title": text[:300], "referrer": text[:2_000]}
        hello = {"page": page, "language": text[:35], "time_zone": text[:64], "client": text[:300]}
        line = await town.visitor_socket(side, "mo", **hello)
        if not sendable(text):
            assert line.ended == 4400
            continue
        assert line.kinds()[0] == "welcome", text
        heard = len(line.heard)
        said = {"client_message_id": fresh_id(), "conversation": None, "text": "hallo"}
        await line.say(type="post", **said)
        await town.settled(line, heard)
        ack = next(frame for frame in line.heard[heard:] if frame["type"] == "ack")
        await line.say(type="page", url=text[:2_000], title=text[:300])
        answer = await owner.get(f"/api/v1/conversations/{ack['conversation']}/visitor")
        assert answer.status_code == 200, (text, answer.text[:300])
        json.loads(answer.content.decode("utf-8", "strict"))
        line.connection.leave()
        del line.connection
    await lists_can_be_read(town, side)


@pytest.mark.parametrize("number", NUMBERS)
async def test_odd_numbers_are_refused(town, number):
    side = town.sides["noord"]
    eva = town.browser(Authorization=f"Bearer {side.visitors['eva']}")
    talk = f"conversations/{side.conversation}"
    for browser, path in ((side.browsers["owner"], talk), (eva, f"visitor/{talk}")):
        for name in ("after", "before", "limit"):
            answer = await browser.get(f"/api/v1/{path}/events", params={name: number})
            expected(answer, name, number)
    answer = await side.browsers["owner"].get("/api/v1/conversations", params={"limit": number})
    expected(answer, "limit", number)
    for body in (f'{{"score":{number}}}', f'{{"score":3,"comment":{number}}}'):
        path = f"/api/v1/visitor/{talk}/rating"
        typed = {"Content-Type": "application/json"}
        expected(await eva.put(path, content=body.encode(), headers=typed), path, number)
    line = await town.visitor_socket(side, "eva")
    for frame in (
        f'{{"type":"resume","conversation":"{side.conversation}","last_seq":{number}}}',
        f'{{"type":"mark","conversation":"{side.conversation}","read":{number},"delivered":{number}}}',
    ):
        await line.connection.receive(frame)
    await asyncio.sleep(0.05)
    assert line.ended is None
    line.connection.leave()
