"""Differences between two states, by the content of their rows.

Reads only files that one of the states has and the other lacks. `audit=True` compares every row of both states
instead, which does not rely on file names; tests use it to verify the fast comparison.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.commits import Delta, Diff
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.sql_engine import engine
from calotype.store.tables.tables import Tables

_MAX_KNOWN = 4
_MAX_KNOWN_ROWS = 200_000
"""Larger differences are computed again: an id takes about 90 bytes."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """Rows that differ between two states, with all columns: as they are in the older and in the newer state."""

    before: pa.Table
    after: pa.Table


class KnownDiffs:
    """Differences between states of one workspace, which never change: the last few that are not large. Thread-safe."""

    def __init__(self) -> None:
        self._diffs: OrderedDict[tuple[str, str], Diff] = OrderedDict()
        self._lock = Lock()

    def get(self, a: Snapshot, b: Snapshot) -> Diff:
        """The difference from `a` to `b`."""
        key = (a.state_sha256, b.state_sha256)
        with self._lock:
            known = self._diffs.get(key)
        if known is not None:
            return known
        diff = _compare(a, b, audit=False)
        if diff.n_rows <= _MAX_KNOWN_ROWS:
            with self._lock:
                self._diffs[key] = diff
                while len(self._diffs) > _MAX_KNOWN:
                    self._diffs.popitem(last=False)
        return diff


_KNOWN: WeakKeyDictionary[Tables, KnownDiffs] = WeakKeyDictionary()


def difference(a: Snapshot, b: Snapshot, *, audit: bool = False) -> Diff:
    """Compare state `a` with the later state `b`. Tables with equal pins are not read."""
    return _compare(a, b, audit=True) if audit else _KNOWN.setdefault(b.tables, KnownDiffs()).get(a, b)


def _compare(a: Snapshot, b: Snapshot, *, audit: bool) -> Diff:
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
