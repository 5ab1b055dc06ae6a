"""Rotated boxes and ellipses as four corners: flat x1, y1, ..., x4, y4 in pixels, y down.

The corners run clockwise as seen, from the one that is top-left when the angle is 0: the first side is the width. An
ellipse is held as the rectangle that its axes lie in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.vision import polygons

Ring = Sequence[float]
Corners = tuple[float, ...]
"""Eight numbers."""
Points = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

OUTLINE_POINTS = 72
"""Points of an ellipse as a polygon: the area is 0.13 % too small."""
_SAME_SHAPE = 1e-6
"""Share of the longest side within which four corners are a rectangle."""
_WHOLE = 1.0 - 1e-9
_SLACK_PX = 1e-6
_SQUARE = 1e-9
"""Cosine of the angle between two axes below which they are at right angles."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Centre and size in pixels; the angle in degrees, clockwise as seen, above -180 and up to 180."""

    cx_px: float
    cy_px: float
    w_px: float
    h_px: float
    angle_deg: float


def corners_of(rectangle: Rectangle) -> Corners:
    """The corners of a rectangle; quarter turns are exact.

    Example:
        >>> corners_of(Rectangle(5, 5, 4, 2, 90))
        (6.0, 3.0, 6.0, 7.0, 4.0, 7.0, 4.0, 3.0)
    """
    quarter = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}
    angle = math.radians(rectangle.angle_deg)
    cos, sin = quarter.get(rectangle.angle_deg % 360.0, (math.cos(angle), math.sin(angle)))
    x, y, w, h = rectangle.cx_px, rectangle.cy_px, rectangle.w_px / 2, rectangle.h_px / 2
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return tuple(
        value for i, j in signs for value in (x + i * w * cos - j * h * sin, y + i * w * sin + j * h * cos)
    )


def rectangle_of(corners: Ring) -> Rectangle:
    """The rectangle with these corners; of four points that are none, the one with their middle and mean sides."""
    centre, across, down = _axes(corners)
    angle = math.degrees(math.atan2(across[1], across[0]))
    w, h = 2 * float(np.hypot(*across)), 2 * float(np.hypot(*down))
    return Rectangle(float(centre[0]), float(centre[1]), w, h, 180.0 if angle == -180.0 else angle)


def rectangle_gap_px(corners: Ring) -> float:
    """How far four corners are from those of their rectangle: 0 where they are one, in order and clockwise."""
    if len(corners) != 8 or not np.isfinite(corners).all():
        return math.inf
    gaps = _points(corners) - _points(corners_of(rectangle_of(corners)))
    return float(np.hypot(*gaps.T).max())


def clockwise(corners: Ring) -> Corners:
    """The corners clockwise as seen; where they are turned over, the first side stays the first."""
    _, across, down = _axes(corners)
    order = (0, 1, 2, 3) if _cross(across, down) >= 0 else (1, 0, 3, 2)
    return tuple(float(value) for at in order for value in corners[2 * at : 2 * at + 2])


def smallest_rectangle(points_xy_px: npt.ArrayLike, *, towards: Ring | None = None) -> Corners:
    """The corners of the rectangle of smallest area around points.

    Args:
        points_xy_px: (N, 2), one or more.
        towards: Corners whose first side the first side of the result turns to; else the longer side comes first.
    Source: one side of it lies on a side of the hull, H. Freeman and R. Shapira, 1975.
    """
    hull = _hull(np.asarray(points_xy_px, np.float64).reshape(-1, 2))
    sides = np.roll(hull, -1, axis=0) - hull
    sides = sides[np.hypot(*sides.T) > 0]
    if not len(sides):
        return tuple(hull[0].tolist() * 4)
    around = [_around(hull, side) for side in sides]
    best = min(around, key=lambda corners: _area(*_axes(corners)[1:]))
    if towards is None:
        rectangle = rectangle_of(best)
        towards = best if rectangle.w_px >= rectangle.h_px else (*best[2:], *best[:2])
    return _turned_to(best, _axes(towards)[1])


def rectangle_around(points_xy_px: npt.ArrayLike, *, like: Ring) -> Corners:
    """The corners of the smallest rectangle around points with the direction of another.

    Args:
        points_xy_px: (N, 2), one or more.
        like: The corners of the other.
    """
    across = _axes(like)[1]
    return _around(np.asarray(points_xy_px, np.float64).reshape(-1, 2), across)


