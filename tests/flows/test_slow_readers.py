"""Who does not read what he asked for costs little, and hears and says nothing once he is shown the door."""

import asyncio
import json
import socket
from pathlib import Path

import httpx
import pytest
from tests.people import Agent, fresh_id, visitor

SETTINGS = {
    "BALIE_MESSAGES_PER_SECOND": "1000",
    "BALIE_MESSAGE_BURST": "1000",
    "BALIE_CONNECTION_BURST": "1000",
    "BALIE_FREE_BYTES": "0",
}
READERS = 30
MOST_GROWTH = 100
"""Megabytes for all of them: what each holds fits in a few."""
LONGEST = "\N{GRINNING FACE}" * 16_000
"""64,000 bytes in a frame, and as many in the store."""


def memory(demo):
    """Megabytes that the server holds."""
    (line,) = [
        line
        for line in Path(f"/proc/{demo.process.pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    ]
    return int(line.split()[1]) // 1_024


async def ask(demo, request, pieces=(), body=b""):
    """Send a request and read nothing of the answer."""
    loop, line = asyncio.get_running_loop(), socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.settimeout(0)
    await loop.sock_connect(line, ("127.0.0.1", demo.port))
    head = [request, f"Host: {demo.url.removeprefix('http://')}", f"Origin: {demo.url}", *pieces]
    if body:
        head.append(f"Content-Length: {len(body)}")
    await loop.sock_sendall(line, "\r\n".join([*head, "", ""]).encode() + body)
    return line


@pytest.fixture
async def long_talk(demo):
    """Twelve megabytes of messages: the token of who wrote them, and the conversation."""
    talker = await visitor(demo).open()
    conversation = (await talker.post("hallo"))["conversation"]
    for _ in range(190):
        frame = {"type": "post", "client_message_id": fresh_id(), "conversation": conversation}
        await talker.send(json.dumps(frame | {"text": LONGEST}, ensure_ascii=False))
    await talker.post("dat was het", conversation)
    await talker.close()
    return talker.welcome["visitor"]["token"], conversation


@pytest.mark.long
async def test_gaps_that_nobody_reads_hold_little(demo, long_talk):
    token, conversation = long_talk
    before = memory(demo)
    hello = visitor(demo, token, resume=[{"conversation": conversation, "last_seq": 0}]).hello
    body = json.dumps(hello).encode()
    lines = [await ask(demo, "POST /sse/visitor HTTP/1.1", (), body) for _ in range(READERS)]
    await asyncio.sleep(3)
    assert memory(demo) - before < MOST_GROWTH
    for line in lines:
        line.close()


@pytest.mark.one_process("a worker passes posts on before it knows whether their stream lives")
async def test_who_signed_out_says_nothing_more_on_a_stream_that_he_does_not_read(demo, long_talk):
    _, conversation = long_talk
    tom = await Agent(demo, demo.logins[0]).sign_in()
    ticket = (await tom.http.post("/api/v1/socket-tickets")).json()["ticket"]
    cookie = "; ".join(f"{name}={value}" for name, value in tom.http.cookies.items())
    hello = {"ticket": ticket, "resume": [{"conversation": conversation, "last_seq": 0}]}
    body = json.dumps({"type": "hello"} | hello).encode()
    line = await ask(demo, "POST /sse/agent HTTP/1.1", [f"Cookie: {cookie}"], body)
    heard = b""
    while b'"session":"' not in heard:
        heard += await asyncio.get_running_loop().sock_recv(line, 1_000)
    session = heard.partition(b'"session":"')[2].partition(b'"')[0].decode()

    async def say(text):
        frame = {"type": "note", "client_message_id": fresh_id(), "conversation": conversation}
        own = {"Cookie": cookie, "Origin": demo.url}
        base = f"http://127.0.0.1:{demo.port}"
        async with httpx.AsyncClient(base_url=base, headers=own) as http:
            answer = await http.post(f"/sse/sessions/{session}", json=[frame | {"text": text}])
            return answer.status_code

    assert await say("nog binnen") == 202
    assert (await tom.http.delete("/api/v1/session")).status_code == 204
    assert await say("al buiten") == 404
    await tom.sign_in()
    end = await tom.http.get(f"/api/v1/conversations/{conversation}/events?limit=1")
    assert end.json()["data"][0]["data"]["text"] == "nog binnen"
    line.close()
    await tom.leave()
