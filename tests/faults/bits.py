"""One bit of a database file is turned round, again and again: it is found, or it harms nobody.

`python -m tests.faults.bits --flips 1000 --seed 1 [--json FILE]`: two organisations have talked; each
round turns one bit of a copy of their file, verifies it, and asks the store as each of them. What counts: that
the other's words are never in an answer, that nothing ends in a stack trace, and that a changed word is found.
"""

import argparse
import asyncio
import contextlib
import io
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.app.operations.conftest import live_in

from balie import cli
from balie.app.operations.log_marks import read_marks
from balie.app.settings import Settings
from balie.app.stores import open_driver
from balie.app.trouble import in_words
from balie.conversations.projection import ConversationProjection
from balie.conversations.queries import find_events, find_inbox, find_tags
from balie.kernel.actor import AgentActor
from balie.kernel.errors import BalieError, NotFoundError
from balie.store.engine import LogStore

SIDES = ("noord", "zuid")


class Flips:
    """A file of two organisations, and what becomes of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.outcomes: Counter[str] = Counter()
        self.failures: list[str] = []

    def prepare(self) -> None:
        self.whole = self.folder / "whole"
        asyncio.run(live_in(self.whole, ""))
        self.run_balie("verify", "--keep", self.folder / "marks", on=self.whole)
        _, told = self.run_balie("verify", "--json", on=self.whole)
        self.before = json.loads(told)
        self.size = (self.whole / "balie.sqlite3").stat().st_size

    def flip(self) -> None:
        """One round."""
        self.flip_at(self.chance.randrange(self.size), self.chance.randrange(8))

    def flip_at(self, at: int, bit: int) -> None:
        """Turn this one."""
        hurt = Path(shutil.copytree(self.whole, self.folder / "hurt"))
        with (hurt / "balie.sqlite3").open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes((byte ^ 1 << bit,)))
        self.outcomes[self.judge(hurt, f"byte {at} bit {bit}")] += 1
        shutil.rmtree(hurt)

    def judge(self, hurt: Path, where: str) -> str:
        try:
            code, told = self.run_balie(
                "verify", "--json", "--against", self.folder / "marks", on=hurt
            )
        except Exception as error:  # noqa: BLE001 - a stack trace is what is looked for
            self.failures.append(f"{where}: verify raised {error!r}")
            return "failed"
        self.look_as_each(hurt, where)
        if code:
            return "found" if code == 1 else "could not be read"
        after = json.loads(told)
        same = all(after[each] == self.before[each] for each in ("hash", "tables"))
        return "harmless" if same else "seen by comparing hashes"

    def run_balie(self, *words: Any, on: Path) -> tuple[int, str]:
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()):
            code = cli.main([*map(str, words), f"--data-dir={on}"])
        return code, told.getvalue()

    def look_as_each(self, hurt: Path, where: str) -> None:
        """What each organisation would be shown never holds a word of the other."""
        for side, other in (SIDES, SIDES[::-1]):
            try:
                shown = self.shown(hurt, side)
            except Exception as error:  # noqa: BLE001 - judged below
                if not self.is_plain(error):
                    self.failures.append(f"{where}: asking raised {error!r}")
                continue
            if f"canary-{other}" in shown:
                self.failures.append(f"{where}: {side} was shown words of {other}")

    def is_plain(self, error: Exception) -> bool:
        """Whether a server would answer it with a word of its own."""
        return isinstance(error, BalieError | ValueError | TypeError) or in_words(error) is not None

    def shown(self, hurt: Path, side: str) -> str:
        return asyncio.run(self.ask(hurt, side))

    async def ask(self, hurt: Path, side: str) -> str:
        """All that an owner of this side gets to see, by the queries of his console."""
        actor = AgentActor(
            organisation_id=self.organisation(side), agent_id="", name="", role="owner"
        )
        store = LogStore(open_driver(Settings(data_dir=hurt)), ConversationProjection())
        store.start()
        try:
            answers: list[Any] = [await find_tags(store, actor)]
            answers += [await find_inbox(store, actor, view) for view in ("waiting", "all")]
            for conversation in self.before_marks():
                with contextlib.suppress(NotFoundError):
                    answers.append(await find_events(store, actor, conversation))
            return str(answers)
        finally:
            await store.stop()

    def before_marks(self) -> list[str]:
        return sorted(read_marks(self.folder / "marks"))

    def organisation(self, side: str) -> str:
        return str(self.before["organisations"][SIDES.index(side)]["id"])


def run(flips: int, seed: int) -> dict[str, Any]:
    """Turn so many bits; what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        campaign = Flips(Path(folder), seed)
        campaign.prepare()
        for _ in range(flips):
            campaign.flip()
    return {
        "seed": seed,
        "flips": flips,
        "outcomes": dict(campaign.outcomes),
        "failures": campaign.failures,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    result = run(asked.flips, asked.seed)
    print(json.dumps(result, indent=2))
    if asked.json:
        asked.json.write_text(json.dumps(result))
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
