"""The gate before every route: generated from the table of routes, so that no route is forgotten."""

import json

import pytest
from litestar import get, post
from tests.office import ORIGIN, open_office

from balie.edge.policy import Policy, UndeclaredError, route_policies
from balie.http.routes import build_http

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
ROLES = (None, "agent", "admin", "owner")
THROUGH = {
    Policy.PUBLIC: set(ROLES),
    Policy.VISITOR: set(),
    Policy.SIGNED_IN: {"agent", "admin", "owner"},
    Policy.AGENT: {"agent", "admin", "owner"},
    Policy.ADMIN: {"admin", "owner"},
    Policy.OWNER: {"owner"},
    Policy.OPERATOR: set(),
}


def table(office):
    return sorted(route_policies(office.app.routes).items())


def address(path):
    """A path with made-up values for its parameters."""
    return "/".join("made-up" if part.startswith("{") else part for part in path.split("/"))


async def test_a_route_without_a_policy_stops_the_server(office):
    @get("/api/v1/forgotten")
    async def forgotten() -> None: ...

    office.deps.routers = [forgotten]
    with pytest.raises(UndeclaredError, match="GET /api/v1/forgotten"):
        build_http(office.deps)


async def test_who_gets_through_which_door(office):
    """Whoever may not is told 401 or 403; whoever may gets any other answer, never a 5xx."""
    begun = await office.begin()
    browsers = {
        None: office.browser(),
        "agent": await office.enter(await office.hire(begun, "Tom")),
        "admin": await office.enter(await office.hire(begun, "Bea", "admin")),
        "owner": await office.enter(begun.owner),
    }
    wrong = []
    for (verb, path), policy in table(office):
        # Signing out would end the test; whose picture one may set depends on whose it is.
        if (verb, path) == ("DELETE", "/api/v1/session") or path.endswith("/picture"):
            continue
        for role, browser in browsers.items():
            answer = await browser.request(verb, address(path), json={} if verb in UNSAFE else None)
            refused = answer.status_code in (401, 403)
            expected = role not in THROUGH[policy]
            if refused != expected or (answer.status_code >= 500 and path.startswith("/api")):
                wrong.append((verb, path, role, answer.status_code))
    assert wrong == []


FOREIGN = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": ORIGIN + ".evil.example"},
    {"Origin": ORIGIN.replace("8000", "8001"), "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin"},
    {},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_no_page_of_others_does_anything_with_the_cookie(office, headers):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    token = owner.cookies["balie"]
    stranger = office.browser(Cookie=f"balie={token}")
    for name in ("origin", "sec-fetch-site"):
        del stranger.headers[name]
    tried = 0
    for (verb, path), _ in table(office):
        if verb not in UNSAFE:
            continue
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            answer = await stranger.request(
                verb, address(path), content=b"{}", headers=headers | {"Content-Type": kind}
            )
            assert answer.status_code == 403, (verb, path, kind)
            tried += 1
    assert tried > 30
    # All of it changed nothing.
    assert (await owner.get("/api/v1/session")).status_code == 200


async def test_a_form_is_not_json(office):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/msgpack",
        "",
    ):
        answer = await owner.post(
            "/api/v1/sites", content=b'{"name": "x"}', headers={"Content-Type": kind}
        )
        assert answer.status_code == 415, kind
        assert answer.json()["code"] == "unsupported_media_type"
    answer = await owner.post(
        "/api/v1/sites",
        content=b'{"name": "x"}',
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert answer.status_code == 201


async def test_every_answer_carries_its_guards(office):
    begun = await office.begin()
    owner = await office.enter(begun.owner)
    for (verb, path), _ in table(office):
        if verb != "GET":
            continue
        answer = await owner.get(address(path))
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "referrer-policy" in headers, path
        assert "frame-ancestors" in headers["content-security-policy"], path
        assert "unsafe-inline" not in headers["content-security-policy"], path
        assert "unsafe-eval" not in headers["content-security-policy"], path
        if path.startswith("/api/v1") and not path.endswith("/state"):
            assert headers["cache-control"] == "no-store", path


@pytest.mark.parametrize(
    ("verb", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("PUT", "/api/v1/session", 405, "method_not_allowed"),
        ("TRACE", "/api/v1/session", 405, "method_not_allowed"),
        ("GET", "/api/v1/session", 401, "unauthorised"),
        ("GET", "/" + "x" * 9_000, 404, "not_found"),
    ],
)
async def test_a_refusal_is_a_problem(office, verb, path, status, code):
    answer = await office.browser().request(verb, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() >= {"type", "title", "status", "code", "detail"}
    assert answer.json()["code"] == code


async def test_a_fault_tells_the_client_nothing_and_the_log_no_secret(office, capsys):
    @get("/api/v1/broken", opt={"policy": Policy.PUBLIC})
    async def broken() -> None:
        secret = "CANARY in a variable"
        raise RuntimeError("CANARY in words " + secret)

    office.deps.routers = [broken]
    office.app = build_http(office.deps)
    answer = await office.browser().get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "CANARY" not in answer.text
    assert "Traceback" not in answer.text
    said = "".join(capsys.readouterr())
    assert answer.json()["request_id"] in said
    assert "RuntimeError" in said
    # The line of the source is told, as text or as JSON, and nothing that was in it at the time.
    source = 'raise RuntimeError("CANARY in words " + secret)'
    assert "CANARY" not in said.replace('\\"', '"').replace(source, "")


async def test_a_body_is_at_most_64_kib(office):
    await office.begin()
    browser = office.browser()
    body = json.dumps({"email": "a@b.nl", "password": "x" * 70_000})
    headers = {"Content-Type": "application/json"}
    assert (await browser.post("/api/v1/session", content=body, headers=headers)).status_code == 413

    async def slowly():
        for _ in range(100):
            yield b" " * 1_000

    answer = await browser.post("/api/v1/session", content=slowly(), headers=headers)
    assert answer.status_code == 413


async def test_further_rooms_pass_the_same_gate(office):
    @post("/api/v1/thing", opt={"policy": Policy.VISITOR})
    async def thing() -> None: ...

    @post("/api/v1/anybody", opt={"policy": Policy.PUBLIC, "origin": "any", "body": "raw"})
    async def anybody() -> None: ...

    office.deps.routers = [thing, anybody]
    office.app = build_http(office.deps)
    foreign = office.browser(Origin="https://evil.example")
    assert (await foreign.post("/api/v1/thing")).status_code == 403
    assert (await office.browser().post("/api/v1/thing")).status_code == 401
    assert (await foreign.post("/api/v1/anybody", content=b"x")).status_code == 201


async def test_behind_https_the_browser_is_told_to_stay(tmp_path):
    async with open_office(tmp_path, origin="https://balie.example") as office:
        answer = await office.browser().get("/healthz")
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


async def test_health_and_readiness(office):
    assert (await office.browser().get("/healthz")).text == "ok"
    assert (await office.browser().get("/readyz")).status_code == 200
    office.ready = False
    answer = await office.browser().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
