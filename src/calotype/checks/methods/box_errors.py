"""Boxes that are likely wrong, judged by a detector's predictions: missing, moved, or of another class.

Weak detectors serve too: what a score is worth is first read off from the labels themselves, so no threshold is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.checks.methods.given import finite, refuse, whole_numbers
from calotype.checks.methods.label_errors import best_f1_count

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
KINDS = ("missing", "moved", "swapped")
_MATCH = 0.5
_PRIOR = 0.05
"""Share of things with an error of one kind, before anything is seen; it sets the scale, hardly the order."""
_NAMES = {
    "boxes": ("boxes_xyxy_px", "boxes", "bboxes"),
    "classes": ("class_ids", "classes", "labels"),
    "scores": ("scores", "score", "confidence"),
}


@dataclass(frozen=True, slots=True)
class BoxErrors:
    """What is known of N images with B labelled boxes and Q predictions; all scores are in [0, 1], higher is more
    suspect.

    Attributes:
        image: (N,) that anything is wrong on the image.
        missing, moved, swapped: (N,) the worst of each kind.
        box_image: (B,) the image of each labelled box, in the order given.
        box_moved, box_swapped: (B,) of each labelled box.
        suggested_box_xyxy_px: (B, 4) where the detector sees it; NaN where it does not.
        suggested_class: (B,) which class the detector sees there; -1 where none.
        candidate_image: (Q,) the image of each prediction, in the order given.
        candidate_missing: (Q,) that the prediction shows a thing without a label.
        flagged: (N,) bool; images whose inspection pays most, by expected F1.
    """

    image: Floats
    missing: Floats
    moved: Floats
    swapped: Floats
    box_image: Ints
    box_moved: Floats
    box_swapped: Floats
    suggested_box_xyxy_px: Floats
    suggested_class: Ints
    candidate_image: Ints
    candidate_missing: Floats
    flagged: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Boxes of all images, one after another."""

    image: Ints
    xyxy: Floats
    classes: Ints
    scores: Floats


def box_errors(truth: Sequence[Any], predictions: Sequence[Any]) -> BoxErrors:
    """Judge the boxes of images by predictions for the same images.

    Args:
        truth: N entries: a mapping or an object with `boxes_xyxy_px` (n, 4) and `class_ids` (n,), or a tuple of both.
        predictions: N entries with `scores` (m,) in [0, 1] besides. Give low scores too; the more the better.
    Raises: InputsInvalid.
    Source: the three kinds as in U. Tkachenko et al., "ObjectLab", 2023; instead of its thresholds, scores are
        calibrated on the labels by isotonic regression, and shifts are measured by how exact the detector usually is.
    """
    if len(truth) != len(predictions):
        detail = f"truth has {len(truth)} images, predictions {len(predictions)}"
        raise refuse("predictions", detail, "give one entry an image, in the same order")
    given, seen = _gathered(truth, "truth"), _gathered(predictions, "predictions")
    pairs = _overlapping(given, seen, len(truth))
    missing = _missing(seen, pairs)
    swapped, suggested_class = _swapped(given, seen, pairs)
    moved, suggested_box = _moved(given, seen, pairs)
    by_image = {
        "missing": _worst(len(truth), seen.image, missing),
        "moved": _worst(len(truth), given.image, moved),
        "swapped": _worst(len(truth), given.image, swapped),
    }
    anything = np.maximum.reduce(list(by_image.values()))
    flagged = np.zeros(len(truth), bool)
    flagged[np.argsort(-anything, kind="stable")[: best_f1_count(anything)]] = True
    return BoxErrors(
        image=anything, box_image=given.image, box_moved=moved, box_swapped=swapped,
        suggested_box_xyxy_px=suggested_box, suggested_class=suggested_class, candidate_image=seen.image,
        candidate_missing=missing, flagged=flagged, **by_image,
    )  # fmt: skip


