"""Differences between two states, by the content of their rows.

Reads only files that one of the states has and the other lacks. `audit=True` compares every row of both states
instead, which does not rely on file names; tests use it to verify the fast comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.commits import Delta, Diff
from calotype.datasets.engine import engine
from calotype.datasets.snapshot import Snapshot

CHANGES = ("added", "removed", "reclassified", "moved", "edited")
"""How an annotation can differ between two states."""
ANNOTATION_CHANGES = pa.schema(
    [
        pa.field("ann_id", pa.string()),
        pa.field("sample_id", pa.string()),
        pa.field("change", pa.string()),
        pa.field("is_moved", pa.bool_()),
        pa.field("class_before", pa.int32()),
        pa.field("class_after", pa.int32()),
        pa.field("iou", pa.float64()),
    ]
)
_SHAPE = ("kind", "x", "y", "w", "h", "rings", "mask_rle", "mask_h", "mask_w", "keypoints")
_PAIRED = """
    WITH pairs AS (
        SELECT coalesce(x.ann_id, y.ann_id) AS ann_id, coalesce(y.sample_id, x.sample_id) AS sample_id,
            x.ann_id IS NULL AS is_added, y.ann_id IS NULL AS is_removed,
            x.class_id AS class_before, y.class_id AS class_after,
            hash(row({0})) <> hash(row({1})) AS differs,
            greatest(0, least(x.x + x.w, y.x + y.w) - greatest(x.x, y.x))
                * greatest(0, least(x.y + x.h, y.y + y.h) - greatest(x.y, y.y)) AS common,
            x.w * x.h + y.w * y.h AS areas
        FROM x FULL JOIN y ON x.ann_id = y.ann_id
    )
    SELECT ann_id, sample_id,
        CASE WHEN is_added THEN 'added' WHEN is_removed THEN 'removed'
            WHEN class_before <> class_after THEN 'reclassified' WHEN differs THEN 'moved' ELSE 'edited' END AS change,
        differs AND NOT is_added AND NOT is_removed AS is_moved, class_before, class_after,
        common / nullif(areas - common, 0) AS iou
    FROM pairs ORDER BY sample_id, ann_id
"""


@dataclass(frozen=True, slots=True)
class RowChange:
    """Rows that differ between two states, with all columns: as they are in the older and in the newer state."""

    before: pa.Table
    after: pa.Table


def difference(a: Snapshot, b: Snapshot, *, audit: bool = False) -> Diff:
    """Compare state `a` with the later state `b`. Tables with equal pins are not read."""
    annotations: dict[str, Delta] = {}
    touched: set[str] = set()
    for label_set in dict.fromkeys([*a.label_sets, *b.label_sets]):
        change = changed(a, b, rows.annotation_table(label_set), audit=audit)
        annotations[label_set] = _delta(change, "ann_id")
        for side in (change.before, change.after):
            touched.update(side["sample_id"].to_pylist())
    samples = _delta(changed(a, b, rows.SAMPLES, audit=audit), "sample_id")
    touched.update((*samples.added, *samples.removed, *samples.changed))
    return Diff(samples=samples, annotations=annotations, touched_samples=len(touched))


def changed(a: Snapshot, b: Snapshot, table: str, *, audit: bool = False) -> RowChange:
    """The rows of one table (`samples`, `ann/...`) whose content differs between `a` and `b`.

    A row that is in one of the two results only was added or removed. Provenance columns are not compared.
    """
    if a.pins.get(table) == b.pins.get(table):
        empty = rows.schema_of(table).empty_table()
        return RowChange(empty, empty)
    before = a.rows_of(table, not_in=None if audit else b)
    change = RowChange(before, b.rows_of(table, not_in=None if audit else a))
    return _without_equal(change, rows.key_of(table))


def annotation_changes(a: Snapshot, b: Snapshot, label_set: str) -> pa.Table:
    """The annotations of a label set that differ between `a` and `b`, one row each, ordered by sample and id.

    Columns (`ANNOTATION_CHANGES`): `change` is one of `CHANGES`; an annotation whose class and shape differ is
    reclassified, and `is_moved` too. `iou` compares the boxes around the shape before and after, from 0 to 1; null
    where one of them is missing.
    """
    change = changed(a, b, rows.annotation_table(label_set))
    if change.before.num_rows + change.after.num_rows == 0:
        return ANNOTATION_CHANGES.empty_table()
    shapes = [", ".join(f"{side}.{name}" for name in _SHAPE) for side in ("x", "y")]
    with engine() as sql:
        sql.register("x", change.before)
        sql.register("y", change.after)
        table: pa.Table = sql.sql(_PAIRED.format(*shapes)).to_arrow_table()
    return table.cast(ANNOTATION_CHANGES)


def touched_samples(a: Snapshot, b: Snapshot, tables: Sequence[str]) -> pa.Array:
    """Ids of samples whose rows in these tables differ, and possibly of some whose rows were rewritten unchanged.

    Faster than `changed`, because only ids are read.
    """
    ids: list[pa.Array] = []
    for table in tables:
        if a.pins.get(table) != b.pins.get(table):
            for state, other in ((a, b), (b, a)):
                ids += state.rows_of(table, not_in=other, columns=["sample_id"])["sample_id"].chunks
    return pc.unique(pa.chunked_array(ids, pa.string()))


def equal_ids(before: pa.Table, after: pa.Table, key: str, compared: Sequence[str]) -> pa.Array:
    """Keys of rows that have equal content in the compared columns of both tables."""
    if before.num_rows == 0 or after.num_rows == 0:
        return pa.array([], pa.string())
    columns = ", ".join(f'"{name}"' for name in compared)
    with engine() as sql:
        sql.register("before", before)
        sql.register("after", after)
        ids = sql.sql(
            f"""
            SELECT x.id FROM (SELECT {key} AS id, hash(row({columns})) AS content FROM before) x
            JOIN (SELECT {key} AS id, hash(row({columns})) AS content FROM after) y USING (id, content)
            """
        ).to_arrow_table()["id"]
    return ids.combine_chunks().cast(pa.string())


def _without_equal(change: RowChange, key: str) -> RowChange:
    """The change without rows that are equal on both sides."""
    compared = [name for name in change.before.schema.names if name != key and name not in rows.PROVENANCE]
    equal = equal_ids(change.before, change.after, key, compared)
    if len(equal) == 0:
        return change
    sides = [side.filter(pc.invert(pc.is_in(side[key], equal))) for side in (change.before, change.after)]
    return RowChange(*sides)


def _delta(change: RowChange, key: str) -> Delta:
    before, after = set(change.before[key].to_pylist()), set(change.after[key].to_pylist())
    return Delta(
        added=tuple(sorted(after - before)),
        removed=tuple(sorted(before - after)),
        changed=tuple(sorted(before & after)),
    )
