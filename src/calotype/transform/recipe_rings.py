"""Warps shapes of rings: polygons, rotated boxes, ellipses, polylines and points, each cut to the new image.

A rotated box that a map turns into a parallelogram becomes the smallest rectangle around it; an edge leaves the
rectangle, in its direction, around the part inside. An ellipse stays an ellipse under every map, and becomes a polygon
where an edge cuts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from calotype.datasets.model import CORNERED, Annotation, Kind
from calotype.transform.recipe_warp import Affine
from calotype.vision import corners, polygons

Window = tuple[float, float, float, float]
Rings = tuple[tuple[float, ...], ...]
_WHOLE = 1.0 - 1e-9
_SLACK_PX = 1e-6


@dataclass(frozen=True, slots=True)
class WarpedRings:
    """The annotation after a map, and the share of its area, length or points that is inside the image."""

    annotation: Annotation
    visible: float


def warp_rings(annotation: Annotation, affine: Affine, window: Window) -> WarpedRings | None:
    """The annotation with its rings mapped and cut, and the box and area of what is left; None without any."""
    mapped = tuple(tuple(affine.points(ring).ravel().tolist()) for ring in _valid(annotation))
    if not mapped:
        return None
    kind, rings, visible = _CUTS.get(annotation.kind, _cut_polygon)(mapped, window)
    if not rings:
        return None
    if annotation.kind not in _CUTS:  # keypoints or a mask that have an outline too
        kind = annotation.kind
    after = replace(
        annotation,
        kind=kind,
        rings_px=rings,
        bbox_xywh_px=corners.bounds_of(kind, rings),
        area_px=corners.area_of(kind, rings),
        attributes=_turned(annotation, kind, rings),
    )
    return WarpedRings(after, visible)


def side_px(annotation: Annotation) -> float:
    """The side that must not become too small: the shorter of a box, the longer around a line; infinite for points."""
    if annotation.kind is Kind.POINT:
        return float("inf")
    if annotation.kind in CORNERED:
        rectangle = corners.rectangle_of(annotation.rings_px[0])
        return min(rectangle.w_px, rectangle.h_px)
    sides = (annotation.bbox_xywh_px or (0.0,) * 4)[2:]
    return max(sides) if annotation.kind is Kind.POLYLINE else min(sides)


def _valid(annotation: Annotation) -> Rings:
    if annotation.kind in (Kind.POLYLINE, Kind.POINT):
        return tuple(ring for ring in annotation.rings_px if len(ring) % 2 == 0 and np.isfinite(ring).all())
    return tuple(ring for ring in annotation.rings_px if polygons.ring_problem(ring) is None)


_Cut = tuple[Kind, Rings, float]


def _cut_polygon(rings: Rings, window: Window) -> _Cut:
    clipped, area = polygons.clip_rings(rings, xyxy_px=window), polygons.rings_area(rings)
    return Kind.POLYGON, clipped, polygons.rings_area(clipped) / area if area > 0 else 0.0


def _cut_rotated_box(rings: Rings, window: Window) -> _Cut:
    _, inside, visible = _cut_polygon(rings, window)
    if not inside:
        return Kind.ROTATED_BOX, (), 0.0
    whole = corners.fitted_rectangle(rings[0])
    if visible >= _WHOLE:
        return Kind.ROTATED_BOX, (whole,), 1.0
    left = corners.rectangle_around(np.reshape(inside[0], (-1, 2)), like=whole)
    return Kind.ROTATED_BOX, (left,), visible


def _cut_ellipse(rings: Rings, window: Window) -> _Cut:
    whole = corners.fitted_ellipse(rings[0])
    x, y, w, h = corners.ellipse_bounds(whole)
    low, high = min(x - window[0], y - window[1]), max(x + w - window[2], y + h - window[3])
    if low >= -_SLACK_PX and high <= _SLACK_PX:
        return Kind.ELLIPSE, (whole,), 1.0
    return _cut_polygon((corners.ellipse_outline(whole),), window)


def _cut_polyline(rings: Rings, window: Window) -> _Cut:
    clipped, length = polygons.clip_lines(rings, xyxy_px=window), polygons.lines_length(rings)
    return Kind.POLYLINE, clipped, polygons.lines_length(clipped) / length if length > 0 else 0.0


def _cut_points(rings: Rings, window: Window) -> _Cut:
    kept: list[tuple[float, ...]] = []
    for ring in rings:
        points = np.reshape(ring, (-1, 2))
        inside = ((points >= window[:2]) & (points <= window[2:])).all(axis=1)
        kept += [tuple(points[inside].ravel().tolist())] if inside.any() else []
    return Kind.POINT, tuple(kept), sum(map(len, kept)) / sum(map(len, rings))


_CUTS = {
    Kind.ROTATED_BOX: _cut_rotated_box,
    Kind.ELLIPSE: _cut_ellipse,
    Kind.POLYLINE: _cut_polyline,
    Kind.POINT: _cut_points,
    Kind.POLYGON: _cut_polygon,
}
"""How each kind is cut to the image; outlines of other kinds are cut as polygons."""


def _turned(annotation: Annotation, kind: Kind, rings: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The attributes with the angle of the new corners, where one was stated and the direction changed."""
    attributes = dict(annotation.attributes)
    if "angle_deg" not in attributes or annotation.kind not in CORNERED:
        return attributes
    if kind not in CORNERED:
        del attributes["angle_deg"]
        return attributes
    before, after = (corners.rectangle_of(ring).angle_deg for ring in (annotation.rings_px[0], rings[0]))
    if abs((after - before + 180) % 360 - 180) > 1e-9:
        attributes["angle_deg"] = after
    return attributes
