"""Logs: one line an event, as JSON, on standard error. Never message text, never a secret."""

import asyncio
import contextlib
import logging
import sys

import structlog

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class _Lines:
    """Writes lines to standard error. Where that is gone, the work goes on without them."""

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = msg


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record of the web server tells anything: what a stop cut off was no fault, and its stack says
    nothing."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def name_worker(number: int) -> None:
    """Say in each line which of several processes it is of."""
    structlog.contextvars.bind_contextvars(worker=number)


def configure(level: str) -> None:
    """Set up logging for a server process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, 20)),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING,
        stream=sys.stderr,
        format='{"level":"%(levelname)s","event":"%(message)s"}',
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
