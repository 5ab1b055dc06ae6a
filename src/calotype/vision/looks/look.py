"""How an image looks, in 2,592 bytes.

A *look* is the image without plain borders, reduced as for `quality` and stretched to a square: 48 x 48 of luma, then
twice 12 x 12 of chroma.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.vision.quality.measures import working_scale

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Looks = npt.NDArray[np.uint8]

SIDE = 48
CHROMA = 12
LOOK_BYTES = SIDE * SIDE + 2 * CHROMA * CHROMA
_PLAIN = 6.0
_WIDEST_BORDER = 0.3
_BORDER_PIXELS = 2_048
"""Looked at first; most images have no border."""


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
