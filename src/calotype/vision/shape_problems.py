"""What is wrong with one shape, before it is stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calotype.vision import corners
from calotype.vision.polygon_problems import MAX_CORNER_GAP_PX, MAX_CORNER_SHARE

_FEWEST_POINTS = {"point": (1, "one point"), "polyline": (2, "two points")}
_CORNERED = ("rotated_box", "ellipse")


def shape_problem(kind: str, rings: Sequence[Sequence[float]], keypoints_xyv: Sequence[float] = ()) -> str:
    """Why rings (flat x1, y1, ... each) and keypoints (x, y, v triples) do not fit a kind; empty if they do."""
    fewest, points = _FEWEST_POINTS.get(kind, (3, "three points"))
    if any(len(ring) < 2 * fewest or len(ring) % 2 for ring in rings):
        return f"a ring of a {kind} needs x1, y1, ... of {points} or more"
    if len(keypoints_xyv) % 3:
        return "keypoints are triples x, y, v"
    numbers = np.array([*(v for ring in rings for v in ring), *keypoints_xyv], float)
    if not np.isfinite(numbers).all():
        return "it holds a number that is not finite"
    if kind in _CORNERED and rings:
        rectangle = corners.rectangle_of(rings[0])
        allowed_px = max(MAX_CORNER_GAP_PX, MAX_CORNER_SHARE * max(rectangle.w_px, rectangle.h_px))
        if corners.rectangle_gap_px(rings[0]) > allowed_px:
            return f"the corners of its {kind} are not those of a rectangle, clockwise"
    return ""
