"""The clock of the server's machine jumps."""

import asyncio
import importlib.util
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.rows import Asked, Outcome, folder, row, talking

HOUR, DAY = 3_600, 86_400
JUMPS = (
    ("an hour ahead", HOUR),
    ("an hour behind", -HOUR),
    ("three days ahead", 3 * DAY),
    ("three days behind", -3 * DAY),
    ("1970", datetime(1970, 1, 2, tzinfo=UTC)),
    ("2038", datetime(2038, 1, 19, 3, 14, 5, tzinfo=UTC)),
    ("the hour that summer skips", datetime(2027, 3, 28, 0, 59, 58, tzinfo=UTC)),
    ("the hour that winter repeats", datetime(2026, 10, 25, 0, 59, 58, tzinfo=UTC)),
)
AGED = ("2038",)
"""Moments at which tokens of today are too old. Who is connected already talks on."""


def library() -> Path:
    """What tells a program another time than it is."""
    found = importlib.util.find_spec("libfaketime")
    assert found is not None, "make development"
    return Path(str(found.origin)).with_name("vendor") / "libfaketime/src/libfaketime.so.1"


class WrongClock:
    """The clock of programs that are started with `settings`, turned while they run."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.turn(0)
        self.settings = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "Europe/Amsterdam",
        }

    def turn(self, to: float | datetime) -> None:
        """By so many seconds, or to a moment. It is seen within a second."""
        by = to.timestamp() - time.time() if isinstance(to, datetime) else to
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{by:+.0f}\n")
        draft.replace(self.file)


@row(
    "clock",
    "the server's clock jumps by hours and days, to 1970 and 2038, over both ends of summer, and back",
)
async def clock(asked: Asked, outcome: Outcome) -> None:
    async with folder() as home:
        wrong = WrongClock(home / "offset")
        async with talking(asked, outcome, home / "data", settings=wrong.settings) as talk:
            for name, to in JUMPS[: asked.rounds]:
                outcome.tries += 1
                for turned in (to, 0):
                    wrong.turn(turned)
                    began = time.monotonic()
                    await asyncio.sleep(asked.seconds or 3)
                    if turned and name in AGED:
                        status, _ = await talk.ask()
                        outcome.require(status == 401, f"a token of old was taken: {status}")
                    else:
                        outcome.require_recovery(await talk.recovery(), 5)
                    acks = talk.history.acks_between(began, time.monotonic())
                    outcome.require(acks, f"nobody was answered: {name}")
                    outcome.require(await talk.ready(within=5) < 5, f"not ready: {name}")
                outcome.require(await talk.read() == 200, f"the agent is out after {name}")
