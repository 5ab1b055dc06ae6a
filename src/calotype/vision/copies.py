"""Copies of an image that differ: how an image looks, in 2,592 bytes, and how well two looks match.

A *look* is the image without plain borders, stretched to a square: 48 x 48 of luma, then twice 12 x 12 of chroma.
Two looks are compared after an affine fit, so that a crop, a border, a slight turn, another size or another light do
not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Looks = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SIDE = 48
CHROMA = 12
LOOK_BYTES = SIDE * SIDE + 2 * CHROMA * CHROMA
GRID = 32
_STEPS = 4
_COARSE = 24
"""Points a side at which a fit is made; it is judged at `GRID`."""
_LAST_ROW = np.asarray([[[0, 0, 1]]], np.float32)
_PLAIN = 6.0
_WIDEST_BORDER = 0.3


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


def look(rgb: Rgb, image: Image.Image | None = None) -> Looks:
    """(2592,) uint8: the look of an image (H, W, 3) uint8, also given as a Pillow image in mode RGB."""
    inner = _without_border(rgb)
    image = image if image is not None and inner.shape == rgb.shape else Image.fromarray(inner)
    luma, blue, red = image.convert("YCbCr").split()
    cells = luma.resize(
        (SIDE, SIDE), Image.Resampling.BOX if min(image.size) >= SIDE else Image.Resampling.BICUBIC
    )
    chroma = [band.resize((CHROMA, CHROMA), Image.Resampling.BOX) for band in (blue, red)]
    return np.concatenate([np.asarray(band, np.uint8).ravel() for band in (cells, *chroma)])


def _without_border(rgb: Rgb) -> Rgb:
    """The image without rows and columns of one plain colour at its edges, up to 30 % per side."""
    if min(rgb.shape[:2]) < 64:
        return rgb
    top, bottom = _border(rgb), _border(rgb[::-1])
    columns = rgb.transpose(1, 0, 2)
    left, right = _border(columns), _border(columns[::-1])
    return rgb[top : rgb.shape[0] - bottom, left : rgb.shape[1] - right]


def _border(rgb: Rgb) -> int:
    """Number of lines from the top in the plain colour of the first; 0 where more than 30 % are."""
    step = max(1, rgb.shape[1] // 128)
    lines = rgb[: int(rgb.shape[0] * _WIDEST_BORDER), ::step]
    ordered = np.sort(lines[0].astype(np.float64), axis=0)
    colour = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    start = 0
    while start < len(lines):
        part = lines[start : start + max(2, start)]  # most images have no border: look at two lines first
        plain = _ninety_fifth(np.abs(part - colour).max(axis=2)) <= _PLAIN
        if not plain.all():
            return start + int(np.argmin(plain))
        start += len(part)
    return 0


def _ninety_fifth(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N,) the 95th percentile of each row, between its two neighbours as `np.percentile` computes it, but faster."""
    place = 0.95 * (values.shape[1] - 1)
    low = int(place)
    high = min(low + 1, values.shape[1] - 1)
    ordered = np.partition(values, (low, high), axis=1)
    share, gap = place - low, ordered[:, high] - ordered[:, low]
    return np.asarray(ordered[:, high] - gap * (1 - share) if share >= 0.5 else ordered[:, low] + gap * share)


def luma_of(looks: Looks) -> Floats:
    """(N, 48, 48) float32."""
    return looks[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE).astype(np.float32)


def chroma_of(looks: Looks) -> Floats:
    """(N, 2, 12, 12) float32 around grey."""
    return looks[:, SIDE * SIDE :].reshape(-1, 2, CHROMA, CHROMA).astype(np.float32) - 128


def mirrored(looks: Looks) -> Looks:
    """The looks of the mirrored images."""
    luma = looks[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE)[:, :, ::-1]
    chroma = looks[:, SIDE * SIDE :].reshape(-1, 2, CHROMA, CHROMA)[:, :, :, ::-1]
    return np.concatenate(
        [luma.reshape(len(looks), SIDE * SIDE), chroma.reshape(len(looks), 2 * CHROMA * CHROMA)], axis=1
    )


def descriptors(looks: Looks, region: tuple[float, float, float, float] = (0, 0, 1, 1)) -> Floats:
    """(N, 216) rows of length 1: 12 x 12 of luma and 6 x 6 of chroma of a region (x, y, w, h as shares of the look)."""
    x, y, w, h = region
    luma = _shrink(SIDE, 12, y, h) @ luma_of(looks) @ _shrink(SIDE, 12, x, w).T
    chroma = _shrink(CHROMA, 6, y, h) @ chroma_of(looks) @ _shrink(CHROMA, 6, x, w).T
    luma = luma.reshape(len(looks), 144)
    luma = luma - luma.mean(axis=1, keepdims=True)
    size = np.sqrt((luma**2).sum(axis=1, keepdims=True)) + 24
    chroma = chroma.reshape(len(looks), 72)
    found = np.hstack(
        [luma / size, 0.7 * chroma / (size / 2 + np.linalg.norm(chroma, axis=1, keepdims=True))]
    )
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(length, 1e-6), np.float32)


