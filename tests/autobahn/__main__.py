"""`make autobahn`: the fuzzing client of the Autobahn test suite against our socket.

The suite runs on Python 2.7 alone, so it has an interpreter and a folder of its own.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import uvloop
from tests.autobahn.echo import serve

START = (
    "import site, sys; site.addsitedir(sys.argv.pop(1));"
    " from autobahntestsuite.wstest import run; run()"
)
GOOD = {"OK", "INFORMATIONAL", "UNIMPLEMENTED", "NON-STRICT"}


def main() -> int:
    """Run the cases, print what came of them, and return 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.autobahn")
    parser.add_argument("--interpreter", required=True, help="a Python 2.7")
    parser.add_argument("--suite", type=Path, required=True, help="where autobahntestsuite lies")
    parser.add_argument("--reports", type=Path, required=True, help="where its reports go")
    parser.add_argument("--cases", default="*", help="which, such as 1.* or 6.4.*")
    chosen = parser.parse_args()
    uvloop.run(run(chosen))
    return report(chosen.reports / "index.json")


async def run(chosen: argparse.Namespace) -> None:
    """The suite beside an echoing server."""
    server = await serve()
    port = server.sockets[0].getsockname()[1]
    chosen.reports.mkdir(parents=True, exist_ok=True)
    spec = chosen.reports / "spec.json"
    spec.write_text(
        json.dumps(
            {
                "outdir": str(chosen.reports),
                "servers": [{"agent": "Balie", "url": f"ws://127.0.0.1:{port}"}],
                "cases": chosen.cases.split(","),
                "exclude-cases": [],
                "exclude-agent-cases": {},
            }
        )
    )
    suite = await asyncio.create_subprocess_exec(
        chosen.interpreter,
        "-c",
        START,
        str(chosen.suite),
        "-m",
        "fuzzingclient",
        "-s",
        str(spec),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await suite.wait() != 0:
        sys.exit("the test suite itself failed")
    server.close()


def report(index: Path) -> int:
    """Say how the cases ended."""
    cases = json.loads(index.read_text())["Balie"]
    behaviour = Counter(case["behavior"] for case in cases.values())
    closing = Counter(case["behaviorClose"] for case in cases.values())
    print(f"{len(cases)} cases: {_words(behaviour)}; how they closed: {_words(closing)}")
    failed = {
        name: (case["behavior"], case["behaviorClose"])
        for name, case in cases.items()
        if case["behavior"] not in GOOD or case["behaviorClose"] not in GOOD
    }
    for name, (said, closed) in failed.items():
        print(f"  {name}: {said}, closed {closed}")
    loose = [name for name, case in cases.items() if case["behavior"] == "NON-STRICT"]
    if loose:
        print(f"  not strict: {', '.join(loose)}")
    return 1 if failed else 0


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
