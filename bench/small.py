"""What a newcomer and a passer-by notice: memory at rest, the launcher's question, the start, the size."""

import asyncio
import contextlib
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.machine import cpu_seconds, memory_mb
from bench.server import BALIE

REQUESTS = 5_000
AT_ONCE = 16


def measure_demo(folder, port):
    """Seconds from `balie demo` on an empty folder until it serves, and its memory then."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        start = time.perf_counter()
        demo = subprocess.Popen(
            [BALIE, "demo", "--json", f"--port={port}", f"--data-dir={place}/data"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            demo.stdout.readline()
            seconds = time.perf_counter() - start
            time.sleep(3)
            rss, pss = memory_mb([demo.pid])
        finally:
            demo.terminate()
            demo.wait()
            demo.stdout.close()
    return {"demo_ready_s": round(seconds, 2), "rss_mb": rss, "pss_mb": pss}


def measure_state_route(server):
    """CPU of the server for each time that a launcher asks whether somebody is there."""
    server.target(1)
    request = (
        f"GET /api/v1/sites/{server.site}/state HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Origin: {server.url}\r\n\r\n"
    ).encode()
    cpu, start = cpu_seconds([server.pid]), time.perf_counter()
    asyncio.run(_ask(server.port, request))
    wall = time.perf_counter() - start
    return {
        "requests_s": round(REQUESTS / wall),
        "cpu_us_per_request": round((cpu_seconds([server.pid]) - cpu) / REQUESTS * 1e6),
    }


async def _ask(port, request):
    async def asker():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(REQUESTS // AT_ONCE):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            assert " 200 " in head.partition("\r\n")[0], head
            await reader.readexactly(int(re.search(r"content-length: (\d+)", head)[1]))
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    await asyncio.gather(*(asker() for _ in range(AT_ONCE)))


def measure_install(repository, folder, port):
    """`make demo` in a clone, from nothing (no environment, no caches) and again: seconds until it serves."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        clone = Path(place) / "clone"
        subprocess.run(["git", "clone", "--quiet", repository, clone], check=True)
        caches = {
            "UV_CACHE_DIR": f"{place}/uv",
            "PIP_CACHE_DIR": f"{place}/pip",
            "npm_config_cache": f"{place}/npm",
        }
        cold = _make_demo(clone, port, caches)
        warm = _make_demo(clone, port, caches)
        shutil.rmtree(clone / ".venv")
        shutil.rmtree(clone / "web" / "node_modules")
        fresh = _make_demo(clone, port, caches)
    return {"cold_s": cold, "again_s": warm, "fresh_clone_warm_cache_s": fresh}


def _make_demo(clone, port, caches):
    environment = {**_environment(), **caches}
    start = time.perf_counter()
    demo = subprocess.Popen(
        ["make", "demo", f"PORT={port}"],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    for line in demo.stdout:
        if "Stop with Ctrl-C" in line:
            break
    seconds = round(time.perf_counter() - start, 1)
    # make and all that it started: the group is ours.
    os.killpg(demo.pid, signal.SIGTERM)
    demo.wait()
    demo.stdout.close()
    return seconds


def _environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("BALIE_")}


def measure_package(repository):
    """Size of the wheel, and how many packages `balie` needs in all."""
    with tempfile.TemporaryDirectory() as place:
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run(
            [
                *(uv, "build", "--quiet", "--wheel", "--no-build-isolation"),
                *("--python", sys.executable, "--out-dir", place),
            ],
            cwd=repository,
            check=True,
        )
        wheel = next(Path(place).glob("*.whl"))
        size = wheel.stat().st_size
    return {"wheel_kb": round(size / 1024), "packages": len(_needed("balie"))}


def _needed(name, seen=None):
    """Names of all packages that `name` needs on this machine, itself included."""
    seen = set() if seen is None else seen
    seen.add(name)
    for wanted in importlib.metadata.requires(name) or ():
        other = re.match(r"[\w.-]+", wanted)[0].lower().replace("_", "-")
        if "extra ==" in wanted or other in seen:
            continue
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            _needed(other, seen)
    return seen
