"""What is wrong with many shapes of rings: empty ones, and rings that are not valid, judged in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.vision import polygons
from calotype.vision.ring_arrays import RingArrays

MAX_CORNER_GAP_PX = 2.5
MAX_CORNER_SHARE = 0.01
"""Share of the longest side by which four corners may miss their rectangle, or `MAX_CORNER_GAP_PX` if that is more.

Corners that a tool rounded to whole pixels miss it by up to 2 px.
"""


@dataclass(frozen=True, slots=True)
class Polygons:
    """N polygons, or other shapes of rings, and their problems.

    Attributes:
        rows: (N,) rows of their annotations.
        bounds_xyxy: (N, 4) the box around all rings of each, in pixels; NaN without a ring.
        empty: Row -> why the shape has no area (a line: no length).
        invalid: Row -> why a ring is not valid, and the facts of the finding.
        sides_px: (N, 2) width and height of rotated boxes and ellipses along their own axes; without rows, none is one.
    """

    rows: npt.NDArray[np.int64]
    bounds_xyxy: npt.NDArray[np.float64]
    empty: dict[int, str] = field(default_factory=dict)
    invalid: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    sides_px: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

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
            np.concatenate([part.sides_px for part in parts]),
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


def judge_corners(
    rows: npt.NDArray[np.int64], corners: npt.NDArray[np.float64], *, are_ellipses: bool
) -> Polygons:
    """Find the problems of N rotated boxes or ellipses.

    Args:
        rows: (N,) rows of their annotations.
        corners: (N, 8) flat corners; NaN for those that have other than eight numbers.
        are_ellipses: Whether the bounds are those of the ellipse in the rectangle.
    """
    points = corners.reshape(-1, 4, 2)
    centre = points.mean(axis=1)
    across = (points[:, 1] - points[:, 0] + points[:, 2] - points[:, 3]) / 4
    down = (points[:, 3] - points[:, 0] + points[:, 2] - points[:, 1]) / 4
    half = np.hypot(across, down) if are_ellipses else np.abs(points - centre[:, None]).max(axis=1, initial=0)
    bounds = np.concatenate([centre - half, centre + half], axis=1)
    sides = 2 * np.stack([np.hypot(*across.T), np.hypot(*down.T)], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        upright = np.stack([-across[:, 1], across[:, 0]], axis=1) * (sides[:, 1:] / sides[:, :1])
        upright[sides[:, 0] == 0] = down[sides[:, 0] == 0]
        nearest = np.stack([-across - upright, across - upright, across + upright, upright - across], axis=1)
        gaps_px = np.linalg.norm(points - centre[:, None] - nearest, axis=2).max(axis=1, initial=0)
        longest = sides.max(axis=1, initial=0)
        odd = ~(gaps_px <= np.maximum(MAX_CORNER_GAP_PX, MAX_CORNER_SHARE * longest))
        flat = (sides <= 0).any(axis=1)
    empty = dict.fromkeys(rows[flat].tolist(), "a side of its rectangle has no length")
    invalid = {
        int(rows[at]): (
            _why_odd(float(gaps_px[at])),
            {"fault": "no-rectangle", "repair": {"do": "fit-rectangle"}},
        )
        for at in np.flatnonzero(odd & ~flat).tolist()
    }
    return Polygons(rows, bounds, empty, invalid, sides)


def judge_lines(
    rows: npt.NDArray[np.int64], line_of: npt.NDArray[np.int64], rings: RingArrays, *, are_points: bool
) -> Polygons:
    """Find the problems of N polylines or sets of points. Arguments as of `judge_polygons`."""
    kind, fewest = ("point", 1) if are_points else ("polyline", 2)
    bounds = np.full((len(rows), 4), np.nan)
    np.fmin.at(bounds[:, :2], line_of, rings.bounds_xyxy[:, :2])
    np.fmax.at(bounds[:, 2:], line_of, rings.bounds_xyxy[:, 2:])
    n_points = np.bincount(line_of, weights=rings.n_points, minlength=len(rows))
    empty = dict.fromkeys(rows[n_points < fewest].tolist(), f"the {kind} has fewer than {fewest} points")
    if not are_points:
        still = (n_points >= fewest) & (bounds[:, :2] == bounds[:, 2:]).all(axis=1)
        empty |= dict.fromkeys(
            rows[still].tolist(), "the polyline has no length: all its points are the same"
        )
    lengths = np.diff(rings.starts)
    wrong = lengths % 2 == 1
    not_finite = np.flatnonzero(~np.isfinite(rings.coordinates_px))
    wrong[np.searchsorted(rings.starts, not_finite, side="right") - 1] = True
    reason = f"the {kind} has an odd count of coordinates, or one that is not finite"
    invalid = {
        int(rows[line_of[ring]]): (reason, {"fault": "points"}) for ring in np.flatnonzero(wrong).tolist()
    }
    return Polygons(rows, bounds, empty, invalid)


def _why_odd(gap_px: float) -> str:
    far = f"{gap_px:.1f} px off" if np.isfinite(gap_px) else "not eight finite numbers"
    return f"its corners are not those of a rectangle, clockwise: {far}"
