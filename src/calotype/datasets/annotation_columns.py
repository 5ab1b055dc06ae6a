"""The columns of annotations that most checks ask for: classes, kinds, boxes, and the row of each one's sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.model import CORNERED, Kind
from calotype.store.tables.memory import release_memory
from calotype.vision.boxes import upright_ring, xywh_to_xyxy
from calotype.vision.close_boxes import ClosePairs, close_pairs, with_outlines
from calotype.vision.corners import outline_rings
from calotype.vision.polygon_problems import Polygons, judge_corners, judge_lines, judge_polygons
from calotype.vision.ring_arrays import RingArrays

Rows = npt.NDArray[np.int64]
KINDS = tuple(str(kind) for kind in Kind)
COLUMNS = ("class_id", "kind", "sample_id", "x", "y", "w", "h")
_LOOK_UP_AT_ONCE = 1_000_000
UNSCORED = 0.5
"""What counts as the score of a prediction that has none."""


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

    def are_kinds(self, *kinds: str) -> npt.NDArray[np.bool_]:
        """(N,) annotations of some kinds."""
        return np.isin(self.kinds, [KINDS.index(kind) for kind in kinds])

    @property
    def cover(self) -> npt.NDArray[np.bool_]:
        """(N,) annotations whose kind covers a place: not polylines and points, whose boxes are only their bounds."""
        return ~self.are_kinds(Kind.POLYLINE, Kind.POINT)


def scores_of(table: pa.Table) -> npt.NDArray[np.float64]:
    """(N,) the column `score`, in [0, 1]."""
    scores = table["score"].fill_null(UNSCORED).to_numpy().astype(np.float64)
    return np.asarray(np.clip(scores, 0, 1), np.float64)


def corners_of(table: pa.Table) -> npt.NDArray[np.float64]:
    """(N, 4) `boxes_xyxy_px` of the columns x, y, w, h; NaN where there is no box, or only the bounds of lines."""
    cover = pc.invert(pc.is_in(table["kind"], value_set=pa.array(["polyline", "point"]))).to_numpy()
    columns = [table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in "xywh"]
    xyxy = xywh_to_xyxy(np.stack(columns, axis=1))
    return np.asarray(np.where(cover[:, None], xyxy, np.nan), np.float64)


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


def outlines_of(kind: str, rows: npt.NDArray[np.int64], column: pa.ListArray) -> Polygons:
    """Shapes of rings of one kind with their problems, of some rows and their column `rings`."""
    rings = column.flatten()
    lengths = pc.fill_null(pc.list_value_length(rings), 0).to_numpy(zero_copy_only=False)
    coordinates = rings.flatten().to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    arrays = RingArrays(coordinates, np.append(0, np.cumsum(lengths, dtype=np.int64)))
    shape_of = pc.list_parent_indices(column).to_numpy()
    if kind in CORNERED:
        alone = (lengths == 8) & (np.bincount(shape_of, minlength=len(rows))[shape_of] == 1)
        corners = np.full((len(rows), 8), np.nan)
        corners[shape_of[alone]] = coordinates[np.repeat(alone, lengths)].reshape(-1, 8)
        return judge_corners(rows, corners, are_ellipses=kind == Kind.ELLIPSE)
    if kind in (Kind.POLYLINE, Kind.POINT):
        return judge_lines(rows, shape_of, arrays, are_points=kind == Kind.POINT)
    return judge_polygons(rows, shape_of, arrays)


def pairs_of_places(columns: AnnotationColumns, rings_at: Callable[[Rows], Sequence[Any]]) -> ClosePairs:
    """Pairs of annotations on one sample that nearly cover each other; rotated boxes and ellipses by their outlines.

    Args:
        rings_at: From rows to their rings, of which only those of a few are asked for.
    """
    cover, boxes = columns.cover, columns.boxes_xywh_px
    pairs = close_pairs(boxes if cover.all() else np.where(cover[:, None], boxes, np.nan), columns.sample_of)
    turned = columns.are_kinds(*CORNERED)
    rows = np.unique([pairs.first, pairs.second]).astype(np.int64)
    rows = rows[(turned | columns.are_kinds(Kind.BOX))[rows]]
    if not turned[rows].any():
        return pairs
    outlines = {
        row: outline_rings(KINDS[columns.kinds[row]], rings or [upright_ring(boxes[row])])[0]
        for row, rings in zip(rows.tolist(), rings_at(rows), strict=True)
    }
    return with_outlines(pairs, outlines, set(np.flatnonzero(turned).tolist()))


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
