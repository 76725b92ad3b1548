"""All chance of one world, from one seed."""

import random


class Chance(random.Random):
    """Draws; the same seed draws the same."""

    def uniform0(self, most: float) -> float:
        """From 0 up to `most`."""
        return self.random() * most

    def happens(self, probability: float) -> bool:
        return self.random() < probability
