"""From the outputs of a detector or classifier to boxes, scores and classes. Pure functions on NumPy arrays.

Each decoder takes the outputs of a batch and returns for each image candidates: corners in the coordinates of the
output, before suppression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.models.description import Activation, BoxFormat

Floats = npt.NDArray[np.float32]
Corners = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Of one image: (N, 4) boxes as the model writes them, (N,) scores, (N,) int64 numbers of classes."""

    boxes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, min_score: float) -> Candidates:
        """Those with at least this score, and with numbers that are finite."""
        return self.only((self.scores >= min_score) & np.isfinite(self.boxes).all(axis=1))

    def only(self, keep: npt.NDArray[np.bool_]) -> Candidates:
        """The candidates that a mask (N,) keeps."""
        return Candidates(self.boxes[keep], self.scores[keep], self.classes[keep])


def activated(values: npt.ArrayLike, activation: Activation) -> npt.NDArray[np.float64]:
    """Scores of an array whose last axis has the classes. Softmax and sigmoid do not overflow."""
    numbers = np.asarray(values, np.float64)
    if activation == "softmax":
        powers = np.exp(numbers - numbers.max(axis=-1, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
    if activation == "sigmoid":
        return np.asarray(0.5 * (1 + np.tanh(0.5 * numbers)))
    return numbers


def to_corners(boxes: npt.ArrayLike, written: BoxFormat) -> Corners:
    """(N, 4) boxes in any of the formats -> (N, 4) x1, y1, x2, y2 in the same unit."""
    given = np.asarray(boxes, np.float64).reshape(-1, 4)
    if written == "yxyx":
        return np.asarray(given[:, [1, 0, 3, 2]])
    if written == "xywh":
        return np.concatenate([given[:, :2], given[:, :2] + given[:, 2:]], axis=1)
    if written == "cxcywh":
        half = given[:, 2:] / 2
        return np.concatenate([given[:, :2] - half, given[:, :2] + half], axis=1)
    return given


def yolo_v8(output: Floats, n_classes: int, activation: Activation = "none") -> list[Candidates]:
    """(n, 4 + classes, boxes): no objectness, the best class of each box. More rows, such as of masks, are ignored."""
    return [_best(rows[:4].T, activated(rows[4 : 4 + n_classes].T, activation)) for rows in output]


def yolo_v5(output: Floats, n_classes: int, activation: Activation = "none") -> list[Candidates]:
    """(n, boxes, 5 + classes): objectness times the score of the best class."""
    candidates = []
    for rows in output:
        objectness = activated(rows[:, 4:5], "sigmoid" if activation == "sigmoid" else "none")
        classes = activated(rows[:, 5 : 5 + n_classes], activation)
        candidates.append(_best(rows[:, :4], objectness * classes))
    return candidates


def end_to_end(output: Floats) -> list[Candidates]:
    """(n, k, 6): box, score, class; suppression was done by the model."""
    return [_listed(rows[:, :4], rows[:, 4], rows[:, 5]) for rows in output]


def ssd_listed(boxes: Floats, scores: Floats, classes: Floats, counts: Floats | None) -> list[Candidates]:
    """(n, k, 4), (n, k), (n, k): boxes with one score and one class each; of `counts` (n,) the first are valid."""
    candidates = []
    for at, (box_rows, score_rows, class_rows) in enumerate(zip(boxes, scores, classes, strict=True)):
        n = len(box_rows) if counts is None else int(np.clip(np.nan_to_num(counts[at]), 0, len(box_rows)))
        candidates.append(_listed(box_rows[:n], score_rows[:n], class_rows[:n]))
    return candidates


def ssd_by_class(
    boxes: Floats, scores: Floats, *, background: int | None, activation: Activation, min_score: float
) -> list[Candidates]:
    """(n, k, 4) decoded boxes and (n, k, classes) scores: each class above `min_score` is a candidate of its own.

    Args:
        background: Column of the scores that means "nothing", which is left out of the numbers of the classes.
    """
    candidates = []
    for box_rows, score_rows in zip(boxes, scores, strict=True):
        by_class = activated(score_rows, activation)
        if background is not None:
            by_class = np.delete(by_class, background, axis=1)
        rows, columns = np.nonzero(~(by_class < min_score))  # NaN stays, to be refused
        chosen = np.asarray(box_rows[rows], np.float64).reshape(-1, 4)
        candidates.append(Candidates(chosen, by_class[rows, columns], columns.astype(np.int64)))
    return candidates


def top_classes(scores: npt.ArrayLike, top_k: int, min_score: float) -> list[Candidates]:
    """(n, classes) scores of whole images: the best `top_k` of each that have at least `min_score`; boxes are 0."""
    candidates = []
    for row in np.asarray(scores, np.float64):
        best = np.argsort(-row, kind="stable")[:top_k]
        best = best[row[best] >= min_score]
        candidates.append(Candidates(np.zeros((len(best), 4)), row[best], best.astype(np.int64)))
    return candidates


def _best(boxes: Floats, by_class: npt.NDArray[np.float64]) -> Candidates:
    classes = by_class.argmax(axis=1) if by_class.shape[1] else np.zeros(len(by_class), np.int64)
    scores = np.take_along_axis(by_class, classes[:, None], axis=1)[:, 0]
    return Candidates(np.asarray(boxes, np.float64), scores, classes.astype(np.int64))


def _listed(boxes: Floats, scores: Floats, classes: Floats) -> Candidates:
    numbers = np.nan_to_num(np.asarray(classes, np.float64), nan=-1, posinf=-1, neginf=-1)
    whole = np.rint(np.clip(numbers, -1, 2**31)).astype(np.int64)
    return Candidates(np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(scores, np.float64), whole)


def adds_up(scores: npt.NDArray[np.float64]) -> bool:
    """Whether (n, classes) rows are probabilities that add up to 1."""
    sums = scores.sum(axis=1)
    return bool((scores >= -1e-4).all() and (np.abs(sums - 1) < 1e-2).all())


def all_shares(boxes: Sequence[npt.NDArray[np.float64]]) -> bool | None:
    """Whether boxes are shares of the image rather than pixels; None without boxes."""
    numbers = np.concatenate([np.abs(rows).max(axis=1, initial=0) for rows in boxes] or [np.zeros(0)])
    return bool((numbers <= 2).all()) if len(numbers) else None
