"""What a message writes of its row. That the row is right, `tests/contracts/test_log.py` shows."""

from balie.conversations import projection
from balie.conversations.model import conversations


def test_every_column_is_fixed_busy_or_calm():
    kinds = (projection._FIXED, projection._BUSY, projection._CALM)
    assert sorted(name for kind in kinds for name in kind) == sorted(projection.COLUMNS)


def test_no_index_stands_on_what_a_message_changes():
    indexed = {column.name for index in conversations.indexes for column in index.columns}
    assert indexed.isdisjoint(projection._BUSY)