def _shrink(n: int, m: int, start: float, extent: float) -> Floats:
    """(m, n): means over m equal parts of a stretch of n cells."""
    edges = (start + extent * np.arange(m + 1) / m) * n
    cells = np.arange(n)
    covered = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = np.clip(covered, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def roughly(a: Looks, b: Looks, start: Floats, of: Ints | None = None) -> tuple[Floats, Floats]:
    """Fit smoothed looks: the map of each pair, and (P,) how alike the smoothed looks then are.

    Args:
        a: (A, 2592) looks, as of `look`.
        b: (P, 2592) looks.
        start: (P, 2, 3) affine maps from a point (x, y, 1) of `a` to a point of `b`, both from 0 to 1.
        of: (P,) which row of `a` each pair uses; by default A is P and each has its own.
    """
    of = np.arange(len(b)) if of is None else of
    where, wanted, seen, inside = _fitted(luma_of(a), luma_of(b), start.astype(np.float32), of, blur=2.0)
    return where, _correlated(wanted, seen, inside)[0]


def fit(a: Looks, b: Looks, start: Floats) -> Fit:
    """Fit each look of `b` on that of `a` at the same place, from a map that `roughly` found.

    Source: S. Baker and I. Matthews, "Lucas-Kanade 20 years on", 2004: inverse compositional, affine, with gain and
        offset.
    """
    where = _fitted(luma_of(a), luma_of(b), start, np.arange(len(b)), blur=0.8)[0]
    return _compared(a, b, where)


def _grid(n: int) -> Floats:
    """(n * n, 3) points (x, y, 1) of a grid on the first image."""
    y, x = np.meshgrid(_ticks(n), _ticks(n), indexing="ij")
    return np.stack([x.ravel(), y.ravel(), np.ones(n * n, np.float32)], axis=1)


def _ticks(n: int) -> Floats:
    """(n,) the middles of n cells from 0 to 1."""
    return np.asarray((np.arange(n, dtype=np.float32) + 0.5) / n, np.float32)


def _at_grid(images: Floats, n: int) -> Floats:
    shrink = _shrink(SIDE, n, 0, 1)
    return np.asarray((shrink @ images @ shrink.T).reshape(len(images), n * n))


def _blurred(images: Floats, cells: float) -> Floats:
    """Gaussian smoothing by `cells`, the edge repeated."""
    n, radius = images.shape[1], int(3 * cells + 0.5)
    steps = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (steps / cells) ** 2)
    near = np.clip(np.arange(n)[:, None] + steps, 0, n - 1)
    matrix = np.zeros((n, n), np.float32)
    np.add.at(matrix, (np.arange(n)[:, None], near), (kernel / kernel.sum()).astype(np.float32))
    return np.asarray(matrix @ images @ matrix.T)


def _sampled(images: Floats, x: Floats, y: Floats) -> Floats:
    """(P, M) values of (P, n, n) at points x and y, (P, M) from 0 to 1, bilinear, the edge repeated."""
    n = images.shape[1]
    x, y = (np.clip(v * np.float32(n) - np.float32(0.5), 0, np.float32(n - 1.001)) for v in (x, y))
    column, line = x.astype(np.int32), y.astype(np.int32)
    x -= column
    y -= line
    base = line * np.int32(n)
    base += column
    base += (np.arange(len(images), dtype=np.int32) * np.int32(n * n))[:, None]
    flat = images.ravel()
    upper, lower = flat.take(base), flat.take(base + n)
    upper += (flat.take(base + 1) - upper) * x
    lower += (flat.take(base + n + 1) - lower) * x
    lower -= upper
    lower *= y
    lower += upper
    return np.asarray(lower)


def _points(where: Floats, n: int) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """(P, n * n) x and y of points of the second image, and which lie inside."""
    ticks = _ticks(n)
    x, y = (
        (row[:, :1] * ticks + row[:, 2:])[:, None, :] + (row[:, 1:2] * ticks)[:, :, None]
        for row in (where[:, 0], where[:, 1])
    )
    inside = (x > 0) & (x < 1) & (y > 0) & (y < 1)
    return tuple(values.reshape(len(where), n * n) for values in (x, y, inside))  # type: ignore[return-value]


