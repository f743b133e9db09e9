"""A score's plus-minus."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision. Selfies scored before it have none."""
    op.add_column("selfies", sa.Column("plus_minus", sa.Float()))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("selfies", "plus_minus")
