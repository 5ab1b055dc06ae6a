"""Shapes as label files give them, turned into the geometry of the record, and back.

Everything is in pixels of the upright image; angles are in degrees, clockwise as seen (y points down).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.datasets.model import Annotation, Kind
from calotype.formats.fields import LARGEST_PX, BadItem
from calotype.vision import masks
from calotype.vision.polygons import rasterise, ring_area, rings_area, rings_bbox_xywh

Point = tuple[float, float]
Ring = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The geometry of one annotation; the fields are those of `datasets.model.Annotation`."""

    kind: Kind
    bbox_xywh_px: tuple[float, float, float, float] | None = None
    rings_px: tuple[Ring, ...] = ()
    mask_rle: str = ""
    mask_size_hw: tuple[int, int] | None = None
    keypoints_xyv: tuple[float, ...] = ()
    area_px: float | None = None


@dataclass(frozen=True, slots=True)
class Turned:
    """A rectangle by its centre, sides and angle: what `corners` draws and `turned` measures."""

    x: float
    y: float
    width: float
    height: float
    angle_deg: float


def whole_image() -> Shape:
    """A class of the whole image."""
    return Shape(Kind.CLASSIFICATION)


def box(x: float, y: float, width: float, height: float) -> Shape:
    """A box by its left, top, width and height. Raises: BadItem."""
    if width < 0 or height < 0:
        raise BadItem(f"its width and height are {width:g} and {height:g}")
    return Shape(Kind.BOX, (x, y, width, height), area_px=width * height)


def box_by_corners(x1: float, y1: float, x2: float, y2: float) -> Shape:
    """A box by its top-left and bottom-right corners. Raises: BadItem."""
    if x2 < x1 or y2 < y1:
        raise BadItem(f"its corners are swapped: {x1:g}, {y1:g}, {x2:g}, {y2:g}")
    return box(x1, y1, x2 - x1, y2 - y1)


def turned_box(at: Turned) -> Shape:
    """A rotated box; a box where the angle is 0. Raises: BadItem."""
    upright = box(at.x - at.width / 2, at.y - at.height / 2, at.width, at.height)
    if at.angle_deg % 360 == 0:
        return upright
    return box_of_corners(corners(at))


def box_of_corners(ring: Ring) -> Shape:
    """A rotated box by its four corners, clockwise from the one that is top-left at angle 0. Raises: BadItem."""
    _within(ring)
    return Shape(Kind.ROTATED_BOX, rings_bbox_xywh([ring]), (ring,), area_px=ring_area(ring))


def ellipse(at: Turned) -> Shape:
    """An ellipse by the rectangle around it. Raises: BadItem."""
    if at.width < 0 or at.height < 0:
        raise BadItem(f"its radii are {at.width / 2:g} and {at.height / 2:g}")
    ring = corners(at)
    _within(ring)
    turn = math.radians(at.angle_deg)
    half_w = math.hypot(at.width / 2 * math.cos(turn), at.height / 2 * math.sin(turn))
    half_h = math.hypot(at.width / 2 * math.sin(turn), at.height / 2 * math.cos(turn))
    bounds = (at.x - half_w, at.y - half_h, 2 * half_w, 2 * half_h)
    return Shape(Kind.ELLIPSE, bounds, (ring,), area_px=math.pi * at.width * at.height / 4)


def polygon(rings: Iterable[Iterable[Point]]) -> Shape:
    """A polygon of one or several parts. Raises: BadItem."""
    flat = tuple(flattened(ring) for ring in rings)
    if not flat:
        raise BadItem("it has no points")
    for ring in flat:
        if len(ring) < 6:
            raise BadItem(f"it has {len(ring) // 2} points, a polygon needs 3")
    return Shape(Kind.POLYGON, rings_bbox_xywh(flat), flat, area_px=rings_area(flat))


def polyline(parts: Iterable[Iterable[Point]]) -> Shape:
    """A line of one or several parts. Raises: BadItem."""
    flat = tuple(flattened(part) for part in parts)
    if not flat or any(len(part) < 4 for part in flat):
        raise BadItem("it has less than 2 points, a line needs 2")
    return Shape(Kind.POLYLINE, rings_bbox_xywh(flat), flat)


def points(at: Iterable[Point]) -> Shape:
    """One or more points. Raises: BadItem."""
    flat = flattened(at)
    if not flat:
        raise BadItem("it has no points")
    return Shape(Kind.POINT, rings_bbox_xywh([flat]), (flat,))


def pose(
    keypoints: Iterable[tuple[float, float, int]], bbox: tuple[float, float, float, float] | None = None
) -> Shape:
    """Keypoints x, y, v (0 not labelled, 1 hidden, 2 visible); the box is the one around them where none is given.

    Raises: BadItem.
    """
    listed = [(x, y, v) if v else (0.0, 0.0, 0) for x, y, v in keypoints]
    seen = [value for x, y, v in listed if v for value in (x, y)]
    if not seen and bbox is None:
        raise BadItem("none of its keypoints is labelled")
    flat = tuple(float(value) for point in listed for value in point)
    return Shape(Kind.KEYPOINTS, bbox or rings_bbox_xywh([seen]), keypoints_xyv=flat)


