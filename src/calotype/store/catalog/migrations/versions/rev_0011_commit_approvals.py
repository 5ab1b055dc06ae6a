"""Approvals of commits, for branches that need the yes of a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "commit_approvals",
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["commit_id"], ["commits.id"], name=op.f("fk_commit_approvals_commit_id")),
        sa.PrimaryKeyConstraint("commit_id", "actor", name=op.f("pk_commit_approvals")),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("commit_approvals")
