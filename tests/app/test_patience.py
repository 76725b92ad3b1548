"""The web server lets go of clients that never finish what they say, or say too much of it."""

import asyncio
import contextlib
import socket
import time

import pytest
from uvicorn import Config, Server

from balie.app import patience
from balie.app.patience import PatientProtocol

MUCH = 32 * 2**20
"""More bytes than the kernel holds for a client."""


async def much(send):
    """Answers with MUCH, in pieces."""
    headers = [(b"content-length", str(MUCH).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    piece = bytes(2**18)
    for left in range(MUCH - len(piece), -1, -len(piece)):
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})


async def echo(scope, receive, send):
    """Answers with the size of the body, once all of it is there."""
    if scope["path"] == "/much":
        await much(send)
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port(monkeypatch):
    """A server with less patience than in life."""
    monkeypatch.setattr(patience, "HEAD_WITHIN", 0.4)
    monkeypatch.setattr(patience, "BODY_WITHIN", 0.4)
    monkeypatch.setattr(patience, "BODY_PACE", 100_000)
    monkeypatch.setattr(patience, "READ_WITHIN", 0.5)
    monkeypatch.setattr(patience, "LAST_WITHIN", 0.5)
    config = Config(echo, port=0, http=PatientProtocol, ws="none", lifespan="off", log_config=None)
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    begun = time.monotonic()
    server.should_exit = True
    await serving
    assert time.monotonic() - begun < 5


async def talk(port, *pieces, pause=0.0):
    """What the server says to these pieces, until it closes; and after how many seconds it did."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()

    async def say():
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    saying = asyncio.create_task(say())
    async with asyncio.timeout(10):
        try:
            heard = await reader.read()
        except ConnectionError:
            heard = b""
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    writer.close()
    return heard, time.monotonic() - begun


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "


async def test_a_good_request_is_answered(port):
    heard, _ = await talk(port, GET + b"Connection: close\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 200")
    heard, _ = await talk(port, POST + b"3\r\n\r\n", b"abc")
    assert heard.endswith(b"\r\n\r\n3")


async def test_who_says_nothing_is_let_go_in_silence(port):
    heard, after = await talk(port)
    assert heard == b""
    assert 0.3 < after < 5


async def test_a_head_that_never_ends_is_let_go(port):
    heard, after = await talk(port, GET, *[b"X-a: b\r\n"] * 1_000, pause=0.05)
    assert heard.startswith(b"HTTP/1.1 408")
    assert after < 5
    letters = [bytes([letter]) for letter in GET * 50]
    heard, after = await talk(port, *letters, pause=0.05)
    assert heard.startswith(b"HTTP/1.1 408")
    assert after < 5


async def test_empty_lines_are_no_sign_of_life(port):
    heard, after = await talk(port, *[b"\r\n"] * 1_000, pause=0.05)
    assert heard == b""
    assert after < 5
    asked = GET + b"\r\n"
    heard, after = await talk(port, asked, *[b"\r\n"] * 1_000, pause=0.05)
    assert heard.count(b"HTTP/1.1 200") == 1
    assert after < 5


@pytest.mark.parametrize(
    "coding", [b"Content-Length: 100000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
async def test_a_body_that_drips_is_let_go(port, coding):
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + coding
    drop = b"1\r\nx\r\n" if b"chunked" in coding else b"x"
    heard, after = await talk(port, head, *[drop] * 1_000, pause=0.05)
    assert heard.startswith(b"HTTP/1.1 408")
    assert after < 5


async def test_a_large_body_at_a_fair_pace_is_heard_out(port):
    piece = b"x" * 20_000
    heard, after = await talk(port, POST + b"200000\r\n\r\n", *[piece] * 10, pause=0.12)
    assert heard.endswith(b"\r\n\r\n200000")
    assert after > 1


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X: " + b"a" * 40_000,
        GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
        GET + b"X: a\r\n" * 101 + b"\r\n",
        GET + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1_000) for n in range(40)) + b"\r\n",
        b"GET /" + b"a" * 40_000,
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1_000, 1_000_000])
async def test_a_head_that_is_too_large_is_refused(port, head, size):
    pieces = [head[at : at + size] for at in range(0, len(head), size)]
    heard, after = await talk(port, *pieces)
    # Who goes on talking when the door shuts may not hear why.
    assert heard.startswith(b"HTTP/1.1 431") or (heard == b"" and len(pieces) > 1), heard[:60]
    assert heard.count(b"HTTP/1.1") <= 1
    assert after < 5


async def test_a_connection_that_is_used_again_has_time_for_each_request(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(4):
        writer.write(GET + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(1) == b"0"
        await asyncio.sleep(0.2)
    writer.close()


async def ask_for_much(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**12)
    writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await writer.drain()
    return reader, writer


async def test_who_asks_for_much_and_reads_nothing_is_let_go(port):
    reader, writer = await ask_for_much(port)
    await asyncio.sleep(2)
    assert await size_of_rest(reader) < MUCH
    writer.close()


async def size_of_rest(reader):
    """Bytes that still come, until the end or until the line breaks."""
    got = 0
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(2**20):
            got += len(piece)
    return got


async def test_who_reads_slowly_gets_all_of_it(port):
    reader, writer = await ask_for_much(port)
    await reader.readuntil(b"\r\n\r\n")
    got = pieces = 0
    while piece := await reader.read(2**20):
        got += len(piece)
        pieces += 1
        if pieces % 100 == 0:
            await asyncio.sleep(0.05)
    assert got == MUCH
    writer.close()


async def test_what_leaves_the_queue_of_the_system_was_taken(port):
    """It holds so much that a slow client takes nothing of ours for a long time."""
    loop, line, got = asyncio.get_running_loop(), socket.socket(), 0
    with line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        line.settimeout(0)
        await loop.sock_connect(line, ("127.0.0.1", port))
        await loop.sock_sendall(line, b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        begun = time.monotonic()
        while time.monotonic() < begun + 3 and (piece := await loop.sock_recv(line, 2_048)):
            got += len(piece)
            await asyncio.sleep(0.01)
    assert piece
    assert got < 2**20


@pytest.fixture
def lines():
    """Lines that stay open for longer than the server runs."""
    opened = []
    yield opened
    for line in opened:
        line.close()


async def test_a_stop_does_not_wait_for_who_takes_nothing(lines, port, monkeypatch):
    monkeypatch.setattr(patience, "READ_WITHIN", 60)
    line = socket.create_connection(("127.0.0.1", port))
    lines.append(line)
    line.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
    # The server stops when this test is over; its fixture looks how long that takes.
    await asyncio.sleep(0.3)
