"""The annotations that differ between two states: what differs of each."""

from __future__ import annotations

import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.differences import changed
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.sql_engine import engine

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
