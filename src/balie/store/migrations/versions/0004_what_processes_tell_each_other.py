"""What several processes over one store share: notices to each other, tickets for sockets, tries to sign in."""

import sqlalchemy as sa
from alembic import op

from balie.store.schema import Number, Words

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("position", Number, primary_key=True),
        sa.Column("organisation_id", Words, nullable=False, server_default=sa.text("'*'")),
        sa.Column("worker", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("body", Words, nullable=False),
        sa.Column("at", Number, nullable=False),
    )
    op.create_table(
        "tickets",
        sa.Column("token_hash", Words, primary_key=True),
        sa.Column("session_id", Words, nullable=False),
        sa.Column("organisation_id", Words, nullable=False),
        sa.Column("expires_at", Number, nullable=False),
    )
    op.create_table(
        "tries",
        sa.Column("key", Words, primary_key=True),
        sa.Column("organisation_id", Words, nullable=False, server_default=sa.text("'*'")),
        sa.Column("tokens", sa.Double, nullable=False),
        sa.Column("at", Number, nullable=False),
    )
    op.create_index("ix_tries_at", "tries", ["at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE notices ADD COLUMN transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id()"
        )
        op.execute("CREATE INDEX ix_notices_transaction ON notices (transaction_id, position)")


def downgrade() -> None:
    for table in ("tries", "tickets", "notices"):
        op.drop_table(table)
