"""Jobs, the cursors that feed them, and where webhooks go."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LIVE = sa.text("ended_at IS NULL")
ENDED = sa.text("ended_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "cursors",
        sa.Column("organisation_id", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("position", WORDS, nullable=False),
        sa.Column("turn", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "jobs",
        sa.Column("organisation_id", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("queue", WORDS, nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("lane", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("payload", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("due_at", NUMBER, nullable=False),
        sa.Column("attempts", NUMBER, nullable=False),
        sa.Column("fence", NUMBER, nullable=False),
        sa.Column("result", WORDS, nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("ended_at", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("queue", "key", name="uq_jobs_key"),
    )
    op.create_index(
        "ix_jobs_due", "jobs", ["lane", "due_at"], sqlite_where=LIVE, postgresql_where=LIVE
    )
    op.create_index(
        "ix_jobs_ended", "jobs", ["ended_at"], sqlite_where=ENDED, postgresql_where=ENDED
    )
    op.create_index("ix_jobs_lane", "jobs", ["organisation_id", "lane", "created_at", "id"])
    op.create_index("ix_jobs_subject", "jobs", ["subject"])
    op.create_table(
        "webhook_endpoints",
        sa.Column("organisation_id", WORDS, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("url", WORDS, nullable=False),
        sa.Column("types", WORDS, nullable=False),
        sa.Column("disabled_because", WORDS, nullable=False),
        sa.Column("since", NUMBER, nullable=False),
        sa.Column("failing_since", NUMBER, nullable=True),
        sa.Column("secret", WORDS, nullable=False),
        sa.Column("former_secret", WORDS, nullable=True),
        sa.Column("former_until", NUMBER, nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(
        "ix_webhook_endpoints_organisation", "webhook_endpoints", ["organisation_id", "id"]
    )


def downgrade() -> None:
    op.drop_table("webhook_endpoints")
    op.drop_table("jobs")
    op.drop_table("cursors")
