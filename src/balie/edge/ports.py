"""What the rooms ask of the world: a store, a clock and entropy, handed in by whoever starts Balie."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from balie.kernel.ids import ENTROPY_BYTES, new_id
from balie.kernel.ports import Clock, Entropy
from balie.kernel.tidings import Tiding
from balie.store.engine import Store

Tell = Callable[[Connection, str, Tiding], None]
"""Writes down for the other processes, in the caller's transaction, what happened in an organisation."""


def tell_nobody(_connection: Connection, _organisation_id: str, _tiding: Tiding) -> None:
    """Where there is nobody else."""


class Ports(msgspec.Struct, frozen=True):
    """The shell's side of the three ports."""

    store: Store
    clock: Clock
    entropy: Entropy
    tell: Tell = tell_nobody

    def new_id(self) -> str:
        """A fresh id of this moment."""
        return new_id(self.clock(), self.entropy(ENTROPY_BYTES))
