"""What live connections tell of their own work."""

from collections import Counter

from balie.kernel.tally import Spread


class LiveTally:
    """Written in the event loop alone."""

    def __init__(self) -> None:
        self.opened: Counter[tuple[str, str]] = Counter()
        """Connections by kind (visitor, agent) and transport (socket, stream), since the start."""
        self.open: Counter[tuple[str, str]] = Counter()
        """Idem, right now."""
        self.closed: Counter[str] = Counter()
        """By the code with which Balie closed them; `client` where it did not."""
        self.acknowledged = Spread()
        """Seconds from a message being read until its `ack` is ready to leave."""
        self.repeated = 0
        """Messages that had been stored before."""
        self.refused: Counter[str] = Counter()
        """Messages that were answered with an error, by its code."""
        self.refilled = 0
        """Pages of missed events that were read for somebody."""
