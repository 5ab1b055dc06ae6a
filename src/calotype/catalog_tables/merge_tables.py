"""The catalog's tables of merges: merges, their conflicts, and approvals of commits."""

from __future__ import annotations

import sqlalchemy as sa


def merge_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """Merges, their conflicts, and who approved which commit; in an order in which they can be created."""
    return _merges(metadata), _merge_conflicts(metadata), _commit_approvals(metadata)


def _merges(metadata: sa.MetaData) -> sa.Table:
    """Merges: open while they have unresolved conflicts, then landed or abandoned."""
    return sa.Table(
        "merges",
        metadata,
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id"), nullable=False, index=True),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("base_commit", sa.String(64), nullable=True),
        sa.Column("source_commit", sa.String(64), nullable=False),
        sa.Column("target_commit", sa.String(64), nullable=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("merge_commit", sa.String(64), nullable=True),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("finished_at_us", sa.BigInteger, nullable=True),
    )


def _merge_conflicts(metadata: sa.MetaData) -> sa.Table:
    """Conflicting changes of one row by the two sides of a merge. States: open, review, resolved."""
    return sa.Table(
        "merge_conflicts",
        metadata,
        sa.Column("merge_id", sa.String(64), sa.ForeignKey("merges.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("table_name", sa.String(400), nullable=False),
        sa.Column("row_id", sa.String(64), nullable=False),
        sa.Column("sample_id", sa.String(64), nullable=True, index=True),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("base", sa.JSON, nullable=True),
        sa.Column("ours", sa.JSON, nullable=True),
        sa.Column("theirs", sa.JSON, nullable=True),
        sa.Column("resolution", sa.JSON, nullable=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("resolved_by", sa.String(200), nullable=True),
        sa.Column("resolved_at_us", sa.BigInteger, nullable=True),
    )


def _commit_approvals(metadata: sa.MetaData) -> sa.Table:
    """The yes of a person to a commit, for branches that need one."""
    return sa.Table(
        "commit_approvals",
        metadata,
        sa.Column("commit_id", sa.String(64), sa.ForeignKey("commits.id"), primary_key=True),
        sa.Column("actor", sa.String(200), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
