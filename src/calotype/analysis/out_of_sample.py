"""Class probabilities from vectors alone, each without the label of its own row: neighbours, discriminants,
regression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calotype.analysis.maths.minimise import descend
from calotype.analysis.temperature import softmax

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
N_FEATURES = 256
N_FOLDS = 4
N_REFERENCES = 25_000
_SPARE_AXES = 64
"""Axes that are computed besides the wanted ones, for these to be right."""
_SCALE = 8.0
_PENALTY = 50.0
"""Of the squared weights, against the summed loss."""
_WIDTH = 0.05
"""The difference in similarity at which the vote of a neighbour falls to 1/e."""
_BLOCK = 1_000


def features(vectors: Floats) -> Floats:
    """(N, D) as (N, at most 256) rows of length 1 along the main axes of the centred vectors."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    unit -= unit.mean(axis=0)
    if unit.shape[1] > N_FEATURES:
        unit = unit @ _main_axes(unit.T @ unit)
    length = np.linalg.norm(unit, axis=1, keepdims=True)
    return np.asarray(np.divide(unit, length, out=np.zeros_like(unit), where=length > 1e-12), np.float32)


def _main_axes(scatter: Floats) -> Floats:
    """(D, 256) the first eigenvectors of a symmetric matrix, less than a ten-thousandth of what they hold amiss.

    Source: N. Halko and others, "Finding structure with randomness", 2011; between the last two steps a polynomial of
        P. Chebyshev damps what is not wanted, as in Y. Zhou and Y. Saad, "A Chebyshev-Davidson algorithm", 2007.
    """
    n = len(scatter)
    some = np.random.default_rng(0).standard_normal((n, min(n, N_FEATURES + _SPARE_AXES))).astype(np.float32)
    for _ in range(2):
        some = np.linalg.qr(scatter @ some).Q
    strength, within = np.linalg.eigh(some.T @ (scatter @ some))
    some = np.asarray(some @ within, np.float32)
    half = np.float32(max(strength[0], 1e-4 * strength[-1], 1e-12) / 2)
    first = (scatter @ some) / half - some
    second = 2 * ((scatter @ first) / half - first) - some
    third = 2 * ((scatter @ second) / half - second) - first
    some = np.linalg.qr(third / np.linalg.norm(third, axis=0)).Q
    within = np.linalg.eigh(some.T @ (scatter @ some)).eigenvectors
    return np.asarray(some @ within[:, : -N_FEATURES - 1 : -1], np.float32)


def folds(labels: Ints) -> Ints:
    """(N,) fold of each row: classes are spread evenly, the same way every time."""
    order = np.lexsort((np.random.default_rng(0).random(len(labels)), labels))
    fold_of = np.empty(len(labels), np.int64)
    fold_of[order] = np.arange(len(labels)) % N_FOLDS
    return fold_of


def first_guess(x: Floats, labels: Ints, k: int) -> Floats:
    """(N, K) mean of three simple models."""
    regression = softmax_regression(x, labels, k, np.ones(len(labels), np.float32))
    mean = (neighbours(x, labels, k) + discriminants(x, labels, k) + regression) / 3
    return np.asarray(mean, np.float32)


def neighbours(x: Floats, labels: Ints, k: int) -> Floats:
    """(N, K) votes of similar rows, weighted by exp((cosine - highest cosine) / 0.05), the row itself left out."""
    n = len(x)
    step = -(-n // N_REFERENCES)
    references = np.arange(0, n, step)
    classes = np.eye(k, dtype=np.float32)[labels[references]]
    against = np.ascontiguousarray(x[references].T)
    votes = np.empty((n, k), np.float32)
    for start in range(0, n, _BLOCK):
        block = x[start : start + _BLOCK] @ against
        own = np.arange(start, min(n, start + _BLOCK))
        own = own[own % step == 0]
        block[own - start, own // step] = -2
        block -= block.max(axis=1, keepdims=True)
        block *= 1 / _WIDTH
        np.exp(block, out=block)
        votes[start : start + _BLOCK] = block @ classes
    votes += 1e-2 / k
    return np.asarray(votes / votes.sum(axis=1, keepdims=True), np.float32)


def discriminants(x: Floats, labels: Ints, k: int, shrink: float = 0.1) -> Floats:
    """(N, K) by linear discriminants with a shrunken covariance, each fold by the rows of the others."""
    probs = np.empty((len(x), k), np.float32)
    fold = folds(labels)
    for number in range(N_FOLDS):
        held = fold == number
        rows, given = x[~held].astype(np.float64), labels[~held]
        share = np.bincount(given, minlength=k) + 1e-3
        means = (
            np.stack([np.bincount(given, rows[:, d], k) for d in range(rows.shape[1])], 1) / share[:, None]
        )
        centred = rows - means[given]
        spread = centred.T @ centred / len(rows)
        spread += (shrink * np.trace(spread) / len(spread) + 1e-9) * np.eye(len(spread))
        weights = np.linalg.solve(spread, means.T)
        offset = np.log(share / share.sum()) - 0.5 * (means.T * weights).sum(axis=0)
        probs[held] = softmax(np.asarray(x[held] @ weights + offset, np.float32))
    return probs


def softmax_regression(x: Floats, labels: Ints, k: int, trust: Floats) -> Floats:
    """(N, K) by regression with a penalty, each fold by the rows of the others, weighted by
    trust."""
    probs = np.empty((len(x), k), np.float32)
    fold = folds(labels)
    wide = np.hstack([x * np.float32(_SCALE), np.ones((len(x), 1), np.float32)])
    start = np.zeros((wide.shape[1], k), np.float32)
    for number in range(N_FOLDS):
        held = fold == number
        start = _fitted(wide[~held], labels[~held], trust[~held], start)
        probs[held] = softmax(wide[held] @ start)
    return probs


def _fitted(x: Floats, labels: Ints, trust: Floats, start: Floats) -> Floats:
    rows, shape = np.arange(len(x)), start.shape
    scale = 1 / max(float(trust.sum()), 1.0)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights = flat.reshape(shape).astype(np.float32)
        probs = softmax(x @ weights)
        value = -float(trust @ np.log(np.maximum(probs[rows, labels], 1e-12)))
        probs[rows, labels] -= 1
        slope = x.T @ (probs * trust[:, None])
        value += _PENALTY / 2 * float((weights[:-1] ** 2).sum())
        slope[:-1] += np.float32(_PENALTY) * weights[:-1]
        return value * scale, (slope * scale).ravel().astype(np.float64)

    optimum = descend(loss, start.ravel().astype(np.float64), max_steps=60, tolerance=1e-6)
    return np.asarray(optimum.reshape(shape), np.float32)
