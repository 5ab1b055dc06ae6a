"""What differs between two states, by the content of the rows."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.commits import Delta, Diff
from calotype.datasets.snapshot import Snapshot


def difference(a: Snapshot, b: Snapshot) -> Diff:
    """What `b` has that `a` has not, and the other way round. Tables with equal pins are not opened."""
    samples = _delta(a, b, rows.SAMPLES, rows.SAMPLE_SCHEMA, "sample_id")
    annotations: dict[str, Delta] = {}
    for label_set in dict.fromkeys([*a.label_sets, *b.label_sets]):
        table = rows.annotation_table(label_set)
        annotations[label_set] = _delta(a, b, table, rows.ANNOTATION_SCHEMA, "ann_id")
    return Diff(samples=samples, annotations=annotations)


def _delta(a: Snapshot, b: Snapshot, table: str, schema: pa.Schema, key: str) -> Delta:
    if a.pins.get(table) == b.pins.get(table):
        return Delta()
    compared = [name for name in schema.names if name != key and name not in rows.PROVENANCE]
    listed = ", ".join(f'"{name}"' for name in compared)
    with duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": 2}) as engine:
        engine.register("before", a.rows_of(table))
        engine.register("after", b.rows_of(table))
        joined = engine.sql(
            f"""
            SELECT coalesce(x.id, y.id) AS id, x.id IS NULL AS added, y.id IS NULL AS removed
            FROM (SELECT {key} AS id, hash(row({listed})) AS content FROM before) x
            FULL JOIN (SELECT {key} AS id, hash(row({listed})) AS content FROM after) y ON x.id = y.id
            WHERE x.content IS DISTINCT FROM y.content
            ORDER BY 1
            """
        ).to_arrow_table()
    found: dict[str, list[str]] = {"added": [], "removed": [], "changed": []}
    for row in joined.to_pylist():
        found["added" if row["added"] else "removed" if row["removed"] else "changed"].append(row["id"])
    return Delta(tuple(found["added"]), tuple(found["removed"]), tuple(found["changed"]))
