"""HTTP as attackers speak it: lengths that lie, hosts that are not ours, ways out, reads that write."""

import asyncio
import json
import re

import httpx
import pytest
from tests.people import Agent, Demo, fresh_id, visitor
from tests.places import Place, everything

EVIL = "evil.example"


SETTINGS = {"BALIE_CONNECTION_BURST": "10000", "BALIE_CONNECTIONS_PER_MINUTE": "100000"}


@pytest.fixture
async def tom(demo):
    agent = await Agent(demo, demo.logins[0]).sign_in()
    yield agent
    await agent.leave()


async def raw(demo, content, wait=3.0):
    """What the server says to these bytes, until it closes or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    writer.write(content)
    heard = b""
    try:
        async with asyncio.timeout(wait):
            while piece := await reader.read(65_536):
                heard += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return heard


def statuses(heard):
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", heard)]


async def alive(demo):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        return (await http.get("/healthz")).status_code == 200


GARBAGE = {
    "nothing but noise": b"\x00\xff\xfe\x16\x03\x01\x02\x00" * 50,
    "tls": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(150),
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50),
    "an unknown verb": b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "version 9": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "an address with spaces": b"GET /a b c HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address of raw bytes": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a proxy's address": b"GET http://evil.example HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a name with a space": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "a bare return": b"GET / HTTP/1.1\rHost: x\r\r",
    "a NUL": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "a length that is no number": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "a length below zero": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length with a sign": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n{}",
    "a length beyond all": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a length and chunks": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/stolen HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunks of another name": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /api/v1/stolen HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunks that are not last": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\nGET /api/v1/stolen HTTP/1.1\r\nHost: x\r\n\r\n",
    "a chunk of a size that is none": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a giant chunk": b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n",
    "an upgrade to something": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "a socket's handshake with POST": b"POST /ws/visitor HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a socket's handshake without a key": b"GET /ws/visitor HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a socket's handshake of another age": b"GET /ws/visitor HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}


async def test_what_is_no_http_is_refused_and_hurts_nobody(demo):
    heard = dict(
        zip(
            GARBAGE,
            await asyncio.gather(*(raw(demo, each) for each in GARBAGE.values())),
            strict=True,
        )
    )
    for name, said in heard.items():
        found = statuses(said)
        assert all(200 <= each < 500 for each in found), (name, said[:200])
        assert len(found) <= 1, (name, said[:300])
        assert b"Traceback" not in said
    for name in GARBAGE:
        if "chunk" in name or "length" in name:
            assert statuses(heard[name]) in ([400], [401], [403], [413], []), name
    assert await alive(demo)


async def test_requests_in_one_breath_are_answered_one_by_one(demo):
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    heard = await raw(demo, ask * 200 + last, wait=10)
    assert statuses(heard) == [200] * 201
    assert heard.endswith(b"ready")
    heard = await raw(demo, ask + b"\x00\x01garbage\r\n\r\n" + ask)
    assert statuses(heard)[:2] in ([200, 400], [400])
    assert await alive(demo)


async def test_a_flood_of_headers_is_refused(demo):
    begin = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    fine = begin + b"X: " + b"a" * 16_000 + b"\r\nConnection: close\r\n\r\n"
    assert statuses(await raw(demo, fine)) == [200]
    for flood in (
        begin + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        begin + b"X: a\r\n" * 5_000 + b"\r\n",
        begin + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(500)) + b"\r\n",
        begin + b"Cookie: " + b"balie=x; " * 8_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        assert statuses(await raw(demo, flood)) in ([431], [])
    assert await alive(demo)


# Hosts and ways out.


def every_page(demo):
    return ["/", "/app", "/app/settings", f"/widget/{demo.site}", f"/chat/{demo.site}", "/balie.js",
        "/balie-panel.js", "/api/openapi.json", f"/api/v1/sites/{demo.site}/state", "/nothing"]  # fmt: skip


async def test_no_answer_is_made_from_the_hosts_name(demo, tom):
    for host in (EVIL, f"{EVIL}:{demo.port}", "localhost.evil.example", "localhost@evil.example",
        "xshop.localhost", "shop.localhost.evil.example", "[::1", "", "a" * 5_000):  # fmt: skip
        for name in (
            "Host",
            "X-Forwarded-Host",
            "X-Host",
            "Forwarded",
            "X-Original-URL",
            "X-Rewrite-URL",
        ):
            value = f"host={host}" if name == "Forwarded" else host
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
                for path in every_page(demo):
                    answer = await http.get(path, headers={name: value})
                    assert EVIL not in answer.text, (path, name)
                    assert EVIL not in str(answer.headers), (path, name)
                    assert answer.status_code < 400 or path == "/nothing", (path, name, host)
                    assert not answer.is_redirect
    # A link that is handed out names Balie's own address, whatever the request called it.
    person = {"name": "X", "email": f"{fresh_id()}@x.example", "role": "agent"}
    headers = {"Host": EVIL, "X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https"}
    made = await tom.http.post("/api/v1/agents", json=person, headers=headers)
    assert made.status_code == 201
    assert EVIL not in made.text
    assert demo.url in made.text


async def test_two_hosts_reach_no_more_than_one(demo):
    both = f"GET /app HTTP/1.1\r\nHost: shop.localhost\r\nHost: {EVIL}\r\nConnection: close\r\n\r\n"
    heard = await raw(demo, both.encode())
    assert statuses(heard)[0] < 500
    assert EVIL.encode() not in heard


WAYS_OUT = ["https://evil.example", "//evil.example", "/\\evil.example", "https:evil.example",
    "///evil.example/%2f..", "https://localhost@evil.example", "javascript:alert(1)",
    "%0d%0aLocation:%20https://evil.example", "/%09/evil.example", "http://[::1]@evil.example"]  # fmt: skip


async def test_there_is_no_way_out(demo, tom):
    """Nothing here redirects, so nothing redirects to where somebody wishes."""
    for way in WAYS_OUT:
        for name in ("next", "return_to", "redirect", "url", "continue", "dest", "r", "goto"):
            for path in (
                "/",
                "/app",
                f"/chat/{demo.site}",
                f"/widget/{demo.site}",
                "/api/v1/session",
            ):
                answer = await tom.http.get(path, params={name: way})
                assert answer.status_code == 200
                assert "location" not in answer.headers
                assert "refresh" not in answer.headers
                assert EVIL not in answer.text
    for path in (
        "//evil.example",
        "//evil.example/..",
        "/%2f/evil.example",
        "/\\evil.example",
        "/app//evil.example",
    ):
        heard = await raw(
            demo, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert b"\r\nlocation:" not in heard.lower(), path
        assert statuses(heard)[0] in (200, 400, 404), path


# Reads that would write.


def stored(demo):
    """All that is in the store, and in the folder of files."""
    place = Place(demo.folder, demo.database)
    found = everything(place.open())
    place.close()
    # When a session was last used is a fact about the reading itself.
    found.pop("sessions", None)
    # What processes do by themselves.
    for name in ("notices", "cursors"):
        found.pop(name)
    return found, sorted(str(each) for each in (demo.folder / "files").rglob("*"))


def real(path, ids):
    parts = (
        ids.get(p[1:].partition(":")[0], "x") if p.startswith("{") else p for p in path.split("/")
    )
    return "/".join(parts)


async def routes(demo):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        told = (await http.get("/api/openapi.json")).json()
    return {
        (verb.upper(), path) for path, verbs in told["paths"].items() for verb in verbs
        if verb in ("get", "put", "post", "patch", "delete")
    }  # fmt: skip


async def test_a_get_with_the_cookie_changes_nothing(demo, tom):
    eva = await visitor(demo).open()
    ack = await eva.post("hallo")
    await eva.close()
    sites = (await tom.http.get("/api/v1/sites")).json()["data"]
    agents = (await tom.http.get("/api/v1/agents")).json()["data"]
    ids = {"conversation_id": ack["conversation"], "site_id": sites[0]["id"], "key": demo.site}
    ids |= {"agent_id": agents[-1]["id"], "kid": sites[0]["keys"][0]["kid"], "tag": "x"}
    ids |= {"visitor_id": eva.welcome["visitor"]["id"]}
    doors = await routes(demo)
    assert len(doors) > 40
    before, tried = stored(demo), 0
    params = {
        "_method": "DELETE",
        "name": "EVIL",
        "disabled": "true",
        "role": "owner",
        "tag": "EVIL",
    }
    override = dict.fromkeys(
        ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), "DELETE"
    )
    for _, path in doors:
        for verb in ("GET", "HEAD", "OPTIONS"):
            answer = await tom.http.request(verb, real(path, ids), params=params, headers=override)
            assert answer.status_code < 500, (verb, path)
            tried += 1
    assert tried > 100
    assert stored(demo) == before


async def test_a_verb_is_what_the_request_line_says(demo, tom):
    """A header or field that names another verb is nobody's command."""
    site = (await tom.http.get("/api/v1/sites")).json()["data"][0]
    kid = site["keys"][0]["kid"]
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for verb in ("POST", "GET", "PUT"):
            answer = await tom.http.request(
                verb, f"/api/v1/sites/{site['id']}/keys/{kid}", headers={name: "DELETE"}
            )
            assert answer.status_code in (405, 404), (name, verb)
    form = {"_method": "DELETE"}
    answer = await tom.http.post(f"/api/v1/sites/{site['id']}/keys/{kid}", data=form)
    assert answer.status_code in (405, 404, 415)
    assert (await tom.http.get(f"/api/v1/sites/{site['id']}")).json()["keys"][0]["kid"] == kid


