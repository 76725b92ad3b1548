"""The ids of messages in the order of time, so that a busy minute writes to one end of their index."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEX = "uq_events_client_message"
KEYED = sa.text("client_message_id IS NOT NULL")


def upgrade() -> None:
    _index("client_message_id", "conversation_id", "author_id")


def downgrade() -> None:
    _index("conversation_id", "author_id", "client_message_id")


def _index(*columns: str) -> None:
    op.drop_index(INDEX, "events")
    op.create_index(
        INDEX, "events", columns, unique=True, sqlite_where=KEYED, postgresql_where=KEYED
    )
