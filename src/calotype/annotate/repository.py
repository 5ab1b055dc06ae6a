"""Queries of annotate: answers to requests to edit, the journal, and the rows that edits concern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from calotype.annotate.model import KEPT_DAYS
from calotype.datasets import rows
from calotype.datasets.commits import EditEntry, Ref
from calotype.datasets.model import Annotation, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import rows_with
from calotype.foundation.clock import now_us
from calotype.store import Store
from calotype.store.catalog import schema
from calotype.store.tables.row_lookup import ColumnValues

_EDITS, _REQUESTS = schema.edits, schema.edit_requests
_DAY_US = 86_400_000_000


def answered(conn: sa.Connection, dataset_id: str, request_id: str) -> tuple[str, dict[str, Any]] | None:
    """The hash of a request and the answer to it; None if the id is new."""
    query = sa.select(_REQUESTS.c.sha256, _REQUESTS.c.answer)
    row = conn.execute(
        query.where(_REQUESTS.c.dataset_id == dataset_id, _REQUESTS.c.id == request_id)
    ).first()
    return None if row is None else (row.sha256, row.answer)


def keep_answer(
    conn: sa.Connection, dataset_id: str, request_id: str, sha256: str, answer: dict[str, Any]
) -> None:
    """Keep an answer for repetitions of the request, and drop those that are older than `KEPT_DAYS`."""
    values = {"dataset_id": dataset_id, "id": request_id, "sha256": sha256, "answer": answer}
    conn.execute(_REQUESTS.insert().values(**values, at_us=now_us()))
    conn.execute(_REQUESTS.delete().where(_REQUESTS.c.at_us < now_us() - KEPT_DAYS * _DAY_US))


def edits(conn: sa.Connection, ref: Ref) -> list[EditEntry]:
    """The entries of a branch, newest first; those undone come first."""
    query = sa.select(_EDITS).where(_of(ref)).order_by(_EDITS.c.position.desc())
    return [EditEntry(**row) for row in conn.execute(query).mappings()]


def n_edits(conn: sa.Connection, ref: Ref) -> tuple[int, int]:
    """How many entries of a branch can be undone, and how many redone."""
    query = sa.select(_EDITS.c.undone, sa.func.count()).where(_of(ref)).group_by(_EDITS.c.undone)
    counts = {bool(row[0]): int(row[1]) for row in conn.execute(query)}
    return counts.get(False, 0), counts.get(True, 0)


def next_edit(conn: sa.Connection, ref: Ref) -> EditEntry | None:
    """The oldest undone edit, which would be redone next."""
    query = sa.select(_EDITS).where(_of(ref), _EDITS.c.undone).order_by(_EDITS.c.position)
    row = conn.execute(query.limit(1)).mappings().first()
    return None if row is None else EditEntry(**row)


def mark_edit(conn: sa.Connection, entry: EditEntry, *, undone: bool) -> None:
    """Note that an edit was undone or redone."""
    conn.execute(_EDITS.update().where(_EDITS.c.id == entry.id).values(undone=undone))


def annotations_by_id(store: Store, state: Snapshot, label_set: str, ids: Sequence[str]) -> list[Annotation]:
    """Annotations of a label set by id; those that do not exist are missing."""
    table, names = rows.annotation_table(label_set), rows.ANNOTATION_SCHEMA.names
    return rows.annotations_from_arrow(rows_with(store, state, table, ColumnValues("ann_id", ids), names))


def samples_by_id(store: Store, state: Snapshot, ids: Sequence[str]) -> list[Sample]:
    """Samples by id; those that do not exist are missing."""
    return _samples(store, state, ColumnValues("sample_id", ids))


def copies(store: Store, state: Snapshot, ids: Sequence[str]) -> list[Sample]:
    """The samples derived from some originals of the same dataset."""
    return _samples(store, state, ColumnValues("parent_id", ids))


def _samples(store: Store, state: Snapshot, selection: ColumnValues) -> list[Sample]:
    return rows.samples_from_arrow(rows_with(store, state, rows.SAMPLES, selection, rows.SAMPLE_SCHEMA.names))


def _of(ref: Ref) -> sa.ColumnElement[bool]:
    return sa.and_(_EDITS.c.dataset_id == ref.dataset_id, _EDITS.c.branch == ref.name)
