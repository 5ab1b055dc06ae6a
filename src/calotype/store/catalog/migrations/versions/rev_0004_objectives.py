"""What a run of the checks measured of the contract's objectives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; runs of before have none."""
    op.add_column("check_runs", sa.Column("objectives", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("check_runs", "objectives")
