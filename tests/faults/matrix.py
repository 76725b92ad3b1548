"""Every row of the fault matrix, by name."""

from tests.faults import in_store, on_disk, on_process
from tests.faults.rows import ROWS

__all__ = ["ROWS", "in_store", "on_disk", "on_process"]
