"""Sign-ins of programs that a person allows in the browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "device_sign_ins",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device_sha256", sa.String(length=200), nullable=False),
        sa.Column("code_sha256", sa.String(length=200), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_device_sign_ins_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_sign_ins")),
        sa.UniqueConstraint("device_sha256", name=op.f("uq_device_sign_ins_device_sha256")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_device_sign_ins_code_sha256")),
    )
    op.create_index(op.f("ix_device_sign_ins_person_id"), "device_sign_ins", ["person_id"], unique=False)


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("device_sign_ins")
