"""Intervals of shares, and the control of many tests at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Z_95 = 1.959964


def wilson(n_hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) without observations.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    low, high = wilsons(np.asarray([n_hits]), np.asarray([n]))
    return float(low[0]), float(high[0])


def wilsons(
    n_hits: npt.ArrayLike, n: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The same for (K,) shares at once."""
    hits, counts = np.asarray(n_hits, np.float64), np.asarray(n, np.float64)
    seen = np.maximum(counts, 1)
    share, square = hits / seen, Z_95 * Z_95
    middle = (share + square / (2 * seen)) / (1 + square / seen)
    half = Z_95 * np.sqrt(share * (1 - share) / seen + square / (4 * seen * seen)) / (1 + square / seen)
    empty = counts == 0
    return np.where(empty, 0.0, np.maximum(middle - half, 0)), np.where(
        empty, 1.0, np.minimum(middle + half, 1)
    )


def q_values(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """(K,) p-values as the smallest rate of false discoveries at which each is still reported.

    Source: Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", 1995.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return adjusted
