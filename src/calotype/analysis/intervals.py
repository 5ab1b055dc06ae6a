"""Intervals of shares, and the control of many tests at once."""

from __future__ import annotations

from functools import lru_cache

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


@lru_cache(maxsize=4)
def _log_factorials(n_bits: int) -> npt.NDArray[np.float64]:
    """Of 0 to 2^n_bits - 1."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 1 << n_bits)))])


def upper_tails(
    hits: npt.NDArray[np.int64],
    drawn: npt.NDArray[np.int64],
    all_hits: npt.NDArray[np.int64],
    n: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """(K,) exact probabilities of at least `hits` among `drawn` of `n` rows of which `all_hits` are hits.

    Probabilities above 0.5, and those within one standard deviation of the expected count, come back as 0.5 to 1.

    Args: each (K,), counts with hits <= drawn <= n and hits <= all_hits <= n.
    Source: hypergeometric distribution, summed from its logarithms.
    """
    expected = drawn * all_hits / np.maximum(n, 1)
    spread = np.sqrt(expected * (1 - all_hits / np.maximum(n, 1)) * (n - drawn) / np.maximum(n - 1, 1))
    p = np.ones(len(hits))
    rows = np.flatnonzero(hits > expected + spread)
    if not len(rows):
        return p
    x, m, good, total = (v[rows].astype(np.int64) for v in (hits, drawn, all_hits, n))
    logs = _log_factorials(int(total.max()).bit_length())

    def log_choose(of: npt.NDArray[np.int64], some: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.asarray(logs[of] - logs[some] - logs[of - some])

    term = np.exp(log_choose(good, x) + log_choose(total - good, m - x) - log_choose(total, m))
    sums, active = term.copy(), np.arange(len(rows))
    # Above the expected count each term is smaller than the one before.
    while len(active):
        ratio = (good - x) * (m - x) / ((x + 1) * np.maximum(total - good - m + x + 1, 1))
        term = term * ratio
        sums[active] += term
        going = (term > 1e-9 * sums[active]) & (sums[active] < 0.5)
        active, term = active[going], term[going]
        x, m, good, total = x[going] + 1, m[going], good[going], total[going]
    p[rows] = np.minimum(sums, 1.0)
    return p
