"""How far data moved away from a reference: by the values of a field, and by vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.checks.methods.given import finite, refuse

_N_BINS = 10
_MOST = 5_000
_BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Shift:
    """How two distributions differ: 0 is alike, 1 shares nothing. `p_value` is of so much by chance."""

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
    known = {value: at for at, value in enumerate(sorted({str(v) for v in (*values, *reference)}))}
    now, then = (np.bincount([known[str(v)] for v in side], minlength=len(known)).astype(float)
                 for side in (values, reference))  # fmt: skip
    return now, then


def novelty(vectors: npt.ArrayLike, reference: npt.ArrayLike, k: int = 10) -> npt.NDArray[np.float32]:
    """(N,) how far each vector lies from its k-th nearest of the reference, over what is usual within it; 1 is usual.

    At most 5,000 rows of the reference are looked at.
    Raises: InputsInvalid.
    """
    x, against = (_unit(finite(one, name)) for one, name in ((vectors, "vectors"), (reference, "reference")))
    against = against[:: max(1, -(-len(against) // _MOST))]
    if len(against) <= k:
        raise refuse("reference", f"it has {len(against)} rows", f"give more than {k}")
    usual = float(np.median(_kth(against, against, k + 1)))
    return np.asarray(_kth(x, against, k) / max(usual, 1e-9), np.float32)


def _unit(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.divide(x, length, out=np.zeros_like(x), where=length > 0), np.float32)


def _kth(x: npt.NDArray[np.float32], against: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.float32]:
    """(N,) 1 - cosine to the k-th nearest."""
    found = [
        1 - np.partition(x[at : at + _BLOCK] @ against.T, len(against) - k, axis=1)[:, len(against) - k]
        for at in range(0, len(x), _BLOCK)
    ]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def outliers(vectors: npt.ArrayLike, k: int = 10) -> npt.NDArray[np.float32]:
    """(N,) how far each vector lies from its k-th nearest among the others, over what is usual; 1 is usual.

    Source: S. Ramaswamy et al., "Efficient algorithms for mining outliers from large data sets", 2000.
    """
    x = _unit(finite(vectors, "vectors"))
    if len(x) <= k + 1:
        return np.ones(len(x), np.float32)
    against = x[:: max(1, -(-len(x) // _MOST))]
    far = _kth(x, against, min(k + 1, len(against)))
    return np.asarray(far / max(float(np.median(far)), 1e-9), np.float32)
