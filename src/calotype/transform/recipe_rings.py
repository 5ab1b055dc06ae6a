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

from calotype.datasets.model import CORNERED, RINGED, Annotation, Kind
from calotype.transform.recipe_warp import Affine
from calotype.vision import corners, polygons

Window = tuple[float, float, float, float]


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
    left = corners.cut(annotation.kind, mapped, window)
    if not left.rings:
        return None
    kind = Kind(left.kind) if annotation.kind in RINGED else annotation.kind  # masks may have an outline too
    rings = left.rings
    after = replace(
        annotation,
        kind=kind,
        rings_px=rings,
        bbox_xywh_px=corners.bounds_of(kind, rings),
        area_px=corners.area_of(kind, rings),
        attributes=_turned(annotation, kind, rings),
    )
    return WarpedRings(after, left.visible)


def side_px(annotation: Annotation) -> float:
    """The side that must not become too small: the shorter of a box, the longer around a line; infinite for points."""
    if annotation.kind is Kind.POINT:
        return float("inf")
    if annotation.kind in CORNERED:
        rectangle = corners.rectangle_of(annotation.rings_px[0])
        return min(rectangle.w_px, rectangle.h_px)
    sides = (annotation.bbox_xywh_px or (0.0,) * 4)[2:]
    return max(sides) if annotation.kind is Kind.POLYLINE else min(sides)


def _valid(annotation: Annotation) -> tuple[tuple[float, ...], ...]:
    if annotation.kind in (Kind.POLYLINE, Kind.POINT):
        return tuple(ring for ring in annotation.rings_px if len(ring) % 2 == 0 and np.isfinite(ring).all())
    return tuple(ring for ring in annotation.rings_px if polygons.ring_problem(ring) is None)


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
