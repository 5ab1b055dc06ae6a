"""Class labels that are likely wrong: a ranking, a set to review, and an estimate of their number.

The probabilities have to be *out of sample*: each row from a model that did not see its label. Labels are ranked by how
little probability they have beside the likeliest class. Where annotators confuse classes even on the samples of which
the model is surest, that confusion can be learned: then each prediction is also taken apart into the classes that it is
a mixture of. How many are wrong is `label_counts`' question, and so is whether the model can judge at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis import out_of_sample
from calotype.analysis.maths.blas import threads_for
from calotype.analysis.maths.label_counts import (
    Contradictions,
    cannot_be_judged,
    contradictions,
    interval,
    n_to_flag,
    n_wrong,
)
from calotype.analysis.temperature import calibrated
from calotype.analysis.validation import finite, probabilities, refuse, whole_numbers

Floats = npt.NDArray[np.float32]
_STEPS = 5
"""Steps of unmixing: the more, the less uncertain a prediction counts."""
_CONFUSED, _FLAT_CONFUSED = (0.15, 0.30), (0.10, 0.20)
"""Rate of contradictions among the surest tenth: from the first on the learned confusion counts, from the second on
only it; sooner where the rate is the same whatever the model's confidence."""
_FLOOR = 1e-12
_NO_CLASSES = "the labels have fewer than two classes: there is nothing to confuse"
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class LabelErrors:
    """The judgement of N labels.

    Attributes:
        score: (N,) float32 in [0, 1]; higher is more suspect: how likely the label is wrong, a half at the cut. It
            ranks; `n_errors` counts.
        flagged: (N,) bool; the set whose expected F1 is best; empty where the result is not reliable.
        n_errors: Estimated number of wrong labels.
        n_errors_interval: Its 90 % interval.
        suggested: (N,) the class that is most likely right, as in the labels given; where flagged, another one.
        reliable: False where the model cannot judge these labels. Then nothing is flagged, and the scores only rank.
        why: The reason, where the result is not reliable; otherwise empty.
    """

    score: Floats
    flagged: npt.NDArray[np.bool_]
    n_errors: float
    n_errors_interval: tuple[float, float]
    suggested: npt.NDArray[Any]
    reliable: bool = True
    why: str = ""


def label_errors(labels: npt.ArrayLike, pred_probs: npt.ArrayLike) -> LabelErrors:
    """Find labels that are likely wrong by a model's out-of-sample probabilities.

    Args:
        labels: (N,) whole numbers 0 to K - 1, or K different strings, whose sorted order is that of the columns.
        pred_probs: (N, K) probabilities; each row adds up to 1.
    Returns:
        `LabelErrors`. One setting serves all data: no threshold has to be chosen. Errors that the model makes as well
        cannot be seen; where it is weak, `reliable` is False.
    Raises: InputsInvalid.
    Source: ranked by the label's probability over the root of the likeliest one's, between self-confidence and the
        normalised margin (J. Kuan and J. Mueller, "Model-agnostic label quality scoring", 2022); the confusion of
        classes as in C. Northcutt et al., "Confident learning", 2021, here of mean predictions, taken apart by
        expectation maximisation of a mixture (as in B. Lakshminarayanan's and others' label-shift estimates).
    """
    probs = probabilities(pred_probs, "pred_probs")
    n, k = probs.shape
    names, given = _numbered(labels, n, k)
    if n and (k < 2 or int(given.min()) < 0 or int(given.max()) >= k):
        detail = f"they run from {int(given.min())} to {int(given.max())}, the probabilities have {k} columns"
        raise refuse(
            "labels", detail, "number the classes 0 to K - 1 as the columns of pred_probs, at least two"
        )
    errors = _found(given, probs)
    return errors if names is None else replace(errors, suggested=names[errors.suggested])


