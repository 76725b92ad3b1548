"""kill -9 under load: a real server, real sockets, real client sessions, and the checker over all they saw.

`python -m tests.faults.kill --rounds 1000 --seed 1 [--json FILE]`: 20 visitors and two agents talk at about
200 messages a second; the server is killed after 50 ms to 5 s and started again. Every ROUNDS_PER_STORE rounds
everyone falls silent, and what was said, acked and shown is compared with the database; then a new one begins.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.talk import LIMITLESS, Talk
from tests.people import Demo

ROUNDS_PER_STORE = 20


@dataclass
class Tally:
    """What a run came to."""

    kills: int = 0
    said: int = 0
    acked: int = 0
    findings: list[tuple[str, str]] = field(default_factory=list)
    restarts_ms: list[int] = field(default_factory=list)
    closes: Counter[int] = field(default_factory=Counter)

    def result(self, seed: int) -> dict[str, Any]:
        restarts = sorted(self.restarts_ms)
        return {
            "seed": seed,
            "kills": self.kills,
            "messages": self.said,
            "acked": self.acked,
            "findings": dict(Counter(kind for kind, _ in self.findings)),
            "closes": dict(self.closes),
            "restart_ms": {
                "median": restarts[len(restarts) // 2],
                "p95": restarts[int(len(restarts) * 0.95)],
                "most": restarts[-1],
            },
        }


class Campaign(Talk):
    """Some rounds over one database."""

    def __init__(self, folder: Path, chance: random.Random, port: int | None = None) -> None:
        ports = {"port": port} if port else {}
        super().__init__([Demo(folder, settings=LIMITLESS, **ports)], chance)

    async def run(self, rounds: int, tally: Tally) -> None:
        await self.open()
        for _ in range(rounds):
            await asyncio.sleep(self.chance.uniform(0.05, 5))
            await self.kill(tally)
        await self.rest()
        self.note_findings(tally)
        await self.close()

    async def kill(self, tally: Tally) -> None:
        await asyncio.to_thread(self.demo.kill)
        began = time.perf_counter()
        await asyncio.to_thread(self.demo.start)
        await self.ready()
        tally.restarts_ms.append(round((time.perf_counter() - began) * 1_000))
        tally.kills += 1

    def note_findings(self, tally: Tally) -> None:
        self.check()
        tally.said += len(self.history.said)
        tally.acked += len(self.history.acks)
        tally.closes += self.closes
        tally.findings += self.history.findings


async def run(rounds: int, seed: int, *, port: int | None = None, note: Any = None) -> Tally:
    """Kill the server so many times. `note` is called with the tally after each database."""
    tally = Tally()
    while tally.kills < rounds:
        chance = random.Random(f"{seed}/{tally.kills}")
        with tempfile.TemporaryDirectory() as folder:
            campaign = Campaign(Path(folder) / "data", chance, port)
            await campaign.run(min(ROUNDS_PER_STORE, rounds - tally.kills), tally)
        if note:
            note(tally)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()

    told = [0]

    def note(tally: Tally) -> None:
        result = json.dumps(tally.result(asked.seed))
        print(result, flush=True)
        for kind, what in tally.findings[told[0] : told[0] + 20]:
            print(f"{kind}: {what[:300]}", flush=True)
        told[0] = len(tally.findings)
        if asked.json:
            asked.json.write_text(result + "\n")

    tally = asyncio.run(run(asked.rounds, asked.seed, port=asked.port, note=note))
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
