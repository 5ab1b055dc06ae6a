"""How sharp an image is, in which directions, how noisy, and whether its finest detail is missing.

Sharpness compares the second difference over one pixel with that over a few, at the strongest edges. Both grow alike
with contrast and with texture, so their ratio depends only on how abrupt the edges are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Edges:
    """Sharpness in [0, 1]; motion in [0, 1], 1 where all directions are equally sharp and less where one is smeared;
    the mean step between next neighbours but one, across and down together, in grey levels. 1, 1 and 0 where the
    image is too small or too flat to measure.
    """

    sharpness: float = 1.0
    motion: float = 1.0
    gradient: float = 0.0


_DIRECTIONS_XY = ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1))
"""Steps in 8 directions; those four places apart are at right angles, every other one is an axis or a diagonal."""
_ACROSS = np.array([4, 5, 6, 7, 0, 1, 2, 3])
_LENGTHS_PX = np.hypot(*np.transpose(_DIRECTIONS_XY))
_FAR = {3: np.array([3, 1, 2, 1, 3, 1, 2, 1]), 6: np.array([6, 3, 4, 3, 6, 3, 4, 3])}
"""Steps that make about 3 and 6 px in each direction."""
_MARGIN_PX = 8
_ROWS_PX = 5
_STRONGEST = 0.04
_POINTS = 1_200
_FEWEST_POINTS = 100
"""What an image of about 120x120 px has."""
_FLAT = 0.05
"""Grey levels that are added on both sides of a ratio, so that a direction without edges counts as average."""
_LEAST_STEP = 5
"""An image whose strongest edges are weaker, in grey levels over two pixels in both directions, is flat."""

_WINDOW = 64
_HANN = np.hanning(_WINDOW + 1)[:_WINDOW].astype(np.float32)
_LINES_PX = 32
_FINE, _MIDDLE = slice(23, 33), slice(8, 15)
"""Of a window of 64: cycles per pixel from .36, and .125 to .22."""

_RUN = 16
_MEAN_OF_RUN = np.full(_RUN, 1.0 / _RUN, dtype=np.float32)
_NOISE_ROWS_PX = 8
_QUIETEST = 0.02
_FEWEST_RUNS = 20
_LEAST_NOISE = 0.3
_NOT_CLIPPED = (8, 247)


def edges(luma: Grey) -> Edges:
    """The figures of the strongest edges of (H, W) luma.

    With s and l the mean second differences along a direction over 1 px and over some px, each by its length, the
    ratio s/l is high where edges across that direction are crisp. Sharpness is the highest s/l (3 px) along axes and
    diagonals, over 3: one crisp direction makes an image focused. Motion is the lowest s/l (6 px) over that at
    right angles: a smear lowers the ratio along itself only, lack of focus lowers all of them. Own design; that
    the width of edges measures focus is in P. Marziliano et al., "A no-reference perceptual blur metric", 2002.
    """
    luma = np.ascontiguousarray(luma)
    points, gradient = _strongest(luma)
    if len(points) < _FEWEST_POINTS:
        return Edges(gradient=gradient)
    width = luma.shape[1]
    step = np.array([dy * width + dx for dx, dy in _DIRECTIONS_XY])
    reach = np.concatenate([step, step * _FAR[3], step * _FAR[6]])[:, None]
    flat = luma.reshape(-1)
    centre = flat.take(points).astype(np.int16)
    around = flat.take(points + reach).astype(np.int16) + flat.take(points - reach)
    second = np.abs(2 * centre - around).sum(axis=1, dtype=np.int64).reshape(3, -1) / len(points)
    near = second[0] / _LENGTHS_PX + _FLAT
    focus = near / (second[1] / (_LENGTHS_PX * _FAR[3]) + _FLAT / 3)
    smear = near / (second[2] / (_LENGTHS_PX * _FAR[6]) + _FLAT / 6)
    motion = float((smear / smear[_ACROSS]).min())
    return Edges(min(1.0, float(focus[::2].max()) / 3), min(1.0, motion), gradient)


def _strongest(luma: Grey) -> tuple[npt.NDArray[np.int64], float]:
    """Flat positions of the strongest edges in every fifth row, and the mean gradient."""
    height, width = luma.shape
    m = _MARGIN_PX
    if min(height, width) < 2 * m + 4:
        return np.zeros(0, dtype=np.int64), 0.0
    rows = luma[m : height - m : _ROWS_PX]
    dx = _apart(rows[:, m + 1 : width - m + 1], rows[:, m - 1 : width - m - 1])
    inner = luma[:, m : width - m]
    dy = _apart(inner[m + 1 : height - m + 1 : _ROWS_PX], inner[m - 1 : height - m - 1 : _ROWS_PX])
    strength = (dx.astype(np.uint16) + dy).reshape(-1)
    some = strength[::3]
    k = int(len(some) * (1 - _STRONGEST))
    least = max(_LEAST_STEP, int(np.partition(some, k)[k]))
    edges = np.flatnonzero(strength >= least)
    edges = edges[:: max(1, len(edges) // _POINTS)]
    y, x = np.divmod(edges, dx.shape[1])
    return np.asarray((y * _ROWS_PX + m) * width + x + m, dtype=np.int64), float(some.sum()) / len(some)


def _apart(a: Grey, b: Grey) -> Grey:
    """|a - b| without leaving bytes."""
    return np.asarray(np.maximum(a, b) - np.minimum(a, b), dtype=np.uint8)


def noise_strength(luma: Grey) -> float:
    """Deviation of the noise in grey levels, less where it looks like texture; 0 for an image without noise.

    The deviation is that of the quietest fiftieth of runs of 16 pixels that are not clipped. It is multiplied by how
    white the residue is there (over the step between neighbours: texture is smoother than noise) and by how even it
    is over the image (10th percentile over median: noise is everywhere).
    Source of the residue: J. Immerkaer, "Fast noise variance estimation", 1996 (a mask that edges do not move).
    """
    height, width = luma.shape
    n_runs = (width - 2) // _RUN
    if height < 3 or n_runs < 1:
        return 0.0
    first, wide = min(_NOISE_ROWS_PX // 2, height - 2), n_runs * _RUN + 2
    rows = luma[first : height - 1 : _NOISE_ROWS_PX, :wide].astype(np.int16)
    above = luma[first - 1 : height - 2 : _NOISE_ROWS_PX, :wide]
    below = luma[first + 1 : height : _NOISE_ROWS_PX, :wide]
    across = 2 * rows - above - below
    residue = _run_means(2 * across[:, 1:-1] - across[:, :-2] - across[:, 2:])
    steps = _run_means(rows[:, 2:] - rows[:, :-2])
    level = rows[:, 1 + _RUN // 2 :: _RUN].reshape(-1)
    judged = (level > _NOT_CLIPPED[0]) & (level < _NOT_CLIPPED[1])
    residue, steps = residue[judged], steps[judged]
    if len(residue) < _FEWEST_RUNS:
        return 0.0
    ranks = [int(len(residue) * share) for share in (_QUIETEST, 0.1, 0.5)]
    quiet, low, middle = np.partition(residue, ranks)[ranks]
    here = residue <= quiet
    white = residue[here].mean() / (steps[here].mean() + _LEAST_NOISE)
    return float(quiet * np.sqrt(np.pi / 2) / 6 * white * low / max(float(middle), _LEAST_NOISE))


def _run_means(values: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Means of the absolute values of runs along rows."""
    return np.abs(values).astype(np.float32).reshape(-1, _RUN) @ _MEAN_OF_RUN


def spectrum_tail(luma: Grey) -> float:
    """log10 of the energy of the finest over the middle detail of (H, W) luma at full size; of rows or columns the
    larger. 0 where a side is below 64 px.

    An image that was enlarged has no detail finer than what it was enlarged from, but the usual middle frequencies.
    """
    if min(luma.shape) < _WINDOW:
        return 0.0
    tails = []
    for lines in (luma[_LINES_PX // 2 :: _LINES_PX], luma[:, _LINES_PX // 2 :: _LINES_PX].T):
        n = lines.shape[1] // _WINDOW * _WINDOW
        parts = lines[:, :n].astype(np.float32).reshape(-1, _WINDOW)
        parts = (parts - parts.mean(axis=1, keepdims=True)) * _HANN
        waves = np.fft.rfft(parts, axis=1)
        energy = (waves.real**2 + waves.imag**2).sum(axis=0) + len(parts)
        tails.append(energy[_FINE].mean() / energy[_MIDDLE].mean())
    return float(np.log10(max(tails)))
