"""Probabilities of classes: from scores of some classes, from logits, and calibrated to what the labels say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calotype.analysis.maths.minimise import minimum_between

Floats = npt.NDArray[np.float32]
_FLOOR = 1e-12
_ROWS = 100_000


def calibrated(given: npt.NDArray[np.int64], probs: Floats) -> Floats:
    """The probabilities raised to the power that makes the given labels most likely, scaled to add up to 1.

    Args:
        given: (N,) class of each row.
        probs: (N, K), each row adds up to 1.
    Source: C. Guo et al., "On calibration of modern neural networks", 2017.
    """
    step = max(1, len(given) // _ROWS)
    logs = np.log(np.maximum(probs[::step], _FLOOR))
    rows, labels = np.arange(len(logs)), given[::step]

    def loss(log_power: float) -> float:
        scaled = logs * np.float32(np.exp(log_power))
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, labels]).mean())

    log_power = minimum_between(loss, -2.5, 2.5, tolerance=1e-2)
    return softmax(np.log(np.maximum(probs, _FLOOR)) * np.float32(np.exp(log_power)))


def softmax(scores: Floats) -> Floats:
    """(N, K) scores as probabilities."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def spread_scores(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    scores: npt.NDArray[np.floating],
    *,
    shape: tuple[int, int],
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(N, K) probabilities from scores of single classes, and (N,) the rows that have a score.

    What the scores of a row leave of 1 is shared equally by the classes without a score.

    Args:
        rows: (M,) the row of each score.
        columns: (M,) its class.
        scores: (M,) in [0, 1].
        shape: N and K.
    """
    probs = np.zeros(shape, np.float32)
    np.add.at(probs, (rows, columns), scores)
    unnamed = probs == 0
    rest = np.maximum(1 - probs.sum(axis=1), 0) / np.maximum(unnamed.sum(axis=1), 1)
    probs += unnamed * rest[:, None]
    probs /= np.maximum(probs.sum(axis=1, keepdims=True), 1e-12)
    available = np.zeros(shape[0], bool)
    available[rows] = True
    return probs, available
