"""Polygon rings: each flat x1, y1, x2, y2, ... in pixels. Several rings of one thing are parts, not holes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Ring = Sequence[float]
Rings = Sequence[Ring]
Points = npt.NDArray[np.float64]

_SUPERSAMPLE = 4


def ring_problem(ring: Ring) -> str | None:
    """Why a ring is not a polygon, or None: an odd count, fewer than 3 points, a number that is not finite."""
    if len(ring) % 2:
        return f"an odd count of coordinates ({len(ring)})"
    if len(ring) < 6:
        return f"{len(ring) // 2} points, a polygon needs 3"
    if not all(math.isfinite(value) for value in ring):
        return "a coordinate that is not finite"
    return None


def ring_area(ring: Ring) -> float:
    """Area in square pixels by the shoelace formula, 0 or more whatever the direction."""
    points = np.asarray(ring, dtype=np.float64).reshape(-1, 2)
    x, y = points[:, 0] - points[0, 0], points[:, 1] - points[0, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def rings_area(rings: Rings) -> float:
    """Areas of the parts added up (parts that overlap count twice, as in COCO files)."""
    return sum(ring_area(ring) for ring in rings)


def rings_bbox_xywh(rings: Rings) -> tuple[float, float, float, float]:
    """The box around all rings: left, top, width, height in pixels."""
    points = np.concatenate([np.asarray(ring, dtype=np.float64).reshape(-1, 2) for ring in rings])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def clip_rings(rings: Rings, *, xyxy_px: tuple[float, float, float, float]) -> tuple[tuple[float, ...], ...]:
    """Rings cut to a rectangle; those that lie outside vanish.

    Source: Sutherland and Hodgman, "Reentrant polygon clipping", 1974. A concave ring that falls into pieces stays
    one ring whose pieces are joined along the edge.
    """
    clipped = (_clip_ring(ring, xyxy_px) for ring in rings)
    return tuple(ring for ring in clipped if len(ring) >= 6 and ring_area(ring) > 0)


def lines_length(lines: Rings) -> float:
    """Lengths of open lines added up, in pixels."""
    points = (np.asarray(line, dtype=np.float64).reshape(-1, 2) for line in lines)
    return float(sum(np.hypot(*np.diff(part, axis=0).T).sum() for part in points))


def clip_lines(lines: Rings, *, xyxy_px: tuple[float, float, float, float]) -> tuple[tuple[float, ...], ...]:
    """Open lines cut to a rectangle; one that leaves it and comes back becomes several.

    Source: Liang and Barsky, "A new concept and method for line clipping", 1984.
    """
    parts: list[list[float]] = []
    for line in lines:
        joined = False
        for at in range(0, len(line) - 3, 2):
            start, end = (float(line[at]), float(line[at + 1])), (float(line[at + 2]), float(line[at + 3]))
            span = _span_inside(start, end, xyxy_px)
            if span is None or span[0] == span[1]:
                joined = joined and start == end
                continue
            (x, y), step = start, (end[0] - start[0], end[1] - start[1])
            first, last = ((x + t * step[0], y + t * step[1]) if 0 < t < 1 else None for t in span)
            if not (joined and first is None):
                parts.append([*(first or start)])
            parts[-1] += [*(last or end)]
            joined = last is None
    return tuple(tuple(part) for part in parts)


def _span_inside(
    start: tuple[float, float], end: tuple[float, float], xyxy_px: tuple[float, float, float, float]
) -> tuple[float, float] | None:
    """From and to which share of a side it lies in a rectangle; None where it lies outside."""
    enters, leaves = 0.0, 1.0
    for axis in (0, 1):
        step = end[axis] - start[axis]
        for room, towards in ((xyxy_px[axis] - start[axis], 1.0), (start[axis] - xyxy_px[axis + 2], -1.0)):
            towards *= step  # how fast the side comes in through this edge
            if towards == 0:
                if room > 0:
                    return None
            elif towards > 0:
                enters = max(enters, room / towards)
            else:
                leaves = min(leaves, room / towards)
    return (enters, leaves) if enters <= leaves else None


def rasterise(rings: Rings, *, size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The (H, W) bool mask of rings: a pixel is set when at least half of it is covered (4 x 4 points per pixel)."""
    height, width = size_hw
    mask = np.zeros(size_hw, dtype=bool)
    inside = clip_rings(rings, xyxy_px=(0.0, 0.0, float(width), float(height)))
    if not inside:
        return mask
    x, y, w, h = rings_bbox_xywh(inside)
    left, top = math.floor(x), math.floor(y)
    right, bottom = min(width, math.ceil(x + w)), min(height, math.ceil(y + h))
    n = _SUPERSAMPLE if (right - left) * (bottom - top) <= 4_000_000 else 1
    canvas = Image.new("1", ((right - left) * n, (bottom - top) * n))
    draw = ImageDraw.Draw(canvas)
    for ring in inside:
        points = (
            np.asarray(ring).reshape(-1, 2) - (left, top)
        ) * n - 0.5  # Pillow's pixels have whole centres
        draw.polygon([(float(px), float(py)) for px, py in points], fill=1)
    fine = np.asarray(canvas, dtype=np.uint8).reshape(bottom - top, n, right - left, n)
    mask[top:bottom, left:right] = fine.sum(axis=(1, 3)) * 2 >= n * n
    return mask


