"""Who may knock: a list of origins, compared letter by letter, at every door that a page can reach."""

import asyncio

import httpx
from tests.people import Agent
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

SETTINGS = {"BALIE_CONNECTION_BURST": "10000", "BALIE_CONNECTIONS_PER_MINUTE": "100000"}


def lookalikes(origin):
    """What resembles an origin and is none: each a list of Origin headers."""
    scheme, _, place = origin.partition("://")
    host, _, port = place.partition(":")
    other = "https" if scheme == "http" else "http"
    single = [
        "null",
        "",
        "*",
        f"{origin}.evil.example",
        f"{scheme}://evil.{place}",
        f"{scheme}://evil{place}",
        f"{scheme}://{host}evil:{port}",
        f"{scheme}://{host}.:{port}",
        f"{scheme}://{host}",
        f"{scheme}://{host}:{port}0",
        f"{scheme}://{host}:0{port}",
        f"{scheme}://{host}:{int(port) + 1}",
        f"{other}://{place}",
        f"{scheme}:{place}",
        f"{scheme}:/{place}",
        f"//{place}",
        place,
        f"{origin}/",
        f"{origin}/path",
        f"{origin}?x",
        f"{origin}#x",
        f"{origin}\\@evil.example",
        f"{origin}@evil.example",
        f"{scheme}://user@{place}",
        f"{scheme}://evil.example/{origin}",
        f"{scheme}://evil.example#{origin}",
        origin.upper(),
        f"{scheme}://{host.title()}:{port}",
        f"{origin}, {scheme}://evil.example",
        f"{origin} {scheme}://evil.example",
        f"{scheme}://{host.replace('o', chr(0xF3), 1)}:{port}",
        f"{scheme}://xn--{host}:{port}",
        f"file://{place}",
        f"chrome-extension://{place}",
    ]
    twice = [[origin, f"{scheme}://evil.example"], [f"{scheme}://evil.example", origin]]
    return [[each] for each in single] + twice


def headers_of(origins):
    return [("Origin", each.encode()) for each in origins]


async def test_the_list_holds_what_it_should(demo):
    tricks = lookalikes(demo.shop)
    assert len(tricks) >= 30
    assert [demo.shop] not in tricks
    assert len({tuple(each) for each in tricks}) == len(tricks)


async def test_a_launcher_is_answered_on_pages_of_the_site_alone(demo):
    path = f"/api/v1/sites/{demo.site}/state"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        for own in (demo.shop, demo.url):
            answer = await http.get(path, headers={"Origin": own})
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == own
            assert "access-control-allow-credentials" not in answer.headers
        for origins in lookalikes(demo.shop):
            answer = await http.get(path, headers=headers_of(origins))
            if origins != [""]:
                assert answer.status_code == 403, origins
            assert "access-control-allow-origin" not in answer.headers, origins


async def test_a_preflight_promises_only_what_visitors_use_and_only_to_their_site(demo):
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-file-name",
    }
    visitors = ("/api/v1/files", "/sse/visitor", "/api/v1/visitor/messages")
    agents = ("/api/v1/session", "/api/v1/conversations", "/sse/agent")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        for path in visitors + agents:
            for origin in (demo.shop, *ascii_lookalikes(demo.shop)):
                answer = await http.request("OPTIONS", path, headers={"Origin": origin, **asks})
                told = answer.headers.get("access-control-allow-origin")
                mine = origin == demo.shop and path in visitors
                assert told == (demo.shop if mine else None), (path, origin)
                assert "access-control-allow-credentials" not in answer.headers


def ascii_lookalikes(origin):
    """Those that a header of one line can hold."""
    return [each[0] for each in lookalikes(origin) if each and str(each[0]).isascii()]


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


async def handshake(demo, kind, headers):
    """The status of a refused handshake, or the open socket."""
    url = f"ws://127.0.0.1:{demo.port}/ws/{kind}"
    try:
        texts = [(name, _text(value)) for name, value in headers]
        return await connect(url, additional_headers=texts, compression=None)
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_visitors_socket_opens_on_pages_of_the_site_alone(demo):
    async def close_code(origins):
        socket = await handshake(demo, "visitor", headers_of(origins))
        if isinstance(socket, int):
            return socket
        await socket.send(f'{{"type":"hello","site":"{demo.site}"}}')
        try:
            heard = await asyncio.wait_for(socket.recv(), 5)
        except ConnectionClosed:
            return socket.close_code
        await socket.close()
        return "welcome" if '"welcome"' in heard else heard

    for own in (demo.shop, demo.url):
        assert await close_code([own]) == "welcome"
    assert await close_code([]) == 403
    for origins in lookalikes(demo.shop):
        assert await close_code(origins) in (400, 403, 4403), origins


async def test_an_agents_socket_opens_on_balies_own_pages_alone(demo):
    tom = await Agent(demo, demo.logins[0]).sign_in()
    cookies = "; ".join(f"{name}={value}" for name, value in tom.http.cookies.items())
    for origins in [[], [demo.shop], *lookalikes(demo.url)]:
        headers = [*headers_of(origins), ("Cookie", cookies)]
        assert await handshake(demo, "agent", headers) == 403, origins
    await tom.leave()


async def test_a_stream_opens_where_a_socket_would(demo):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}", timeout=5) as http:
        for origins in lookalikes(demo.shop):
            hello = {"type": "hello", "site": demo.site}
            async with http.stream(
                "POST", "/sse/visitor", json=hello, headers=headers_of(origins)
            ) as answer:
                said = "".join([chunk async for chunk in answer.aiter_text()])
            refused = answer.status_code == 403 or '"code":4403' in said
            assert refused, (origins, answer.status_code, said)
            assert "welcome" not in said
            assert "access-control-allow-origin" not in answer.headers
        for origins in [[], [demo.shop], *lookalikes(demo.url)]:
            answer = await http.post(
                "/sse/agent", json={"type": "hello", "ticket": "x"}, headers=headers_of(origins)
            )
            assert answer.status_code == 403, origins


async def test_nothing_is_written_for_a_page_of_others(demo):
    """Neither with the cookie of an agent nor with the token of a visitor."""
    tom = await Agent(demo, demo.logins[0]).sign_in()
    cookies = "; ".join(f"{name}={value}" for name, value in tom.http.cookies.items())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        for origins in [[demo.shop], *lookalikes(demo.url)]:
            mine = [*headers_of(origins), ("Cookie", cookies)]
            answer = await http.patch("/api/v1/session/agent", json={"name": "X"}, headers=mine)
            assert answer.status_code == 403, origins
            if origins == [""]:
                continue
            theirs = [*headers_of(origins), ("Authorization", "Bearer x.y")]
            answer = await http.put("/api/v1/visitor/identity", json={"name": "X"}, headers=theirs)
            assert answer.status_code in (401, 403), origins
    await tom.leave()


async def test_only_the_sites_own_pages_may_frame_the_panel(demo):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{demo.port}") as http:
        panel = await http.get(f"/widget/{demo.site}")
        assert f"frame-ancestors 'self' {demo.shop}" in panel.headers["content-security-policy"]
        for path in ("/app", "/", "/api/v1/session", f"/api/v1/sites/{demo.site}/state"):
            policy = (await http.get(path)).headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy, path
        chat = await http.get(f"/chat/{demo.site}")
        assert "frame-ancestors 'self'" in chat.headers["content-security-policy"]
        assert demo.shop not in chat.headers["content-security-policy"]
