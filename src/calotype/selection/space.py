"""Vectors made comparable: centred, reduced to their largest directions, of length 1, in an order set by content."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from calotype.analysis.validation import refuse

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MAX_DIRECTIONS = 128
FIT_ROWS = 20_000
"""Rows that the directions are computed from."""
_SAMPLE = 2_000
"""Rows that distances between neighbours are measured on."""
_RANK = 10
"""The neighbour whose distance is the scale of the data."""
_FEWEST_RANKS = 4
_CHUNK = 4_096
_COPY_SHARE, _COPY_CHANCE = 0.3, 0.001
"""A copy is nearer than this share of the scale, and than an unrelated neighbour is with more than this chance."""
_WIDTH = 0.35
"""Squared width of the kernel as a share of the squared scale: chosen among 0.2 to 0.45 on cifar10-noisy (lite0)."""
_LEAST = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class Space:
    """Rows in an order that depends on content and seed only.

    Attributes:
        order: (N,) row of the caller at each position.
        points: (N, d) float32 of length 1 (0 for a row equal to the mean), in that order.
        strengths: (d,) standard deviation of the points along each direction.
        scale: Median distance to the tenth neighbour among at most 2,000 rows.
        copy_distance: Rows at most this far apart count as copies.
    """

    order: Ints
    points: Floats
    strengths: Floats
    scale: float
    copy_distance: float

    @property
    def kernel_width(self) -> float:
        """Squared width of the Gaussian kernel."""
        return max(_WIDTH * self.scale**2, 1e-4)

    @classmethod
    def of(cls, vectors: npt.ArrayLike, *, seed: int) -> Space:
        """Raises: InputsInvalid."""
        matrix = matrix_of(vectors)
        order = content_order(matrix, seed)
        points = _reduced(matrix, order)
        scale, copy_distance = _distances(points)
        strengths = points[:FIT_ROWS].std(axis=0) if len(points) else np.zeros(points.shape[1], np.float32)
        return cls(order, points, strengths, scale, copy_distance)


def matrix_of(vectors: npt.ArrayLike) -> Floats:
    """(N, D) float32, all finite, without a copy of what is float32 already. Raises: InputsInvalid."""
    array = np.asarray(vectors)
    if array.ndim != 2:
        raise refuse("vectors", f"its shape is {array.shape}, not (N, D)", "give one row of numbers a sample")
    if array.dtype.kind not in "fiub":
        raise refuse("vectors", f"its type is {array.dtype}", "give numbers")
    array = np.asarray(array, np.float32)
    bad = [
        start + int(row)
        for start in range(0, len(array), _CHUNK)
        for row in np.flatnonzero(~np.isfinite(array[start : start + _CHUNK]).all(axis=1))
    ]
    if bad:
        detail = f"row {bad[0]} holds NaN or infinity ({len(bad)} such rows)"
        raise refuse(
            "vectors", detail, "leave these rows out, or name them in `exclude` with zeros in their place"
        )
    return array


def content_order(matrix: Floats, seed: int) -> Ints:
    """(N,) rows in a random order that depends on their content and the seed, not on where they stand."""
    key = seed.to_bytes(16, "little", signed=True)
    rows = (np.ascontiguousarray(row + np.float32(0)).tobytes() for row in matrix)  # -0.0 becomes 0.0
    digests = b"".join(blake2b(row, digest_size=8, key=key).digest() for row in rows)
    return np.argsort(np.frombuffer(digests, np.uint64), kind="stable").astype(np.int64)


def _reduced(matrix: Floats, order: Ints) -> Floats:
    """(N, d) rows of length 1 along the largest directions, read in parts: the vectors are never held twice."""
    n, dim = matrix.shape
    some = matrix[order[:FIT_ROWS]]
    largest = float(np.abs(some).max(initial=0.0)) or 1.0
    some = some / np.float32(largest)
    middle = some.mean(axis=0) if n else np.zeros(dim, np.float32)
    directions = _directions(some - middle)
    points = np.empty((n, directions.shape[1]), np.float32)
    for start in range(0, n, _CHUNK):
        part = matrix[order[start : start + _CHUNK]] / np.float32(largest)
        points[start : start + _CHUNK] = (part - middle) @ directions
    lengths = np.sqrt(np.einsum("nd,nd->n", points, points))
    typical = float(np.median(lengths)) if n else 0.0
    lengths[lengths <= 1e-5 * typical + 1e-6] = np.inf
    points /= lengths[:, None]
    return points


def _directions(centred: Floats) -> Floats:
    """(D, d) orthonormal, strongest first."""
    n, dim = centred.shape
    if n < dim:
        strengths, turned = np.linalg.eigh(centred @ centred.T)
        kept = np.flatnonzero(strengths > 1e-6 * strengths.max(initial=1e-12))[::-1][:MAX_DIRECTIONS]
        directions = centred.T @ (turned[:, kept] / np.sqrt(strengths[kept]))
        return np.asarray(directions, np.float32)
    turned = np.linalg.eigh(centred.T @ centred).eigenvectors
    return np.asarray(turned[:, ::-1][:, :MAX_DIRECTIONS], np.float32)


def _distances(points: Floats) -> tuple[float, float]:
    """The scale of the data, and the distance of copies.

    The number of dimensions that the data fill comes from how distances grow from the fifth to the tenth neighbour.
    Source: E. Levina and P. Bickel, "Maximum likelihood estimation of intrinsic dimension", 2004.
    """
    some = points[:_SAMPLE]
    rank = min(_RANK, len(some) - 1)
    if rank < _FEWEST_RANKS:
        return 1.0, float(np.sqrt(_LEAST))
    near = np.partition(squared_distances(some, some), range(rank + 1), axis=1)[:, 1 : rank + 1]
    near = np.sqrt(np.maximum(near, _LEAST))
    growth = np.log(near[:, -1:] / near[:, rank // 2 : -1])
    dimensions = 1 / max(float(growth.mean()), 1e-3)
    scale = float(np.median(near[:, -1]))
    chance = _COPY_CHANCE / rank * len(some) / len(points)
    share = min(_COPY_SHARE, chance ** (1 / dimensions))
    return scale, max(share * scale, float(np.sqrt(_LEAST)))


def squared_distances(a: Floats, b: Floats) -> Floats:
    """(N, M) squared distances of (N, d) and (M, d)."""
    distances = a @ b.T
    distances *= -2
    distances += np.einsum("nd,nd->n", a, a)[:, None]
    distances += np.einsum("md,md->m", b, b)
    return np.asarray(np.maximum(distances, 0, out=distances), np.float32)
