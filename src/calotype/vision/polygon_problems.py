"""What is wrong with many polygons: empty ones, and rings that are not valid, judged in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

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

    @classmethod
    def joined(cls, parts: Sequence[Polygons]) -> Polygons:
        """The polygons of several parts, in their order."""
        if not parts:
            return cls(np.zeros(0, np.int64), np.zeros((0, 4)))
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.bounds_xyxy for part in parts]),
            {row: reason for part in parts for row, reason in part.empty.items()},
            {row: problem for part in parts for row, problem in part.invalid.items()},
        )


def judge_polygons(
    rows: npt.NDArray[np.int64], polygon_of: npt.NDArray[np.int64], rings: RingArrays
) -> Polygons:
    """Find the problems of N polygons.

    Args:
        rows: (N,) rows of their annotations.
        polygon_of: (R,) the polygon of each ring, as a position in `rows`.
        rings: All R rings.
    """
    bounds = np.full((len(rows), 4), np.nan)
    np.fmin.at(bounds[:, :2], polygon_of, rings.bounds_xyxy[:, :2])
    np.fmax.at(bounds[:, 2:], polygon_of, rings.bounds_xyxy[:, 2:])
    without_ring = rows[np.bincount(polygon_of, minlength=len(rows)) == 0]
    empty = dict.fromkeys(without_ring.tolist(), "the polygon has no ring")
    for ring in np.flatnonzero(rings.areas_px2 <= 0).tolist():
        empty.setdefault(int(rows[polygon_of[ring]]), _why_empty(rings.ring(ring)))
    invalid: dict[int, tuple[str, dict[str, Any]]] = {}
    for ring in np.flatnonzero(rings.are_unusable | rings.cross_themselves()).tolist():
        invalid.setdefault(int(rows[polygon_of[ring]]), _why_invalid(rings.ring(ring)))
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
