"""What the store tells of its own work."""

from balie.kernel.tally import Spread

JOBS = (1, 2, 5, 10, 20, 50, 100, 200, 512)


class StoreTally:
    """Written by the threads of the store, each its own numbers."""

    def __init__(self) -> None:
        self.commits = Spread()
        """Seconds from the beginning of a transaction until it was on disk, whatever came of it."""
        self.batches = Spread(JOBS)
        """Jobs that one transaction carried."""
        self.failures = 0
        """Jobs that were answered with `unavailable`."""
