"""Boxes of many images as flat arrays, and which of them overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Boxes:
    """M boxes of all images, those of one image together and images in order.

    Attributes:
        image: (M,) the image of each.
        xyxy: (M, 4) px.
        classes: (M,) 0 to K - 1.
        scores: (M,) in [0, 1].
        own: (M,) the row of the labelled box that each stands for; -1: none.
    """

    image: Ints
    xyxy: Floats
    classes: Ints
    scores: Floats
    own: Ints


@dataclass(frozen=True, slots=True)
class Pairs:
    """(P,) boxes `a` and `b` of one image that overlap by `iou`, and whether their classes are the same."""

    a: Ints
    b: Ints
    iou: Floats
    same: Flags


@dataclass(frozen=True, slots=True)
class Covered:
    """How well each box is covered: by the best of the others, by which, and by the second best."""

    best: Floats
    by: Ints
    second: Floats

    def without(self, boxes: Ints, left_out: Ints) -> Floats:
        """(P,) how well `boxes` are covered without `left_out`."""
        return np.where(self.by[boxes] == left_out, self.second[boxes], self.best[boxes])


def overlapping(a: Boxes, b: Boxes, n_images: int, *, at_least: float) -> Pairs:
    """Pairs of one image whose overlap is more than `at_least`."""
    rows, columns, overlaps = [], [], []
    first, second = (np.searchsorted(side.image, np.arange(n_images + 1)).tolist() for side in (a, b))
    for image in range(n_images):
        low_a, high_a, low_b, high_b = first[image], first[image + 1], second[image], second[image + 1]
        if low_a == high_a or low_b == high_b:
            continue
        iou = iou_matrix(a.xyxy[low_a:high_a], b.xyxy[low_b:high_b])
        i, j = np.nonzero(iou > at_least)
        rows.append(i + low_a)
        columns.append(j + low_b)
        overlaps.append(iou[i, j])
    if not rows:
        none = np.zeros(0, np.int64)
        return Pairs(none, none, np.zeros(0), np.zeros(0, bool))
    left, right = np.concatenate(rows), np.concatenate(columns)
    return Pairs(left, right, np.concatenate(overlaps), a.classes[left] == b.classes[right])


def iou_matrix(a: Floats, b: Floats) -> Floats:
    """(A, B) intersection over union of (A, 4) and (B, 4) boxes, corners in px."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    shared = np.clip(np.minimum(a[:, None, 2:], b[None, :, 2:]) - low, 0, None).prod(axis=2)
    areas = [np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=1) for corners in (a, b)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def coverage(pairs: Pairs, n: int, *, same: bool) -> Covered:
    """How well each of the n boxes `b` is covered by boxes `a`, of its own class only if `same`."""
    kept = pairs.same if same else np.ones(len(pairs.a), bool)
    a, b, iou = pairs.a[kept], pairs.b[kept], pairs.iou[kept]
    order = np.lexsort((-iou, b))
    a, b, iou = a[order], b[order], iou[order]
    covered = Covered(np.zeros(n), np.full(n, -2), np.zeros(n))
    if not len(b):
        return covered
    starts = np.flatnonzero(np.append(True, b[1:] != b[:-1]))
    covered.best[b[starts]] = iou[starts]
    covered.by[b[starts]] = a[starts]
    seconds = starts[np.diff(np.append(starts, len(b))) > 1] + 1
    covered.second[b[seconds]] = iou[seconds]
    return covered


def largest(n: int, places: Ints, values: Floats) -> tuple[Floats, Ints]:
    """(n,) the largest value above 0 at each place, or 0; and its position in `values` (-1: none)."""
    maxima, which = np.zeros(n), np.full(n, -1)
    order = np.argsort(values, kind="stable")
    order = order[values[order] > 0]
    maxima[places[order]] = values[order]
    which[places[order]] = order
    return maxima, which


class Counts:
    """Number of boxes of each class in each image."""

    def __init__(self, boxes: Boxes, n_images: int, n_classes: int) -> None:
        self.n_classes = n_classes
        self.of_image = np.bincount(boxes.image, minlength=n_images)
        self.keys, self.numbers = np.unique(boxes.image * n_classes + boxes.classes, return_counts=True)

    def of_class(self, image: Ints, classes: Ints) -> Ints:
        """(M,) number of boxes of that class in the image."""
        if not len(self.keys):
            return np.zeros(len(image), np.int64)
        asked = image * self.n_classes + classes
        position = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        return np.where(self.keys[position] == asked, self.numbers[position], 0)
