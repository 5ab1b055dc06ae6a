"""Reads parts of a state: annotations in batches, because millions do not fit into memory, and some of the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.snapshot import Snapshot
from calotype.store import Store
from calotype.store.tables.row_lookup import ColumnValues, read_matching, scan_rows, take_rows


def annotation_batches(
    store: Store, snapshot: Snapshot, label_set: str, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Columns of all annotations of a label set, in the order of `Snapshot.annotations`."""
    table = rows.annotation_table(label_set)
    if table in snapshot.pins:
        dataset = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table])
        yield from scan_rows(dataset, list(columns))


def annotations_at(
    store: Store, snapshot: Snapshot, label_set: str, places: Sequence[int], columns: Sequence[str]
) -> pa.Table:
    """Columns of the annotations at some positions of that order."""
    if not len(places):
        return rows.ANNOTATION_SCHEMA.empty_table().select(list(columns))
    table = rows.annotation_table(label_set)
    dataset = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table])
    return take_rows(dataset, places, list(columns))


def rows_with(
    store: Store, snapshot: Snapshot, table: str, selection: ColumnValues, columns: Sequence[str]
) -> pa.Table:
    """Columns of the rows of a table (`samples`, `ann/...`) that a few values select, in no particular order."""
    if table not in snapshot.pins or not selection.values:
        return rows.schema_of(table).empty_table().select(list(columns))
    dataset = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table])
    return read_matching(dataset, selection, list(columns))
