"""Labelling: guidelines, batches, assignments, the event log and its present state, threads, label records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "batches",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("branch", sa.String(length=200), nullable=False),
        sa.Column("label_set", sa.String(length=200), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("people", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("reviewers", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("overlap", sa.Integer(), nullable=False),
        sa.Column("review_share", sa.Float(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("prelabels", sa.String(length=200), nullable=False),
        sa.Column("min_score", sa.Float(), nullable=False),
        sa.Column("lease_s", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_batches_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("dataset_id", "name", name="uq_batches_dataset_id_name"),
    )
    op.create_index(op.f("ix_batches_dataset_id"), "batches", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_batches_state"), "batches", ["state"], unique=False)
    op.create_table(
        "guideline_acknowledgements",
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_guideline_acknowledgements_dataset_id")
        ),
        sa.PrimaryKeyConstraint(
            "dataset_id", "actor_id", "version", name=op.f("pk_guideline_acknowledgements")
        ),
    )
    op.create_table(
        "guidelines",
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("changelog", sa.Text(), nullable=False),
        sa.Column("touches", sa.JSON(), nullable=False),
        sa.Column("ontology", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(length=200), nullable=False),
        sa.Column("published_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_guidelines_dataset_id")),
        sa.PrimaryKeyConstraint("dataset_id", "version", name=op.f("pk_guidelines")),
    )
    op.create_table(
        "label_records",
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("ann_id", sa.String(length=32), nullable=False),
        sa.Column("label_set", sa.String(length=200), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("assignment_id", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reviewer", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        sa.Column("active_ms", sa.BigInteger(), nullable=False),
        sa.Column("commit_id", sa.String(length=200), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_label_records_dataset_id")),
        sa.PrimaryKeyConstraint("dataset_id", "ann_id", name=op.f("pk_label_records")),
    )
    op.create_index(op.f("ix_label_records_batch_id"), "label_records", ["batch_id"], unique=False)
    op.create_table(
        "precedents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        sa.Column("class_name", sa.String(length=500), nullable=False),
        sa.Column("sample_id", sa.String(length=32), nullable=False),
        sa.Column("region", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.String(length=32), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("retired_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_precedents_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_precedents")),
    )
    op.create_index(op.f("ix_precedents_dataset_id"), "precedents", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_precedents_sample_id"), "precedents", ["sample_id"], unique=False)
    op.create_table(
        "threads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("sample_id", sa.String(length=32), nullable=False),
        sa.Column("assignment_id", sa.String(length=32), nullable=False),
        sa.Column("ann_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=200), nullable=False),
        sa.Column("class_name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_threads_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
    )
    op.create_index(op.f("ix_threads_assignment_id"), "threads", ["assignment_id"], unique=False)
    op.create_index(op.f("ix_threads_batch_id"), "threads", ["batch_id"], unique=False)
    op.create_index(op.f("ix_threads_dataset_id"), "threads", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_threads_state"), "threads", ["state"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("sample_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("actor_id", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lease_until_us", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active_ms", sa.BigInteger(), nullable=False),
        sa.Column("guideline_version", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at_us", sa.BigInteger(), nullable=True),
        sa.Column("finished_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_assignments_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_index(op.f("ix_assignments_batch_id"), "assignments", ["batch_id"], unique=False)
    op.create_index("ix_assignments_lease", "assignments", ["state", "lease_until_us"], unique=False)
    op.create_index("ix_assignments_of", "assignments", ["actor_id", "state"], unique=False)
    op.create_index("ix_assignments_sample", "assignments", ["batch_id", "sample_id"], unique=False)
    op.create_table(
        "batch_samples",
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("sample_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sample", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("seed", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("n_open", sa.Integer(), nullable=False),
        sa.Column("n_submitted", sa.Integer(), nullable=False),
        sa.Column("review_reason", sa.String(length=200), nullable=False),
        sa.Column("accepted_assignment", sa.String(length=32), nullable=True),
        sa.Column("landed_commit", sa.String(length=200), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_samples_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "sample_id", name=op.f("pk_batch_samples")),
    )
    op.create_index(
        "ix_batch_samples_queue", "batch_samples", ["batch_id", "state", "n_open", "position"], unique=False
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("thread_id", sa.String(length=32), nullable=False),
        sa.Column("verb", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_comments_thread_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index(op.f("ix_comments_thread_id"), "comments", ["thread_id"], unique=False)
    op.create_table(
        "work_annotations",
        sa.Column("assignment_id", sa.String(length=32), nullable=False),
        sa.Column("ann_id", sa.String(length=32), nullable=False),
        sa.Column("row", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("operation_id", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.id"], name=op.f("fk_work_annotations_assignment_id")
        ),
        sa.PrimaryKeyConstraint("assignment_id", "ann_id", name=op.f("pk_work_annotations")),
    )
    op.create_table(
        "work_events",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("assignment_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.String(length=200), nullable=False),
        sa.Column("actor_id", sa.String(length=200), nullable=False),
        sa.Column("verb", sa.String(length=200), nullable=False),
        sa.Column("ann_id", sa.String(length=32), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reverts", sa.String(length=200), nullable=False),
        sa.Column("active_ms", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignments.id"], name=op.f("fk_work_events_assignment_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_work_events")),
        sa.UniqueConstraint("assignment_id", "operation_id", name="uq_work_events_operation"),
    )
    op.create_index(op.f("ix_work_events_assignment_id"), "work_events", ["assignment_id"], unique=False)


def downgrade() -> None:
    """Take them away again."""
    op.drop_index(op.f("ix_work_events_assignment_id"), table_name="work_events")
    op.drop_table("work_events")
    op.drop_table("work_annotations")
    op.drop_index(op.f("ix_comments_thread_id"), table_name="comments")
    op.drop_table("comments")
    op.drop_index("ix_batch_samples_queue", table_name="batch_samples")
    op.drop_table("batch_samples")
    op.drop_index("ix_assignments_sample", table_name="assignments")
    op.drop_index("ix_assignments_of", table_name="assignments")
    op.drop_index("ix_assignments_lease", table_name="assignments")
    op.drop_index(op.f("ix_assignments_batch_id"), table_name="assignments")
    op.drop_table("assignments")
    op.drop_index(op.f("ix_threads_state"), table_name="threads")
    op.drop_index(op.f("ix_threads_dataset_id"), table_name="threads")
    op.drop_index(op.f("ix_threads_batch_id"), table_name="threads")
    op.drop_index(op.f("ix_threads_assignment_id"), table_name="threads")
    op.drop_table("threads")
    op.drop_index(op.f("ix_precedents_sample_id"), table_name="precedents")
    op.drop_index(op.f("ix_precedents_dataset_id"), table_name="precedents")
    op.drop_table("precedents")
    op.drop_index(op.f("ix_label_records_batch_id"), table_name="label_records")
    op.drop_table("label_records")
    op.drop_table("guidelines")
    op.drop_table("guideline_acknowledgements")
    op.drop_index(op.f("ix_batches_state"), table_name="batches")
    op.drop_index(op.f("ix_batches_dataset_id"), table_name="batches")
    op.drop_table("batches")