def fitted_rectangle(corners: Ring) -> Corners:
    """The corners of a box after a map: as they are where they still are a rectangle, else the smallest around them."""
    ordered = clockwise(corners)
    longest = max(rectangle_of(ordered).w_px, rectangle_of(ordered).h_px)
    if rectangle_gap_px(ordered) <= _SAME_SHAPE * longest:
        return ordered
    return smallest_rectangle(_points(ordered), towards=ordered)


def fitted_ellipse(corners: Ring) -> Corners:
    """The rectangle around an ellipse after a linear map, from the mapped corners of its rectangle.

    Any linear map of an ellipse is an ellipse: the mapped half axes are conjugate, its own are their singular vectors.
    """
    ordered = clockwise(corners)
    centre, across, down = _axes(ordered)
    if abs(float(across @ down)) <= _SQUARE * float(np.hypot(*across) * np.hypot(*down)):
        return ordered
    left, lengths, _ = np.linalg.svd(np.stack([across, down], axis=1))
    u, v = left[:, 0] * lengths[0], left[:, 1] * lengths[1]
    box = np.concatenate([centre - u - v, centre + u - v, centre + u + v, centre - u + v])
    return _turned_to(clockwise(box.tolist()), across)


def ellipse_bounds(corners: Ring) -> Box:
    """The box around the ellipse itself, not around its rectangle: left, top, width, height in pixels."""
    centre, across, down = _axes(corners)
    half = np.hypot(across, down)
    left, top = (centre - half).tolist()
    return left, top, float(2 * half[0]), float(2 * half[1])


def ellipse_outline(corners: Ring, n: int = OUTLINE_POINTS) -> tuple[float, ...]:
    """An ellipse as a ring of `n` points that lie on it."""
    centre, across, down = _axes(corners)
    angles = 2 * math.pi * np.arange(n) / n
    points = centre + np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * down
    return tuple(points.ravel().tolist())


def outline_rings(kind: str, rings: Sequence[Ring]) -> tuple[tuple[float, ...], ...]:
    """The closed outlines of a polygon, a rotated box or an ellipse; an ellipse as a ring of points."""
    if kind == "ellipse":
        return tuple(ellipse_outline(ring) if len(ring) == 8 else tuple(ring) for ring in rings)
    return tuple(tuple(ring) for ring in rings)


def bounds_of(kind: str, rings: Sequence[Ring]) -> Box:
    """The box around a shape of rings: left, top, width, height in pixels; of lines and points it may have no area."""
    return ellipse_bounds(rings[0]) if kind == "ellipse" else polygons.rings_bbox_xywh(rings)


