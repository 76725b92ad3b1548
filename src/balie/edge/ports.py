"""What the rooms ask of the world: a store, a clock and entropy, handed in by whoever starts Balie."""

import msgspec

from balie.kernel.ids import ENTROPY_BYTES, new_id
from balie.kernel.ports import Clock, Entropy
from balie.store.engine import Store


class Ports(msgspec.Struct, frozen=True):
    """The shell's side of the three ports."""

    store: Store
    clock: Clock
    entropy: Entropy

    def new_id(self) -> str:
        """A fresh id of this moment."""
        return new_id(self.clock(), self.entropy(ENTROPY_BYTES))
