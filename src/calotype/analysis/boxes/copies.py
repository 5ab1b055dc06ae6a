"""How far the copies of one sample by several people agree, and one copy out of several.

Annotations are matched by class and by the overlap of their boxes (IoU), greedily from the largest overlap; those of
the whole image by class and kind. Pixels of the upright image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calotype.foundation.ids import uuid8
from calotype.vision import boxes

Plain = dict[str, Any]
"""An annotation: `ann_id`, `kind`, `class_id`, `bbox_xywh_px` (absent for the whole image), and more."""
SAME_OBJECT_IOU = 0.5
"""From this overlap on, two annotations are taken for the same object."""


@dataclass(frozen=True, slots=True)
class Match:
    """An annotation of the first copy and one of the second, and the overlap of their boxes."""

    first: int
    second: int
    iou: float


def matches(
    first: Sequence[Plain], second: Sequence[Plain], *, least_iou: float = SAME_OBJECT_IOU
) -> list[Match]:
    """Pairs of annotations of one object, each in one pair at most."""
    overlaps = _overlaps(first, second)
    order = np.dstack(np.unravel_index(np.argsort(-overlaps, axis=None, kind="stable"), overlaps.shape))[0]
    used_first, used_second = set[int](), set[int]()
    pairs: list[Match] = []
    for i, j in order.tolist():
        iou = float(overlaps[i, j])
        if iou < least_iou:
            break
        if i not in used_first and j not in used_second:
            pairs.append(Match(i, j, iou))
            used_first.add(i)
            used_second.add(j)
    return pairs


def _overlaps(first: Sequence[Plain], second: Sequence[Plain]) -> Any:
    """(N, M) overlap of each pair, 0 where class or kind differ."""
    overlaps = np.zeros((len(first), len(second)))
    if not overlaps.size:
        return overlaps
    ious = boxes.iou_matrix(_corners(first), _corners(second))
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            if one["class_id"] == other["class_id"] and one["kind"] == other["kind"]:
                whole = "bbox_xywh_px" not in one or "bbox_xywh_px" not in other
                overlaps[i, j] = 1.0 if whole else _same_place(one, other, float(ious[i, j]))
    return overlaps


def _same_place(one: Plain, other: Plain, iou: float) -> float:
    """Points and thin lines have boxes without area: equal to a pixel in 20 counts as the same place."""
    x, y, w, h = one["bbox_xywh_px"]
    if w > 0 and h > 0:
        return iou
    far = np.abs(np.subtract(other["bbox_xywh_px"], (x, y, w, h))).max()
    return 1.0 if far <= max(3.0, 0.05 * max(w, h)) else 0.0


def _corners(rows: Sequence[Plain]) -> Any:
    given = [row.get("bbox_xywh_px") or (0.0, 0.0, 0.0, 0.0) for row in rows]
    return boxes.xywh_to_xyxy(np.asarray(given, dtype=np.float64).reshape(-1, 4))


def agreement(copies: Sequence[Sequence[Plain]]) -> float:
    """Mean over pairs of copies: the overlap of the matched annotations, summed, over the number of objects; 0 to 1.

    Copies without any annotation agree wholly.
    """
    scores = []
    for i, first in enumerate(copies):
        for second in copies[i + 1 :]:
            pairs = matches(first, second)
            n_objects = len(first) + len(second) - len(pairs)
            scores.append(sum(pair.iou for pair in pairs) / n_objects if n_objects else 1.0)
    return float(np.mean(scores)) if scores else 1.0


def champion(copies: Sequence[list[Plain]]) -> list[Plain]:
    """The copy that agrees most with the others; the first of equals."""
    if len(copies) < 3:
        return copies[0] if copies else []
    means = [
        np.mean([agreement([one, other]) for j, other in enumerate(copies) if j != i])
        for i, one in enumerate(copies)
    ]
    return copies[int(np.argmax(means))]


def merged(copies: Sequence[list[Plain]]) -> tuple[list[Plain], int]:
    """One copy out of several, and how many annotations of single people it leaves out.

    An object stays if more than half of the people have it. A box is the mean of theirs; of other shapes, the one that
    overlaps most with the others. It keeps the id of the first who has it, or a new one where two objects share an id.
    """
    groups = _groups(copies)
    kept = [group for group in groups if 2 * len(group) > len(copies)]
    rows: list[Plain] = []
    seen = set[str]()
    for group in kept:
        row = _middle(group)
        if row["ann_id"] in seen:
            row = {**row, "ann_id": uuid8("merged", row["ann_id"], str(len(rows)))}
        seen.add(row["ann_id"])
        rows.append(row)
    return rows, sum(len(group) for group in groups) - sum(len(group) for group in kept)


def _groups(copies: Sequence[list[Plain]]) -> list[list[Plain]]:
    """Annotations of one object, at most one of each copy."""
    groups: list[list[Plain]] = []
    for copy in copies:
        pairs = {pair.second: pair.first for pair in matches([_middle(group) for group in groups], copy)}
        for j, row in enumerate(copy):
            if j in pairs:
                groups[pairs[j]].append(row)
            else:
                groups.append([row])
    return groups


def _middle(group: Sequence[Plain]) -> Plain:
    first = group[0]
    if len(group) == 1 or "bbox_xywh_px" not in first:
        return first
    if first["kind"] == "box":
        mean = np.mean([row["bbox_xywh_px"] for row in group], axis=0).tolist()
        return {**first, "bbox_xywh_px": mean, "area_px": mean[2] * mean[3]}
    ious = boxes.iou_matrix(_corners(group), _corners(group))
    return group[int(np.argmax(ious.sum(axis=1)))]
