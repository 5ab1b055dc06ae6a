"""How an image is lit and coloured: clipping, range, entropy, colour, and bars along its sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Light:
    """Share of pixels with a channel at its upper end; mean, 1st and 99th percentile of luma in [0, 1]; bits per pixel
    in [0, 8]; colourfulness in grey levels.
    """

    clipped: float
    mean: float
    low: float
    high: float
    entropy_bits: float
    colourfulness: float


_CLIPPED = 254
_LATTICE_PX = 4
_BAR_RANGE = 16
"""Grey levels that a line of a bar may span: JPEG causes slight ringing beside the image."""
_BAR_LINES = 2
_BAR_BLACK = 8
_ALONG_THE_EDGE = 0.6
"""Share of the line where a bar ends that has another tone. A white background ends gradually."""
_LEVELS = np.arange(256)
_OPPONENTS = np.array([[1, 0.5], [-1, 0.5], [0, -1]], dtype=np.float32)
"""Red against green, and yellow against blue."""


def light(image: Image.Image, luma: Grey) -> Light:
    """The figures of an image in mode RGB and of its (H, W) luma, from a lattice of its pixels."""
    size = (max(1, image.width // _LATTICE_PX), max(1, image.height // _LATTICE_PX))
    rgb = np.asarray(image.resize(size, Image.Resampling.NEAREST))
    high = np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    clipped = np.count_nonzero(high >= _CLIPPED) / high.size
    histogram = _histogram(luma[::_LATTICE_PX, ::_LATTICE_PX])
    return Light(clipped, *histogram, _colourfulness(rgb.reshape(-1, 3)))


def _histogram(luma: Grey) -> tuple[float, float, float, float]:
    """(mean, 1st percentile, 99th percentile) in [0, 1] and the entropy in bits."""
    counts = np.bincount(luma.reshape(-1), minlength=256)
    n = int(luma.size)
    low, high = np.searchsorted(np.cumsum(counts), [0.01 * n, 0.99 * n])
    share = counts[counts > 0] / n
    entropy = float(-(share * np.log2(share)).sum())
    return float(counts @ _LEVELS) / n / 255, float(low) / 255, float(high) / 255, entropy


def _colourfulness(rgb: npt.NDArray[np.uint8]) -> float:
    """Of (N, 3) pixels. Source: D. Hasler and S. Suesstrunk, "Measuring colourfulness in natural images", 2003, M3."""
    opponents = rgb.astype(np.float32) @ _OPPONENTS
    means = np.ones(len(rgb), dtype=np.float32) @ opponents / len(rgb)
    variance = float((opponents.T @ opponents).trace()) / len(rgb) - float(means @ means)
    return float(np.sqrt(max(0.0, variance)) + 0.3 * np.sqrt(means @ means))


def bars(luma: Grey) -> tuple[int, int, int, int]:
    """Lines at the top, bottom, left and right of (H, W) luma that are bars: of one tone along two opposite sides, or
    black along one side.

    Each has to end abruptly along most of a line.
    """
    return *_opposite(_bar(luma), _bar(luma[::-1])), *_opposite(_bar(luma.T), _bar(luma.T[::-1]))


def without_bars(luma: Grey, lines: Sequence[int]) -> Grey:
    """(H, W) luma without that many lines at the top, bottom, left and right."""
    top, bottom, left, right = lines
    height, width = luma.shape
    return luma[top : height - bottom, left : width - right]


def _opposite(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Number of lines of two bars, each given as (lines, tone), that count."""
    if a[0] and b[0]:
        return (a[0], b[0]) if abs(a[1] - b[1]) <= _BAR_RANGE else (0, 0)
    return (a[0] if a[1] <= _BAR_BLACK else 0), (b[0] if b[1] <= _BAR_BLACK else 0)


def _bar(luma: Grey) -> tuple[int, int]:
    """(lines from the top that are a bar, tone); no lines for an image that is flat everywhere."""
    first = luma[0]
    tone = int(first[len(first) // 2])
    if int(first.max()) - int(first.min()) > _BAR_RANGE:
        return 0, tone
    share = (np.abs(luma.astype(np.int16) - tone) > _BAR_RANGE).mean(axis=1)
    inside = np.flatnonzero(share > 0.02)
    edge = int(inside[0]) if len(inside) else 0
    abrupt = edge >= _BAR_LINES and float(share[edge : edge + 3].max()) > _ALONG_THE_EDGE
    return (edge if abrupt else 0), tone