def _fitted(
    first: Floats, second: Floats, start: Floats, of: Ints, *, blur: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """The maps, and what both images show at the points of the grid, and which points count."""
    soft = _blurred(first, blur)
    dy, dx = np.gradient(soft, axis=(1, 2))
    wanted = _at_grid(soft, _COARSE)
    across, down = (_at_grid(np.asarray(d * SIDE, np.float32), _COARSE)[:, None] for d in (dx, dy))
    grid = _grid(_COARSE).T[None]
    basis = np.concatenate([across * grid, down * grid, wanted[:, None], np.ones_like(across)], axis=1)
    squares = basis @ basis.transpose(0, 2, 1)
    other, where = _blurred(second, blur), start
    for _ in range(_STEPS):
        x, y, inside = _points(where, _COARSE)
        where = _step(basis, squares, of, _sampled(other, x, y), inside, where)
    x, y, inside = _points(where, _COARSE)
    return where, wanted[of], _sampled(other, x, y), inside.astype(np.float32)


def _step(
    basis: Floats, squares: Floats, of: Ints, seen: Floats, inside: npt.NDArray[np.bool_], where: Floats
) -> Floats:
    """(P, 2, 3) better maps: the second image, as seen, is the first one moved a little, times a gain, plus an
    offset."""
    square, sides = squares[of], basis[of]
    cut = np.flatnonzero(~inside.all(axis=1))
    if len(cut):
        weighted = sides[cut] * inside[cut, None]
        square[cut] = weighted @ sides[cut].transpose(0, 2, 1)
        sides[cut] = weighted
    square = square.astype(np.float64)
    scale = np.trace(square[:, :6, :6], axis1=1, axis2=2) / 6
    square[:, range(6), range(6)] += (1e-3 * scale + 1e-3)[:, None]
    square[:, range(6, 8), range(6, 8)] += 1e-3
    solved = np.linalg.solve(square, (sides @ seen[:, :, None]).astype(np.float64))[:, :, 0]
    gain = solved[:, 6:7]
    gain = np.where(np.abs(gain) < 0.2, 0.2, gain)
    moved = np.zeros((len(seen), 3, 3))
    moved[:, :2] = np.clip(solved[:, :6] / gain, -0.1, 0.1).reshape(-1, 2, 3)
    moved += np.eye(3)
    whole = np.concatenate([where, np.broadcast_to(_LAST_ROW, (len(where), 1, 3))], axis=1)
    return np.asarray((whole @ np.linalg.inv(moved))[:, :2], np.float32)


def _compared(a: Looks, b: Looks, where: Floats) -> Fit:
    x, y, inside = _points(where, GRID)
    weights = inside.astype(np.float32)
    size = weights.mean(axis=1)
    first, second = luma_of(a), luma_of(b)
    fine_a, fine_b = _blurred(first, 0.6), _blurred(second, 0.6)
    mine, other = _at_grid(fine_a, GRID), _sampled(fine_b, x, y)
    likeness, rest = _correlated(mine, other, weights)
    slow_a, slow_b = _at_grid(_blurred(first, 3.0), GRID), _sampled(_blurred(second, 3.0), x, y)
    detail, _ = _correlated(mine - slow_a, other - slow_b, weights)
    largest = np.abs(_blurred(rest.reshape(-1, GRID, GRID), 1.0)).max(axis=(1, 2))
    bad = (size < 0.3) | (np.abs(np.linalg.det(where[:, :, :2].astype(np.float64))) < 0.08)
    return Fit(
        np.where(bad, -1, likeness).astype(np.float32),
        np.where(bad, -1, detail).astype(np.float32),
        _chroma_alike(a, b, where),
        largest.astype(np.float32),
        size.astype(np.float32),
    )


def _correlated(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
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


def _chroma_alike(a: Looks, b: Looks, where: Floats) -> Floats:
    x, y, inside = _points(where, CHROMA)
    one, other = chroma_of(a).reshape(len(a), 2, -1), chroma_of(b)
    dot, mine, theirs = (np.zeros(len(a), np.float32) for _ in range(3))
    for band in (0, 1):
        seen = _sampled(np.ascontiguousarray(other[:, band]), x, y)
        dot += (one[:, band] * seen * inside).sum(axis=1)
        mine += (one[:, band] ** 2 * inside).sum(axis=1)
        theirs += (seen**2 * inside).sum(axis=1)
    floor = 16.0 * np.maximum(inside.sum(axis=1), 1)
    return np.asarray((dot + floor) / np.sqrt((mine + floor) * (theirs + floor)), np.float32)