def mask(inside: npt.ArrayLike, left_top: tuple[int, int], size_wh: tuple[int, int]) -> Shape:
    """A (H, W) mask whose first pixel lies at `left_top` of an image; what lies beyond its edges is cut off.

    Raises: BadItem.
    """
    part = np.asarray(inside, bool)
    (left, top), (width, height) = left_top, size_wh
    if width * height > masks.MAX_PIXELS:
        raise BadItem(f"a mask of {width}x{height} pixels is too large")
    full = np.zeros((height, width), bool)
    y1, x1 = max(0, top), max(0, left)
    y2, x2 = min(height, top + part.shape[0]), min(width, left + part.shape[1])
    if y2 > y1 and x2 > x1:
        full[y1:y2, x1:x2] = part[y1 - top : y2 - top, x1 - left : x2 - left]
    if not full.any():
        raise BadItem("its mask has no pixel in the image")
    runs = masks.encode(full)
    return Shape(
        Kind.MASK,
        runs.bbox_xywh_px(),
        mask_rle=masks.to_string(runs),
        mask_size_hw=runs.size_hw,
        area_px=float(runs.area_px),
    )


def rings_mask(rings: Sequence[Ring], size_wh: tuple[int, int]) -> Shape:
    """The mask of rings of which those inside others are holes (the even-odd rule). Raises: BadItem."""
    width, height = size_wh
    if width * height > masks.MAX_PIXELS:
        raise BadItem(f"a mask of {width}x{height} pixels is too large")
    inside = np.zeros((height, width), bool)
    for ring in rings:
        inside ^= rasterise([ring], size_hw=(height, width))
    return mask(inside, (0, 0), size_wh)


def overlap(rings: Sequence[Ring]) -> bool:
    """Whether the boxes around some of the rings overlap, as those of a hole and what it lies in do."""
    boxes = [rings_bbox_xywh([ring]) for ring in rings]
    return any(
        a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
        for at, a in enumerate(boxes)
        for b in boxes[:at]
    )


def mask_of(a: Annotation, size_wh: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The (H, W) pixels of a mask or a polygon."""
    if a.kind is Kind.MASK and a.mask_size_hw is not None:
        return masks.decode(masks.from_string(a.mask_rle, a.mask_size_hw))
    return rasterise(a.rings_px, size_hw=(size_wh[1], size_wh[0]))


def pixel_bounds(inside: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the set pixels of a (H, W) mask; its first pixel where none is set."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        return 0, 0, 1, 1
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def corners(at: Turned) -> Ring:
    """The four corners, clockwise from the one that is top-left at angle 0."""
    turn = math.radians(at.angle_deg)
    cos, sin = math.cos(turn), math.sin(turn)
    half_w, half_h = at.width / 2, at.height / 2
    around = ((-half_w, -half_h), (half_w, -half_h), (half_w, half_h), (-half_w, half_h))
    return tuple(
        value for dx, dy in around for value in (at.x + dx * cos - dy * sin, at.y + dx * sin + dy * cos)
    )


def turned(ring: Ring) -> Turned:
    """Centre, sides and angle, from 0 up to 360, of the rectangle with these four corners."""
    x1, y1, x2, y2, x3, y3, x4, y4 = ring
    along = (x2 - x1 + x3 - x4, y2 - y1 + y3 - y4)
    down = (x4 - x1 + x3 - x2, y4 - y1 + y3 - y2)
    if math.hypot(*along) >= math.hypot(*down):
        angle = math.degrees(math.atan2(along[1], along[0]))
    else:
        angle = math.degrees(math.atan2(-down[0], down[1]))
    centre = ((x1 + x2 + x3 + x4) / 4, (y1 + y2 + y3 + y4) / 4)
    return Turned(*centre, math.hypot(*along) / 2, math.hypot(*down) / 2, angle % 360)


def flattened(at: Iterable[Point]) -> Ring:
    """Points as flat x1, y1, x2, y2, ..."""
    return tuple(float(value) for point in at for value in point)


def paired(ring: Sequence[float]) -> list[Point]:
    """Flat x1, y1, x2, y2, ... as points."""
    return list(zip(ring[0::2], ring[1::2], strict=True))


def longest(parts: Sequence[Ring]) -> Ring:
    """The part with the most points, the first of several."""
    return max(parts, key=lambda part: len(part))


def outline(at: Turned, n_points: int = 64) -> Ring:
    """An ellipse as a polygon, for formats that have none."""
    turn = math.radians(at.angle_deg)
    flat: list[float] = []
    for step in range(n_points):
        angle = 2 * math.pi * step / n_points
        dx, dy = at.width / 2 * math.cos(angle), at.height / 2 * math.sin(angle)
        flat += [
            at.x + dx * math.cos(turn) - dy * math.sin(turn),
            at.y + dx * math.sin(turn) + dy * math.cos(turn),
        ]
    return tuple(flat)


def _within(ring: Ring) -> None:
    if any(abs(value) > LARGEST_PX for value in ring):
        raise BadItem("its corners lie far outside any image")
