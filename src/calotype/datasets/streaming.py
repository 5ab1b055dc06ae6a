"""Streams the annotations of a state in batches, so that millions of rows need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from calotype.datasets import rows
from calotype.datasets.snapshot import Snapshot
from calotype.store import Store
from calotype.store.tables.row_lookup import scan_rows, take_rows


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
    table = rows.annotation_table(label_set)
    dataset = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table])
    return take_rows(dataset, places, list(columns))