def crosses_itself(ring: Ring, *, max_points: int = 2_000) -> bool:
    """Whether two sides of the ring cross (a longer ring than `max_points` is not looked at: False)."""
    points = np.asarray(ring, dtype=np.float64).reshape(-1, 2)
    n = len(points)
    if not 4 <= n <= max_points:
        return False
    steps = np.roll(points, -1, axis=0) - points
    sides, others = np.triu_indices(n, 2)
    apart = others - sides < n - 1
    sides, others = sides[apart], others[apart]
    return bool(sides_cross(points[sides], steps[sides], points[others], steps[others]).any())


def sides_cross(p: Points, p_steps: Points, q: Points, q_steps: Points) -> npt.NDArray[np.bool_]:
    """(N,) whether the sides from `p` and from `q`, each (N, 2) a point and the step to its end, cross within both."""
    (rx, ry), (sx, sy), (gap_x, gap_y) = p_steps.T, q_steps.T, (q - p).T
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        across = rx * sy - ry * sx
        t = (gap_x * sy - gap_y * sx) / across
        u = (gap_x * ry - gap_y * rx) / across
    return np.asarray((across != 0) & (t > 0) & (t < 1) & (u > 0) & (u < 1))


def _clip_ring(ring: Ring, xyxy_px: tuple[float, float, float, float]) -> tuple[float, ...]:
    points = [(float(ring[number]), float(ring[number + 1])) for number in range(0, len(ring) - 1, 2)]
    left, top, right, bottom = xyxy_px
    if all(left <= x <= right and top <= y <= bottom for x, y in points):
        return tuple(value for point in points for value in point)
    for axis, limit, sign in ((0, left, 1.0), (0, right, -1.0), (1, top, 1.0), (1, bottom, -1.0)):
        points = _clip_side(points, axis, limit, sign)
        if not points:
            return ()
    return tuple(value for point in points for value in point)


def _clip_side(
    points: list[tuple[float, float]], axis: int, limit: float, sign: float
) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for number, here in enumerate(points):
        before = points[number - 1]
        here_in, before_in = sign * (here[axis] - limit) >= 0, sign * (before[axis] - limit) >= 0
        if here_in != before_in:
            share = (limit - before[axis]) / (here[axis] - before[axis])
            cut = [before[0] + share * (here[0] - before[0]), before[1] + share * (here[1] - before[1])]
            cut[axis] = limit
            kept.append((cut[0], cut[1]))
        if here_in:
            kept.append(here)
    return kept
