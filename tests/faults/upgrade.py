"""From the version before to this one and back, while people talk: nothing fails, nothing is said twice.

`python -m tests.faults.upgrade --rounds 10 --rate 200 --seed 1 [--json FILE]`: 20 visitors and two agents talk
to the version before; it is stopped as an operator stops it, this version takes its place, and is replaced by
the version before again. Everybody's pages reconnect by themselves and send again what was not acked.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from tests.faults.kill import Campaign, Tally

REPOSITORY = Path(__file__).resolve().parents[2]
BEFORE = "v0.1.0"
START = "import sys; from balie.cli import main; sys.exit(main())"


class NoTagError(RuntimeError):
    """The repository does not have the version before."""


def unpack(target: Path) -> tuple[tuple[str, ...], str]:
    """The version before, as what runs it, and the revision of its stores. Raises NoTagError."""
    asked = subprocess.run(
        ["git", "-C", str(REPOSITORY), "archive", BEFORE, "src/balie"],
        capture_output=True,
        check=False,
    )
    if asked.returncode:
        raise NoTagError(asked.stderr.decode())
    with tarfile.open(fileobj=BytesIO(asked.stdout)) as archive:
        archive.extractall(target, filter="data")
    package = target / "src" / "balie"
    # Built screens are in no archive; nobody looks at them here.
    (package / "static").symlink_to(REPOSITORY / "src" / "balie" / "static")
    versions = (package / "store" / "migrations" / "versions").glob("[0-9]*.py")
    path = f"import sys; sys.path.insert(0, {str(target / 'src')!r}); {START}"
    return (sys.executable, "-c", path), max(each.name[:4] for each in versions)


class Rolling(Campaign):
    """A campaign in which the server is replaced instead of killed."""

    async def run_rounds(
        self, rounds: int, tally: Tally, before: tuple[str, ...], revision: str
    ) -> None:
        """So many times there and back."""
        now = self.demo.program
        self.demo.program = before
        await asyncio.to_thread(self.demo.start)
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.demo.port}")
        self.http.headers["Host"] = self.demo.url.removeprefix("http://")
        await self.invite()
        talking = asyncio.create_task(self.talk())
        for _ in range(rounds):
            await asyncio.sleep(self.chance.uniform(1, 3))
            await self.replace(now, tally)
            await asyncio.sleep(self.chance.uniform(1, 3))
            await self.replace(before, tally, revision)
        self.quiet = True
        await talking
        await self.wait_for_rest()
        self.demo.program = now
        self.note_findings(tally)
        for page in self.clients.values():
            page.step({"type": "shut"})
        await self.http.aclose()
        await asyncio.gather(*(each.agent.leave() for each in self.agents))

    async def replace(self, program: tuple[str, ...], tally: Tally, revision: str = "") -> None:
        """Stop one version and start another on the same data; an older one gets the store it knows."""
        began = time.perf_counter()
        code = await asyncio.to_thread(self.demo.stop)
        if code:
            tally.findings.append(("stop", f"a version ended with {code}"))
        if revision:
            await asyncio.to_thread(self.go_back, revision)
        self.demo.program = program
        await asyncio.to_thread(self.demo.start)
        tally.restarts_ms.append(round((time.perf_counter() - began) * 1_000))
        tally.kills += 1

    def go_back(self, revision: str) -> None:
        words = ("migrate", "--to", revision, f"--data-dir={self.demo.folder}")
        subprocess.run([*self.demo.program, *words], check=True, stdout=subprocess.DEVNULL)


async def run(rounds: int, rate: int, seed: int) -> Tally:
    """There and back so many times, at so many messages a second."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        before, revision = unpack(Path(folder) / "before")
        rolling = Rolling(Path(folder) / "data", random.Random(seed))
        rolling.rate = rate
        await rolling.run_rounds(rounds, tally, before, revision)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    tally = asyncio.run(run(asked.rounds, asked.rate, asked.seed))
    result: dict[str, Any] = {"rate": asked.rate, **tally.result(asked.seed)}
    result["replaced"] = result.pop("kills")
    print(json.dumps(result, indent=2))
    for kind, what in tally.findings[:20]:
        print(f"{kind}: {what[:300]}")
    if asked.json:
        asked.json.write_text(json.dumps(result))
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
