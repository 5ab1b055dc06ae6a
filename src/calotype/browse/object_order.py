"""Objects in the order of their own values, whatever sample they are on: the largest first, the least certain first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.browse.column_cache import columns_of
from calotype.browse.columns import rows_in
from calotype.datasets import rows
from calotype.datasets.snapshot import Snapshot
from calotype.store import Store
from calotype.store.tables.row_lookup import scan_rows

_COLUMNS_OF = {"size": ["area_px", "w", "h"], "score": ["score"]}
"""What objects can be sorted by -> columns of their table."""
SORTS = tuple(sign + name for name in _COLUMNS_OF for sign in ("-", ""))
WITHOUT_PLACE = frozenset({"classification", "caption"})
"""Kinds of annotations that are about the whole image."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The N objects of a state in one order.

    Attributes:
        offset: (N,) rows in the table of the label set, counted from 0.
        sample: (N,) rows of their samples in the index.
    """

    offset: npt.NDArray[np.int32]
    sample: npt.NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        return int(self.offset.nbytes + self.sample.nbytes)


def ranking(store: Store, state: Snapshot, label_set: str, class_id: int | None, sort: str) -> Ranking:
    """All objects of a state, or those of one class, in the order `sort` (one of `SORTS`).

    Objects without the value come last in both directions; equal ones are in the order of the names of their samples.
    The table is read once for each state, 12 bytes a row.
    """
    columns = columns_of(store)
    key = ("ranking", state.state_sha256, label_set, class_id, sort)
    known: Ranking = columns.answers.get(key, lambda: _ranked(store, state, label_set, class_id, sort))
    return known


def rows_at(
    store: Store, state: Snapshot, label_set: str, offsets: npt.NDArray[np.int32], columns: list[str]
) -> pa.Table:
    """Columns of some rows of a label set, in the order of `offsets`."""
    name = rows.annotation_table(label_set)
    if len(offsets) == 0:
        return rows.ANNOTATION_SCHEMA.empty_table().select(columns)
    dataset = store.tables.at(f"{state.dataset.id}/{name}", state.pins[name])
    return dataset.take(offsets.astype(np.int64), columns=columns).select(columns)


def _ranked(store: Store, state: Snapshot, label_set: str, class_id: int | None, sort: str) -> Ranking:
    name = rows.annotation_table(label_set)
    if name not in state.pins:
        return Ranking(np.empty(0, np.int32), np.empty(0, np.int32))
    columns = _COLUMNS_OF[sort.removeprefix("-")]
    dataset = store.tables.at(f"{state.dataset.id}/{name}", state.pins[name])
    offsets, values = [np.empty(0, np.int32)], [np.empty(0, np.float64)]
    without_place = pa.array(sorted(WITHOUT_PLACE))

    def samples() -> Iterator[pa.Array]:
        start = 0
        for batch in scan_rows(dataset, ["sample_id", "kind", "class_id", *columns]):
            is_object = pc.invert(pc.is_in(batch["kind"], value_set=without_place))
            if class_id is not None:
                is_object = pc.and_(is_object, pc.equal(batch["class_id"], class_id))
            places = np.flatnonzero(is_object.to_numpy(zero_copy_only=False))
            offsets.append((places + start).astype(np.int32))
            taken = pa.array(places)
            values.append(_values(batch.select(columns).take(taken)))
            start += batch.num_rows
            yield batch["sample_id"].take(taken)

    sample = rows_in(columns_of(store).index(state), samples()).astype(np.int32)
    offset, value = np.concatenate(offsets), np.concatenate(values)
    order = np.lexsort((offset, sample, -value if sort.startswith("-") else value))  # NaN is last either way
    order = order[sample[order] >= 0]
    return Ranking(offset[order], sample[order])


def _values(batch: pa.RecordBatch) -> npt.NDArray[Any]:
    """Scores, or areas in square pixels: of the box where the source gives none. NaN where there is none."""
    column = batch.column(0)
    if batch.num_columns > 1:
        column = pc.coalesce(column, pc.multiply(batch["w"], batch["h"]))
    values: npt.NDArray[Any] = pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False)
    return values
