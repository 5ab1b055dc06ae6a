"""Drift of data from a reference: by the values of a field, and by vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.maths.blas import threads_for
from calotype.analysis.validation import finite, refuse

_N_BINS = 10
_MOST = 5_000
_BLOCK = 1_000
_FOLDS = 5
_EXCHANGES = 199


@dataclass(frozen=True, slots=True)
class Shift:
    """The difference of two distributions: 0 is equal, 1 shares nothing; `p_value` is its chance."""

    distance: float
    p_value: float
    n: int
    n_reference: int


def field_shift(values: Sequence[Any], reference: Sequence[Any]) -> Shift:
    """How the values of a field differ from those of a reference; numbers are cut at the reference's tenths.

    Source: the square root of the Jensen-Shannon divergence to base 2 (J. Lin, 1991); the p-value by Pearson's
        chi-square.
    """
    from scipy.stats import chi2  # heavy to load

    if not len(values) or not len(reference):
        raise refuse("values", "one of the two sides is empty", "give values of both")
    now, then = _counts(values, reference)
    p, q = now / now.sum(), then / then.sum()
    middle = (p + q) / 2
    divergence = (
        sum(float((side[side > 0] * np.log2(side[side > 0] / middle[side > 0])).sum()) for side in (p, q)) / 2
    )
    total = now + then
    expected = [total * side.sum() / total.sum() for side in (now, then)]
    chi = sum(
        float(((side - e) ** 2 / np.maximum(e, 1e-12)).sum())
        for side, e in zip((now, then), expected, strict=True)
    )
    p_value = float(chi2.sf(chi, max(1, len(total) - 1)))
    return Shift(float(np.sqrt(max(0.0, divergence))), p_value, len(values), len(reference))


def _counts(
    values: Sequence[Any], reference: Sequence[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (*values, *reference))
    if numeric and len(set(reference)) > _N_BINS:
        edges = np.unique(np.quantile(np.asarray(reference, float), np.linspace(0, 1, _N_BINS + 1)))
        edges[0], edges[-1] = -np.inf, np.inf
        now, then = (
            np.histogram(np.asarray(side, float), edges)[0].astype(float) for side in (values, reference)
        )
        return now, then
    known = {value: number for number, value in enumerate(sorted({str(v) for v in (*values, *reference)}))}
    now, then = (
        np.bincount([known[str(v)] for v in side], minlength=len(known)).astype(float)
        for side in (values, reference)
    )
    return now, then


@dataclass(frozen=True, slots=True)
class VectorShift:
    """How well a classifier separates two sets of vectors: an `auroc` of 0.5 is not at all, 1 perfectly."""

    auroc: float
    p_value: float
    n: int
    n_reference: int


def vector_shift(
    vectors: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    images: npt.ArrayLike | None = None,
    reference_images: npt.ArrayLike | None = None,
) -> VectorShift:
    """Whether the distribution of vectors differs from that of a reference: a classifier two-sample test.

    A ridge regression learns on four fifths of the images which side they are of, and ranks the last fifth; what
    both sides share counts on both. The p-value comes from 199 exchanges of sides among images, so the smallest is
    0.005. At most 5,000 rows of each side are used.

    Args:
        vectors: (N, D), at least 10 rows.
        reference: (M, D), at least 10 rows.
        images: (N,) numbers that say which image a row shows, to know what both sides share. Absent: all differ.
        reference_images: (M,) the same of the reference.
    Raises: InputsInvalid.
    Source: D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", 2017.
    """
    sides = [_unit(finite(rows, name)) for rows, name in ((vectors, "vectors"), (reference, "reference"))]
    shown = (images, reference_images)
    numbers = [
        np.asarray(p) if p is not None else np.arange(len(x)) * 2 + k
        for k, (x, p) in enumerate(zip(sides, shown, strict=True))
    ]
    steps = [max(1, -(-len(x) // _MOST)) for x in sides]
    sides = [x[::step] for x, step in zip(sides, steps, strict=True)]
    numbers = [rows[::step] for rows, step in zip(numbers, steps, strict=True)]
    if min(map(len, sides)) < 2 * _FOLDS or sides[0].shape[1] != sides[1].shape[1]:
        detail = f"their shapes are {sides[0].shape} and {sides[1].shape}"
        raise refuse("vectors", detail, "give 10 rows or more on each side, of equal length")
    _, first, place = np.unique(np.concatenate(numbers), return_index=True, return_inverse=True)
    x = np.concatenate(sides)[first]
    counts = np.stack(
        [np.bincount(part, minlength=len(first)) for part in np.split(place, [len(sides[0])])]
    ).astype(np.float32)
    random = np.random.default_rng(0)
    tried = np.stack([np.arange(len(x)), *(random.permutation(len(x)) for _ in range(_EXCHANGES))], axis=1)
    aurocs = _aurocs(x, counts[0][tried], counts[1][tried], random.permutation(len(x)) % _FOLDS)
    p_value = float((aurocs >= aurocs[0] - 1e-9).mean())
    return VectorShift(float(aurocs[0]), p_value, *map(len, sides))


def _aurocs(
    x: npt.NDArray[np.float32],
    now: npt.NDArray[np.float32],
    then: npt.NDArray[np.float32],
    fold: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """(T,) how well the two sides separate, for T ways (columns of `now` and `then`) to assign images to them."""
    target = now / now.sum(axis=0) - then / then.sum(axis=0)
    hits, pairs = np.zeros(now.shape[1]), np.zeros(now.shape[1])
    for k in range(_FOLDS):
        own, rest = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        middle = x[rest].mean(axis=0)
        centred = x[rest] - middle
        gram = centred.T @ centred
        gram[np.diag_indices_from(gram)] += max(float(np.trace(gram)) / len(gram), 1e-9)
        score = (x[own] - middle) @ np.linalg.solve(gram, centred.T @ target[rest])
        order = np.argsort(score, axis=0, kind="stable")
        a, b = (np.take_along_axis(side[own], order, axis=0).astype(np.float64) for side in (now, then))
        hits += (a * (np.cumsum(b, axis=0) - b / 2)).sum(axis=0)
        pairs += a.sum(axis=0) * b.sum(axis=0)
    return np.asarray(np.where(pairs > 0, hits / np.maximum(pairs, 1), 0.5), np.float64)


@dataclass(frozen=True, slots=True)
class Novelty:
    """How far N vectors lie from a reference.

    Attributes:
        score: (N,) the distance to the k-th nearest of the reference, relative to what is usual within it; 1 is usual.
        limit: What only a share of the reference's own rows exceeds, measured against its others.
        flagged: (N,) whether the score exceeds the limit.
    """

    score: npt.NDArray[np.float32]
    limit: float
    flagged: npt.NDArray[np.bool_]


def novelty(vectors: npt.ArrayLike, reference: npt.ArrayLike, k: int = 10) -> npt.NDArray[np.float32]:
    """(N,) distance of each vector to its k-th nearest of the reference, relative to what is usual there; 1 is usual.

    At most 5,000 rows of the reference are used.
    Raises: InputsInvalid.
    """
    return novel(vectors, reference, k=k).score


def novel(vectors: npt.ArrayLike, reference: npt.ArrayLike, *, share: float = 0.01, k: int = 3) -> Novelty:
    """Which vectors lie farther from a reference than its own rows do from each other.

    At most 5,000 rows of the reference are used.

    Args:
        vectors: (N, D).
        reference: (M, D), more than k rows.
        share: Of the reference's own rows that may lie as far.
        k: Which neighbour counts; use a small k for references with many rare images.
    Raises: InputsInvalid.
    Source: the distance of S. Ramaswamy et al., 2000, with a limit by rank.
    """
    x, against = (_unit(finite(one, name)) for one, name in ((vectors, "vectors"), (reference, "reference")))
    against = against[:: max(1, -(-len(against) // _MOST))]
    if len(against) <= k:
        raise refuse("reference", f"it has {len(against)} rows", f"give more than {k}")
    own = _kth(against, against, k + 1)
    usual = max(float(np.median(own)), 1e-9)
    score = np.asarray(_kth(x, against, k) / usual, np.float32)
    limit = float(np.quantile(own, 1 - share, method="higher")) / usual
    return Novelty(score, limit, score > limit)


def _unit(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.divide(x, length, out=np.zeros_like(x), where=length > 0), np.float32)


def _kth(x: npt.NDArray[np.float32], against: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.float32]:
    """(N,) 1 - cosine to the k-th nearest."""
    distances = [
        1 - np.partition(x[start : start + _BLOCK] @ against.T, len(against) - k, axis=1)[:, len(against) - k]
        for start in range(0, len(x), _BLOCK)
    ]
    return np.concatenate(distances) if distances else np.zeros(0, np.float32)


def outliers(vectors: npt.ArrayLike, k: int = 10) -> npt.NDArray[np.float32]:
    """(N,) how far each vector lies from its k-th nearest among the others, over what is usual; 1 is usual.

    Source: S. Ramaswamy et al., "Efficient algorithms for mining outliers from large data sets", 2000.
    """
    x = _unit(finite(vectors, "vectors"))
    if len(x) <= k + 1:
        return np.ones(len(x), np.float32)
    against = x[:: max(1, -(-len(x) // _MOST))]
    with threads_for(len(x)):
        far = _kth(x, against, min(k + 1, len(against)))
    return np.asarray(far / max(float(np.median(far)), 1e-9), np.float32)