def _numbered(labels: npt.ArrayLike, n: int, k: int) -> tuple[npt.NDArray[Any] | None, npt.NDArray[np.int64]]:
    """The names of classes, if labels are strings, and (N,) numbers."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "UO" or not all(isinstance(v, str) for v in array.tolist()):
        return None, whole_numbers(labels, "labels", n=n)
    names, numbers = np.unique(array.astype(str), return_inverse=True)
    if len(names) != k:
        detail = f"they have {len(names)} different names, the probabilities have {k} columns"
        raise refuse("labels", detail, "give numbers of columns where a class has no label")
    return names, whole_numbers(numbers, "labels", n=n)


def _found(given: npt.NDArray[np.int64], raw: Floats, *, confused: float | None = None) -> LabelErrors:
    """Judge labels; `confused` is the weight of the learned confusion, by default what the data say."""
    n = len(given)
    if n == 0:
        none = np.zeros(0, np.float32)
        return LabelErrors(none, none.astype(bool), 0.0, (0.0, 0.0), none.astype(np.int64))
    probs = calibrated(given, raw)
    seen = contradictions(given, probs)
    weight = _weight(seen) if confused is None else confused
    suspicion, likely, other = _suspicion(given, raw, probs, weight)
    expected = n_wrong(seen)
    why = cannot_be_judged(seen)
    n_suspect = min(max(n_to_flag(seen, expected), 1), n)
    order = suspicion if weight else suspicion + 1e3 * (probs.argmax(axis=1) != given)
    flagged = (order >= np.sort(order)[n - n_suspect]) & (not why)
    limits = interval(seen, expected) if not why else (0.0, float(min(n, round(1.1 * seen.rate * n + 1))))
    score = _as_probability(suspicion, n_suspect)
    return LabelErrors(
        score, flagged, expected, limits, np.where(flagged, other, likely), reliable=not why, why=why
    )


def _weight(seen: Contradictions) -> float:
    """How much the learned confusion counts, 0 to 1."""
    (low, high), (flat_low, flat_high) = _CONFUSED, _FLAT_CONFUSED
    surest = seen.surest[0]
    by_flatness = seen.flat * np.clip((surest - flat_low) / (flat_high - flat_low), 0, 1)
    return float(max(np.clip((surest - low) / (high - low), 0, 1), by_flatness))


def _suspicion(
    given: npt.NDArray[np.int64], raw: Floats, probs: Floats, weight: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(N,) log-odds that each label is wrong, up to a constant; the likeliest class, and the likeliest other one."""
    rows = np.arange(len(given))
    own, top = raw[rows, given].astype(np.float64), raw.max(axis=1).astype(np.float64)
    plain = 0.5 * np.log(np.maximum(top, _FLOOR)) - np.log(np.maximum(own, _FLOOR))
    if not weight:
        rest = probs.copy()
        rest[rows, given] = -1
        return plain, probs.argmax(axis=1), rest.argmax(axis=1)
    unmixed, likely, other = _judged(given, probs, _noise(given, probs))
    if weight == 1:
        return _log_odds(unmixed), likely, other
    mixed = (1 - weight) * _ranks(plain) + weight * _ranks(unmixed)
    return _log_odds(mixed), likely, other


