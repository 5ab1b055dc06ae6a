"""Boxes: conversions, overlap, clipping. Pixels, origin top-left, continuous: a box's area is w * h, without "+1"."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calotype.foundation.errors import Invalid

Array = npt.NDArray[np.floating]
_MIN_TRACK_SIZE_PX = 1.0


class BoxCornersSwapped(Invalid):
    """A box whose second corner lies before its first."""

    code = "box-corners-swapped"
    what = "box {row} of {set} has x2 < x1 or y2 < y1: {box}"
    fix = "give boxes as x1, y1, x2, y2 with x1 <= x2 and y1 <= y2"


def xywh_to_xyxy(boxes_xywh_px: npt.ArrayLike) -> Array:
    """Corners of boxes: (N, 4) x, y, w, h -> (N, 4) x1, y1, x2, y2, float64, same frame."""
    boxes = _boxes(boxes_xywh_px)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def xyxy_to_xywh(boxes_xyxy_px: npt.ArrayLike) -> Array:
    """Left, top, width, height of corner boxes: (N, 4) -> (N, 4) float64, same frame."""
    boxes = _boxes(boxes_xyxy_px)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def upright_ring(box_xywh_px: npt.ArrayLike) -> tuple[float, ...]:
    """The corners of one box, flat, clockwise as seen from the top-left one."""
    x, y, w, h = np.asarray(box_xywh_px, np.float64).tolist()
    return (x, y, x + w, y, x + w, y + h, x, y + h)


def xywh_to_cxcywhn(boxes_xywh_px: npt.ArrayLike, *, size_wh: tuple[int, int]) -> Array:
    """Centre and size as shares of the image, as YOLO writes them: (N, 4) -> (N, 4) float64."""
    boxes = _boxes(boxes_xywh_px)
    scale = np.array([*size_wh, *size_wh], dtype=np.float64)
    return np.concatenate([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]], axis=1) / scale


def cxcywhn_to_xywh(boxes_cxcywhn: npt.ArrayLike, *, size_wh: tuple[int, int]) -> Array:
    """The inverse: shares of the image -> (N, 4) left, top, width, height in pixels, float64."""
    boxes = _boxes(boxes_cxcywhn) * np.array([*size_wh, *size_wh], dtype=np.float64)
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)


def areas(boxes_xywh_px: npt.ArrayLike) -> Array:
    """Areas in square pixels, (N,); 0 for boxes without area."""
    boxes = _boxes(boxes_xywh_px)
    return np.asarray(np.clip(boxes[:, 2], 0, None) * np.clip(boxes[:, 3], 0, None))


def clip(boxes_xyxy_px: npt.ArrayLike, *, size_wh: tuple[int, int]) -> Array:
    """Boxes cut to the image, (N, 4) x1, y1, x2, y2; a box outside becomes a box without area on the edge."""
    boxes = _boxes(boxes_xyxy_px).copy()
    boxes[:, 0::2] = np.clip(boxes[:, 0::2], 0, size_wh[0])
    boxes[:, 1::2] = np.clip(boxes[:, 1::2], 0, size_wh[1])
    return boxes


def overshoot_px(boxes_xywh_px: npt.ArrayLike, *, size_wh: npt.ArrayLike) -> Array:
    """How far each box reaches beyond the image, (N,) pixels, 0 inside. `size_wh` is one size or (N, 2) sizes."""
    corners = xywh_to_xyxy(boxes_xywh_px)
    size = np.broadcast_to(np.asarray(size_wh, dtype=np.float64), (len(corners), 2))
    beyond = np.concatenate([-corners[:, :2], corners[:, 2:] - size], axis=1)
    return np.asarray(np.clip(beyond.max(axis=1, initial=0), 0, None))


def with_centres(boxes_xywh_px: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_]) -> Array:
    """(N, 4) the boxes; of the chosen ones (N,) the centre, as a box without size."""
    centres = np.concatenate(
        [boxes_xywh_px[:, :2] + boxes_xywh_px[:, 2:] / 2, 0 * boxes_xywh_px[:, 2:]], axis=1
    )
    return np.where(chosen[:, None], centres, boxes_xywh_px)


def are_degenerate(boxes_xywh_px: npt.ArrayLike, *, min_side_px: float = 0.0) -> npt.NDArray[np.bool_]:
    """Which boxes have a side of at most `min_side_px` (0: no area), (N,) bool."""
    boxes = _boxes(boxes_xywh_px)
    return np.asarray((boxes[:, 2] <= min_side_px) | (boxes[:, 3] <= min_side_px))


def are_outside(boxes_xywh_px: npt.ArrayLike, *, size_wh: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which boxes do not touch the image at all, (N,) bool. `size_wh` is one size or (N, 2) sizes."""
    corners = xywh_to_xyxy(boxes_xywh_px)
    size = np.broadcast_to(np.asarray(size_wh, dtype=np.float64), (len(corners), 2))
    return np.asarray((corners[:, 2:] < 0).any(axis=1) | (corners[:, :2] > size).any(axis=1))


