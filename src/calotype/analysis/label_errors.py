"""Class labels that are likely wrong: a ranking, a set to review, and an estimate of their number.

The probabilities have to be *out of sample*: each row from a model that did not see its label. Such a model predicts
what annotators say, their habits included, and where it is in doubt there are two explanations. Either the model
is at its limits: then what annotators confuse is estimated (which classes are given for which), and each prediction is
taken apart into the classes that it is a mixture of. Or the sample itself is hard, and annotators make more mistakes
there: then the likeliest class is right. Probabilities alone cannot tell which, so each label is judged by both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis import out_of_sample
from calotype.analysis.maths.blas import threads_for
from calotype.analysis.temperature import calibrated
from calotype.analysis.validation import finite, probabilities, refuse, whole_numbers

Floats = npt.NDArray[np.float32]
_SHARP, _SOFT = 5, 2
"""Steps of unmixing: the more, the less uncertain a prediction counts. Sharp results rank better, soft ones count
better."""
_HARD = 0.28
"""Belief in the second explanation; none where the model is known to be at its limits."""
_BY_CLASS = (0.22, 0.32)
"""Share of the surest labels that are confused: from the first on it tells that classes are confused whatever the
sample, from the second on that this is all, and the second explanation is not needed."""
_SHARPNESS = 3
"""Power to which the second one raises probabilities."""
_SURE = 0.1
"""Share of the most confident rows of a class that the lower bound believes in."""
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class LabelErrors:
    """The judgement of N labels.

    Attributes:
        score: (N,) float32 in [0, 1]; higher is more suspect: the probability that the label is wrong.
        flagged: (N,) bool; the set whose expected F1 is best.
        n_errors: Estimated number of wrong labels.
        n_errors_interval: From labels that are certainly wrong to all that the model contradicts.
        suggested: (N,) int64; the class that is most likely right; where flagged, another than the given one.
    """

    score: Floats
    flagged: npt.NDArray[np.bool_]
    n_errors: float
    n_errors_interval: tuple[float, float]
    suggested: npt.NDArray[np.int64]


def label_errors(labels: npt.ArrayLike, pred_probs: npt.ArrayLike) -> LabelErrors:
    """Find labels that are likely wrong by a model's out-of-sample probabilities.

    Args:
        labels: (N,) whole numbers, 0 to K - 1.
        pred_probs: (N, K) probabilities; each row adds up to 1.
    Returns:
        `LabelErrors`. One setting serves all data: no threshold has to be chosen. Expect an interval, not a count,
        where classes look alike: a weak model cannot tell its own errors from those of annotators.
    Raises: InputsInvalid.
    Source: the noise matrix as in C. Northcutt et al., "Confident learning", 2021, here of mean predictions; taken
        apart by expectation maximisation of a mixture (as in B. Lakshminarayanan's and others' label-shift estimates);
        noise that depends on the sample as in X. Xia et al., "Part-dependent label noise", 2020; the cut as in
        Z. Lipton et al., "Optimal thresholding of classifiers to maximize F1 measure", 2014.
    """
    probs = probabilities(pred_probs, "pred_probs")
    given = whole_numbers(labels, "labels", n=len(probs))
    n, k = probs.shape
    if n and (k < 2 or int(given.min()) < 0 or int(given.max()) >= k):
        detail = f"they run from {int(given.min())} to {int(given.max())}, the probabilities have {k} columns"
        raise refuse(
            "labels", detail, "number the classes 0 to K - 1 as the columns of pred_probs, at least two"
        )
    return _found(given, probs, hard=_HARD)


def _found(given: npt.NDArray[np.int64], probs: Floats, *, hard: float) -> LabelErrors:
    n = len(given)
    if n == 0:
        none = np.zeros(0, np.float32)
        return LabelErrors(none, none.astype(bool), 0.0, (0.0, 0.0), none.astype(np.int64))
    probs = calibrated(given, probs)
    noise, surest = _noise(given, probs, share=1.0), _noise(given, probs, share=_SURE)
    first, likely, other = _judged(given, probs, noise, steps=_SHARP)
    second = _against_likeliest(given, probs)
    by_sample = _by_sample(surest)
    hard = hard * by_sample
    wrong = (1 - hard) * first + hard * second
    softer = (1 - by_sample) * first + by_sample * _judged(given, probs, noise, steps=_SOFT)[0]
    soft = (1 - hard) * softer + hard * second
    n_flagged = best_f1_count(soft)
    flagged = np.zeros(n, bool)
    flagged[np.argsort(-wrong, kind="stable")[:n_flagged]] = True
    expected = (float(wrong.sum(dtype=np.float64)) + n_flagged) / 2
    sure = _judged(given, probs, surest, steps=_SHARP)[0]
    low = float(sure.sum(dtype=np.float64)) - 2 * float(np.sqrt((sure * (1 - sure)).sum(dtype=np.float64)))
    high = max(float((probs.argmax(axis=1) != given).sum()), expected)
    interval = (max(0.0, min(low, expected)), min(float(n), high + 2 * float(np.sqrt(high))))
    return LabelErrors(wrong, flagged, expected, interval, np.where(flagged, other, likely))


def label_errors_from_embeddings(labels: npt.ArrayLike, embeddings: npt.ArrayLike) -> LabelErrors:
    """Find labels that are likely wrong by vectors of a frozen model; each row is judged without its own label.

    Args:
        labels: (N,) whole numbers; they may be any class ids, with gaps.
        embeddings: (N, D) numbers, of any scale.
    Returns:
        `LabelErrors`; `suggested` holds ids as in `labels`. Neighbours are searched among at most 25,000 rows, so
        the time grows in proportion to N.
    Raises: InputsInvalid.
    Source: see `out_of_sample`; a second fit trusts each label as far as the first one says.
    """
    vectors = finite(embeddings, "embeddings")
    given = whole_numbers(labels, "labels", n=len(vectors))
    classes, numbered = np.unique(given, return_inverse=True)
    if len(classes) < 2:
        calm = np.zeros(len(given), np.float32)
        return LabelErrors(calm, calm.astype(bool), 0.0, (0.0, 0.0), given)
    with threads_for(len(vectors)):
        features = out_of_sample.features(vectors)
        first = out_of_sample.first_guess(features, numbered, len(classes))
        trust = 1 - _found(numbered, first, hard=0.0).score
        second = out_of_sample.softmax_regression(features, numbered, len(classes), trust)
    errors = _found(numbered, np.asarray((first + second) / 2, np.float32), hard=0.0)
    return LabelErrors(
        errors.score, errors.flagged, errors.n_errors, errors.n_errors_interval, classes[errors.suggested]
    )


def best_f1_count(wrong: npt.NDArray[np.floating]) -> int:
    """The number of most suspect labels to flag for the best expected F1, given the probability of each."""
    order = np.sort(np.asarray(wrong, np.float64))[::-1]
    expected = 2 * np.cumsum(order) / (np.arange(1, len(order) + 1) + order.sum())
    return int(expected.argmax()) + 1 if len(order) and order[0] > 0.5 else 0


def _against_likeliest(given: npt.NDArray[np.int64], probs: Floats) -> Floats:
    """(N,) the probability of any other class than the given one, after sharpening."""
    wrong = np.empty(len(given), np.float32)
    for start in range(0, len(given), _CHUNK):
        rows = slice(start, start + _CHUNK)
        sharp = probs[rows] ** _SHARPNESS
        own = np.take_along_axis(sharp, given[rows, None], axis=1)[:, 0]
        wrong[rows] = 1 - own / np.maximum(sharp.sum(axis=1), 1e-30)
    return wrong


def _noise(given: npt.NDArray[np.int64], probs: Floats, *, share: float) -> Floats:
    """(K, K) row j: which classes are given where j is right, by the rows that are most confidently j."""
    k = probs.shape[1]
    best = probs.argmax(axis=1)
    top = probs[np.arange(len(best)), best]
    order = np.lexsort((-top, best))
    counts = np.bincount(best, minlength=k)
    rank = np.arange(len(best)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = order[rank < np.ceil(counts[best[order]] * share)]
    noise = np.full((k, k), 1e-3 / k, np.float64)
    np.add.at(noise, (best[chosen], given[chosen]), 0.5)
    for start in range(0, len(chosen), _CHUNK):
        rows = chosen[start : start + _CHUNK]
        by_class = np.zeros((k, len(rows)), np.float32)
        by_class[best[rows], np.arange(len(rows))] = 0.5
        noise += by_class @ probs[rows]
    unseen = counts < 5
    noise[unseen] += 5 * (0.98 * np.eye(k) + 0.02 / k)[unseen]
    return np.asarray(noise / noise.sum(axis=1, keepdims=True), np.float32)


def _by_sample(surest: Floats) -> float:
    """How much of the noise may hang on the sample, 1 to 0, by what is confused where the model is surest."""
    low, high = _BY_CLASS
    return float(np.clip((high - (1 - np.diag(surest).mean())) / (high - low), 0, 1))


def _judged(
    given: npt.NDArray[np.int64], probs: Floats, noise: Floats, *, steps: int
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(N,) the probability that each label is wrong, the most likely class, and the most likely other one."""
    wrong, likely = np.empty(len(given), np.float32), np.empty(len(given), np.int64)
    other = np.empty(len(given), np.int64)
    for start in range(0, len(given), _CHUNK):
        rows = slice(start, start + _CHUNK)
        true = _taken_apart(probs[rows], noise, steps)
        joint = true * noise[:, given[rows]].T
        joint /= np.maximum(joint.sum(axis=1, keepdims=True), 1e-30)
        own = np.arange(len(joint))
        wrong[rows] = 1 - joint[own, given[rows]]
        likely[rows] = joint.argmax(axis=1)
        joint[own, given[rows]] = -1
        other[rows] = joint.argmax(axis=1)
    return np.clip(wrong, 0, 1), likely, other


def _taken_apart(probs: Floats, noise: Floats, steps: int) -> Floats:
    """(N, K) of which true classes each prediction is a mixture, where class j is predicted as `noise[j]`."""
    true = np.full(probs.shape, 1 / probs.shape[1], np.float32)
    for _ in range(steps):
        true = true * ((probs / np.maximum(true @ noise, 1e-12)) @ noise.T)
        true /= np.maximum(true.sum(axis=1, keepdims=True), 1e-30)
    return true
