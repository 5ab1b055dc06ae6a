"""Exact truth from masks: visible extent, outline polygons, share that is hidden."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calotype.demo.streets.paint import MASK_SCALE

Mask = NDArray[np.bool_]
Polygon = tuple[tuple[float, float], ...]
_MIN_PIECE = 6.0
"""Outlines that enclose less than this (pixels squared) are left out of the polygons."""


@dataclass(frozen=True, slots=True)
class StreetObject:
    """One labelled thing, all coordinates in pixels, origin top-left.

    Args:
        label: Class name.
        bbox: x, y, w, h of what is visible, exact to half a pixel.
        polygons: Outlines of the visible pieces, without holes, true to about half a pixel.
        area: Visible pixels squared, holes not counted.
        occluded: Share of the part inside the frame that other things hide, 0 to 1.
        truncated: Whether the frame cuts it.
        keypoints: For a person 17 of (x, y, v) in COCO's order: v 2 visible, 1 hidden, 0 outside the frame.
        attributes: Further facts, such as the state of a traffic light.
    """

    label: str
    bbox: tuple[float, float, float, float]
    polygons: tuple[Polygon, ...]
    area: float
    occluded: float
    truncated: bool
    keypoints: tuple[tuple[float, float, int], ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)


def extent_of(mask: Mask, corner: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """x, y, w, h in pixels of the true cells of a mask at `MASK_SCALE`; None when there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x0, x1 = columns[0] / MASK_SCALE, (columns[-1] + 1) / MASK_SCALE
    y0, y1 = rows[0] / MASK_SCALE, (rows[-1] + 1) / MASK_SCALE
    return float(corner[0] + x0), float(corner[1] + y0), float(x1 - x0), float(y1 - y0)


def outlines(mask: Mask, corner: tuple[int, int]) -> tuple[Polygon, ...]:
    """Outer outlines of a mask's pieces, largest first, in pixels.

    The boundary between true and false cells is followed from corner to corner, then thinned by Douglas and
    Peucker's method to 0.6 pixel.
    """
    loops = []
    for loop in _boundary_loops(mask):
        area = _signed_area(loop) / MASK_SCALE**2
        if area >= _MIN_PIECE:
            loops.append((area, _thin(loop / MASK_SCALE + corner, 0.6)))
    loops.sort(key=lambda item: -item[0])
    return tuple(tuple((float(x), float(y)) for x, y in points) for _, points in loops if len(points) >= 3)


def _boundary_loops(mask: Mask) -> list[NDArray[np.float64]]:
    """The corners (N, 2) of closed outlines around true cells; those around true cells have positive area."""
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1]
    wide = mask.shape[1] + 1
    top, left, top_end = _runs(inner & ~padded[:-2, 1:-1])
    column, upper, lower = _runs((inner & ~padded[1:-1, 2:]).T)
    bottom, bottom_left, bottom_end = _runs(inner & ~padded[2:, 1:-1])
    left_column, left_upper, left_lower = _runs((inner & ~padded[1:-1, :-2]).T)
    lowest_last = np.lexsort((left_column, left_lower))  # an outline begins at the lowest of its left sides
    starts = [
        top * wide + left,
        upper * wide + column + 1,
        (bottom + 1) * wide + bottom_end,
        (left_lower * wide + left_column)[lowest_last],
    ]
    ends = [
        top * wide + top_end,
        lower * wide + column + 1,
        (bottom + 1) * wide + bottom_left,
        (left_upper * wide + left_column)[lowest_last],
    ]
    return _chains(np.concatenate(starts).tolist(), np.concatenate(ends).tolist(), wide)


def _runs(sides: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, first column, and the column beyond the last of each run of true cells along a row."""
    steps = np.diff(sides.astype(np.int8), axis=1, prepend=0, append=0)
    rows, first = np.nonzero(steps == 1)
    return rows, first, np.nonzero(steps == -1)[1]


def _chains(starts: list[int], ends: list[int], wide: int) -> list[NDArray[np.float64]]:
    """Sides from corner to corner, joined into closed outlines of (N, 2) x and y."""
    following = dict(zip(starts, ends, strict=True))
    second: dict[int, int] = {}
    if len(following) < len(starts):
        second = _touching(starts, ends, following)
    loops = []
    while following:
        first, here = following.popitem()
        loop, came = [first], here - first
        while here != first:
            loop.append(here)
            there = (
                _right_turn(here, came, wide, following, second) if here in second else following.pop(here)
            )
            here, came = there, there - here
        chain = np.array(loop)
        loops.append(np.column_stack([chain % wide, chain // wide]).astype(np.float64))
    return loops


def _touching(starts: list[int], ends: list[int], following: dict[int, int]) -> dict[int, int]:
    """The other continuation at corners where two pieces touch; `following` holds the last one met."""
    return {a: b for a, b in zip(starts, ends, strict=True) if following[a] != b}


def _right_turn(here: int, came: int, wide: int, following: dict[int, int], second: dict[int, int]) -> int:
    """Where two pieces touch at a corner, stay on the same piece: the clockwise turn."""
    one, other = following.pop(here), second.pop(here)
    # Right, down, left, up: a clockwise turn gains one place in that order; a step across is less than `wide`.
    clockwise = abs(came) < wide
    turn = one if ((one - here > 0) == (came > 0)) == clockwise else other
    following[here] = other if turn == one else one
    return turn


def _signed_area(points: NDArray[np.float64]) -> float:
    x, y = points[:, 0], points[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _thin(points: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Douglas and Peucker on a closed outline; kept points are a subset, so none leaves the extent."""
    n = len(points)
    if n <= 4:
        return points
    far = int(((points - points[0]) ** 2).sum(axis=1).argmax())
    closed = np.vstack([points, points[:1]])
    keep = np.zeros(n + 1, dtype=bool)
    keep[[0, far, n]] = True
    for axis in (0, 1):
        keep[[int(points[:, axis].argmin()), int(points[:, axis].argmax())]] = True
    anchors = np.flatnonzero(keep)
    spans = list(zip(anchors[:-1].tolist(), anchors[1:].tolist(), strict=True))
    while spans:
        a, b = spans.pop()
        if b - a < 2:
            continue
        chord = closed[b] - closed[a]
        length = float(np.hypot(*chord))
        between = closed[a + 1 : b] - closed[a]
        off = (
            np.abs(between[:, 0] * chord[1] - between[:, 1] * chord[0]) / length
            if length > 0
            else np.hypot(between[:, 0], between[:, 1])
        )
        worst = int(off.argmax())
        if off[worst] > tolerance:
            middle = a + 1 + worst
            keep[middle] = True
            spans += [(a, middle), (middle, b)]
    return closed[:-1][keep[:-1]]
