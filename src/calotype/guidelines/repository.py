"""Catalog queries of guidelines: versions, acknowledgements, and under which version labels were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from calotype.guidelines.model import Example, Guideline, Touch
from calotype.store.catalog import schema
from calotype.store.catalog.upserts import insert

_GUIDELINES, _ACKNOWLEDGED = schema.of_guidelines.guidelines, schema.of_guidelines.acknowledgements
_RECORDS = schema.of_work.label_records
DRAFT, PUBLISHED = "draft", "published"
_AT_ONCE, _ROWS_AT_ONCE = 100_000, 1_000
RECORD_SCHEMA = pa.schema(
    [
        pa.field("ann_id", pa.string()),
        pa.field("version", pa.int64()),
        pa.field("at_us", pa.int64()),
        pa.field("active_ms", pa.int64()),
        pa.field("edited_by", pa.string()),
    ]
)
EDITED = "edited"
"""Origin of a record that an edit by hand left."""


def newest_published(conn: sa.Connection, dataset_id: str) -> int:
    """The number of the newest published version; 0 if nothing is published."""
    is_published = (_GUIDELINES.c.dataset_id == dataset_id) & (_GUIDELINES.c.state == PUBLISHED)
    return int(conn.execute(sa.select(sa.func.max(_GUIDELINES.c.version)).where(is_published)).scalar() or 0)


def acknowledged(conn: sa.Connection, dataset_id: str, actor_id: str) -> int:
    """The newest version that somebody acknowledged; 0 if none."""
    by_actor = (_ACKNOWLEDGED.c.dataset_id == dataset_id) & (_ACKNOWLEDGED.c.actor_id == actor_id)
    return int(conn.execute(sa.select(sa.func.max(_ACKNOWLEDGED.c.version)).where(by_actor)).scalar() or 0)


def acknowledge(conn: sa.Connection, dataset_id: str, actor_id: str, version: int, at_us: int) -> None:
    """Record that somebody has read a version; a repetition changes nothing."""
    row = {"dataset_id": dataset_id, "actor_id": actor_id, "version": version, "at_us": at_us}
    conn.execute(insert(conn, _ACKNOWLEDGED).values(row).on_conflict_do_nothing())


def versions(conn: sa.Connection, dataset_id: str, dataset: str) -> list[Guideline]:
    """All versions, oldest first."""
    query = (
        sa.select(_GUIDELINES).where(_GUIDELINES.c.dataset_id == dataset_id).order_by(_GUIDELINES.c.version)
    )
    return [_guideline(row, dataset) for row in conn.execute(query).mappings()]


def version(conn: sa.Connection, dataset_id: str, dataset: str, number: int) -> Guideline | None:
    """One version."""
    is_it = (_GUIDELINES.c.dataset_id == dataset_id) & (_GUIDELINES.c.version == number)
    row = conn.execute(sa.select(_GUIDELINES).where(is_it)).mappings().first()
    return None if row is None else _guideline(row, dataset)


def keep(conn: sa.Connection, dataset_id: str, guideline: Guideline, ontology: dict[str, Any]) -> None:
    """Keep a version: a new one, or a draft that is written again or published."""
    row = {
        "dataset_id": dataset_id,
        "version": guideline.version,
        "state": guideline.state,
        "text": guideline.text,
        "examples": [one.to_dict() for one in guideline.examples],
        "changelog": guideline.changelog,
        "touches": [one.to_dict() for one in guideline.touches],
        "ontology": ontology,
        "created_by": guideline.created_by,
        "created_at_us": guideline.created_at_us,
        "published_by": guideline.published_by,
        "published_at_us": guideline.published_at_us,
    }
    changes = {name: value for name, value in row.items() if name not in ("dataset_id", "version")}
    upsert = insert(conn, _GUIDELINES).values(row)
    conn.execute(upsert.on_conflict_do_update(index_elements=["dataset_id", "version"], set_=changes))


def label_records(conn: sa.Connection, dataset_id: str, label_set: str) -> pa.Table:
    """Where labels that landed come from: columns of `RECORD_SCHEMA`."""
    columns = (_RECORDS.c.ann_id, _RECORDS.c.guideline_version, _RECORDS.c.at_us, _RECORDS.c.active_ms)
    edited_by = sa.case((_RECORDS.c.origin == EDITED, _RECORDS.c.author), else_=sa.null())
    query = sa.select(*columns, edited_by).where(
        _RECORDS.c.dataset_id == dataset_id, _RECORDS.c.label_set == label_set
    )
    batches = list(_batches(conn.execution_options(stream_results=True).execute(query)))
    return pa.Table.from_batches(batches, RECORD_SCHEMA)


def record_edits(
    conn: sa.Connection,
    dataset_id: str,
    label_set: str,
    ann_ids: Sequence[str],
    version: int,
    author: str,
    at_us: int,
) -> None:
    """Record that labels were changed by hand under a version; what is known of their origin stays."""
    empty = dict.fromkeys(("batch_id", "assignment_id", "reviewer", "commit_id"), "")
    facts = {"guideline_version": version, "author": author, "at_us": at_us}
    same = {
        "dataset_id": dataset_id,
        "label_set": label_set,
        "origin": EDITED,
        "active_ms": 0,
        **empty,
        **facts,
    }
    for start in range(0, len(ann_ids), _ROWS_AT_ONCE):
        rows = [{"ann_id": ann_id, **same} for ann_id in ann_ids[start : start + _ROWS_AT_ONCE]]
        upsert = insert(conn, _RECORDS).values(rows)
        author_ = sa.case((_RECORDS.c.origin == EDITED, upsert.excluded.author), else_=_RECORDS.c.author)
        changes = {
            **{name: upsert.excluded[name] for name in ("guideline_version", "at_us")},
            "author": author_,
        }
        conn.execute(upsert.on_conflict_do_update(index_elements=["dataset_id", "ann_id"], set_=changes))


def _batches(result: sa.CursorResult[Any]) -> Iterator[pa.RecordBatch]:
    for rows in result.partitions(_AT_ONCE):
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(column, field.type)
                for column, field in zip(zip(*rows, strict=True), RECORD_SCHEMA, strict=True)
            ],
            schema=RECORD_SCHEMA,
        )


def _guideline(row: sa.RowMapping, dataset: str) -> Guideline:
    touches: Sequence[dict[str, Any]] = row["touches"]
    return Guideline(
        dataset,
        row["version"],
        row["state"],
        row["text"],
        row["changelog"],
        tuple(map(Touch.from_dict, touches)),
        tuple(map(Example.from_dict, row["examples"])),
        row["created_by"],
        row["created_at_us"],
        row["published_by"],
        row["published_at_us"],
    )
