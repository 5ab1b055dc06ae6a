"""Boxes that are likely wrong, judged by a detector's predictions: missing, moved, or of another class.

Weak detectors are enough. What a wrong box looks like to this detector is learned from the labels themselves, most of
which are right: errors are planted in copies, and the difference between copies and originals is the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.boxes.evidence import RISING, Scene, moved, swapped, taken
from calotype.analysis.boxes.pairs import Boxes, Floats, Ints
from calotype.analysis.boxes.planted import chances, likelihood_ratio
from calotype.analysis.label_errors import best_f1_count
from calotype.analysis.validation import class_labels, finite, refuse

KINDS = ("missing", "moved", "swapped")
_FEW = 60
"""Number of labels below which nothing can be learned from them."""
_USUAL, _USUAL_IMAGE = 0.03, 0.05
"""Share of things, and of images, with a fault of one kind, before any is seen."""
_MOST = 20_000
"""Maximum number of labels to learn from; of more, a sample."""
_NAMES = {
    "boxes": ("boxes_xyxy_px", "boxes", "bboxes"),
    "classes": ("class_ids", "classes", "labels"),
    "scores": ("scores", "score", "confidence"),
}


@dataclass(frozen=True, slots=True)
class BoxErrors:
    """The judgement of N images with B labelled boxes and Q predictions. All scores are in [0, 1]; higher is more
    suspect.

    Attributes:
        image: (N,) that anything is wrong on the image.
        missing, moved, swapped: (N,) that there is an error of each kind.
        box_image: (B,) the image of each labelled box, in the order given.
        box_moved, box_swapped: (B,) of each labelled box; 0 where the detector suggests nothing.
        suggested_box_xyxy_px: (B, 4) where the detector sees it; NaN where it does not.
        suggested_class: (B,) which class the detector sees there; -1 where none.
        candidate_image: (Q,) the image of each prediction, in the order given.
        candidate_missing: (Q,) that the prediction shows a thing without a label.
        flagged: (N,) bool; the set of images to inspect whose expected F1 is best.
    """

    image: Floats
    missing: Floats
    moved: Floats
    swapped: Floats
    box_image: Ints
    box_moved: Floats
    box_swapped: Floats
    suggested_box_xyxy_px: Floats
    suggested_class: npt.NDArray[Any]
    candidate_image: Ints
    candidate_missing: Floats
    flagged: npt.NDArray[np.bool_]


def box_errors(truth: Sequence[Any], predictions: Sequence[Any]) -> BoxErrors:
    """Judge the boxes of images by predictions for the same images.

    Args:
        truth: N entries: a mapping or an object with `boxes_xyxy_px` (n, 4) and `class_ids` (n,), or a tuple of both.
            Classes are whole numbers, or strings in both arguments.
        predictions: N entries with `scores` (m,) in [0, 1] in addition. Include predictions with low scores.
    Raises: InputsInvalid.
    Source: the three kinds as in U. Tkachenko et al., "ObjectLab", 2023; instead of its thresholds, see `planted`.
        An image is judged as a whole: an error is as likely on one with few boxes as on one with many.
    """
    if len(truth) != len(predictions):
        detail = f"truth has {len(truth)} images, predictions {len(predictions)}"
        raise refuse("predictions", detail, "give one entry per image, in the same order")
    given, seen = _gathered(truth, "truth"), _gathered(predictions, "predictions")
    _check_same_kind(given.classes, seen.classes)
    names, numbered = np.unique(np.concatenate([given.classes, seen.classes]), return_inverse=True)
    otherwise: Any = "" if names.dtype.kind == "U" else -1
    given = replace(given, classes=numbered[: len(given.classes)], own=np.arange(len(given.image)))
    seen = replace(seen, classes=numbered[len(given.classes) :])
    scene = Scene(given, seen, len(truth), len(names))
    judged = _judged(scene)
    by_image = _by_image(scene, judged)
    anything = np.clip(by_image.sum(axis=1), 0, 1)
    flagged = np.zeros(len(truth), bool)
    flagged[np.argsort(-anything, kind="stable")[: best_f1_count(anything)]] = True
    of_boxes = chances(np.column_stack([judged.moved, judged.swapped]), usual=_USUAL)
    of_boxes *= np.column_stack([judged.place, judged.other]) >= 0
    return BoxErrors(
        image=anything,
        missing=by_image[:, 0],
        moved=by_image[:, 1],
        swapped=by_image[:, 2],
        box_image=given.image,
        box_moved=of_boxes[:, 0],
        box_swapped=of_boxes[:, 1],
        suggested_box_xyxy_px=_at(seen.xyxy, judged.place, np.nan),
        suggested_class=_at(names[seen.classes], judged.other, otherwise),
        candidate_image=seen.image,
        candidate_missing=_by_candidate(judged, len(seen.image), of_boxes[:, 0]),
        flagged=flagged,
    )


def _check_same_kind(given: npt.NDArray[Any], seen: npt.NDArray[Any]) -> None:
    """Whether classes are strings on both sides, or numbers on both."""
    if len(given) and len(seen) and (given.dtype.kind == "U") != (seen.dtype.kind == "U"):
        detail = "one of truth and predictions names classes, the other numbers them"
        raise refuse("the classes", detail, "give class names in both, or class ids in both")


@dataclass(frozen=True, slots=True)
class _Judged:
    """Likelihood ratio of each fault: that labels are moved or swapped, that predictions show a missing box."""

    moved: Floats
    swapped: Floats
    place: Ints
    other: Ints
    candidates: Ints
    missing: Floats
    left_behind: float
    """Share of labels that, when dropped, leave a prediction behind."""


def _judged(scene: Scene) -> _Judged:
    given, rng = scene.given, np.random.default_rng(0)
    real = scene.of_boxes(given)
    candidates = scene.uncovered()
    now = scene.of_candidates(candidates, np.full(len(candidates), -1))
    place, other = real.place, real.other
    if len(given.image) < _FEW:
        plainly = [_plain(doubt) for doubt in (real.off, real.renamed, now[:, 2])]
        return _Judged(plainly[0], plainly[1], place, other, candidates, plainly[2], 1.0)
    chosen = np.arange(len(given.image))
    if len(chosen) > _MOST:
        chosen = np.sort(rng.choice(chosen, _MOST, replace=False))
    copied = np.repeat(chosen, int(np.clip(_MOST // (4 * len(chosen)), 1, 4)))
    off, renamed = moved(taken(given, copied), rng), swapped(taken(given, copied), given, rng)
    of_moved, of_swapped = (
        likelihood_ratio(real.values, scene.of_boxes(planted).values, given.image, planted.image)
        for planted in (off, renamed)
    )
    rows, labels = scene.left_behind(chosen)
    left, image = scene.of_candidates(rows, labels), scene.seen.image
    missing = likelihood_ratio(now, left, image[candidates], image[rows], rising=RISING)
    return _Judged(of_moved, of_swapped, place, other, candidates, missing, len(rows) / len(chosen))


def _plain(doubt: Floats) -> Floats:
    """A ratio without learning: 1 at a half, large where the detector is sure."""
    return np.asarray((doubt / (1.02 - np.clip(doubt, 0, 1))) ** 2)


def _by_image(scene: Scene, judged: _Judged) -> Floats:
    """(N, 3) the probability of each kind; all 0 where nothing was predicted."""
    n, given = scene.n_images, scene.given
    boxes = np.maximum(np.bincount(given.image, minlength=n), 1)
    of_candidates = scene.seen.image[judged.candidates]
    found = np.zeros(n)
    np.maximum.at(found, of_candidates, judged.missing)
    found /= max(float(found.mean()) if n else 0.0, 1e-9)
    ratios = [
        1 - judged.left_behind + judged.left_behind * found,
        np.bincount(given.image, weights=judged.moved, minlength=n) / boxes,
        np.bincount(given.image, weights=judged.swapped, minlength=n) / boxes,
    ]
    found = chances(np.column_stack(ratios), usual=_USUAL_IMAGE)
    return found if len(scene.seen.image) else np.zeros((n, len(KINDS)))


def _at(values: npt.NDArray[Any], rows: Ints, otherwise: Any) -> npt.NDArray[Any]:
    taken_values = np.full((len(rows), *values.shape[1:]), otherwise, values.dtype)
    taken_values[rows >= 0] = values[rows[rows >= 0]]
    return taken_values


def _by_candidate(judged: _Judged, n: int, of_moved: Floats) -> Floats:
    """(Q,) that a prediction shows a missing box, and not where a moved one belongs."""
    missing, elsewhere = np.zeros(n), np.zeros(n)
    missing[judged.candidates] = chances(judged.missing[:, None], usual=_USUAL)[:, 0]
    known = judged.place >= 0
    np.maximum.at(elsewhere, judged.place[known], of_moved[known])
    missing *= 1 - elsewhere
    return missing


def _gathered(entries: Sequence[Any], name: str) -> Boxes:
    images, boxes, classes, scores = [], [], [], []
    for number, entry in enumerate(entries):
        where = f"{name}[{number}]"
        xyxy = np.asarray(_part(entry, "boxes", 0, where), np.float64).reshape(-1, 4)
        xyxy = finite(xyxy, where).astype(np.float64)
        ids = class_labels(_part(entry, "classes", 1, where), f"the classes of {where}", n=len(xyxy))
        sure = np.ones(len(xyxy))
        if name == "predictions":
            sure = np.asarray(_part(entry, "scores", 2, where), np.float64)
            if sure.shape != (len(xyxy),) or not ((sure >= 0) & (sure <= 1)).all():
                raise refuse(
                    f"the scores of {where}", "they are not one number in [0, 1] a box", "give confidences"
                )
        images.append(np.full(len(xyxy), number))
        boxes.append(xyxy)
        classes.append(ids)
        scores.append(sure)
    if not entries:
        none = np.zeros(0, np.int64)
        return Boxes(none, np.zeros((0, 4)), none, np.zeros(0), none)
    return Boxes(
        np.concatenate(images).astype(np.int64),
        np.concatenate(boxes),
        np.concatenate(classes),
        np.concatenate(scores),
        np.full(sum(map(len, images)), -1),
    )


def _part(entry: Any, part: str, position: int, where: str) -> Any:
    for name in _NAMES[part]:
        if isinstance(entry, Mapping) and name in entry:
            return entry[name]
        if not isinstance(entry, Mapping) and hasattr(entry, name):
            return getattr(entry, name)
    if isinstance(entry, tuple | list) and len(entry) > position:
        return entry[position]
    raise refuse(
        where, f"it has no {_NAMES[part][0]}", "give a mapping with boxes_xyxy_px, class_ids and scores"
    )
