"""The fault matrix: `python -m tests.faults [ROW …] [--seed S] [--rounds N] [--seconds S] [--out FILE]`.

Without a row all of them run, one after the other. A line tells what each came to; the same goes to FILE as
JSON, a line a row, as soon as it is known. Ends with 1 where a row failed.
"""

import argparse
import asyncio
import json
import sys
import time
import traceback
from pathlib import Path

from tests.faults import matrix
from tests.faults.rows import KINDS, Asked, Outcome, Row

HEAD = f"{'row':<22}{'tries':>6}{'said':>9}" + "".join(f"{kind:>11}" for kind in KINDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(matrix.ROWS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, help="how often, where a row can tell")
    parser.add_argument("--seconds", type=float, help="how long, where a row can tell")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "workers"), default="sqlite")
    parser.add_argument("--out", type=Path, default=Path("faults.jsonl"))
    asked = parser.parse_args()
    if unknown := set(asked.rows) - set(matrix.ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    how = Asked(asked.seed, asked.rounds, asked.seconds, asked.database)
    chosen = [matrix.ROWS[name] for name in asked.rows] or [
        each for each in matrix.ROWS.values() if asked.database in each.databases
    ]
    print(HEAD + "  recovery s, verdict")
    good = [run(each, how, asked.out) for each in chosen]
    return 0 if all(good) else 1


def run(row: Row, asked: Asked, out: Path) -> bool:
    """Run one row, print its line and add it to the results."""
    began = time.monotonic()
    try:
        outcome = asyncio.run(row.run(asked))
    except Exception as error:  # noqa: BLE001 - the other rows run all the same
        traceback.print_exc()
        outcome = Outcome(row.name, row.what, failures=[repr(error)])
    result = outcome.result(asked)
    seconds = round(time.monotonic() - began)
    with out.open("a") as file:
        file.write(json.dumps(result | {"seconds": seconds, "at": int(time.time())}) + "\n")
    print(line(outcome, result), flush=True)
    for kind, what in outcome.findings[:10]:
        print(f"    {kind}: {what[:300]}")
    for failure, count in {each: outcome.failures.count(each) for each in outcome.failures}.items():
        print(f"    {failure} ({count}x)")
    for name, figure in outcome.figures.items():
        print(f"    {name}: {figure}")
    return outcome.is_good


def line(outcome: Outcome, result: dict[str, object]) -> str:
    kinds = "".join(f"{result[kind]:>11}" for kind in KINDS)
    slowest = f"{max(outcome.recovered):.1f}" if outcome.recovered else "-"
    verdict = "good" if outcome.is_good else "FAILED"
    return f"{outcome.row:<22}{outcome.tries:>6}{outcome.said:>9}{kinds}  {slowest}, {verdict}"


if __name__ == "__main__":
    sys.exit(main())
