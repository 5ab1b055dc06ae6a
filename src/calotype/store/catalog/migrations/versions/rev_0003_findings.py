"""Findings with an identity and a lifecycle; check runs that a later run can build on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and the tables."""
    for column in (
        sa.Column("branch", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("pins", sa.JSON(), nullable=True),
        sa.Column("documents", sa.JSON(), nullable=True),
        sa.Column("only", sa.JSON(), nullable=True),
        sa.Column("earlier_run", sa.String(length=64), nullable=True),
    ):
        op.add_column("check_runs", column)
    for column in (
        sa.Column("key", sa.String(length=32), nullable=False, server_default=""),
        sa.Column("fault", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("about", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("findings", column)
    op.create_index(op.f("ix_findings_key"), "findings", ["key"], unique=False)
    _states()
    _events_and_fixes()


def _states() -> None:
    op.create_table(
        "finding_states",
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("branch", sa.String(length=200), nullable=False),
        sa.Column("check_name", sa.String(length=64), nullable=False),
        sa.Column("sample_id", sa.String(length=32), nullable=True),
        sa.Column("finding", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assignee", sa.String(length=200), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("first_run", sa.String(length=64), nullable=False),
        sa.Column("last_run", sa.String(length=64), nullable=False),
        sa.Column("n_returns", sa.Integer(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_finding_states_dataset_id")),
        sa.PrimaryKeyConstraint("dataset_id", "key", name=op.f("pk_finding_states")),
    )
    for column in ("check_name", "sample_id", "state"):
        op.create_index(op.f(f"ix_finding_states_{column}"), "finding_states", [column], unique=False)


def _events_and_fixes() -> None:
    op.create_table(
        "finding_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("old_state", sa.String(length=16), nullable=False),
        sa.Column("new_state", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_finding_events_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_events")),
    )
    for column in ("dataset_id", "key"):
        op.create_index(op.f(f"ix_finding_events_{column}"), "finding_events", [column], unique=False)
    op.create_table(
        "finding_fixes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("branch", sa.String(length=200), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("undone_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_finding_fixes_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_fixes")),
    )
    op.create_index(op.f("ix_finding_fixes_dataset_id"), "finding_fixes", ["dataset_id"], unique=False)


def downgrade() -> None:
    """Take them away again."""
    for table in ("finding_fixes", "finding_events", "finding_states"):
        op.drop_table(table)
    op.drop_index(op.f("ix_findings_key"), table_name="findings")
    for column in ("about", "fault", "key"):
        op.drop_column("findings", column)
    for column in ("earlier_run", "only", "documents", "pins", "branch"):
        op.drop_column("check_runs", column)
