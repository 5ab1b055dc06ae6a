"""Polygons of a label set, judged in arrays as they are read: each is read once, whatever the number of checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.vision import polygons
from calotype.vision.ring_arrays import RingArrays


@dataclass(frozen=True, slots=True)
class Polygons:
    """N polygons and their problems.

    Attributes:
        rows: (N,) rows of their annotations.
        bounds_xyxy: (N, 4) the box around all rings of each, in pixels; NaN without a ring.
        empty: Row -> why the polygon has no area.
        invalid: Row -> why a ring is not valid, and the facts of the finding.
    """

    rows: npt.NDArray[np.int64]
    bounds_xyxy: npt.NDArray[np.float64]
    empty: dict[int, str] = field(default_factory=dict)
    invalid: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)


def read_polygons(batches: Iterable[tuple[npt.NDArray[np.int64], pa.RecordBatch]]) -> Polygons:
    """Judge polygons: rows and the column `rings` of some annotations at a time."""
    judged = [_judged(rows, batch["rings"]) for rows, batch in batches]
    if not judged:
        return Polygons(np.zeros(0, np.int64), np.zeros((0, 4)))
    return Polygons(
        np.concatenate([part.rows for part in judged]),
        np.concatenate([part.bounds_xyxy for part in judged]),
        {row: reason for part in judged for row, reason in part.empty.items()},
        {row: problem for part in judged for row, problem in part.invalid.items()},
    )


def _judged(rows: npt.NDArray[np.int64], column: pa.ListArray) -> Polygons:
    rings = column.flatten()
    lengths = pc.fill_null(pc.list_value_length(rings), 0).to_numpy(zero_copy_only=False)
    coordinates = rings.flatten().to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    arrays = RingArrays(coordinates, np.append(0, np.cumsum(lengths, dtype=np.int64)))
    places = pc.list_parent_indices(column).to_numpy()
    bounds = np.full((len(rows), 4), np.nan)
    np.fmin.at(bounds[:, :2], places, arrays.bounds_xyxy[:, :2])
    np.fmax.at(bounds[:, 2:], places, arrays.bounds_xyxy[:, 2:])
    without_ring = rows[np.bincount(places, minlength=len(rows)) == 0]
    empty = dict.fromkeys(without_ring.tolist(), "the polygon has no ring")
    for ring in np.flatnonzero(arrays.areas_px2 <= 0).tolist():
        empty.setdefault(int(rows[places[ring]]), _why_empty(arrays.ring(ring)))
    invalid: dict[int, tuple[str, dict[str, Any]]] = {}
    for ring in np.flatnonzero(arrays.are_unusable | arrays.cross_themselves()).tolist():
        invalid.setdefault(int(rows[places[ring]]), _why_invalid(arrays.ring(ring)))
    return Polygons(rows, bounds, empty, invalid)


def _why_empty(ring: list[float]) -> str:
    distinct = set(zip(ring[::2], ring[1::2], strict=False))
    if len(distinct) < 3:
        return f"a ring of the polygon has {len(distinct)} distinct points, an area needs 3"
    return f"a ring of {len(distinct)} points lies on one line and has no area"


def _why_invalid(ring: list[float]) -> tuple[str, dict[str, Any]]:
    problem = polygons.ring_problem(ring)
    if problem:
        return f"a ring of the polygon is not valid: {problem}", {"fault": "points"}
    return f"a ring of {len(ring) // 2} points crosses itself", {"fault": "crosses-itself"}
