"""Indexes for the list of all conversations and for the labels in use."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# On PostgreSQL `store/migrations/beside.py` makes these, while others write.
BESIDE = ("ix_conversations_started", "ix_conversations_tags")
LABELLED = sa.text("tags <> ''")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        return
    op.create_index(
        "ix_conversations_started", "conversations", ["organisation_id", "started_at", "id"]
    )
    op.create_index(
        "ix_conversations_tags", "conversations", ["organisation_id", "tags"], sqlite_where=LABELLED
    )


def downgrade() -> None:
    for name in BESIDE:
        op.drop_index(name, "conversations", if_exists=True)
