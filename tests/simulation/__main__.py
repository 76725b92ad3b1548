"""`python -m tests.simulation --seeds 1000 --start 0`: play many worlds, and print what broke.

`--bug NAME` plants a fault first (`--bug list` names them), to see the checker find it. `--json FILE` keeps
the result.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from tests.simulation.bugs import BUGS
from tests.simulation.search import Search, replay

SHOWN = 10


def main() -> int:
    asked = parse()
    if asked.bug == "list":
        print(*BUGS, sep="\n")
        return 0
    search = Search(asked.bug)
    began = time.perf_counter()
    failures = 0
    for done in range(0, asked.seeds, 1_000):
        count = min(1_000, asked.seeds - done)
        for seed, findings in search.broken(asked.start + done, count):
            failures += 1
            if failures <= SHOWN:
                report(seed, findings, asked.bug)
        elapsed = time.perf_counter() - began
        note(asked, done + count, failures, search.steps, elapsed)
    return 1 if failures else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--bug", choices=[*BUGS, "list"])
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def report(seed: int, findings: list[tuple[str, str]], bug: str | None) -> None:
    for kind, what in findings[:5]:
        print(f"{kind}: {what}")
    print(f"  again: {replay(seed, bug)}\n")


def note(asked: argparse.Namespace, done: int, failures: int, steps: int, elapsed: float) -> None:
    line = f"{done} schedules, {failures} broken, {steps} steps, {done / elapsed:.0f} schedules/s"
    print(line, file=sys.stderr, flush=True)
    if asked.json:
        result = {
            "start": asked.start,
            "schedules": done,
            "broken": failures,
            "steps": steps,
            "seconds": round(elapsed, 1),
        }
        asked.json.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    sys.exit(main())
