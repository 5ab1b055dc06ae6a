"""Merges with their conflicts, protected branches, media by reference, two-phase sweeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables and the column."""
    op.add_column("refs", sa.Column("protection", sa.JSON(), nullable=True))
    op.create_table(
        "merges",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("base_commit", sa.String(length=64), nullable=True),
        sa.Column("source_commit", sa.String(length=64), nullable=False),
        sa.Column("target_commit", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("merge_commit", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_merges_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index(op.f("ix_merges_dataset_id"), "merges", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_merges_state"), "merges", ["state"], unique=False)
    op.create_table(
        "merge_conflicts",
        sa.Column("merge_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("table_name", sa.String(length=400), nullable=False),
        sa.Column("row_id", sa.String(length=64), nullable=False),
        sa.Column("sample_id", sa.String(length=64), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("base", sa.JSON(), nullable=True),
        sa.Column("ours", sa.JSON(), nullable=True),
        sa.Column("theirs", sa.JSON(), nullable=True),
        sa.Column("resolution", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("resolved_by", sa.String(length=200), nullable=True),
        sa.Column("resolved_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merge_id"], ["merges.id"], name=op.f("fk_merge_conflicts_merge_id")),
        sa.PrimaryKeyConstraint("merge_id", "position", name=op.f("pk_merge_conflicts")),
    )
    op.create_index(op.f("ix_merge_conflicts_sample_id"), "merge_conflicts", ["sample_id"], unique=False)
    op.create_index(op.f("ix_merge_conflicts_state"), "merge_conflicts", ["state"], unique=False)
    op.create_table(
        "media_references",
        sa.Column("media_key", sa.String(length=64), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("checked_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("media_key", name=op.f("pk_media_references")),
    )
    op.create_index(op.f("ix_media_references_sha256"), "media_references", ["sha256"], unique=False)
    op.create_table(
        "sweeps",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("marked_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_sweeps")),
    )


def downgrade() -> None:
    """Take them away again."""
    for table in ("sweeps", "media_references", "merge_conflicts", "merges"):
        op.drop_table(table)
    op.drop_column("refs", "protection")