def _ranks(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = (np.arange(len(values)) + 0.5) / len(values)
    return ranks


def _log_odds(share: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    share = np.clip(share.astype(np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(share / (1 - share)))


def _as_probability(suspicion: npt.NDArray[np.float64], n_suspect: int) -> Floats:
    """(N,) in the same order: a half between the suspect and the rest, .95 at the surest fifth of the suspect."""
    ordered = np.sort(suspicion)[::-1]
    last = ordered[n_suspect - 1]
    below = ordered[ordered < last]
    middle = (last + below[0]) / 2 if len(below) else last
    top = float(ordered[(n_suspect - 1) // 5] - middle)
    slope = min(2.9 / max(top, 1e-6), 15 / max(float(ordered[0] - middle), 1e-6), 50.0)
    return np.asarray(1 / (1 + np.exp(-np.clip(slope * (suspicion - middle), -50, 50))), np.float32)


def label_errors_from_embeddings(labels: npt.ArrayLike, embeddings: npt.ArrayLike) -> LabelErrors:
    """Find labels that are likely wrong by vectors of a frozen model; each row is judged without its own label.

    Args:
        labels: (N,) whole numbers or strings; they may be any class ids, with gaps.
        embeddings: (N, D) numbers, of any scale.
    Returns:
        `LabelErrors`; `suggested` holds ids or names as in `labels`. Neighbours are searched among at most 25,000
        rows, so the time grows in proportion to N.
    Raises: InputsInvalid.
    Source: see `out_of_sample`; a second fit trusts each label as far as the first one says.
    """
    vectors = finite(embeddings, "embeddings")
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "UO" or not all(isinstance(v, str) for v in given.tolist()):
        given = whole_numbers(labels, "labels", n=len(vectors))
    elif len(given) != len(vectors):
        raise refuse("labels", f"it has {len(given)} rows, not {len(vectors)}", "give arrays of equal length")
    classes, numbered = np.unique(given, return_inverse=True)
    if len(classes) < 2:
        calm = np.zeros(len(given), np.float32)
        return LabelErrors(calm, calm.astype(bool), 0.0, (0.0, 0.0), given, reliable=False, why=_NO_CLASSES)
    with threads_for(len(vectors)):
        features = out_of_sample.features(vectors)
        first = out_of_sample.first_guess(features, numbered, len(classes))
        calm_first = calibrated(numbered, first)
        trust = 1 - _judged(numbered, calm_first, _noise(numbered, calm_first))[0]
        second = out_of_sample.softmax_regression(features, numbered, len(classes), trust)
    errors = _found(numbered, np.asarray((first + second) / 2, np.float32), confused=1.0)
    return replace(errors, suggested=classes[errors.suggested])


def best_f1_count(wrong: npt.NDArray[np.floating]) -> int:
    """The number of most suspect labels to flag for the best expected F1, given the probability of each."""
    order = np.sort(np.asarray(wrong, np.float64))[::-1]
    expected = 2 * np.cumsum(order) / (np.arange(1, len(order) + 1) + order.sum())
    return int(expected.argmax()) + 1 if len(order) and order[0] > 0.5 else 0


def _noise(given: npt.NDArray[np.int64], probs: Floats) -> Floats:
    """(K, K) row j: which classes are given where j is likeliest, by labels and mean predictions alike."""
    k = probs.shape[1]
    best = probs.argmax(axis=1)
    counts = np.bincount(best, minlength=k)
    noise = np.full((k, k), 1e-3 / k, np.float64)
    np.add.at(noise, (best, given), 0.5)
    for start in range(0, len(best), _CHUNK):
        rows = slice(start, start + _CHUNK)
        by_class = np.zeros((k, len(best[rows])), np.float32)
        by_class[best[rows], np.arange(len(best[rows]))] = 0.5
        noise += by_class @ probs[rows]
    unseen = counts < 5
    noise[unseen] += 5 * (0.98 * np.eye(k) + 0.02 / k)[unseen]
    return np.asarray(noise / noise.sum(axis=1, keepdims=True), np.float32)


def _judged(
    given: npt.NDArray[np.int64], probs: Floats, noise: Floats
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(N,) the probability that each label is wrong, the most likely class, and the most likely other one."""
    wrong, likely = np.empty(len(given), np.float32), np.empty(len(given), np.int64)
    other = np.empty(len(given), np.int64)
    for start in range(0, len(given), _CHUNK):
        rows = slice(start, start + _CHUNK)
        true = _taken_apart(probs[rows], noise)
        joint = true * noise[:, given[rows]].T
        joint /= np.maximum(joint.sum(axis=1, keepdims=True), 1e-30)
        own = np.arange(len(joint))
        wrong[rows] = 1 - joint[own, given[rows]]
        likely[rows] = joint.argmax(axis=1)
        joint[own, given[rows]] = -1
        other[rows] = joint.argmax(axis=1)
    return np.clip(wrong, 0, 1), likely, other


def _taken_apart(probs: Floats, noise: Floats) -> Floats:
    """(N, K) of which true classes each prediction is a mixture, where class j is predicted as `noise[j]`."""
    true = np.full(probs.shape, 1 / probs.shape[1], np.float32)
    for _ in range(_STEPS):
        true = true * ((probs / np.maximum(true @ noise, 1e-12)) @ noise.T)
        true /= np.maximum(true.sum(axis=1, keepdims=True), 1e-30)
    return true
