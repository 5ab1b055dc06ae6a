"""Copies of an image that differ: how an image looks, in 2,592 bytes, and how well two looks match.

A *look* is the image without plain borders, reduced as for `quality` and stretched to a square: 48 x 48 of luma, then
twice 12 x 12 of chroma.
Two looks are compared after an affine fit, so that a crop, a border, a slight turn, another size or another light do
not matter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.vision.quality.measures import working_scale

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Looks = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SIDE = 48
CHROMA = 12
LOOK_BYTES = SIDE * SIDE + 2 * CHROMA * CHROMA
GRID = 32
_STEPS = 4
_COARSE, _COARSEST = 24, 12
"""Points a side at which a fit is made, and where looks are smoothed by two cells; it is judged at `GRID`."""
_PAIRED = np.triu_indices(8)
_PLACE_OF = np.zeros((8, 8), np.int64)
"""Where the product of two of eight columns is among the 36 different ones."""
_PLACE_OF[_PAIRED] = _PLACE_OF[_PAIRED[::-1]] = np.arange(36)
_PLAIN = 6.0
_WIDEST_BORDER = 0.3
_BORDER_PIXELS = 2_048
"""Looked at first; most images have no border."""


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


def look(rgb: Rgb, reduced: Callable[[int], Image.Image] | None = None) -> Looks:
    """(2592,) uint8: the look of an image (H, W, 3) uint8.

    Args:
        rgb: Its pixels.
        reduced: Gives the whole image, mode RGB, reduced by a whole number; for callers that need it anyway.
    """
    inner = _without_border(rgb)
    size_wh = (inner.shape[1], inner.shape[0])
    scale = working_scale(size_wh)
    while scale > 1 and min(size_wh) // scale < 2 * SIDE:
        scale //= 2
    if reduced is None or inner.shape != rgb.shape:
        image = Image.fromarray(np.ascontiguousarray(inner))
        image = image.reduce(scale) if scale > 1 else image
    else:
        image = reduced(scale)
    luma, blue, red = image.convert("YCbCr").split()
    cells = luma.resize(
        (SIDE, SIDE), Image.Resampling.BOX if min(image.size) >= SIDE else Image.Resampling.BICUBIC
    )
    sheet = Image.new("L", (SIDE, SIDE + CHROMA))  # pixels leave Pillow at a price for each image
    sheet.paste(cells, (0, 0))
    for number, band in enumerate((blue, red)):
        sheet.paste(band.resize((CHROMA, CHROMA), Image.Resampling.BOX), (number * CHROMA, SIDE))
    pixels = np.asarray(sheet, np.uint8)
    chroma = [pixels[SIDE:, at : at + CHROMA].ravel() for at in (0, CHROMA)]
    return np.concatenate([pixels[:SIDE].ravel(), *chroma])


def _without_border(rgb: Rgb) -> Rgb:
    """The image without rows and columns of one plain colour at its edges, up to 30 % per side."""
    if min(rgb.shape[:2]) < 64:
        return rgb
    columns = rgb.transpose(1, 0, 2)
    (top, bottom), (left, right) = _borders(rgb), _borders(columns)
    return rgb[top : rgb.shape[0] - bottom, left : rgb.shape[1] - right]


def _borders(rgb: Rgb) -> tuple[int, int]:
    """Number of lines in the plain colour of the first from the top, and of the last from the bottom."""
    step = max(1, rgb.shape[1] // 128)
    twice = 2 * np.ascontiguousarray(rgb[:: len(rgb) - 1, ::step].transpose(2, 0, 1)).astype(np.int16)
    n = twice.shape[2]
    ordered = np.sort(twice, axis=2)
    colour = (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) // 2  # half-way values count: all is doubled
    own = _plain(twice, colour[..., None])
    return tuple(  # type: ignore[return-value]
        _border(rgb[::way, ::step], colour[:, end, None, None]) if own[end] else 0
        for end, way in ((0, 1), (1, -1))
    )


def _border(lines: Rgb, colour: npt.NDArray[np.int16]) -> int:
    """Number of lines from the top in a colour, given doubled; 0 where more than 30 % are."""
    lines = lines[: int(len(lines) * _WIDEST_BORDER)]
    start = 0
    while start < len(lines):
        part = lines[start : start + max(start, _BORDER_PIXELS // lines.shape[1])]
        plain = _plain(2 * part.transpose(2, 0, 1).astype(np.int16), colour)
        if not plain.all():
            return start + int(np.argmin(plain))
        start += len(part)
    return 0


def _plain(lines: npt.NDArray[np.int16], colour: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """(N,) whether the 95th percentile of the distance from a colour is small in (3, N, M) lines; both are doubled."""
    red, green, blue = np.abs(lines - colour)
    far = np.maximum(np.maximum(red, green), blue)
    place = 0.95 * (far.shape[1] - 1)
    low, n_far = int(place), np.count_nonzero(far > 2 * _PLAIN, axis=1)
    plain = n_far < far.shape[1] - low - 1
    between = np.flatnonzero(n_far == far.shape[1] - low - 1)  # the percentile lies between two neighbours
    if len(between):
        ordered = np.sort(far[between], axis=1)
        high = min(low + 1, far.shape[1] - 1)
        share = place - low
        plain[between] = ordered[:, low] * (1 - share) + ordered[:, high] * share <= 2 * _PLAIN
    return np.asarray(plain)


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


def mirrored_descriptors(found: Floats) -> Floats:
    """The descriptors of whole mirrored images, from those of the images."""
    luma, chroma = found[:, :144].reshape(-1, 12, 12), found[:, 144:].reshape(-1, 12, 6)
    return np.hstack([luma[:, :, ::-1].reshape(-1, 144), chroma[:, :, ::-1].reshape(-1, 72)])


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


class Softened:
    """Looks that many pairs share, and their luma at several degrees of softness, each computed once."""

    def __init__(self, looks: Looks) -> None:
        self.looks = looks
        self._luma: dict[float, Floats] = {}

    def luma(self, cells: float) -> Floats:
        """(N, 48, 48) float32, smoothed by `cells`."""
        if cells not in self._luma:
            self._luma[cells] = _blurred(luma_of(self.looks), cells)
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
    where, wanted, seen, inside = _fitted(
        luma_of(a), b.luma(2.0), start.astype(np.float32), of, at, blur=2.0, n=_COARSEST
    )
    alike, rest = _correlated(wanted, seen, inside)
    return where, alike, np.abs(rest).max(axis=1)


def fit(a: Looks, b: Softened, start: Floats, of: Ints, at: Ints) -> Fit:
    """Fit looks on each other, as above, from the maps that `roughly` found.

    Source: S. Baker and I. Matthews, "Lucas-Kanade 20 years on", 2004: inverse compositional, affine, with gain and
        offset.
    """
    where = _fitted(luma_of(a), b.luma(0.8), start, of, at, blur=0.8, n=_COARSE)[0]
    return _compared(a, b, where, of, at)


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


def _sampled(images: Floats, at: Ints, x: Floats, y: Floats) -> Floats:
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
    first: Floats, second: Floats, start: Floats, of: Ints, at: Ints, *, blur: float, n: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """The maps, what both images show at the points of the grid, and which count, n a side; `second` is smoothed."""
    soft = _blurred(first, blur)
    dy, dx = np.gradient(soft, axis=(1, 2))
    wanted = _at_grid(soft, n)
    across, down = (_at_grid(np.asarray(d * SIDE, np.float32), n)[:, None] for d in (dx, dy))
    grid = _grid(n).T[None]
    basis = np.concatenate([across * grid, down * grid, wanted[:, None], np.ones_like(across)], axis=1)
    products = basis[:, _PAIRED[0]] * basis[:, _PAIRED[1]]
    where = start
    bounds = np.searchsorted(of, np.arange(len(first) + 1)).tolist()
    for _ in range(_STEPS):
        x, y, inside = _points(where, n)
        seen, counts = _sampled(second, at, x, y), inside.astype(np.float32)
        seen *= counts
        sides, square = np.empty((len(of), 8), np.float32), np.empty((len(of), 36), np.float32)
        for k, (low, high) in enumerate(itertools.pairwise(bounds)):  # pairs of one image share its basis
            np.matmul(seen[low:high], basis[k].T, out=sides[low:high])
            np.matmul(counts[low:high], products[k].T, out=square[low:high])
        where = _step(square[:, _PLACE_OF], sides, where)
    x, y, inside = _points(where, n)
    return where, wanted[of], _sampled(second, at, x, y), inside.astype(np.float32)


def _step(square: Floats, sides: Floats, where: Floats) -> Floats:
    """(P, 2, 3) better maps: the second image, as seen, is the first one moved a little, times a gain, plus an
    offset. Given are the normal equations, (P, 8, 8) and (P, 8)."""
    square = square.astype(np.float64)
    scale = np.trace(square[:, :6, :6], axis1=1, axis2=2) / 6
    square[:, range(6), range(6)] += (1e-3 * scale + 1e-3)[:, None]
    square[:, range(6, 8), range(6, 8)] += 1e-3
    solved = np.linalg.solve(square, sides[:, :, None].astype(np.float64))[:, :, 0]
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
    x, y, inside = _points(where, GRID)
    weights = inside.astype(np.float32)
    size = weights.mean(axis=1)
    first = luma_of(a)
    mine, other = _at_grid(_blurred(first, 0.6), GRID)[of], _sampled(b.luma(0.6), at, x, y)
    likeness, rest = _correlated(mine, other, weights)
    slow_a, slow_b = _at_grid(_blurred(first, 3.0), GRID)[of], _sampled(b.luma(3.0), at, x, y)
    detail, _ = _correlated(mine - slow_a, other - slow_b, weights)
    largest = np.abs(_blurred(rest.reshape(-1, GRID, GRID), 1.0)).max(axis=(1, 2))
    bad = (size < 0.3) | (np.abs(np.linalg.det(where[:, :, :2].astype(np.float64))) < 0.08)
    return Fit(
        np.where(bad, -1, likeness).astype(np.float32),
        np.where(bad, -1, detail).astype(np.float32),
        _chroma_alike(chroma_of(a)[of], chroma_of(b.looks[at]), where),
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


def _chroma_alike(a: Floats, b: Floats, where: Floats) -> Floats:
    x, y, inside = _points(where, CHROMA)
    one, each = a.reshape(len(a), 2, -1), np.arange(len(b))
    dot, mine, theirs = (np.zeros(len(b), np.float32) for _ in range(3))
    for band in (0, 1):
        seen = _sampled(np.ascontiguousarray(b[:, band]), each, x, y)
        dot += (one[:, band] * seen * inside).sum(axis=1)
        mine += (one[:, band] ** 2 * inside).sum(axis=1)
        theirs += (seen**2 * inside).sum(axis=1)
    floor = 16.0 * np.maximum(inside.sum(axis=1), 1)
    return np.asarray((dot + floor) / np.sqrt((mine + floor) * (theirs + floor)), np.float32)