def iou_matrix(a_xyxy_px: npt.ArrayLike, b_xyxy_px: npt.ArrayLike) -> Array:
    """Overlap of every box in one set with every box in another.

    Args:
        a_xyxy_px: Array (N, 4), pixels, corners as x1, y1, x2, y2.
        b_xyxy_px: Array (M, 4), same frame.
    Returns:
        Array (N, M) float64 in [0, 1]; shape (0, M) or (N, 0) for empty input; 0 where both areas are 0.
    Raises:
        BoxCornersSwapped: names the set and the row.
    Source: intersection over union as in the PASCAL VOC development kit, without the "+1 pixel" rule (decision 0008).
    Example:
        >>> iou_matrix([[0, 0, 2, 2]], [[1, 0, 3, 2]]).round(3).tolist()
        [[0.333]]
    """
    a, b = _boxes(a_xyxy_px), _boxes(b_xyxy_px)
    _check_corners(a, "a_xyxy_px")
    _check_corners(b, "b_xyxy_px")
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    shared = sides[..., 0] * sides[..., 1]
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a[:, None] + area_b[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def _boxes(values: npt.ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    return array.reshape(-1, 4)


def _check_corners(boxes: Array, name: str) -> None:
    wrong = np.flatnonzero((boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1]))
    if wrong.size:
        row = int(wrong[0])
        raise BoxCornersSwapped(set=name, row=row, box=boxes[row].tolist())


def side_gaps_px(boxes_xyxy_px: Array, others_xyxy_px: Array) -> tuple[Array, Array]:
    """(N,) the largest distance between the same sides of two boxes, and (N,) the longest side of both.

    Args:
        boxes_xyxy_px: (N, 4) corners; NaN gives NaN.
        others_xyxy_px: (N, 4) corners of the other box.
    """
    with np.errstate(invalid="ignore"):
        gaps_px = np.abs(boxes_xyxy_px - others_xyxy_px).max(axis=1, initial=0)
        sides = [corners[:, 2:] - corners[:, :2] for corners in (boxes_xyxy_px, others_xyxy_px)]
        return gaps_px, np.concatenate(sides, axis=1).max(axis=1, initial=0)


def jumps_in_sizes(
    boxes_xywh_px: npt.NDArray[np.float64], frames: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(N - 1,) how far each box of a track moved since the box before it, in sizes of that box a frame.

    Args:
        boxes_xywh_px: (N, 4) in the order of frames. The size of a box is the root of its area, at least 1 px.
        frames: (N,) ascending; with a gap of n frames, n times the distance is allowed.
    """
    sizes_px = np.sqrt(np.maximum(boxes_xywh_px[:-1, 2] * boxes_xywh_px[:-1, 3], _MIN_TRACK_SIZE_PX))
    centres_px = boxes_xywh_px[:, :2] + boxes_xywh_px[:, 2:] / 2
    moved_px = np.hypot(*np.diff(centres_px, axis=0).T)
    return np.asarray(moved_px / (sizes_px * np.maximum(1.0, np.diff(frames))))
