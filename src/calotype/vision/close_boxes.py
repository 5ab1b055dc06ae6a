"""Boxes of one sample that nearly cover each other, found among millions without comparing all with all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.vision import corners

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_AT_ONCE = 400_000
"""Maximum number of boxes that are compared at once; those of one sample stay together."""
CLOSE = 0.85
"""Share of the smaller box that the other covers, above which a pair is listed."""


@dataclass(frozen=True, slots=True)
class ClosePairs:
    """P pairs of rows, the smaller row first: overlap as intersection over union, and as a share of the smaller box."""

    first: Rows
    second: Rows
    iou: Floats
    inside: Floats


def close_pairs(boxes_xywh_px: Floats, sample_of: Rows) -> ClosePairs:
    """All pairs of boxes on one sample of which one covers 85 % of the other or more.

    Args:
        boxes_xywh_px: (N, 4); rows with NaN or without area have no partner.
        sample_of: (N,) the sample of each box; negative: none.
    """
    with np.errstate(invalid="ignore"):
        usable = (boxes_xywh_px[:, 2] > 0) & (boxes_xywh_px[:, 3] > 0) & (sample_of >= 0)
    rows = np.flatnonzero(usable)
    if (np.diff(sample_of[rows]) < 0).any():
        rows = rows[np.argsort(sample_of[rows], kind="stable")]
    parts: list[tuple[Rows, Rows, Floats, Floats]] = []
    start = 0
    while start < len(rows):
        last = sample_of[rows[min(start + _AT_ONCE, len(rows)) - 1]]
        end = start + int(np.searchsorted(sample_of[rows[start:]], last, side="right"))
        parts += _of_some(boxes_xywh_px, sample_of, rows[start:end])
        start = end
    if not parts:
        none = np.zeros(0, np.int64)
        return ClosePairs(none, none, np.zeros(0), np.zeros(0))
    return ClosePairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def with_outlines(pairs: ClosePairs, outlines: Mapping[int, Sequence[float]], turned: Set[int]) -> ClosePairs:
    """The pairs, those with a rotated box or an ellipse by their outlines: boxes around these cross where they do not.

    Args:
        outlines: Row -> a convex ring, of rotated boxes, ellipses and upright boxes; pairs of other rows stay.
        turned: Rows of rotated boxes and ellipses.
    """
    iou, inside = pairs.iou.copy(), pairs.inside.copy()
    for at, (a, b) in enumerate(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)):
        if (a in turned or b in turned) and a in outlines and b in outlines:
            iou[at], inside[at] = corners.overlaps(outlines[a], outlines[b])
    near = inside >= CLOSE
    return ClosePairs(pairs.first[near], pairs.second[near], iou[near], inside[near])


def _of_some(boxes_xywh_px: Floats, sample_of: Rows, rows: Rows) -> list[tuple[Rows, Rows, Floats, Floats]]:
    """The pairs among some rows: neighbours from left to right, while they overlap."""
    order = rows[np.lexsort((boxes_xywh_px[rows, 0], sample_of[rows]))]
    samples = sample_of[order]
    left, width = boxes_xywh_px[order, 0], boxes_xywh_px[order, 2]
    parts = []
    alive = np.arange(max(0, len(order) - 1))
    step = 1
    while len(alive):
        alive = alive[alive + step < len(order)]
        other = alive + step
        alive = alive[(samples[other] == samples[alive]) & (left[other] < left[alive] + width[alive])]
        if len(alive):
            parts.append(_compared(boxes_xywh_px, order[alive], order[alive + step]))
        step += 1
    return parts


def _compared(boxes: Floats, a: Rows, b: Rows) -> tuple[Rows, Rows, Floats, Floats]:
    first, second = boxes[a], boxes[b]
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = first[:, 2:].prod(axis=1), second[:, 2:].prod(axis=1)
    inside = shared / np.minimum(*areas)
    near = np.flatnonzero(inside >= CLOSE)
    a, b, shared, inside = a[near], b[near], shared[near], inside[near]
    iou = shared / (areas[0][near] + areas[1][near] - shared)
    return np.minimum(a, b), np.maximum(a, b), iou, inside
