"""What the page tells of its visitor."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    # Added in place: with a default, SQLite rewrites no row.
    op.add_column(
        "conversations",
        sa.Column("attributes", WORDS, server_default=sa.text("''"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("conversations", "attributes")
