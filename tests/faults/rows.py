"""What a row of the fault matrix is: a story with a name, and what it came to."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.talk import LIMITLESS, Talk
from tests.people import Demo, free_port
from tests.simulation.chance import Chance

KINDS = ("lost", "phantom", "duplicate", "reordered", "stale")


@dataclass
class Asked:
    """How a row is to be run. `rounds` and `seconds` are the row's own where they are None."""

    seed: int = 0
    rounds: int | None = None
    seconds: float | None = None
    database: str = "sqlite"

    def chance(self, name: str = "") -> Chance:
        return Chance(f"{self.seed}/{name}")


@dataclass
class Outcome:
    """What a row came to. `failures` are its own promises that did not hold, beside the findings."""

    row: str
    what: str
    tries: int = 0
    said: int = 0
    acked: int = 0
    findings: list[tuple[str, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return not self.findings and not self.failures

    def require(self, holds: object, failure: str) -> None:
        """Note a promise that did not hold."""
        if not holds:
            self.failures.append(failure)

    def require_recovery(self, seconds: float, at_most: float) -> None:
        self.recovered.append(seconds)
        self.require(seconds <= at_most, f"recovery took {seconds:.1f} s, not {at_most:g}")

    def result(self, asked: Asked) -> dict[str, Any]:
        """For a file of results."""
        kinds = Counter(kind for kind, _ in self.findings)
        return {
            "row": self.row,
            "seed": asked.seed,
            "database": asked.database,
            "tries": self.tries,
            "messages": self.said,
            "acked": self.acked,
            **{kind: kinds.pop(kind, 0) for kind in KINDS},
            "other": dict(kinds),
            "recovery_s": [round(each, 2) for each in self.recovered],
            "figures": self.figures,
            "failures": self.failures,
            "good": self.is_good,
        }


Story = Callable[[Asked, Outcome], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    name: str
    what: str
    story: Story
    databases: tuple[str, ...]

    async def run(self, asked: Asked) -> Outcome:
        outcome = Outcome(self.name, self.what)
        await self.story(asked, outcome)
        return outcome


ROWS: dict[str, Row] = {}


def row(name: str, what: str, *, on: tuple[str, ...] = ("sqlite",)) -> Callable[[Story], Story]:
    """Declare a story as the row `name`."""

    def declare(story: Story) -> Story:
        ROWS[name] = Row(name, what, story, on)
        return story

    return declare


@contextlib.asynccontextmanager
async def folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="balie-faults-") as made:
        yield Path(made)


@contextlib.asynccontextmanager
async def talking(
    asked: Asked,
    outcome: Outcome,
    where: Path,
    *,
    settings: dict[str, str] | None = None,
    port: int | None = None,
    kind: type[Talk] = Talk,
    **numbers: Any,
) -> AsyncIterator[Talk]:
    """Servers in `where` with people who talk while the block lasts; afterwards the checker's findings and the
    counts stand in `outcome`."""
    told = where.with_name(f"{where.name}.log").open("ab")
    demo = Demo(
        where,
        port or free_port(),
        settings=LIMITLESS | (settings or {}),
        database=asked.database,
        errors=told,
    )
    talk = kind([demo], asked.chance(outcome.row), **{"visitors": 10, "rate": 60} | numbers)
    try:
        await talk.open()
        await talk.knock()
        yield talk
        await talk.rest()
        talk.check()
    finally:
        talk.quiet = True
        await talk.talking
        await talk.close()
        told.close()
        outcome.said += len(talk.history.said)
        outcome.acked += len(talk.history.acks)
        outcome.findings += talk.history.findings
