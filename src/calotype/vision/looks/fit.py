"""How well two looks match.

Two looks are compared after an affine fit, so that a crop, a border, a slight turn, another size or another light do
not matter.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.vision.looks.codes import shrink
from calotype.vision.looks.look import CHROMA, Looks, chroma_of, luma_of

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

GRID = 32
_STEPS = 4
_COARSE, COARSEST = 24, 12
"""Points a side at which a fit is made, and where looks are smoothed by two cells; it is judged at `GRID`."""
_PAIRED = np.triu_indices(8)
_PLACE_OF = np.zeros((8, 8), np.int64)
"""Where the product of two of eight columns is among the 36 different ones."""
_PLACE_OF[_PAIRED] = _PLACE_OF[_PAIRED[::-1]] = np.arange(36)


@dataclass(frozen=True, slots=True)
class Fit:
    """How P pairs fit; all arrays are (P,).

    Attributes:
        likeness: Correlation of luma where they overlap, in [-1, 1].
        detail: The same after slow changes are removed; distinguishes one sky from another.
        colour: Correlation of chroma, in [-1, 1]; 1 where both are grey.
        rest: The largest smoothed difference after the fit, in deviations; small unless something in the scene moved.
        overlap: Share of the first image that lies inside the second.
    """

    likeness: Floats
    detail: Floats
    colour: Floats
    rest: Floats
    overlap: Floats


class Softened:
    """Looks that many pairs share, and their luma at several degrees of softness, each computed once."""

    def __init__(self, looks: Looks) -> None:
        self.looks = looks
        self._luma: dict[float, Floats] = {}

    def luma(self, cells: float) -> Floats:
        """(N, 48, 48) float32, smoothed by `cells`."""
        if cells not in self._luma:
            self._luma[cells] = blurred(luma_of(self.looks), cells)
        return self._luma[cells]

    def forget(self) -> None:
        """Release what was computed."""
        self._luma.clear()


def roughly(a: Looks, b: Softened, start: Floats, of: Ints, at: Ints) -> tuple[Floats, Floats, Floats]:
    """Fit smoothed looks: the map of each pair, (P,) how alike they then are, and (P,) their largest difference.

    Args:
        a: (A, 2592) looks, as of `look`.
        b: B looks.
        start: (P, 2, 3) affine maps from a point (x, y, 1) of `a` to a point of `b`, both from 0 to 1.
        of: (P,) which row of `a` each pair uses, in order.
        at: (P,) which one of `b`.
    """
    where, wanted, seen, inside = fitted(
        blurred(luma_of(a), 2.0), b.luma(2.0), start.astype(np.float32), of, at, n=COARSEST
    )
    alike, rest = correlated(wanted, seen, inside)
    return where, alike, np.abs(rest).max(axis=1)


def fit(a: Looks, b: Softened, start: Floats, of: Ints, at: Ints) -> Fit:
    """Fit looks on each other, as above, from the maps that `roughly` found.

    Source: S. Baker and I. Matthews, "Lucas-Kanade 20 years on", 2004: inverse compositional, affine, with gain and
        offset.
    """
    where = fitted(blurred(luma_of(a), 0.8), b.luma(0.8), start, of, at, n=_COARSE)[0]
    return _compared(a, b, where, of, at)


def _grid(n: int) -> Floats:
    """(n * n, 3) points (x, y, 1) of a grid on the first image."""
    y, x = np.meshgrid(_ticks(n), _ticks(n), indexing="ij")
    return np.stack([x.ravel(), y.ravel(), np.ones(n * n, np.float32)], axis=1)


def _ticks(n: int) -> Floats:
    """(n,) the middles of n cells from 0 to 1."""
    return np.asarray((np.arange(n, dtype=np.float32) + 0.5) / n, np.float32)


def at_grid(images: Floats, n: int) -> Floats:
    """(N, n * n) means of (N, M, M) images over the cells of a grid, n a side."""
    means = shrink(images.shape[1], n, 0, 1)
    return np.asarray((means @ images @ means.T).reshape(len(images), n * n))


def blurred(images: Floats, cells: float) -> Floats:
    """Gaussian smoothing by `cells`, the edge repeated."""
    matrix = smoother(images.shape[1], cells)
    return np.asarray(matrix @ images @ matrix.T)


def smoother(n: int, cells: float) -> Floats:
    """(n, n): the same as a product, for n cells in a row."""
    radius = int(3 * cells + 0.5)
    steps = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (steps / cells) ** 2)
    near = np.clip(np.arange(n)[:, None] + steps, 0, n - 1)
    matrix = np.zeros((n, n), np.float32)
    np.add.at(matrix, (np.arange(n)[:, None], near), (kernel / kernel.sum()).astype(np.float32))
    return matrix


def sampled(images: Floats, at: Ints, x: Floats, y: Floats) -> Floats:
    """(P, M) values of rows `at` of (N, n, n) at points x and y, (P, M) from 0 to 1, bilinear, the edge repeated."""
    n = images.shape[1]
    x, y = (_cells_at(v, n) for v in (x, y))
    column, line = np.floor(x), np.floor(y)
    x -= column
    y -= line
    line *= np.float32(n)
    line += column
    base = line.astype(np.intp)
    base += (at * (n * n))[:, None]
    flat = images.ravel()
    upper, lower = flat.take(base), flat[n:].take(base)
    right = flat[1:].take(base)
    right -= upper
    right *= x
    upper += right
    right = flat[n + 1 :].take(base)
    right -= lower
    right *= x
    lower += right
    lower -= upper
    lower *= y
    lower += upper
    return np.asarray(lower)


def _cells_at(v: Floats, n: int) -> Floats:
    """Where points from 0 to 1 lie between the middles of n cells."""
    v = v * np.float32(n)
    v -= np.float32(0.5)
    return np.asarray(np.clip(v, 0, np.float32(n - 1.001), out=v))


def points(where: Floats, n: int) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """(P, n * n) x and y of points of the second image, and which lie inside."""
    ticks = _ticks(n)
    x, y = (
        (row[:, :1] * ticks + row[:, 2:])[:, None, :] + (row[:, 1:2] * ticks)[:, :, None]
        for row in (where[:, 0], where[:, 1])
    )
    inside = (x > 0) & (x < 1) & (y > 0) & (y < 1)
    return tuple(values.reshape(len(where), n * n) for values in (x, y, inside))  # type: ignore[return-value]


def fitted(
    first: Floats,
    second: Floats,
    start: Floats,
    of: Ints,
    at: Ints,
    *,
    n: int,
    free: Floats | None = None,
) -> tuple[Floats, Floats, Floats, Floats]:
    """The maps, what both images show at the points of the grid, and which count, n a side; `second` is smoothed."""
    dy, dx = np.gradient(first, axis=(1, 2))
    wanted = at_grid(first, n)
    across, down = (at_grid(np.asarray(d * first.shape[1], np.float32), n)[:, None] for d in (dx, dy))
    grid = _grid(n).T[None]
    basis = np.concatenate([across * grid, down * grid, wanted[:, None], np.ones_like(across)], axis=1)
    products = basis[:, _PAIRED[0]] * basis[:, _PAIRED[1]]
    where = start
    bounds = np.searchsorted(of, np.arange(len(first) + 1)).tolist()
    for _ in range(_STEPS):
        x, y, inside = points(where, n)
        seen, counts = sampled(second, at, x, y), inside.astype(np.float32)
        seen *= counts
        sides, square = np.empty((len(of), 8), np.float32), np.empty((len(of), 36), np.float32)
        for k, (low, high) in enumerate(itertools.pairwise(bounds)):  # pairs of one image share its basis
            np.matmul(seen[low:high], basis[k].T, out=sides[low:high])
            np.matmul(counts[low:high], products[k].T, out=square[low:high])
        where = _step(square[:, _PLACE_OF], sides, where, free)
    x, y, inside = points(where, n)
    return where, wanted[of], sampled(second, at, x, y), inside.astype(np.float32)


def _step(square: Floats, sides: Floats, where: Floats, free: Floats | None) -> Floats:
    """(P, 2, 3) better maps: the second image, as seen, is the first one moved a little, times a gain, plus an
    offset. Given are the normal equations, (P, 8, 8) and (P, 8)."""
    square = square.astype(np.float64)
    scale = np.trace(square[:, :6, :6], axis1=1, axis2=2) / 6
    square[:, range(6), range(6)] += (1e-3 * scale + 1e-3)[:, None]
    square[:, range(6, 8), range(6, 8)] += 1e-3
    if free is None:
        solved = np.linalg.solve(square, sides[:, :, None].astype(np.float64))[:, :, 0]
    else:
        solved = np.linalg.solve(free.T @ square @ free, (sides @ free)[:, :, None])[:, :, 0] @ free.T
    gain = solved[:, 6:7]
    gain = np.where(np.abs(gain) < 0.2, 0.2, gain)
    moved = np.clip(solved[:, :6] / gain, -0.1, 0.1).reshape(-1, 2, 3)
    moved[:, [0, 1], [0, 1]] += 1
    (a, b, c), (d, e, f) = moved[:, 0].T, moved[:, 1].T
    det = a * e - b * d
    back = np.stack([e, -b, b * f - c * e, -d, a, c * d - a * f]) / det
    found = where[:, :, :2].astype(np.float64) @ back.T.reshape(-1, 2, 3)
    found[:, :, 2] += where[:, :, 2]
    return np.asarray(found, np.float32)


def _compared(a: Looks, b: Softened, where: Floats, of: Ints, at: Ints) -> Fit:
    x, y, inside = points(where, GRID)
    weights = inside.astype(np.float32)
    size = weights.mean(axis=1)
    first = luma_of(a)
    mine, other = at_grid(blurred(first, 0.6), GRID)[of], sampled(b.luma(0.6), at, x, y)
    likeness, rest = correlated(mine, other, weights)
    slow_a, slow_b = at_grid(blurred(first, 3.0), GRID)[of], sampled(b.luma(3.0), at, x, y)
    detail, _ = correlated(mine - slow_a, other - slow_b, weights)
    largest = np.abs(blurred(rest.reshape(-1, GRID, GRID), 1.0)).max(axis=(1, 2))
    bad = (size < 0.3) | (np.abs(np.linalg.det(where[:, :, :2].astype(np.float64))) < 0.08)
    return Fit(
        np.where(bad, -1, likeness).astype(np.float32),
        np.where(bad, -1, detail).astype(np.float32),
        chroma_alike(chroma_of(a)[of], chroma_of(b.looks[at]), where),
        largest.astype(np.float32),
        size.astype(np.float32),
    )


def correlated(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """(P,) weighted correlation of rows, and (P, M) the residuals of x in its deviations."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)
    x0 = x - (x * weights).sum(axis=1, keepdims=True) / total
    y0 = y - (y * weights).sum(axis=1, keepdims=True) / total
    xx = (x0 * x0 * weights).sum(axis=1, keepdims=True) / total
    yy = (y0 * y0 * weights).sum(axis=1, keepdims=True) / total
    xy = (x0 * y0 * weights).sum(axis=1, keepdims=True) / total
    floor = 1.0
    rest = (x0 - y0 * xy / np.maximum(yy, floor)) * weights / np.sqrt(np.maximum(np.minimum(xx, yy), floor))
    return np.asarray((xy / np.sqrt(np.maximum(xx, floor) * np.maximum(yy, floor)))[:, 0]), np.asarray(rest)


def chroma_alike(a: Floats, b: Floats, where: Floats) -> Floats:
    """(P,) correlation of chroma under maps (P, 2, 3) from `a` to `b`, (P, 2, 12, 12) each; 1 where both are grey."""
    x, y, inside = points(where, CHROMA)
    one, each = a.reshape(len(a), 2, -1), np.arange(len(b))
    dot, mine, theirs = (np.zeros(len(b), np.float32) for _ in range(3))
    for band in (0, 1):
        seen = sampled(np.ascontiguousarray(b[:, band]), each, x, y)
        dot += (one[:, band] * seen * inside).sum(axis=1)
        mine += (one[:, band] ** 2 * inside).sum(axis=1)
        theirs += (seen**2 * inside).sum(axis=1)
    floor = 16.0 * np.maximum(inside.sum(axis=1), 1)
    return np.asarray((dot + floor) / np.sqrt((mine + floor) * (theirs + floor)), np.float32)
