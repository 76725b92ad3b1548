"""Backups of a server that is busy, each put back at once and compared with what people had been told.

`python -m tests.faults.backup --rounds 200 --seed 1 [--json FILE]`: 20 visitors and two agents talk at about
200 messages a second and bring files; every few seconds everything is copied and put back into an empty
directory. Whatever was acked before a copy began must be in it; it must be sound, say what its manifest says,
and be a part of what the server has in the end.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.faults.kill import Campaign
from tests.faults.talk import Database
from tests.people import Demo, fresh_id, visitor

BALIE = str(Path(sys.executable).with_name("balie"))
PAUSE = (0.5, 3.0)
"""Seconds between two backups."""
FILE_BYTES = 40_000


@dataclass
class Tally:
    """What a run came to."""

    rounds: int = 0
    messages: int = 0
    files: int = 0
    findings: list[str] = field(default_factory=list)
    backup_ms: list[int] = field(default_factory=list)
    behind_ms: list[int] = field(default_factory=list)
    restore_ms: list[int] = field(default_factory=list)
    bytes: int = 0

    def result(self, seed: int) -> dict[str, Any]:
        return {
            "seed": seed,
            "rounds": self.rounds,
            "messages": self.messages,
            "files": self.files,
            "findings": self.findings[:20],
            "backup_ms": spread(self.backup_ms),
            "behind_ms": spread(self.behind_ms),
            "restore_ms": spread(self.restore_ms),
            "largest_bytes": self.bytes,
        }


def spread(numbers: list[int]) -> dict[str, int]:
    """Median and most."""
    ordered = sorted(numbers) or [0]
    return {"median": ordered[len(ordered) // 2], "most": ordered[-1]}


class Copying(Campaign):
    """A server that nobody kills, and somebody who copies it."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        super().__init__(folder / "data", chance)
        self.folder = folder
        self.tally = Tally()

    async def run_rounds(self, rounds: int) -> None:
        """Talk and copy; then be quiet, and compare all copies with the end."""
        await asyncio.to_thread(self.demo.start)
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.demo.port}")
        self.http.headers["Host"] = self.demo.url.removeprefix("http://")
        await self.invite()
        tasks = [asyncio.create_task(self.talk()), asyncio.create_task(self.bring_files())]
        for number in range(rounds):
            await asyncio.sleep(self.chance.uniform(*PAUSE))
            await self.copy(number)
        self.quiet = True
        await asyncio.gather(*tasks)
        await self.wait_for_rest()
        self.tally.messages = len(self.history.acks)
        await self.compare_with_end(rounds)
        for page in self.clients.values():
            page.step({"type": "shut"})
        await self.http.aclose()
        await asyncio.gather(*(each.agent.leave() for each in self.agents))
        self.demo.stop()

    async def bring_files(self) -> None:
        """A visitor who sends a file with every message."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.demo.port}") as http:
            http.headers["Authorization"] = f"Bearer {await token_of(self.demo)}"
            while not self.quiet:
                await asyncio.sleep(0.2)
                content = self.chance.randbytes(FILE_BYTES)
                about = {"X-File-Name": "a.bin", "Content-Type": "application/octet-stream"}
                brought = await http.post("/api/v1/files", content=content, headers=about)
                if brought.status_code == 429:
                    # He has brought enough; somebody else comes.
                    http.headers["Authorization"] = f"Bearer {await token_of(self.demo)}"
                    continue
                brought.raise_for_status()
                message = {
                    "client_message_id": fresh_id(),
                    "text": "kijk",
                    "files": [brought.json()["id"]],
                }
                (await http.post("/api/v1/visitor/messages", json=message)).raise_for_status()
                self.tally.files += 1

    async def copy(self, number: int) -> None:
        """One round."""
        acked = {key: places[0] for key, places in self.history.acks.items()}
        target, restored = self.folder / f"backup{number}", self.folder / "restored"
        began = time.time()
        told = await self.balie("backup", target, "--json", f"--data-dir={self.demo.folder}")
        ended = time.time()
        if told is None:
            return
        self.tally.backup_ms.append(round((ended - began) * 1_000))
        self.tally.behind_ms.append(round(ended * 1_000) - told["made_at"])
        self.tally.bytes = max(
            self.tally.bytes,
            told["file_bytes"] + sum(each["bytes"] for each in told["parts"].values()),
        )
        began = time.time()
        back = await self.balie("restore", target, "--json", f"--data-dir={restored}")
        self.tally.restore_ms.append(round((time.time() - began) * 1_000))
        if back is not None:
            self.compare(number, told, back, restored, acked)
        shutil.rmtree(restored, ignore_errors=True)
        for each in (target / "files", target / "balie.sqlite3"):
            # What is compared with the end is in the marks.
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        self.tally.rounds += 1

    def compare(
        self, number: int, told: Any, back: Any, restored: Path, acked: dict[Any, Any]
    ) -> None:
        """The copy is sound, says what it said, and has what people were told before."""
        if not (told["sound"] and back["report"]["sound"]):
            self.tally.findings.append(f"backup {number} is not sound")
        if back["report"]["hash"] != told["hash"]:
            self.tally.findings.append(f"backup {number} says something else when it is back")
        logs = Database(restored).log()
        for (name, key), (conversation, seq, _) in acked.items():
            log = logs.get(conversation, [])
            if len(log) < seq or log[seq - 1].client_message_id != key:
                self.tally.findings.append(f"backup {number} lacks {key} of {name}")

    async def compare_with_end(self, rounds: int) -> None:
        for number in range(rounds):
            marks = self.folder / f"backup{number}" / "log.marks"
            told = await self.balie(
                "verify", "--json", f"--against={marks}", f"--data-dir={self.demo.folder}"
            )
            if told is not None and not told["sound"]:
                self.tally.findings.append(f"since backup {number}: {told['findings'][:3]}")

    async def balie(self, *words: Any) -> Any:
        """What a command prints as JSON; None when it failed, which is a finding."""
        process = await asyncio.create_subprocess_exec(
            BALIE, *map(str, words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        told, errors = await process.communicate()
        if process.returncode and not told:
            self.tally.findings.append(f"{words[0]} ended with {process.returncode}: {errors!r}")
            return None
        return json.loads(told)


async def token_of(demo: Demo) -> str:
    """The token of a new visitor."""
    talker = await visitor(demo).open()
    token = str(talker.welcome["visitor"]["token"])
    await talker.close()
    return token


async def run(rounds: int, seed: int) -> Tally:
    """So many backups of one server."""
    with tempfile.TemporaryDirectory() as folder:
        copying = Copying(Path(folder), random.Random(seed))
        await copying.run_rounds(rounds)
        return copying.tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    tally = asyncio.run(run(asked.rounds, asked.seed))
    result = tally.result(asked.seed)
    print(json.dumps(result, indent=2))
    if asked.json:
        asked.json.write_text(json.dumps(result))
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
