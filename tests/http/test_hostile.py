"""Hostile bodies and strings at every door: 4xx or a good answer, never a 5xx."""

import json

import pytest

from balie.edge.policy import route_policies

UNSAFE = {"POST", "PUT", "PATCH"}
TYPED = {"Content-Type": "application/json"}


async def doors(office):
    """Every door that takes JSON, with real ids, and the owner who may pass them all."""
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    tom = await office.hire(begun, "Tom")
    ids = {"site_id": begun.site.id, "agent_id": tom.id, "token": "x", "key": begun.site.key}

    def real(path):
        parts = path.split("/")
        return "/".join(
            ids.get(p[1:-1].partition(":")[0], "x") if p.startswith("{") else p for p in parts
        )

    found = [
        (verb, real(path))
        for verb, path in route_policies(office.app.routes)
        if verb in UNSAFE and not path.endswith("/picture")
    ]
    return owner, found


async def test_hostile_json(office, testdata):
    owner, found = await doors(office)
    files = sorted((testdata / "badinput" / "json").glob("*.json"))
    assert len(files) > 50
    tried = 0
    for file in files:
        body = file.read_bytes()
        for verb, path in found:
            answer = await owner.request(verb, path, content=body, headers=TYPED)
            assert answer.status_code < 500, (file.name, verb, path, answer.text)
            if (
                file.name.startswith("n_")
                and body
                and not path.endswith(("-tickets", "/invitation"))
            ):
                assert answer.status_code >= 400, (file.name, verb, path)
            tried += 1
    assert tried > 500


FIELDS = [
    ("PATCH", "/api/v1/organisation", lambda s: {"name": s}),
    ("POST", "/api/v1/sites", lambda s: {"name": s}),
    ("POST", "/api/v1/sites", lambda s: {"name": "x", "origins": [s]}),
    ("POST", "/api/v1/sites", lambda s: {"name": "x", "texts": {"nl": {"greeting": s}}}),
    ("POST", "/api/v1/sites", lambda s: {"name": "x", "look": {"accent": s}}),
    ("POST", "/api/v1/agents", lambda s: {"name": s, "email": "x@y.example"}),
    ("POST", "/api/v1/agents", lambda s: {"name": "x", "email": s}),
    ("PATCH", "/api/v1/session/agent", lambda s: {"name": s, "settings": {s: s}}),
    ("POST", "/api/v1/session", lambda s: {"email": s, "password": s}),
    ("GET", "/api/v1/sites/{}/state", None),
    ("GET", "/api/v1/invitations/{}", None),
    ("GET", "/widget/{}", None),
    ("GET", "/chat/x?language={}", None),
    ("GET", "/assets/{}", None),
    ("GET", "/app/{}", None),
]


def encoded(body):
    """JSON as a hostile client writes it: lone surrogates and all."""
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "most", [40, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
@pytest.mark.parametrize("corpus", ["blns/blns.json", "unicode.json", "xss/strings.txt"])
async def test_naughty_strings(office, testdata, corpus, most):
    owner = await office.enter((await office.begin()).owner)
    strings = read_strings(testdata / "badinput" / corpus)
    assert len(strings) > 30
    strings = strings[:: max(1, len(strings) // most)]
    for text in strings:
        for verb, path, body in FIELDS:
            if body is None:
                quoted = "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
                answer = await owner.get(path.format(quoted[:6_000]))
                # 503: the screens are not built here.
                assert answer.status_code < 500 or answer.status_code == 503, (path, text)
            else:
                answer = await owner.request(verb, path, content=encoded(body(text)), headers=TYPED)
                assert answer.status_code < 500, (path, text, answer.text)
    # What went in comes out as text, whole and parseable.
    for path in ("organisation", "sites", "agents", "session"):
        answer = await owner.get(f"/api/v1/{path}")
        assert answer.status_code == 200
        json.loads(answer.content.decode("utf-8", "strict"))


def read_strings(path):
    text = path.read_text("utf-8", errors="surrogateescape")
    if path.suffix == ".txt":
        return [line for line in text.splitlines() if line]
    return [item["text"] if isinstance(item, dict) else item for item in json.loads(text)]


async def test_headers_of_any_kind(office):
    await office.begin()
    for value in ("\xff\xfe", "a" * 20_000, "balie=\x7f; balie=x", 'balie="', "=;=;", "balie=%00"):
        raw = value.encode("latin-1")
        for name in (
            b"cookie",
            b"authorization",
            b"accept-language",
            b"if-none-match",
            b"user-agent",
        ):
            browser = office.browser()
            for path in ("/api/v1/session", "/", "/chat/x", "/healthz"):
                answer = await browser.get(path, headers=[(name, raw)])
                assert answer.status_code < 500, (name, value[:20], path)