def _gathered(entries: Sequence[Any], name: str) -> _Boxes:
    images, boxes, classes, scores = [], [], [], []
    for at, entry in enumerate(entries):
        where = f"{name}[{at}]"
        xyxy = np.asarray(_part(entry, "boxes", 0, where), np.float64).reshape(-1, 4)
        xyxy = finite(xyxy, where).astype(np.float64)
        ids = whole_numbers(_part(entry, "classes", 1, where), f"the classes of {where}", n=len(xyxy))
        sure = np.ones(len(xyxy))
        if name == "predictions":
            sure = np.asarray(_part(entry, "scores", 2, where), np.float64)
            if sure.shape != (len(xyxy),) or not ((sure >= 0) & (sure <= 1)).all():
                raise refuse(
                    f"the scores of {where}", "they are not one number in [0, 1] a box", "give confidences"
                )
        images.append(np.full(len(xyxy), at))
        boxes.append(xyxy)
        classes.append(ids)
        scores.append(sure)
    if not entries:
        return _Boxes(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0))
    return _Boxes(
        np.concatenate(images).astype(np.int64),
        np.concatenate(boxes),
        np.concatenate(classes),
        np.concatenate(scores),
    )


def _part(entry: Any, what: str, position: int, where: str) -> Any:
    for name in _NAMES[what]:
        if isinstance(entry, Mapping) and name in entry:
            return entry[name]
        if not isinstance(entry, Mapping) and hasattr(entry, name):
            return getattr(entry, name)
    if isinstance(entry, tuple | list) and len(entry) > position:
        return entry[position]
    raise refuse(
        where, f"it has no {_NAMES[what][0]}", "give a mapping with boxes_xyxy_px, class_ids and scores"
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Labelled boxes and predictions of one image that overlap."""

    given: Ints
    seen: Ints
    iou: Floats
    same: npt.NDArray[np.bool_]


def _overlapping(given: _Boxes, seen: _Boxes, n_images: int) -> _Pairs:
    rows, columns, overlaps = [], [], []
    starts = [np.searchsorted(boxes.image, np.arange(n_images + 1)) for boxes in (given, seen)]
    for at in range(n_images):
        (a, b), (c, d) = starts[0][at : at + 2], starts[1][at : at + 2]
        if a == b or c == d:
            continue
        iou = _iou(given.xyxy[a:b], seen.xyxy[c:d])
        i, j = np.nonzero(iou > 0)
        rows.append(i + a)
        columns.append(j + c)
        overlaps.append(iou[i, j])
    if not rows:
        return _Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool))
    first, second = np.concatenate(rows), np.concatenate(columns)
    return _Pairs(first, second, np.concatenate(overlaps), given.classes[first] == seen.classes[second])


def _iou(a: Floats, b: Floats) -> Floats:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    shared = np.clip(np.minimum(a[:, None, 2:], b[None, :, 2:]) - low, 0, None).prod(axis=2)
    areas = [np.clip(one[:, 2:] - one[:, :2], 0, None).prod(axis=1) for one in (a, b)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def _isotonic(scores: Floats, hit: Floats) -> Floats:
    """(Q,) the rising function of the score that fits best, with one hit and one miss assumed among each 20 or so.

    Between the levels that it finds it is drawn straight, so that a higher score is never worth the same.

    Source: pool adjacent violators, R. Barlow et al., 1972.
    """
    if not len(scores):
        return np.zeros(0)
    order = np.argsort(scores, kind="stable")
    levels: list[tuple[float, float, float]] = []  # height, weight, mean score
    for part in np.array_split(order, max(1, min(len(scores) // 20, 200))):
        levels.append(
            ((float(hit[part].sum()) + 0.5) / (len(part) + 1), float(len(part)), float(scores[part].mean()))
        )
        while len(levels) > 1 and levels[-2][0] > levels[-1][0]:
            (h1, w1, s1), (h2, w2, s2) = levels[-2:]
            total = w1 + w2
            levels[-2:] = [((h1 * w1 + h2 * w2) / total, total, (s1 * w1 + s2 * w2) / total)]
    heights = [0.3 * levels[0][0], *(level[0] for level in levels), 1 - 0.7 * (1 - levels[-1][0])]
    places = [0.0, *(level[2] for level in levels), 1.0]
    return np.asarray(np.interp(scores, places, heights))


def _best(n: int, at: Ints, values: Floats) -> tuple[Floats, Ints]:
    """(n,) the largest value at each place, and which of the values it is (-1: none)."""
    found, which = np.zeros(n), np.full(n, -1)
    order = np.argsort(values, kind="stable")
    found[at[order]] = values[order]
    which[at[order]] = order
    return found, which


def _believed(share: Floats, evidence: Floats) -> Floats:
    """The probability of an error where `share` of such cases are right; evidence in [0, 1] weighs."""
    odds = _PRIOR * evidence * share / np.maximum(1 - share, 1e-3)
    return odds / (1 + odds)


def _missing(seen: _Boxes, pairs: _Pairs) -> Floats:
    """(Q,) a prediction that no label covers, by how often predictions of its score are covered."""
    covered, _ = _best(len(seen.image), pairs.seen, pairs.iou)
    share = _isotonic(seen.scores, (covered >= _MATCH).astype(float))
    return _believed(share, np.clip(1 - covered / _MATCH, 0, 1))


def _swapped(given: _Boxes, seen: _Boxes, pairs: _Pairs) -> tuple[Floats, Ints]:
    """(B,) a label that the detector sees as another class, by how often it agrees at such a score; and that class."""
    n = len(given.image)
    close = np.where(pairs.iou >= _MATCH, seen.scores[pairs.seen], 0)
    top, which = _best(n, pairs.given, close)
    at = np.flatnonzero((which >= 0) & (top > 0))
    agrees = pairs.same[which[at]]
    share = _isotonic(top[at], agrees.astype(float))
    own, _ = _best(n, pairs.given, np.where(pairs.same, close, 0))
    found, classes = np.zeros(n), np.full(n, -1)
    doubt = np.clip(1 - own[at] / np.maximum(top[at], 1e-9), 0, 1)
    found[at] = np.where(agrees, 0, _believed(share, doubt**2))
    classes[at] = np.where(agrees, -1, seen.classes[pairs.seen[which[at]]])
    return found, classes


def _moved(given: _Boxes, seen: _Boxes, pairs: _Pairs) -> tuple[Floats, Floats]:
    """(B,) a label off the prediction of its class, by how often predictions of such a score are as far off; and
    where."""
    n = len(given.image)
    near = np.where(pairs.same & (pairs.iou > 0.1), seen.scores[pairs.seen] * (0.25 + pairs.iou), 0)
    held, which = _best(n, pairs.given, near)
    at = np.flatnonzero((which >= 0) & (held > 0))
    found, boxes = np.zeros(n), np.full((n, 4), np.nan)
    if len(at) == 0:
        return found, boxes
    by = which[at]
    iou, score = pairs.iou[by], seen.scores[pairs.seen[by]]
    found[at] = _PRIOR * _rarity(iou, score)
    found[at] = found[at] / (1 + found[at])
    boxes[at] = seen.xyxy[pairs.seen[by]]
    return found, boxes


def _rarity(iou: Floats, score: Floats) -> Floats:
    """How much likelier an overlap is where the label was moved than where it was not: among predictions of like score.

    A moved label overlaps by anything from 0.1 to 0.65; the others as the data show.
    """
    found = np.zeros(len(iou))
    order = np.argsort(score, kind="stable")
    for part in np.array_split(order, max(1, min(4, len(order) // 60))):
        counts, edges = np.histogram(iou[part], bins=18, range=(0.1, 1.0))
        smooth = np.convolve(counts + 0.5, [0.25, 0.5, 0.25], mode="same")
        usual = smooth / smooth.sum() * 18
        place = np.clip(((iou[part] - edges[0]) / (edges[1] - edges[0])).astype(int), 0, 17)
        found[part] = np.where(iou[part] < 0.65, (18 / 11) / usual[place], 0)
    return found


def _worst(n_images: int, image: Ints, values: Floats) -> Floats:
    found = np.zeros(n_images)
    np.maximum.at(found, image, values)
    return found
