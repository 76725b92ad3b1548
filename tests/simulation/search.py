"""Runs worlds seed by seed, and says how to see a broken one again."""

import gc
from collections.abc import Iterator

from tests.simulation import storage, world

FILE_EVERY = 50
"""One world in so many runs on the real journal and writer over SQLite; the others on the model of them."""


class FindingError(Exception):
    """A world in which something went wrong."""


class Search:
    """Plays worlds on disks that are made once and wiped between."""

    def __init__(self, bug: str | None = None) -> None:
        self.bug = bug
        self.disk = storage.Disk()
        self.file: storage.File | None = None
        self.steps = 0

    def disk_for(self, seed: int) -> storage.Disk | storage.File:
        # Faults are planted in the model of the journal.
        if self.bug is not None or seed % FILE_EVERY:
            return self.disk
        if self.file is None:
            self.file = storage.File()
        return self.file

    def play(self, seed: int) -> list[tuple[str, str]]:
        """What the checker found in the world of `seed`."""
        disk = self.disk_for(seed)
        disk.erase()
        place = world.World(seed, disk, self.bug)
        try:
            findings = place.run().findings
        except Exception as error:
            raise FindingError(f"the world of {replay(seed, self.bug)} broke: {error!r}") from error
        self.steps += place.clockwork.steps
        return findings

    def broken(self, start: int, count: int) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """The seeds from `start` on in which something went wrong."""
        gc.disable()
        try:
            for seed in range(start, start + count):
                if findings := self.play(seed):
                    yield seed, findings
                if not seed % 200:
                    gc.collect()
        finally:
            gc.enable()


def replay(seed: int, bug: str | None = None) -> str:
    """The command that plays one world again."""
    planted_bug = f" --bug {bug}" if bug else ""
    return f"python -m tests.simulation --start {seed} --seeds 1{planted_bug}"
