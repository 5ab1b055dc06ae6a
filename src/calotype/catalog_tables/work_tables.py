"""The catalog's tables of labelling: batches, assignments, the event log and its present state, threads, origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(200), **{"nullable": False, **options})


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _id(name: str = "id", *, key: bool = True, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), primary_key=key, **{"nullable": False, **options})


def _of(name: str, table: str, *, key: bool = False) -> sa.Column[str]:
    link = sa.ForeignKey(f"{table}.id")
    return sa.Column(name, sa.String(32), link, primary_key=key, nullable=False, index=not key)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=nullable)


class WorkTables(NamedTuple):
    """The tables of labelling."""

    batches: sa.Table
    batch_samples: sa.Table
    assignments: sa.Table
    work_events: sa.Table
    work_annotations: sa.Table
    threads: sa.Table
    comments: sa.Table
    label_records: sa.Table


def work_tables(metadata: sa.MetaData) -> WorkTables:
    """The tables, in an order in which they can be created."""
    queue = (_batches(metadata), _batch_samples(metadata), _assignments(metadata))
    return WorkTables._make((*queue, *_record(metadata), *_talk(metadata), _label_records(metadata)))


def _batches(metadata: sa.MetaData) -> sa.Table:
    """Batches; `people` and `reviewers` are ids of actors, and `team:` with the id of a team."""
    return sa.Table(
        "batches",
        metadata,
        _id(),
        _of("dataset_id", "datasets"),
        _text("name"),
        _text("branch"),
        _text("label_set"),
        _int("guideline_version"),
        _long("query"),
        _json("people"),
        _json("reviewers"),
        _int("overlap"),
        sa.Column("review_share", sa.Float, nullable=False),
        _int("priority"),
        _time("due_us", nullable=True),
        _text("prelabels"),
        sa.Column("min_score", sa.Float, nullable=False),
        _int("lease_s"),
        _text("state", index=True),
        _text("created_by"),
        _time("created_at_us"),
        _time("closed_at_us", nullable=True),
        sa.UniqueConstraint("dataset_id", "name", name="uq_batches_dataset_id_name"),
    )


def _batch_samples(metadata: sa.MetaData) -> sa.Table:
    """The samples of a batch: `sample` holds the facts that a page needs, `seed` the annotations to begin with."""
    return sa.Table(
        "batch_samples",
        metadata,
        _of("batch_id", "batches", key=True),
        _id("sample_id"),
        _int("position"),
        _json("sample"),
        _json("seed"),
        _text("state"),
        _int("n_open"),
        _int("n_submitted"),
        _text("review_reason"),
        _id("accepted_assignment", key=False, nullable=True),
        _text("landed_commit"),
        _time("changed_at_us"),
        sa.Index("ix_batch_samples_queue", "batch_id", "state", "n_open", "position"),
    )


def _assignments(metadata: sa.MetaData) -> sa.Table:
    """Who works on which sample, or reviews it."""
    return sa.Table(
        "assignments",
        metadata,
        _id(),
        _of("batch_id", "batches"),
        _id("sample_id", key=False),
        _text("kind"),
        _text("actor_id"),
        _text("actor"),
        _text("state"),
        _int("round"),
        _time("lease_until_us"),
        _int("position"),
        _time("active_ms"),
        _int("guideline_version"),
        _long("note"),
        _time("started_at_us"),
        _time("submitted_at_us", nullable=True),
        _time("finished_at_us", nullable=True),
        sa.Index("ix_assignments_of", "actor_id", "state"),
        sa.Index("ix_assignments_sample", "batch_id", "sample_id"),
        sa.Index("ix_assignments_lease", "state", "lease_until_us"),
    )


def _record(metadata: sa.MetaData) -> Iterator[sa.Table]:
    """The event log, append-only, and the present state that follows from it.

    An event holds the annotation before and after (null: it does not exist), so that each can be undone.
    """
    yield sa.Table(
        "work_events",
        metadata,
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        _of("assignment_id", "assignments"),
        _int("position"),
        _text("operation_id"),
        _text("actor_id"),
        _text("verb"),
        _id("ann_id", key=False),
        _json("before", nullable=True),
        _json("after", nullable=True),
        _text("reverts"),
        _int("active_ms"),
        _time("at_us"),
        sa.UniqueConstraint("assignment_id", "operation_id", name="uq_work_events_operation"),
    )
    yield sa.Table(
        "work_annotations",
        metadata,
        _of("assignment_id", "assignments", key=True),
        _id("ann_id"),
        _json("row", nullable=True),
        _text("origin"),
        _text("author"),
        _text("operation_id"),
        _int("position"),
    )


def _talk(metadata: sa.MetaData) -> Iterator[sa.Table]:
    """Threads (remarks of a review, questions) at a place or an annotation, in order."""
    yield sa.Table(
        "threads",
        metadata,
        _id(),
        _of("dataset_id", "datasets"),
        _id("batch_id", key=False, index=True),
        _id("sample_id", key=False),
        _id("assignment_id", key=False, index=True),
        _id("ann_id", key=False),
        _json("place", nullable=True),
        _text("kind"),
        _text("category"),
        _text("class_name"),
        _text("state", index=True),
        _text("created_by"),
        _time("created_at_us"),
        _time("resolved_at_us", nullable=True),
    )
    yield sa.Table(
        "comments",
        metadata,
        _id(),
        _of("thread_id", "threads"),
        _text("verb"),
        _long("text"),
        _text("author"),
        _time("at_us"),
    )


def _label_records(metadata: sa.MetaData) -> sa.Table:
    """Where labels that landed come from: who, under which guideline version, how, in how much time."""
    return sa.Table(
        "label_records",
        metadata,
        _of("dataset_id", "datasets", key=True),
        _id("ann_id"),
        _text("label_set"),
        _id("batch_id", key=False, index=True),
        _id("assignment_id", key=False),
        _text("author"),
        _text("reviewer"),
        _text("origin"),
        _int("guideline_version"),
        _time("active_ms"),
        _text("commit_id"),
        _time("at_us"),
    )
