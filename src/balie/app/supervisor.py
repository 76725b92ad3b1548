"""Several workers behind one port: starts them, starts the dead again, and ends them.

The listening sockets were made before, one a worker, all on the same port (SO_REUSEPORT): the system spreads
those who come evenly, which one socket for all would not. They stay open here, so that whoever comes while a
worker is started anew waits in its line and is not refused.

    SIGTERM, SIGINT   all workers say goodbye to their clients and end, and so does this
    SIGHUP            each is replaced, one after the other: the new one serves before the old one is told to go

Needs nothing but the standard library, and so some 10 MB: the process turns into this by `exec`.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

READY_WITHIN = 60.0
"""Seconds within which a worker has to serve."""
GONE_WITHIN = 40.0
"""Seconds after which a worker that was told to end is killed; it gives itself 30."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds before a dead worker is started again; twice as many each time."""
LASTING = 60.0
"""A worker that lived so many seconds was well."""


class StillbornError(Exception):
    """A worker ended before it served."""


def become(sockets: Sequence[int], command: Sequence[str], told: str) -> NoReturn:
    """Turn this process into the supervisor of one worker a socket. `command` starts a worker, `told` is
    printed when all serve."""
    arguments = ["--told", told, *(f"--socket={each}" for each in sockets), "--", *command]
    os.execv(sys.executable, [sys.executable, "-m", __name__, *arguments])  # noqa: S606 - our own


class Worker:
    """One place: a socket, and the process that serves it."""

    def __init__(self, number: int, socket: int, command: Sequence[str]) -> None:
        self.number = number
        self._socket = socket
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._lifeline = -1
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start a process, and wait until it serves. Raises StillbornError."""
        heard, ready = os.pipe()
        # It ends when this end of the line is gone, however this process ended.
        line, lifeline = os.pipe()
        fds = (self._socket, ready, line)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            f"--worker={self.number},{','.join(map(str, fds))}",
            pass_fds=fds,
        )
        os.close(ready)
        os.close(line)
        try:
            await asyncio.wait_for(asyncio.to_thread(os.read, heard, 1), READY_WITHIN)
        except TimeoutError:
            process.kill()
        finally:
            os.close(heard)
        await asyncio.sleep(0)
        if process.returncode is not None or not await _is_alive(process):
            os.close(lifeline)
            raise StillbornError(f"worker {self.number} ended before it served")
        self._process, self._lifeline = process, lifeline

    async def died(self) -> int:
        """Wait until the process that serves now ends by itself; its exit code."""
        while True:
            process = self._process
            assert process is not None
            code = await process.wait()
            if process is self._process:
                return code

    async def replace(self) -> None:
        """Another process in its place, which serves before the old one is told to go. Raises StillbornError,
        and then the old one stays."""
        old, lifeline = self._process, self._lifeline
        await self.start()
        if old is not None:
            await _end(old)
            os.close(lifeline)

    async def end(self) -> int:
        """Tell it to go, and wait; its exit code."""
        return 0 if self._process is None else await _end(self._process)


async def _is_alive(process: asyncio.subprocess.Process) -> bool:
    # What said nothing and closed its end has ended, or is about to.
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 0.05)
    return process.returncode is None


async def _end(process: asyncio.subprocess.Process) -> int:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        return await asyncio.wait_for(process.wait(), GONE_WITHIN)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


class Supervisor:
    """All workers of one port."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers
        self._stop = asyncio.Event()
        self._again = asyncio.Event()

    async def run(self, told: str) -> int:
        """Supervise until a signal; the exit code."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._again.set)
        stopped = loop.create_task(self._stop.wait())
        first = loop.create_task(self._start_all())
        await asyncio.wait({first, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not first.done() or not first.result():
            first.cancel()
            await self._end_all()
            return 0 if self._stop.is_set() else 1
        sys.stdout.write(told + "\n")
        sys.stdout.flush()
        keepers = [loop.create_task(self._keep(worker)) for worker in self._workers]
        keepers.append(loop.create_task(self._renew()))
        await self._stop.wait()
        for keeper in keepers:
            keeper.cancel()
        return await self._end_all()

    async def _start_all(self) -> bool:
        started = await asyncio.gather(
            *(worker.start() for worker in self._workers), return_exceptions=True
        )
        for error in started:
            if error is not None:
                _log(str(error))
        return not any(started)

    async def _keep(self, worker: Worker) -> None:
        """Start it again whenever it dies."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = await worker.died()
            if time.monotonic() - began > LASTING:
                pause = FIRST_PAUSE
            _log("a worker died", worker=worker.number, code=code, again_in=pause)
            while True:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                try:
                    await worker.start()
                    break
                except StillbornError as error:
                    _log(str(error), worker=worker.number, again_in=pause)

    async def _renew(self) -> None:
        """Replace all, each time that it is asked for."""
        while True:
            await self._again.wait()
            self._again.clear()
            for worker in self._workers:
                try:
                    await worker.replace()
                except StillbornError as error:
                    _log(f"{error}; the old ones go on", worker=worker.number)
                    break
            else:
                _log("all workers were replaced")

    async def _end_all(self) -> int:
        codes = await asyncio.gather(*(worker.end() for worker in self._workers))
        return int(any(codes))


def _log(event: str, **more: object) -> None:
    sys.stderr.write(json.dumps({"event": event, **more}) + "\n")
    sys.stderr.flush()


def main() -> int:
    """What `become` turned this process into."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--told", required=True)
    parser.add_argument("--socket", type=int, action="append", required=True)
    parser.add_argument("command", nargs="+")
    chosen = parser.parse_args()
    workers = [
        Worker(number, socket, chosen.command) for number, socket in enumerate(chosen.socket)
    ]

    async def supervise() -> int:
        return await Supervisor(workers).run(chosen.told)

    return asyncio.run(supervise())


if __name__ == "__main__":
    sys.exit(main())
