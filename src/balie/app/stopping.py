"""A stop that ends. What was acknowledged is on disk, so nothing is worth waiting for longer than this."""

import asyncio
import faulthandler
import os
import signal
import sys
from typing import TextIO

import structlog

SIGNALS = (signal.SIGTERM, signal.SIGINT)

STOP_WITHIN = 30.0
"""Seconds from the signal until the process is gone, whatever it still waits for."""
_TELL_BEFORE = 1.0

log = structlog.get_logger("balie.app")


def begin(within: float = STOP_WITHIN) -> None:
    """From now on the process has `within` seconds. If they do not suffice it says on standard error what it
    waited for (its tasks, then the stack of each thread) and ends with exit code 1. Call it in the event
    loop; a thread that Python does not schedule watches, so it works when the loop itself stands still."""
    faulthandler.dump_traceback_later(within, exit=True, file=_out())
    asyncio.get_running_loop().call_later(max(0.0, within - _TELL_BEFORE), _tell_tasks)


def when_closed(line: int) -> None:
    """Stop as at SIGTERM when the other end of this pipe is closed: whoever holds it is no more. Call it in the
    event loop."""
    asyncio.get_running_loop().add_reader(line, _told_by_line, line)


def _told_by_line(line: int) -> None:
    asyncio.get_running_loop().remove_reader(line)
    os.kill(os.getpid(), signal.SIGTERM)


def finish() -> None:
    """All is closed. Whoever asks once more does not turn a success into a failure in the last milliseconds.
    Call it in the event loop, as the last thing."""
    loop = asyncio.get_running_loop()
    for each in SIGNALS:
        # Or the loop would put the usual handler back when it is closed.
        loop.remove_signal_handler(each)
        signal.signal(each, signal.SIG_IGN)


def _out() -> TextIO | int:
    """Standard error. Where that was closed before the start, its number may be another file's by now."""
    return sys.stderr or os.open(os.devnull, os.O_WRONLY)


def _tell_tasks() -> None:
    for task in asyncio.all_tasks():
        where = [f"{frame.f_code.co_qualname}:{frame.f_lineno}" for frame in task.get_stack()]
        log.error("the stop waits for a task", task=task.get_name(), where=where)
