"""How sharp an image is, in which directions, how noisy, and whether its finest detail is missing.

Slight blur shows in the second difference over one pixel beside that over a few, at the strongest edges. Both grow
alike with contrast and with texture, so their ratio depends only on how abrupt the edges are. Strong blur leaves only
noise and rounding in differences that short; it shows in the steps between neighbours, which grow when the image is
reduced. Sharpness combines both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Edges:
    """Sharpness in (0, 1], about 0.75 for a photo in focus and 0.2 for one blurred by a radius of 1.5 px; motion in
    [0, 1], 1 where all directions are equally sharp and less where one is smeared; the mean step between next
    neighbours but one, across and down together, in grey levels; the steepest such steps, at full size and reduced by
    2, 4, 8... NaN, NaN and 0 where the image is too small or too flat to judge.
    """

    sharpness: float = math.nan
    motion: float = math.nan
    gradient: float = 0.0
    steps: tuple[float, ...] = ()


_DIRECTIONS_XY = ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1))
"""Steps in 8 directions; those four places apart are at right angles, every other one is an axis or a diagonal."""
_ACROSS = np.array([4, 5, 6, 7, 0, 1, 2, 3])
_STEPS_ACROSS, _STEPS_DOWN = np.transpose(_DIRECTIONS_XY)
_LENGTHS_PX = np.hypot(*np.transpose(_DIRECTIONS_XY))
_FAR = {3: np.array([3, 1, 2, 1, 3, 1, 2, 1]), 6: np.array([6, 3, 4, 3, 6, 3, 4, 3])}
"""Steps that make about 3 and 6 px in each direction."""
_MARGIN_PX = 8
_ROWS_PX = 5
_FEWEST_ROWS = 40
"""Every fifth row is looked at, or more of them in images with fewer than that many."""
_STRONGEST = 0.04
_POINTS = 1_200
_FEWEST_POINTS = 60
"""What an image of about 56x56 px has."""
_USUAL_FOCUS = 0.55
"""Of a photo in focus; taken for images with too few points."""
_FLAT = 0.05
"""Grey levels that are added on both sides of a ratio, so that a direction without edges counts as average."""
_LEAST_STEP = 5
"""Edges that are weaker, in grey levels over two pixels in both directions, show only noise."""
_SMALLEST_PX = 32
"""Below this side, in pixels, nothing is said about sharpness."""
_REDUCED = 4
"""By how much an image is reduced to see smears that are too long for its full size."""
_SMALLEST_REDUCED_PX = 12
_LEVELS = 6
"""Sizes at which steps are compared: the full one, and reduced by 2, 4, 8, 16 and 32."""
_STEEPEST = 0.002
"""Share of the pixels whose steps are compared."""
_HALF_ROWS_PX = 2
"""Every second row is looked at in an image reduced by 2, all of them in smaller ones."""
_ROUNDING = 0.5
"""Grey levels that are added to steps before they are compared."""
_LEAST_CONTRAST = 14.0
"""An image whose steepest steps are lower, in grey levels and at every size, has too few edges to judge."""
_SOFT = 0.5
"""Images below this sharpness are searched for smears that are too long to be seen at full size."""
_DOUBT = 0.1
"""Added to motion that shows only at a quarter of the size: few edges are left there."""
_NEAR_LEVELS = 3
"""Among the full size and its reductions by 2 and 4, every growth counts."""
_STRONG = (1.8, 2.6)
"""Octaves by which steps grow in all: further reductions count from the first on, fully from the second. Photos with a
soft background grow by up to 1.8, those blurred by 6 px and more by over 2.6."""

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
    ratio s/l is high where edges across that direction are crisp. The focus is the highest s/l (3 px) along axes and
    diagonals, over 3: one crisp direction makes an image focused. With g the octaves by which the steepest steps grow
    as the image is reduced, sharpness is the root of the focus times 2^-g: a sharp step stays as it is, one that blur
    has stretched grows until its width is that of a pixel.
    Motion is the lowest s/l (6 px) over that at right angles: a smear lowers the ratio along itself only, lack of focus
    lowers all of them. Own design; that the width of edges measures focus is in P. Marziliano et al., "A no-reference
    perceptual blur metric", 2002.
    """
    luma = np.ascontiguousarray(luma)
    points, gradient, steepest = _strongest(luma)
    if min(luma.shape) < _SMALLEST_PX:
        return Edges(gradient=gradient)
    steps = (steepest, *_steps_when_reduced(luma))
    if max(steps) < _LEAST_CONTRAST:
        return Edges(gradient=gradient, steps=steps)
    enough = len(points) >= _FEWEST_POINTS
    focus, motion = _abruptness(luma, points) if enough else (_USUAL_FOCUS, 1.0)
    sharpness = _combined(focus, _octaves(steps))
    if sharpness < _SOFT and enough:
        motion = min(motion, _motion_when_reduced(luma) + _DOUBT)
    return Edges(sharpness, min(1.0, motion), gradient, steps)


