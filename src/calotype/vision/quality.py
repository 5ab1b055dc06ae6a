"""Figures of image quality, each with one meaning and a direction: higher is better. NumPy in, numbers out.

All are of the upright image at its own size, or at the size it was decoded to (`SHARP_SIDE_PX` or more on the longer
side), read at every third pixel in both directions where that is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]
Luma = npt.NDArray[np.uint8]

SHARP_SIDE_PX = 640
"""The longer side at which sharpness is judged: what is larger may be decoded smaller, down to this."""

METRICS = {
    "sharpness": "1 where edges are crisp, 0.25 where all is out of focus; of the sharpest direction",
    "motion": "the same of the most blurred direction: low while `sharpness` is high means that the camera moved",
    "over_exposure": "1 minus the share of pixels with a channel at its upper end",
    "under_exposure": "1 minus the share of pixels that are nearly black",
    "brightness": "mean luma, 0 to 1; neither end is good",
    "contrast": "luma between the 5th and 95th percentile, 0 to 1",
    "noise": "1 minus the typical step of flat places, in tenths of the range",
    "detail": "share of the resolution that is used; low where an image was enlarged, 0 to 1",
    "border": "1 minus the share of plain rows and columns at the edges",
    "colour": "mean distance from grey, 0 to 1; 0 for a grey image",
    "entropy": "of luma, 0 to 1; 0 for a single tone",
    "aspect": "shorter side over longer side",
}  # fmt: skip
"""Name -> what it is; in this order in a vector of figures."""

STRIDE = 4
"""Every how many pixels are read."""
_STRONGEST = 0.02
_WEAKEST_EDGE = 10
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
_REACH = 4


def figures(rgb: Rgb) -> npt.NDArray[np.float32]:
    """(12,) float32 in the order of `METRICS`, of an image (H, W, 3) uint8."""
    luma = np.asarray(Image.fromarray(rgb).convert("L"))
    return figures_of(luma, rgb[1::STRIDE, 1::STRIDE] if min(rgb.shape[:2]) > 2 else rgb)


def figures_of(luma: Luma, coarse: Rgb) -> npt.NDArray[np.float32]:
    """The same from luma (H, W) uint8 at full size and about every fourth pixel in colour (h, w, 3) uint8."""
    counts = np.bincount(luma[::3, ::3].ravel(), minlength=256)
    share = counts / max(1, counts.sum())
    along = [_edge_width(luma, *direction) for direction in _DIRECTIONS]
    known = [value for value in along if value is not None]
    red, green, blue = (np.ascontiguousarray(coarse[:, :, band]) for band in range(3))
    most = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    height, width = luma.shape
    values = (
        max(known, default=1.0),
        min(known, default=1.0),
        1 - float((most >= 253).mean()),
        1 - float(share[:16].sum()),
        float(share @ np.arange(256)) / 255,
        _spread(share),
        1 - min(1.0, _noise(luma) / 25.5),
        _detail(luma),
        1 - _border_share(coarse),
        float((most - least).mean()) / 255,
        _entropy(share),
        min(height, width) / max(height, width),
    )
    return np.asarray(values, np.float32)


def _edge_width(luma: Luma, dy: int, dx: int) -> float | None:
    """Along one direction, the largest step between neighbours over the step across four pixels, at the strongest
    edges.

    1 for an edge between two pixels, 0.25 for a ramp over four or more. None where there is no edge.
    """
    height, width = luma.shape
    if height <= _REACH * dy + 1 or width <= _REACH * abs(dx) + 1:
        return None
    left = _REACH if dx < 0 else 0
    rows, columns = height - _REACH * dy, width - _REACH * abs(dx)
    at = [
        luma[k * dy : k * dy + rows : STRIDE, left + k * dx : left + k * dx + columns : STRIDE].astype(
            np.int16
        )
        for k in range(_REACH + 1)
    ]
    wide = np.abs(at[_REACH] - at[0])
    counts = np.bincount(wide.ravel(), minlength=256)
    above = np.cumsum(counts[::-1])[::-1]
    threshold = max(_WEAKEST_EDGE, int(np.searchsorted(-above, -_STRONGEST * wide.size)))
    strong = np.flatnonzero(wide >= threshold)
    if len(strong) < 8:
        return None
    values = np.stack([one.ravel()[strong] for one in at])
    steps = np.abs(np.diff(values, axis=0)).max(axis=0)
    return float(min(1.0, steps.mean() / max(1.0, wide.ravel()[strong].mean())))


def _spread(share: npt.NDArray[np.float64]) -> float:
    below = np.cumsum(share)
    low, high = np.searchsorted(below, (0.05, 0.95))
    return float(min(255, high) - low) / 255


def _noise(luma: Luma) -> float:
    """The median of how far a pixel is from the mean of its neighbours, among the flattest half of the places.

    Source: after J. Immerkaer, "Fast noise variance estimation", 1996, with a median in place of a mean.
    """
    if min(luma.shape) < 5:
        return 0.0
    rows = luma[1:-1:8].astype(np.int16)
    left, here, right = rows[:, :-2:2], rows[:, 1:-1:2], rows[:, 2::2]
    n = min(left.shape[1], here.shape[1], right.shape[1])
    left, here, right = left[:, :n], here[:, :n], right[:, :n]
    slope = np.abs(right - left)
    flat = np.bincount(slope.ravel(), minlength=2)
    limit = int(np.searchsorted(np.cumsum(flat), flat.sum() / 2))
    off = np.abs(2 * here - left - right)[slope <= limit]
    return float(np.median(off)) / 2 * 1.2 if off.size else 0.0


def _detail(luma: Luma) -> float:
    """The frequency, as a share of the highest, above which the rows hold hardly anything.

    In photos power falls with the square of the frequency; it counts as nothing below 3 % of that line.
    """
    height, width = luma.shape
    n = 1 << (min(width, 512).bit_length() - 1)
    if n < 64 or height < 8:
        return 1.0
    start = (width - n) // 2
    rows = luma[:: max(1, height // 48), start : start + n].astype(np.float32)
    rows = np.diff(rows, axis=1, append=rows[:, -1:]) * np.hanning(n).astype(np.float32)
    power = (np.abs(np.fft.rfft(rows, axis=1)) ** 2).mean(axis=0)[1:]
    smooth = np.convolve(power, np.ones(9) / 9, mode="same")
    usual = float(np.median(smooth[len(smooth) // 8 : len(smooth) // 3]))
    used = np.flatnonzero(smooth > 0.03 * usual)
    return float((used[-1] + 1) / len(power)) if len(used) and usual > 0 else 0.0


def _border_share(rgb: Rgb) -> float:
    """Share of the area in plain rows and columns of one colour at the edges."""
    height, width = rgb.shape[:2]
    if min(height, width) < 16:
        return 0.0
    rows = _plain(rgb), _plain(rgb[::-1])
    columns = _plain(rgb.transpose(1, 0, 2)), _plain(rgb.transpose(1, 0, 2)[::-1])
    if rows[0] >= height or columns[0] >= width:
        return 0.0  # one colour all over: no border
    inner = max(0, height - sum(rows)) * max(0, width - sum(columns))
    return float(1 - inner / (height * width))


def _plain(rgb: Rgb) -> int:
    first = rgb[0].astype(np.int16)
    middle = np.median(first, axis=0)
    if np.abs(first - middle).max() > 12:
        return 0
    for row in range(1, len(rgb)):
        if np.abs(rgb[row, ::4].astype(np.int16) - middle).max() > 12:
            return row
    return len(rgb)


def _entropy(share: npt.NDArray[np.float64]) -> float:
    held = share[share > 0]
    return float(max(0.0, -(held * np.log2(held)).sum())) / 8


@dataclass(frozen=True, slots=True)
class Limits:
    """From which figures on an image has a fault. Set between photos and their corrupted copies, for all data alike."""

    sharpness: float = 0.44
    motion: float = 0.40
    motion_gap: float = 0.10
    over_exposure: float = 0.65
    under_exposure: float = 0.25
    brightness: float = 0.07
    contrast: float = 0.22
    noise: float = 0.45
    detail: float = 0.88
    border: float = 0.94
    entropy: float = 0.12
    jpeg_quality: float = 35.0


FAULTS = (
    "blurred", "motion_blurred", "over_exposed", "under_exposed", "low_contrast", "noisy", "upscaled", "letterboxed",
    "single_tone",
)  # fmt: skip


def faults(values: npt.NDArray[np.floating], limits: Limits) -> dict[str, npt.NDArray[np.bool_]]:
    """Fault -> (N,) bool, of (N, 12) figures. Of an image of a single tone nothing else is said."""
    of = {name: values[:, at] for at, name in enumerate(METRICS)}
    single = of["entropy"] < limits.entropy
    soft = of["sharpness"] < limits.sharpness
    moved = (of["motion"] < limits.motion) & (of["sharpness"] - of["motion"] > limits.motion_gap)
    dark = (of["under_exposure"] < limits.under_exposure) | (of["brightness"] < limits.brightness)
    found = {
        "blurred": soft & ~moved,
        "motion_blurred": moved,
        "over_exposed": of["over_exposure"] < limits.over_exposure,
        "under_exposed": dark,
        "low_contrast": (of["contrast"] < limits.contrast) & ~dark,
        "noisy": of["noise"] < limits.noise,
        "upscaled": (of["detail"] < limits.detail) & ~soft,
        "letterboxed": of["border"] < limits.border,
    }
    return {**{name: hit & ~single for name, hit in found.items()}, "single_tone": single}


def jpeg_quality(luma_table: Sequence[int]) -> float:
    """The quality, 1 to 100, at which a JPEG was saved, from its 64 divisors of luma.

    Source: ITU-T T.81, table K.1, scaled as by the Independent JPEG Group's library.
    """
    if len(luma_table) != 64:
        return float("nan")
    known = [
        (given, usual)
        for given, usual in zip(sorted(luma_table), sorted(_K1), strict=True)
        if 1 < given < 255
    ]
    if not known:
        return 100.0 if max(luma_table) <= 1 else 1.0
    scale = 100 * sum(given for given, _ in known) / sum(usual for _, usual in known)
    quality = (200 - scale) / 2 if scale <= 100 else 5_000 / scale
    return float(min(100.0, max(1.0, quality)))


_K1 = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
