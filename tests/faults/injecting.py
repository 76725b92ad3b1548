"""System calls of a running server that fail, wait or kill, by `strace`, for as long as a block lasts."""

import asyncio
import contextlib
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

SYNCS = "fdatasync,fsync"
WRITES = "pwrite64,write,ftruncate"
SEIZED = re.compile(r"^TracerPid:\t[1-9]", re.MULTILINE)


@contextlib.asynccontextmanager
async def injected(
    pid: int, *faults: str, threads: list[int] | None = None, path: Path | None = None
) -> AsyncIterator[None]:
    """Every fault is an `--inject` of strace, such as `fdatasync:error=EIO:when=3+`; of all threads, or of
    those named, and of calls about `path` alone, where it is given."""
    where = threads or [pid]
    command = ["strace", "-qq", "-o", "/dev/null", *(["-f"] if threads is None else [])]
    command += [f"--inject={fault}" for fault in faults]
    command += [f"--trace={','.join(fault.partition(':')[0] for fault in faults)}"]
    command += [f"--trace-path={path}"] if path else []
    command += [f"--attach={thread}" for thread in where]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        await _attached(tracer, pid, where)
        yield
    finally:
        tracer.send_signal(signal.SIGTERM)
        await asyncio.to_thread(tracer.wait, 30)


async def _attached(tracer: "subprocess.Popen[bytes]", pid: int, threads: list[int]) -> None:
    late = time.monotonic() + 10
    for thread in threads:
        status = Path(f"/proc/{pid}/task/{thread}/status")
        while status.exists() and not SEIZED.search(status.read_text()):
            assert tracer.poll() is None, "strace could not attach"
            assert time.monotonic() < late, "strace did not attach"
            await asyncio.sleep(0.01)


async def writer_of(pid: int, within: float = 20) -> int:
    """The thread that syncs the log, found by watching who does; somebody has to say something meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "seen"
        command = ["strace", "-f", "-qq", "-o", seen, f"--trace={SYNCS}", f"--attach={pid}"]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            late = time.monotonic() + within
            while time.monotonic() < late:
                await asyncio.sleep(0.05)
                if seen.exists() and (found := re.match(r"(\d+) +f", seen.read_text())):
                    return int(found[1])
        finally:
            tracer.send_signal(signal.SIGTERM)
            await asyncio.to_thread(tracer.wait, 30)
    raise AssertionError("nobody synced anything")
