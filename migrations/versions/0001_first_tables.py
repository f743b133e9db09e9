"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_selfies()
    _create_answers()
    op.create_table(
        "cursors",
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("cursor", sa.Text()),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_cursors"),
    )
    op.create_table(
        "brakes",
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "action", name="pk_brakes"),
    )


def _create_selfies() -> None:
    op.create_table(
        "selfies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text()),
        sa.Column("photo_url", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True)),
        sa.Column("refusal", sa.String(32)),
        sa.Column("score", sa.Float()),
        sa.Column("faces", sa.Integer()),
        sa.Column("reply_id", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_selfies"),
        sa.UniqueConstraint("platform", "item_id", name="uq_selfies_platform_item_id"),
    )
    op.create_index("ix_selfies_status_since", "selfies", ["status", "since"])
    op.create_index("ix_selfies_platform_author_id", "selfies", ["platform", "author_id"])


def _create_answers() -> None:
    selfie_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "answers",
        sa.Column("selfie_id", selfie_id, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("picture", sa.LargeBinary()),
        sa.Column("alt_text", sa.Text()),
        sa.ForeignKeyConstraint(["selfie_id"], ["selfies.id"], name="fk_answers_selfie_id_selfies"),
        sa.PrimaryKeyConstraint("selfie_id", name="pk_answers"),
    )


def downgrade() -> None:
    """Back to an empty database."""
    for table in ("brakes", "cursors", "answers", "selfies"):
        op.drop_table(table)
