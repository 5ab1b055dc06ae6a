"""Annotations of a state read in passing, for who cannot hold millions of rows of text in memory."""

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
        held = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table])
        yield from scan_rows(held, list(columns))


def annotations_at(
    store: Store, snapshot: Snapshot, label_set: str, places: Sequence[int], columns: Sequence[str]
) -> pa.Table:
    """Columns of the annotations at some places of that order."""
    table = rows.annotation_table(label_set)
    held = store.tables.at(f"{snapshot.dataset.id}/{table}", snapshot.pins[table])
    return take_rows(held, places, list(columns))
