"""Probabilities that are too sure of themselves, or not sure enough, brought to what the labels say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

Floats = npt.NDArray[np.float32]
_FLOOR = 1e-12
_ROWS = 100_000


def calibrated(given: npt.NDArray[np.int64], probs: Floats) -> Floats:
    """The probabilities raised to the power that makes the given labels likeliest, scaled to add up to 1.

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

    best = minimize_scalar(loss, bounds=(-2.5, 2.5), method="bounded", options={"xatol": 1e-2})
    return softmax(np.log(np.maximum(probs, _FLOOR)) * np.float32(np.exp(best.x)))


def softmax(scores: Floats) -> Floats:
    """(N, K) scores as probabilities."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