def sharpness_of(luma: Grey, steps_when_reduced: tuple[float, ...]) -> float:
    """The sharpness of (H, W) luma, with the `Edges.steps` of the same reduced by 2; NaN where it cannot be judged."""
    luma = np.ascontiguousarray(luma)
    points, _, steepest = _strongest(luma)
    steps = (steepest, *steps_when_reduced[: _LEVELS - 1])
    if not steps_when_reduced or max(steps) < _LEAST_CONTRAST:
        return math.nan
    focus = _abruptness(luma, points)[0] if len(points) >= _FEWEST_POINTS else _USUAL_FOCUS
    return _combined(focus, _octaves(steps))


def _combined(focus: float, octaves: float) -> float:
    return math.sqrt(min(1.0, focus)) * math.exp2(-octaves)


def _motion_when_reduced(luma: Grey) -> float:
    """Motion of luma reduced by 4, which shows long smears; 1 where too few edges are left."""
    reduced = np.asarray(Image.fromarray(luma).reduce(_REDUCED))
    points = _strongest(reduced)[0]
    return _abruptness(reduced, points)[1] if len(points) >= _FEWEST_POINTS else 1.0


def _abruptness(luma: Grey, points: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Focus and motion at flat positions, from second differences over 1, 3 and 6 px."""
    step = luma.shape[1] * _STEPS_DOWN + _STEPS_ACROSS
    reach = np.concatenate([step, (step * _FAR[3])[::2], step * _FAR[6]])[:, None]
    flat = luma.reshape(-1)
    twice = 2 * flat.take(points).astype(np.int16)
    around = flat.take(points + reach).astype(np.int16)
    around += flat.take(points - reach)
    around -= twice
    second = np.abs(around, out=around).sum(axis=1, dtype=np.int32) / len(points)
    near = second[:8] / _LENGTHS_PX + _FLAT
    focus = near[::2] / (second[8:12] / (_LENGTHS_PX * _FAR[3])[::2] + _FLAT / 3)
    smear = near / (second[12:] / (_LENGTHS_PX * _FAR[6]) + _FLAT / 6)
    return float(focus.max()) / 3, float((smear / smear[_ACROSS]).min())


def _octaves(steps: tuple[float, ...]) -> float:
    """Octaves by which steps grow as an image is reduced by 2 each time; 0 where they do not grow."""
    levels = [math.log2(step + _ROUNDING) for step in steps]
    near, total = max(levels[:_NEAR_LEVELS]) - levels[0], max(levels) - levels[0]
    begins, fully = _STRONG
    share = min(1.0, max(0.0, (total - begins) / (fully - begins)))
    return near + share * (total - near)


def _steps_when_reduced(luma: Grey) -> list[float]:
    """The steepest steps of luma reduced by 2, 4, 8... as far as enough pixels are left."""
    image, steps = Image.fromarray(luma), list[float]()
    while len(steps) < _LEVELS - 1 and min(image.size) >= 2 * _SMALLEST_REDUCED_PX:
        image = image.reduce(2)
        steps.append(_steepest(np.asarray(image), 1 if steps else _HALF_ROWS_PX))
    return steps


def _steepest(luma: Grey, rows_px: int) -> float:
    """The mean of the steepest steps over two pixels, across and down together, in grey levels."""
    above, rows, below = luma[:-2:rows_px], luma[1:-1:rows_px], luma[2::rows_px]
    steps = _apart(rows[:, 2:], rows[:, :-2]).astype(np.uint16)
    steps += _apart(above[:, 1:-1], below[:, 1:-1])
    return _mean_of_top(steps.reshape(-1), int(steps.size * _STEEPEST))


def _mean_of_top(steps: npt.NDArray[np.uint16], n: int) -> float:
    """The mean of the n largest, or of all if there are fewer; of the largest for n = 0."""
    first = max(0, len(steps) - max(1, n))
    return float(np.partition(steps, first)[first:].mean())


def _strongest(luma: Grey) -> tuple[npt.NDArray[np.int64], float, float]:
    """Flat positions of the strongest edges in every few rows, the mean step, and that of the steepest."""
    height, width = luma.shape
    m = _MARGIN_PX
    if min(height, width) < 2 * m + 4:
        return np.zeros(0, dtype=np.int64), 0.0, 0.0
    rows_px = min(_ROWS_PX, max(1, height // _FEWEST_ROWS))
    rows = luma[m : height - m : rows_px]
    dx = _apart(rows[:, m + 1 : width - m + 1], rows[:, m - 1 : width - m - 1])
    inner = luma[:, m : width - m]
    dy = _apart(inner[m + 1 : height - m + 1 : rows_px], inner[m - 1 : height - m - 1 : rows_px])
    strength = (dx.astype(np.uint16) + dy).reshape(-1)
    some = strength[::3]
    k = int(len(some) * (1 - _STRONGEST))
    top = np.partition(some, k)[k:]
    edges = np.flatnonzero(strength >= max(_LEAST_STEP, int(top.min())))
    steepest = _mean_of_top(strength[edges], int(len(strength) * _STEEPEST)) if len(edges) else 0.0
    edges = edges[:: max(1, len(edges) // _POINTS)]
    y, x = np.divmod(edges, dx.shape[1])
    positions = np.asarray((y * rows_px + m) * width + x + m, dtype=np.int64)
    return positions, float(some.sum()) / len(some), steepest


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
