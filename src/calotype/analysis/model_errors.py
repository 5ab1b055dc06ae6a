"""Which labels a model gets wrong, and whether a slice of them is wrong more often than the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
_PAIRS_AT_ONCE = 1_000_000
_FEWEST_IMAGES = 5


def overlapped_boxes(
    boxes_xyxy_px: Floats, groups: Ints, other_xyxy_px: Floats, other_groups: Ints, *, min_iou: float = 0.5
) -> Bools:
    """(N,) whether any of the other boxes of the same group overlaps a box by `min_iou` or more.

    Args:
        boxes_xyxy_px: (N, 4) corners, finite.
        groups: (N,) what has to agree, such as a number for sample and class together.
        other_xyxy_px: (M, 4) corners, finite.
        other_groups: (M,).
    """
    order = np.argsort(other_groups, kind="stable")
    other, held = other_xyxy_px[order], other_groups[order]
    first = np.searchsorted(held, groups, side="left")
    n_others = np.searchsorted(held, groups, side="right") - first
    overlapped = np.zeros(len(groups), bool)
    ends = np.cumsum(n_others)
    start = 0
    while start < len(groups):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + _PAIRS_AT_ONCE, side="right")))
        part = n_others[start:end]
        rows = np.repeat(np.arange(start, end), part)
        others = np.arange(len(rows)) - np.repeat(np.cumsum(part) - part, part) + first[rows]
        overlapped[rows[_ious(boxes_xyxy_px[rows], other[others]) >= min_iou]] = True
        start = end
    return overlapped


def _ious(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """(P,) intersection over union of pairs."""
    low, high = np.maximum(a_xyxy[:, :2], b_xyxy[:, :2]), np.minimum(a_xyxy[:, 2:], b_xyxy[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    whole = sum((side[:, 2:] - side[:, :2]).prod(axis=1) for side in (a_xyxy, b_xyxy)) - shared
    return np.asarray(shared / np.maximum(whole, 1e-12), np.float64)


def named_classes(
    samples: Ints, classes: Ints, other_samples: Ints, other_classes: Ints, scores: Floats
) -> Bools:
    """(N,) whether a labelled class is among the best of those predicted for its sample.

    As many predicted classes count as the sample has labelled ones: with one label, only the best.

    Args:
        samples: (N,) sample of each label.
        classes: (N,) its class.
        other_samples: (M,) sample of each prediction.
        other_classes: (M,) its class.
        scores: (M,) its score.
    """
    width = int(max(classes.max(initial=0), other_classes.max(initial=0))) + 1
    asked = np.unique(samples * width + classes)
    n_asked = np.bincount(asked // width, minlength=int(other_samples.max(initial=0)) + 1)
    order = np.lexsort((-scores, other_samples))
    keys = other_samples[order] * width + other_classes[order]
    firsts = np.sort(np.unique(keys, return_index=True)[1])
    keys = keys[firsts]
    of = keys // width
    rank = np.arange(len(of)) - np.searchsorted(of, of, side="left")
    return np.isin(samples * width + classes, keys[rank < n_asked[of]])


def cluster_p_value(is_error: Bools, in_slice: Bools, images: Ints) -> float:
    """The chance of that many more errors in a slice than in the rest, where labels of one image go wrong together.

    One-sided, by the variance of a ratio over images; 1 with fewer than 5 images on either side.

    Args:
        is_error: (N,).
        in_slice: (N,).
        images: (N,) the image of each label.
    Source: W. Cochran, "Sampling Techniques", 1977, chapter 6.
    """
    rates, variances = [], []
    for chosen in (in_slice, ~in_slice):
        _, place = np.unique(images[chosen], return_inverse=True)
        n = np.bincount(place)
        if len(n) < _FEWEST_IMAGES:
            return 1.0
        errors = np.bincount(place, weights=is_error[chosen])
        # half an error and half a right label are added: no side is ever certain
        rate = (errors.sum() + 0.5) / (n.sum() + 1)
        spread = float(((errors - rate * n) ** 2).sum()) * len(n) / (len(n) - 1)
        rates.append(rate)
        variances.append(max(spread, rate * (1 - rate) * n.sum()) / float(n.sum()) ** 2)
    z = (rates[0] - rates[1]) / np.sqrt(sum(variances))
    from scipy.special import erfc  # heavy to load

    return float(0.5 * erfc(z / np.sqrt(2)))
