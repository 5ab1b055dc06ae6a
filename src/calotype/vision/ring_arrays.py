"""The rings of many polygons in arrays: areas, bounds and crossings of all of them at once.

`vision.polygons` does the same for one ring. Where rounding could matter, results are confirmed there, so that both
always agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from calotype.vision import polygons

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_NEARLY_FLAT = 1e-9
"""Area over squared extent up to which a ring may have no area; rounding errors stay below 1e-12."""
_POINTS_AT_ONCE = 30_000
"""Points whose sides are compared at once, except those of one ring, which fit into a processor's cache."""
_KEY_SLACK = 1e-9
"""In widths of a ring: two sides this close count as neighbours."""


@dataclass(frozen=True)
class RingArrays:
    """R rings, one after another.

    Attributes:
        coordinates_px: (C,) float64: x, y, x, y, ... of all rings.
        starts: (R + 1,) where the coordinates of each ring start; the last number is C.
    """

    coordinates_px: Floats
    starts: Ints

    def ring(self, row: int) -> list[float]:
        """The coordinates of one ring."""
        values: list[float] = self.coordinates_px[self.starts[row] : self.starts[row + 1]].tolist()
        return values

    @cached_property
    def n_points(self) -> Ints:
        """(R,) number of points; an odd coordinate at the end of a ring is left out."""
        return np.asarray(np.diff(self.starts) // 2)

    @cached_property
    def are_unusable(self) -> Bools:
        """(R,) rings for which `polygons.ring_problem` returns a problem."""
        lengths = np.diff(self.starts)
        unusable = (lengths % 2 == 1) | (lengths < 6)
        not_finite = np.flatnonzero(~np.isfinite(self.coordinates_px))
        unusable[np.searchsorted(self.starts, not_finite, side="right") - 1] = True
        return np.asarray(unusable)

    @cached_property
    def _points(self) -> tuple[Floats, Ints]:
        """(P, 2) all points, and (R + 1,) where those of each ring start."""
        odd = np.diff(self.starts) % 2 == 1
        coordinates = self.coordinates_px
        if odd.any():
            coordinates = np.delete(coordinates, self.starts[1:][odd] - 1)
        return coordinates.reshape(-1, 2), np.append(0, np.cumsum(self.n_points))

    @cached_property
    def bounds_xyxy(self) -> Floats:
        """(R, 4) left, top, right, bottom; NaN for a ring without points."""
        points, starts = self._points
        bounds = np.full((len(self.n_points), 4), np.nan)
        filled = self.n_points > 0
        if filled.any():
            bounds[filled, :2] = np.minimum.reduceat(points, starts[:-1][filled])
            bounds[filled, 2:] = np.maximum.reduceat(points, starts[:-1][filled])
        return bounds

    @cached_property
    def areas_px2(self) -> Floats:
        """(R,) areas in square pixels, equal to `polygons.ring_area` up to rounding; exactly 0 where that is 0."""
        points, starts = self._points
        areas = np.zeros(len(self.n_points))
        filled = self.n_points > 0
        if not filled.any():
            return areas
        first = starts[:-1][filled]
        x, y = (points - np.repeat(points[first], self.n_points[filled], axis=0)).T
        following = np.arange(1, len(points) + 1)
        following[starts[1:][filled] - 1] = first
        areas[filled] = np.abs(np.add.reduceat(x * y[following] - y * x[following], first)) / 2
        sides = self.bounds_xyxy[:, 2:] - self.bounds_xyxy[:, :2]
        for row in np.flatnonzero(filled & ~(areas > _NEARLY_FLAT * (sides**2).sum(axis=1))).tolist():
            areas[row] = polygons.ring_area(points[starts[row] : starts[row + 1]].ravel().tolist())
        return areas

    def cross_themselves(self, *, max_points: int = 2_000) -> Bools:
        """(R,) rings of which two sides cross, as `polygons.crosses_itself` says."""
        looked_at = ~self.are_unusable & (self.n_points >= 4) & (self.n_points <= max_points)
        points, starts = self._points
        crossing = np.zeros(len(looked_at), bool)
        rows = np.flatnonzero(looked_at)
        block_of = np.cumsum(self.n_points[rows]) // _POINTS_AT_ONCE
        for part in np.split(rows, np.flatnonzero(np.diff(block_of)) + 1) if len(rows) else ():
            n = self.n_points[part]
            ends = np.cumsum(n)
            place = np.arange(ends[-1]) + np.repeat(starts[part] - ends + n, n)
            crossing[part] = _crossing_rings(points[place], ends - n, n)
        return crossing


def _crossing_rings(points: Floats, first: Ints, n: Ints) -> Bools:
    """(R,) rings with two sides that cross.

    Sides are sorted from left to right and compared with their neighbours as long as those begin before they end, so
    only few pairs are compared.

    Args:
        points: (P, 2) of all rings.
        first: (R,) the first point of each.
        n: (R,) number of points of each.
    """
    ring = np.repeat(np.arange(len(n)), n)
    following = np.arange(1, len(points) + 1)
    following[first + n - 1] = first
    ends = points[following]
    steps = ends - points
    low, high = np.minimum(points, ends), np.maximum(points, ends)
    left, right = (pick.reduceat(points[:, 0], first) for pick in (np.minimum, np.maximum))
    scale = (1 / np.maximum(right - left, np.finfo(np.float64).tiny))[ring]
    key_low = 2.0 * ring + (low[:, 0] - left[ring]) * scale
    key_high = 2.0 * ring + (high[:, 0] - left[ring]) * scale + _KEY_SLACK
    order = np.argsort(key_low)
    key_low, key_high = key_low[order], key_high[order]
    top, bottom = low[order, 1], high[order, 1]
    crossing = np.zeros(len(n), bool)
    side = np.arange(len(order))
    step = 0
    while len(side):
        step += 1
        side = side[: np.searchsorted(side, len(order) - step)]
        side = side[key_low[side + step] <= key_high[side]]
        near = side[(top[side + step] <= bottom[side]) & (top[side] <= bottom[side + step])]
        earlier, later = np.sort([order[near], order[near + step]], axis=0)
        apart = (later - earlier > 1) & (later - earlier < n[ring[earlier]] - 1)
        earlier, later = earlier[apart], later[apart]
        crossed = polygons.sides_cross(points[earlier], steps[earlier], points[later], steps[later])
        crossing[ring[earlier[crossed]]] = True
    return crossing