# Secrets in places where they are read by others.


async def test_no_token_is_told_where_it_does_not_belong(tmp_path, capfd):
    """Not in the log, not in an address, not in a page, not to anybody else."""
    demo = Demo(tmp_path / "data", settings={"BALIE_LOG_LEVEL": "debug"}).start()
    tom = await Agent(demo, demo.logins[0]).sign_in()
    eva = await visitor(demo).open()
    ack = await eva.post("hallo, mijn code is CANARY-IN-A-MESSAGE")
    secrets = {
        "visitor": eva.welcome["visitor"]["token"],
        "session": next(iter(tom.http.cookies.values())),
        "password": demo.logins[0]["password"],
        "ticket": (await tom.http.post("/api/v1/socket-tickets")).json()["ticket"],
        "stream": eva.welcome["session"],
    }
    spoilt = [value[:-2] + "xx" for value in secrets.values()]
    told = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        for value in spoilt:
            cookie, bearer = {"Cookie": f"balie={value}"}, {"Authorization": f"Bearer {value}"}
            login = {"email": "x@y.nl", "password": value}
            told.append(await http.get("/api/v1/session", headers=cookie))
            told.append(await http.get("/api/v1/visitor/conversations", headers=bearer))
            told.append(await http.post(f"/sse/sessions/{value}", json=[]))
            told.append(
                await http.post("/api/v1/session", json=login, headers={"Origin": demo.url})
            )
        told += [await http.get(path) for path in every_page(demo)]
    talk = f"conversations/{ack['conversation']}"
    rooms = ("session", "sessions", "agents", "sites", "conversations")
    for path in (*rooms, talk, f"{talk}/events", f"{talk}/visitor"):
        told.append(await tom.http.get(f"/api/v1/{path}"))
    await eva.send("{nonsense")
    await eva.send({"type": "post", "text": 7, "client_message_id": secrets["visitor"]})
    for answer in told:
        for name, value in [*secrets.items(), *((v, v) for v in spoilt)]:
            assert value not in answer.text, (name, answer.url)
            assert value not in json.dumps(dict(answer.headers)), (name, answer.url)
    await eva.close()
    await tom.leave()
    demo.stop()
    logged = "".join(capfd.readouterr())
    for name, value in [*secrets.items(), *((v, v) for v in spoilt)]:
        assert value not in logged.replace(json.dumps(demo.told), ""), name
    assert "CANARY-IN-A-MESSAGE" not in logged
    assert "x@y.nl" not in logged
