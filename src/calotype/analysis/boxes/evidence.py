"""Features of labelled boxes, and of boxes that may be missing, from the predictions of a detector.

The same features are computed for labels as they are and for labels with planted errors; see `planted`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from calotype.analysis.boxes.pairs import (
    Boxes,
    Counts,
    Floats,
    Ints,
    coverage,
    largest,
    overlapping,
)

T = TypeVar("T", bound=np.generic)
_NEAR = 0.05
_MATCH = 0.5
COVERED = 0.6
"""Overlap with a label above which a prediction does not show a missing box."""
RISING = (1, 1, 1, -1, -1, 1, -1, 0, 0, 0, 0)
"""Which numbers of a candidate speak for a missing box (1), and which against it (-1)."""
_TYPICAL = 3
"""Labels of a class that weigh as much as all classes together, in how well a class is detected."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Numbers of M boxes, and the strongest prediction of another place and of another class (-1: none).

    `off` and `renamed` are the plainest of the numbers, in [0, 1]: how surely a box is off, or of another class.
    """

    values: Floats
    off: Floats
    renamed: Floats
    place: Ints
    other: Ints


class Scene:
    """The labels and predictions of N images, with everything that is needed more than once."""

    def __init__(self, given: Boxes, seen: Boxes, n_images: int, n_classes: int) -> None:
        self.given, self.seen, self.n_images = given, seen, n_images
        self.counts = Counts(given, n_images, n_classes)
        self.pairs = overlapping(given, seen, n_images, at_least=0.0)
        self.covered = coverage(self.pairs, len(seen.image), same=False)
        self.covered_same = coverage(self.pairs, len(seen.image), same=True)
        held = np.where(self.pairs.same, self.pairs.iou * seen.scores[self.pairs.b], 0)
        self.held, _ = largest(len(given.image), self.pairs.a, held)
        self._held = np.bincount(given.classes, weights=self.held, minlength=n_classes)
        self._frequency = np.bincount(given.classes, minlength=n_classes)
        self._support: tuple[Floats, Floats] | None = None

    def detected(self, classes: Ints, own: Ints) -> Floats:
        """(M,) how well labels of a class are seen, apart from the label `own` itself."""
        usual = self._held.sum() / max(1, self._frequency.sum())
        alike = (own >= 0) & (self.given.classes[np.maximum(own, 0)] == classes)
        held = self._held[classes] - np.where(alike, self.held[np.maximum(own, 0)], 0)
        return np.asarray((held + _TYPICAL * usual) / (self._frequency[classes] - alike + _TYPICAL))

    def of_boxes(self, asked: Boxes) -> Evidence:
        """Features of boxes, computed as if the label that each stands for were not there."""
        seen, n = self.seen, len(asked.image)
        pairs = overlapping(asked, seen, self.n_images, at_least=_NEAR)
        score, own = seen.scores[pairs.b], asked.own[pairs.a]
        free = 1 - self.covered.without(pairs.b, own)
        free_same = 1 - self.covered_same.without(pairs.b, own)
        close, same = pairs.iou >= _MATCH, pairs.same
        held, best = largest(n, pairs.a, np.where(same, score * pairs.iou, 0))
        lonely, place = largest(n, pairs.a, np.where(same, score * free_same, 0))
        against, other = largest(n, pairs.a, np.where(~same & close, score, 0))
        agreed, _ = largest(n, pairs.a, np.where(same & close, score, 0))
        any_held, _ = largest(n, pairs.a, score * pairs.iou)
        other_lonely, _ = largest(n, pairs.a, np.where(~same, score * free * pairs.iou, 0))
        held_iou, held_score = _taken(pairs.iou, best, -0.1), _taken(score, best, 0.0)
        off = held_score * (1 - np.clip(held_iou, 0, 1))
        renamed = np.maximum(against, agreed) - agreed
        values = [
            held,
            held_iou,
            held_score,
            off,
            off * held_score,
            _taken(free_same, best, -0.1),
            against,
            renamed,
            any_held,
            lonely,
            _taken(pairs.iou, place, -0.1),
            other_lonely,
            *self._circumstances(asked),
        ]
        place, other = _taken(pairs.b, place, -1), _taken(pairs.b, other, -1)
        return Evidence(np.column_stack(values), off, renamed, place, other)

    def of_candidates(self, rows: Ints, own: Ints) -> Floats:
        """(M, F) of predictions that no label covers, as if the label `own` were not there (-1: with all labels)."""
        support, higher = self._supported()
        asked = replace(taken(self.seen, rows), own=own)
        values = [
            asked.scores,
            np.log(asked.scores + 1e-4),
            asked.scores * (1 - self.covered.without(rows, own)),
            self.covered.without(rows, own),
            self.covered_same.without(rows, own),
            support[rows],
            higher[rows],
            *self._circumstances(asked),
        ]
        return np.column_stack(values)

    def uncovered(self) -> Ints:
        """The predictions that may show a missing box."""
        return np.flatnonzero(self.covered.best < COVERED)

    def left_behind(self, dropped: Ints) -> tuple[Ints, Ints]:
        """The prediction of the highest score that each of the labels leaves uncovered when dropped; and the label."""
        pairs = self.pairs
        among = np.zeros(len(self.given.image), bool)
        among[dropped] = True
        kept = among[pairs.a] & (pairs.iou >= _MATCH)
        kept &= self.covered.without(pairs.b, pairs.a) < COVERED
        _, which = largest(
            len(self.given.image), pairs.a, np.where(kept, self.seen.scores[pairs.b] + 1e-9, 0)
        )
        labels = np.flatnonzero(which >= 0)
        return pairs.b[which[labels]], labels

    def _circumstances(self, asked: Boxes) -> list[Floats]:
        """Features that do not need the detector: size, how well the class is seen, and what else is labelled."""
        sides = np.clip(asked.xyxy[:, 2:] - asked.xyxy[:, :2], 1e-3, None)
        there = asked.own >= 0
        alike = there & (self.given.classes[np.maximum(asked.own, 0)] == asked.classes)
        return [
            np.log(sides).mean(axis=1),
            self.detected(asked.classes, asked.own),
            (self.counts.of_image[asked.image] - there).astype(float),
            (self.counts.of_class(asked.image, asked.classes) - alike).astype(float),
        ]

    def _supported(self) -> tuple[Floats, Floats]:
        """Of each prediction: the sum of scores of others at its place, and the highest near by above its own."""
        if self._support is None:
            seen = self.seen
            pairs = overlapping(seen, seen, self.n_images, at_least=0.3)
            beside = pairs.a != pairs.b
            score = seen.scores[pairs.b]
            there = np.where(beside & (pairs.iou >= _MATCH), score, 0)
            together = np.bincount(pairs.a, weights=there, minlength=len(seen.image)).astype(float)
            above = np.where(beside & (score > seen.scores[pairs.a]), score, 0)
            self._support = together, largest(len(seen.image), pairs.a, above)[0]
        return self._support


def _taken(values: npt.NDArray[T], which: Ints, otherwise: float) -> npt.NDArray[T]:
    taken_values = np.full(len(which), otherwise, values.dtype)
    taken_values[which >= 0] = values[which[which >= 0]]
    return taken_values


def moved(boxes: Boxes, rng: np.random.Generator) -> Boxes:
    """The boxes shifted by a fifth to three fifths of their sides."""
    sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    shift = sides * rng.uniform(0.2, 0.6, sides.shape) * rng.choice([-1.0, 1.0], sides.shape)
    return replace(boxes, xyxy=boxes.xyxy + np.tile(shift, 2))


def swapped(boxes: Boxes, given: Boxes, rng: np.random.Generator) -> Boxes:
    """Boxes with another class each, half of them a frequent one; none where there is but one class."""
    named, n = np.unique(given.classes), len(boxes.image)
    drawn = np.where(rng.random(n) < 0.5, rng.choice(named, n), rng.choice(given.classes, n))
    return taken(replace(boxes, classes=drawn), np.flatnonzero(drawn != boxes.classes))


def taken(boxes: Boxes, rows: Ints) -> Boxes:
    """Some of the boxes."""
    return Boxes(
        boxes.image[rows], boxes.xyxy[rows], boxes.classes[rows], boxes.scores[rows], boxes.own[rows]
    )
