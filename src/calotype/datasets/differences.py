"""What differs between two states, by the content of the rows.

Only files that one state has and the other has not are read (`store.row_files`); `audit=True` compares every row of
both states instead, which proves the quick way right and needs no trust in files.
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


@dataclass(frozen=True, slots=True)
class RowChange:
    """Rows that differ between two states, with all columns: as the older and as the newer state has them."""

    before: pa.Table
    after: pa.Table


def difference(a: Snapshot, b: Snapshot, *, audit: bool = False) -> Diff:
    """What `b` has that `a` has not, and the other way round. Tables with equal pins are not opened."""
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
    """The rows of one table (`samples`, `ann/...`) whose content differs: as they are in `a`, as they are in `b`.

    A row that is in one of the answers only was added or removed. Columns of provenance do not count as content.
    """
    if a.pins.get(table) == b.pins.get(table):
        empty = rows.schema_of(table).empty_table()
        return RowChange(empty, empty)
    before = a.rows_of(table, not_in=None if audit else b)
    found = RowChange(before, b.rows_of(table, not_in=None if audit else a))
    return _without_equal(found, rows.key_of(table))


def touched_samples(a: Snapshot, b: Snapshot, tables: Sequence[str]) -> pa.Array:
    """Ids of samples with rows of these tables that differ, and perhaps of some whose rows were written anew.

    Quicker than `changed`, since no content is read.
    """
    found: list[pa.Array] = []
    for table in tables:
        if a.pins.get(table) != b.pins.get(table):
            for one, other in ((a, b), (b, a)):
                found += one.rows_of(table, not_in=other, columns=["sample_id"])["sample_id"].chunks
    return pc.unique(pa.chunked_array(found, pa.string()))


def equal_ids(before: pa.Table, after: pa.Table, key: str, compared: Sequence[str]) -> pa.Array:
    """Keys of rows that both tables have with the same content in some columns."""
    if before.num_rows == 0 or after.num_rows == 0:
        return pa.array([], pa.string())
    listed = ", ".join(f'"{name}"' for name in compared)
    with engine() as sql:
        sql.register("before", before)
        sql.register("after", after)
        found = sql.sql(
            f"""
            SELECT x.id FROM (SELECT {key} AS id, hash(row({listed})) AS content FROM before) x
            JOIN (SELECT {key} AS id, hash(row({listed})) AS content FROM after) y USING (id, content)
            """
        ).to_arrow_table()["id"]
    return found.combine_chunks().cast(pa.string())


def _without_equal(found: RowChange, key: str) -> RowChange:
    """The same without rows that are equal on both sides."""
    compared = [name for name in found.before.schema.names if name != key and name not in rows.PROVENANCE]
    same = equal_ids(found.before, found.after, key, compared)
    if len(same) == 0:
        return found
    sides = [side.filter(pc.invert(pc.is_in(side[key], same))) for side in (found.before, found.after)]
    return RowChange(*sides)


def _delta(change: RowChange, key: str) -> Delta:
    before, after = set(change.before[key].to_pylist()), set(change.after[key].to_pylist())
    return Delta(
        added=tuple(sorted(after - before)),
        removed=tuple(sorted(before - after)),
        changed=tuple(sorted(before & after)),
    )