def area_of(kind: str, rings: Sequence[Ring]) -> float | None:
    """The area of a shape of rings in square pixels; None for lines and points, which cover none."""
    if kind == "ellipse":
        return math.pi * _area(*_axes(rings[0])[1:])
    return None if kind in ("polyline", "point") else polygons.rings_area(rings)


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left of a shape inside a rectangle: its kind, its rings (none: it is outside) and the visible share.

    The share is of its area, of the length of a line, or of the number of points.
    """

    kind: str
    rings: tuple[tuple[float, ...], ...]
    visible: float


def cut(kind: str, rings: Sequence[Ring], xyxy_px: Box) -> Cut:
    """A shape of rings, not empty, cut to a rectangle.

    A rotated box, or the parallelogram that a map made of one, leaves the rectangle of its direction around the part
    inside. An ellipse that an edge cuts becomes a polygon; every other shape is cut as it is.
    """
    if kind == "polyline":
        lines, length = polygons.clip_lines(rings, xyxy_px=xyxy_px), polygons.lines_length(rings)
        return Cut(kind, lines, polygons.lines_length(lines) / length if length > 0 else 0.0)
    if kind == "point":
        return _cut_points(rings, xyxy_px)
    if kind == "ellipse":
        whole = fitted_ellipse(rings[0])
        left, top, width, height = ellipse_bounds(whole)
        low = min(left - xyxy_px[0], top - xyxy_px[1])
        high = max(left + width - xyxy_px[2], top + height - xyxy_px[3])
        if max(-low, high) <= _SLACK_PX:
            return Cut(kind, (whole,), 1.0)
        rings, kind = (ellipse_outline(whole),), "polygon"
    area, clipped = polygons.rings_area(rings), polygons.clip_rings(rings, xyxy_px=xyxy_px)
    visible = polygons.rings_area(clipped) / area if area > 0 else 0.0
    if kind == "rotated_box" and clipped:
        box = fitted_rectangle(rings[0])
        clipped = (box if visible >= _WHOLE else rectangle_around(_points(clipped[0]), like=box),)
    return Cut(kind, clipped, visible)


def _cut_points(rings: Sequence[Ring], xyxy_px: Box) -> Cut:
    kept: list[tuple[float, ...]] = []
    for ring in rings:
        points = _points(ring)
        inside = ((points >= xyxy_px[:2]) & (points <= xyxy_px[2:])).all(axis=1)
        kept += [tuple(points[inside].ravel().tolist())] if inside.any() else []
    return Cut("point", tuple(kept), sum(map(len, kept)) / max(1, sum(map(len, rings))))


def overlaps(first: Ring, second: Ring) -> tuple[float, float]:
    """Overlap of two convex outlines: intersection over union, and as a share of the smaller."""
    inside = _points(first)
    edges = _points(second)
    if _signed_area(edges) < 0:
        edges = edges[::-1]
    for start, end in zip(edges, np.roll(edges, -1, axis=0), strict=True):
        if len(inside) < 3:
            break
        inside = _kept_side(inside, start, end)
    shared = polygons.ring_area(inside.ravel().tolist()) if len(inside) > 2 else 0.0
    areas = polygons.ring_area(first), polygons.ring_area(second)
    if min(areas) <= 0:
        return 0.0, 0.0
    return shared / (sum(areas) - shared), min(1.0, shared / min(areas))


def _kept_side(points: Points, start: Points, end: Points) -> Points:
    """The part of a convex outline on the right of a line, as seen. Source: as `polygons.clip_rings`."""
    step = end - start
    depth = step[0] * (points[:, 1] - start[1]) - step[1] * (points[:, 0] - start[0])
    kept = []
    for at in range(len(points)):
        before, here = depth[at - 1], depth[at]
        if (before >= 0) != (here >= 0):
            kept.append(points[at - 1] + before / (before - here) * (points[at] - points[at - 1]))
        if here >= 0:
            kept.append(points[at])
    return np.asarray(kept).reshape(-1, 2)


def _signed_area(points: Points) -> float:
    following = np.roll(points, -1, axis=0)
    return float((points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]).sum() / 2)


def _points(corners: Ring) -> Points:
    return np.asarray(corners, np.float64).reshape(-1, 2)


def _axes(corners: Ring) -> tuple[Points, Points, Points]:
    """The centre, and the vectors from it to the middle of the second side and of the third."""
    a, b, c, d = _points(corners)
    return (a + b + c + d) / 4, (b - a + c - d) / 4, (d - a + c - b) / 4


def _cross(u: Points, v: Points) -> float:
    return float(u[0] * v[1] - u[1] * v[0])


def _area(u: Points, v: Points) -> float:
    return abs(_cross(u, v))


def _around(points: Points, direction: Points) -> Corners:
    """The corners of the rectangle around points whose first side has a direction."""
    length = float(np.hypot(*direction))
    u = direction / length if length else np.array([1.0, 0.0])
    v = np.array([-u[1], u[0]])
    along, aside = points @ u, points @ v
    low, high = (along.min(), aside.min()), (along.max(), aside.max())
    places = ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
    return tuple(float(value) for s, t in places for value in s * u + t * v)


def _turned_to(corners: Corners, direction: Points) -> Corners:
    """The same corners from the one whose side points most nearly along a direction."""
    turns = [corners[start:] + corners[:start] for start in (0, 2, 4, 6)]
    length = [float(np.hypot(*_axes(turn)[1])) or 1.0 for turn in turns]
    along = [float(_axes(turn)[1] @ direction) / size for turn, size in zip(turns, length, strict=True)]
    return turns[int(np.argmax(along))]


def _hull(points: Points) -> Points:
    """The convex hull, clockwise as seen. Source: A. Andrew's monotone chain, 1979."""
    ordered = np.unique(points, axis=0)
    if len(ordered) < 3:
        return np.asarray(ordered)
    half: list[list[float]] = []
    for run in (ordered, ordered[::-1]):
        chain: list[list[float]] = []
        for x, y in run.tolist():
            while len(chain) > 1 and _turn(chain[-2], chain[-1], x, y) <= 0:
                chain.pop()
            chain.append([x, y])
        half += chain[:-1]
    return np.asarray(half)


def _turn(a: list[float], b: list[float], x: float, y: float) -> float:
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
