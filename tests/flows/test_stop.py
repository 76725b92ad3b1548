"""A stop while all kinds of things are under way."""

import asyncio
import contextlib
import json
import signal
import subprocess

import pytest
from tests.people import Demo, visitor

SIGNALS = {
    "once": [signal.SIGTERM],
    "impatient": [signal.SIGINT] * 40,
    "mixed": [signal.SIGTERM, signal.SIGINT] * 20,
}


@pytest.fixture
async def busy(tmp_path):
    """A demo with an upload and a stream under way, and where it says what goes wrong."""
    errors = tmp_path / "errors"
    with errors.open("w") as file:
        demo = Demo(tmp_path / "data", errors=file).start()
    talker = await visitor(demo).open()
    token = talker.welcome["visitor"]["token"]
    hello = json.dumps({"type": "hello", "site": demo.site, "token": token})
    lines = [
        await begin(demo, "/sse/visitor", len(hello), hello, f"Origin: {demo.shop}"),
        await begin(demo, "/api/v1/files", 9_000, "x", f"Authorization: Bearer {token}"),
    ]
    await asyncio.sleep(0.5)
    yield demo, errors
    await talker.close()
    for line in lines:
        line.close()
    if demo.process.poll() is None:
        demo.process.kill()
        demo.process.wait()
    demo.process.stdout.close()


async def begin(demo, path, length, body, header):
    """A request whose answer, or body, does not end."""
    _, writer = await asyncio.open_connection("127.0.0.1", demo.port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Length: {length}\r\n\r\n"
    writer.write((head + body).encode())
    await writer.drain()
    return writer


@pytest.mark.parametrize("signals", SIGNALS.values(), ids=SIGNALS.keys())
async def test_a_stop_is_a_success_and_no_fault(busy, signals):
    demo, errors = busy
    for each in signals:
        if demo.process.poll() is None:
            demo.process.send_signal(each)
            await asyncio.sleep(0.03)
    with contextlib.suppress(subprocess.TimeoutExpired):
        await asyncio.to_thread(demo.process.wait, 40)
    assert demo.process.poll() == 0
    assert "Traceback" not in errors.read_text()
