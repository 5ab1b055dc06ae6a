"""Exact truth from masks: visible extent, outline polygons, share that is hidden."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calotype.demo.streets.paint import MASK_SCALE

Mask = NDArray[np.bool_]
Corners = NDArray[np.int64]
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
    return _outlines(mask.tobytes(), mask.shape, corner)


@lru_cache(maxsize=64)
def _outlines(cells: bytes, shape: tuple[int, ...], corner: tuple[int, int]) -> tuple[Polygon, ...]:
    """`outlines` of the cells of a mask; things that stand still have the same ones in all frames of a scene."""
    mask = np.frombuffer(cells, dtype=np.bool_).reshape(shape)
    loops = []
    for x, y in _boundary_loops(mask):
        area = float(x[:-1] @ y[1:] - x[1:] @ y[:-1] + x[-1] * y[0] - x[0] * y[-1]) / 2 / MASK_SCALE**2
        if area >= _MIN_PIECE:
            at = (x / MASK_SCALE + corner[0]).tolist(), (y / MASK_SCALE + corner[1]).tolist()
            loops.append((area, _thin(*at, 0.6)))
    loops.sort(key=lambda item: -item[0])
    return tuple(points for _, points in loops if len(points) >= 3)


def _boundary_loops(mask: Mask) -> list[tuple[Corners, Corners]]:
    """The corners (x, y) of closed outlines around true cells; those around true cells have positive area."""
    padded = np.pad(mask, 1)
    across = padded[:, :-1] ^ padded[:, 1:]
    # A corner is where a vertical side begins or ends, or where two pieces touch.
    corner = across[:-1] ^ across[1:]
    corner |= across[:-1] & across[1:] & (padded[:-1, :-1] ^ padded[1:, :-1])
    at = np.flatnonzero(corner)
    high, wide = corner.shape
    row, column = np.divmod(at, wide)
    cells = padded.ravel()
    above_left = row * (wide + 1) + column
    tl, tr, bl, br = (cells[above_left + step] for step in (0, 1, wide + 1, wide + 2))
    down = np.argsort(column * high + row)  # corners by columns
    top, right, bottom, left = (
        (br & ~tr, bl & ~tl),
        (bl & ~br, tl & ~tr),
        (tl & ~bl, tr & ~br),
        (tr & ~tl, br & ~bl),
    )
    starts, ends = [], []
    for (leaving, arriving), order in ((top, None), (right, down), (bottom, None), (left, down)):
        first, last = leaving & ~arriving, arriving & ~leaving
        if order is None:
            starts.append(at[first])
            ends.append(at[last])
        else:
            starts.append(at[order][first[order]])
            ends.append(at[order][last[order]])
    lowest_last = np.argsort(starts[3])  # an outline begins at the lowest of its left sides
    starts[3], ends[3] = starts[3][lowest_last], ends[3][lowest_last]
    return _chains(np.concatenate(starts).tolist(), np.concatenate(ends).tolist(), wide)


def _chains(starts: list[int], ends: list[int], wide: int) -> list[tuple[Corners, Corners]]:
    """Sides from corner to corner, joined into closed outlines of x and y."""
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
        loops.append((chain % wide, chain // wide))
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


def _thin(xs: list[float], ys: list[float], tolerance: float) -> Polygon:
    """Douglas and Peucker on a closed outline; kept points are a subset, so none leaves the extent.

    Outlines have some dozens of corners, so plain numbers are faster than arrays.
    """
    n = len(xs)
    if n <= 4:
        return tuple(zip(xs, ys, strict=True))
    far = max(range(n), key=lambda i: (xs[i] - xs[0]) ** 2 + (ys[i] - ys[0]) ** 2)
    xs, ys = [*xs, xs[0]], [*ys, ys[0]]
    kept = {0, far, n}
    for values in (xs, ys):
        kept |= {values.index(min(values)), values.index(max(values))}
    spans = list(itertools.pairwise(sorted(kept)))
    while spans:
        a, b = spans.pop()
        if b - a < 2:
            continue
        middle, off = _furthest(xs, ys, a, b)
        if off > tolerance:
            kept.add(middle)
            spans += [(a, middle), (middle, b)]
    kept.discard(n)
    return tuple((xs[i], ys[i]) for i in sorted(kept))


def _furthest(xs: list[float], ys: list[float], a: int, b: int) -> tuple[int, float]:
    """The point between a and b that is furthest from the line through them, and how far it is."""
    x0, y0 = xs[a], ys[a]
    dx, dy = xs[b] - x0, ys[b] - y0
    length = math.hypot(dx, dy)
    middle, worst = a + 1, -1.0
    for i in range(a + 1, b):
        x, y = xs[i] - x0, ys[i] - y0
        off = abs(x * dy - y * dx) if length > 0 else math.hypot(x, y)
        if off > worst:
            middle, worst = i, off
    return middle, worst / length if length > 0 else worst
