"""The columns of annotations that most checks ask for: classes, kinds, boxes, and the row of each one's sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.model import Kind
from calotype.store.tables.memory import release_memory
from calotype.vision.polygon_problems import Polygons, judge_polygons
from calotype.vision.ring_arrays import RingArrays

KINDS = tuple(str(kind) for kind in Kind)
COLUMNS = ("class_id", "kind", "sample_id", "x", "y", "w", "h")
_LOOK_UP_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class AnnotationColumns:
    """N annotations in the order of the table.

    Attributes:
        classes: (N,) class ids.
        kinds: (N,) int8 places in `KINDS`.
        boxes_xywh_px: (N, 4) float64; NaN where there is none.
        sample_of: (N,) rows of samples; -1: none.
    """

    classes: npt.NDArray[np.int32]
    kinds: npt.NDArray[np.int8]
    boxes_xywh_px: npt.NDArray[np.float64]
    sample_of: npt.NDArray[np.int64]


def read_columns(batches: Iterable[pa.RecordBatch], sample_ids: pa.ChunkedArray) -> AnnotationColumns:
    """Read annotations batch by batch: their texts are never in memory all at once.

    Args:
        batches: Of `COLUMNS`.
        sample_ids: The ids of the samples, in the order of their rows.
    """
    known = sample_ids.combine_chunks()
    classes, kinds, boxes, of = [], [], [], []
    waiting: list[pa.Array] = []
    for batch in batches:
        classes.append(np.asarray(batch["class_id"].to_numpy(zero_copy_only=False)))
        places = pc.index_in(batch["kind"], value_set=pa.array(KINDS))
        kinds.append(places.to_numpy(zero_copy_only=False).astype(np.int8))
        numbers = [batch[axis].to_numpy(zero_copy_only=False) for axis in "xywh"]
        boxes.append(np.stack(numbers, axis=1).astype(np.float64, copy=False))
        waiting.append(batch["sample_id"])
        if sum(map(len, waiting)) >= _LOOK_UP_AT_ONCE:
            of.append(_rows_of(waiting, known))
            waiting = []
            release_memory()
    if waiting:
        of.append(_rows_of(waiting, known))
    if not classes:
        none = np.zeros(0, np.int64)
        return AnnotationColumns(none.astype(np.int32), none.astype(np.int8), np.zeros((0, 4)), none)
    columns = AnnotationColumns(
        np.concatenate(classes), np.concatenate(kinds), _stacked(boxes), np.concatenate(of)
    )
    release_memory()
    return columns


def polygons_of(rows: npt.NDArray[np.int64], column: pa.ListArray) -> Polygons:
    """Polygons with their problems, of some rows and their column `rings`."""
    rings = column.flatten()
    lengths = pc.fill_null(pc.list_value_length(rings), 0).to_numpy(zero_copy_only=False)
    coordinates = rings.flatten().to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    arrays = RingArrays(coordinates, np.append(0, np.cumsum(lengths, dtype=np.int64)))
    return judge_polygons(rows, pc.list_parent_indices(column).to_numpy(), arrays)


def _stacked(parts: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The parts under one another; each is released as it is copied."""
    stacked = np.empty((sum(map(len, parts)), 4))
    start = len(stacked)
    while parts:
        part = parts.pop()
        start -= len(part)
        stacked[start : start + len(part)] = part
    return stacked


def _rows_of(texts: list[pa.Array], known: pa.Array) -> npt.NDArray[np.int64]:
    rows = pc.index_in(pa.chunked_array(texts), value_set=known)
    return np.asarray(pc.fill_null(rows, -1).to_numpy(), np.int64)
