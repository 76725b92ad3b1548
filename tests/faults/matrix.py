"""Every row of the fault matrix, by name."""

from tests.faults import (
    crowds,
    in_store,
    on_clock,
    on_disk,
    on_line,
    on_network,
    on_postgres,
    on_process,
    on_wire,
    on_workers,
)
from tests.faults.rows import ROWS

__all__ = [
    "ROWS",
    "crowds",
    "in_store",
    "on_clock",
    "on_disk",
    "on_line",
    "on_network",
    "on_postgres",
    "on_process",
    "on_wire",
    "on_workers",
]
