"""Non-maximum suppression: of boxes of one class that overlap, keep the one with the highest score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MAX_CANDIDATES = 30_000
"""Boxes of one image that are compared; of more, those with the highest scores."""

Indices = npt.NDArray[np.int64]


def suppress(
    boxes_xyxy_px: npt.ArrayLike,
    scores: npt.ArrayLike,
    classes: npt.ArrayLike,
    *,
    max_iou: float | None,
    limit: int,
) -> Indices:
    """Rows of the boxes to keep, the highest score first; of equal scores the first row.

    A box is dropped if a better box of the same class overlaps it by more than `max_iou`.

    Args:
        boxes_xyxy_px: (N, 4) corners.
        scores: (N,).
        classes: (N,) whole numbers; boxes of different classes never drop each other.
        max_iou: 0 to 1; None keeps all.
        limit: Maximum number of rows.
    Returns: (K,) int64, K <= limit.
    Source: greedy suppression as in `torchvision.ops.batched_nms`; areas without "+1" (decision 0008).
    Example:
        >>> boxes = [[0, 0, 4, 4], [0, 0, 4, 3], [9, 9, 10, 10]]
        >>> suppress(boxes, [0.5, 0.9, 0.1], [0, 0, 0], max_iou=0.5, limit=9).tolist()
        [1, 2]
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")[:MAX_CANDIDATES]
    if max_iou is None:
        return np.asarray(order[:limit], np.int64)
    boxes = np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4)[order]
    labels = np.asarray(classes)[order]
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    waiting, kept = np.arange(len(order)), list[int]()
    while len(waiting) and len(kept) < limit:
        best, rest = waiting[0], waiting[1:]
        kept.append(int(best))
        sides = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        shared = np.clip(sides, 0, None).prod(axis=1)
        overlaps = shared > max_iou * (areas[best] + areas[rest] - shared)
        waiting = rest[~(overlaps & (labels[rest] == labels[best]))]
    return np.asarray(order[kept], np.int64)
