"""Figures of the quality of an image file: those of its pixels, and what its bytes tell besides.

Bytes tell how coarsely a JPEG was quantised, whether it has its end, how EXIF wants it turned and whether the small
picture that EXIF holds shows the same. What no file tells is whether a picture *without* EXIF is the right way up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from calotype.vision import images, quality, quality_edges

Figures = npt.NDArray[np.float32]
Rgb = npt.NDArray[np.uint8]

FIGURES = (
    *quality.PIXEL_FIGURES, "fine", "middle", "jpeg_quality", "has_end", "orientation", "thumbnail",
)  # fmt: skip
"""Order of the figures of a file. After those of its pixels: the spectrum's tail (NaN where it was not looked at),
IJG's quality in 1..100 (NaN for no JPEG), 1 or 0 for a JPEG's end mark, EXIF's orientation in 1..8, and how well the
embedded thumbnail correlates with the picture (1 for none; below 0 where it would fit better turned or mirrored).
"""

_STANDARD_SUM = 3_689
"""Of the 64 luma steps that T.81, table K.1 gives."""
_TABLES, _SCAN, _EXIF = 0xDB, 0xDA, 0xE1
_THUMBNAIL_PX = 1_024
_CELLS = 16
_FLAT_DEVIATION = 4.0
_FITS, _BETTER = 0.8, 0.2
_BITS = (0.52, 0.68, 0.66)
"""log2 of a photograph's bits a pixel: a base, and how it grows with log2 of the gradient and falls with the step."""
_FEW_BITS = -0.4
"""A tenth of photographs have less than usual by this much, and nearly all enlarged ones."""


def file_figures(data: bytes) -> tuple[Figures, int]:
    """(figures in the order of `FIGURES`, 64-bit difference hash) from a file's bytes; reads a JPEG at half size.

    A JPEG's spectrum needs its full size: that is decoded where the file is small for what the half shows, as an
    enlarged picture's is.
    Raises:
        ImageUnreadable.
    """
    image, facts = images.decode_reduced(data, quality.working_scale)
    head = _jpeg_head(data)
    turned = facts.orientation in (5, 6, 7, 8)
    size_wh = (facts.height_px, facts.width_px) if turned else (facts.width_px, facts.height_px)
    grey = image.convert("L")
    pixels = quality.pixel_figures(image, grey, size_wh)
    tail = (math.nan, math.nan)
    if head is None or _may_be_enlarged(len(data), size_wh, head, pixels):
        tail = quality_edges.spectrum_tail(images.decode_grey(data))
    small = np.asarray(image.resize((_CELLS, _CELLS), Image.Resampling.BOX)) if head and head.exif else None
    rest = _file_part(head, facts.orientation, small)
    return np.concatenate([pixels, np.asarray([*tail, *rest], dtype=np.float32)]), quality.difference_hash(grey)


def known_pixel_figures(data: bytes, rgb: Rgb) -> Figures:
    """The same figures where the upright (H, W, 3) pixels of a file are known already.

    Raises: ImageUnreadable.
    """
    image = quality.working_image(rgb)
    size_wh = (rgb.shape[1], rgb.shape[0])
    pixels = quality.pixel_figures(image, image.convert("L"), size_wh)
    head = _jpeg_head(data)
    tail = (math.nan, math.nan)
    if head is None or _may_be_enlarged(len(data), size_wh, head, pixels):
        tail = quality_edges.spectrum_tail(np.asarray(Image.fromarray(rgb).convert("L")))
    orientation = images.probe(data).orientation
    small = None
    if head and head.exif:
        small = np.asarray(Image.fromarray(rgb).resize((_CELLS, _CELLS), Image.Resampling.BOX))
        small = _as_stored(small, orientation)
    rest = _file_part(head, orientation, small)
    return np.concatenate([pixels, np.asarray([*tail, *rest], dtype=np.float32)])


@dataclass(frozen=True, slots=True)
class _JpegHead:
    step: float  # mean of the 64 luma steps
    exif: bytes
    has_end: bool


def _jpeg_head(data: bytes) -> _JpegHead | None:
    """What stands before the first scan of a JPEG; None for other files. Source: ITU-T T.81, annex B."""
    if data[:2] != b"\xff\xd8":
        return None
    step, exif, scan = math.nan, b"", len(data)
    for code, start, end in _segments(data):
        if code == _TABLES and math.isnan(step):
            step = _luma_step(data[start:end])
        elif code == _EXIF and not exif and data[start : start + 6] == b"Exif\0\0":
            exif = data[start:end]
        elif code == _SCAN:
            scan = end
    return _JpegHead(step, exif, data.rfind(b"\xff\xd9", scan) >= 0)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of what lies between a JPEG's start and its first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        code = data[at + 1]
        if code == 0xFF:
            at += 1
            continue
        end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        yield code, at + 4, end
        if code == _SCAN:
            return
        at = end


def _luma_step(tables: bytes) -> float:
    """Mean step of table 0; NaN where the segment holds none."""
    at = 0
    while at < len(tables):
        wide, number = tables[at] >> 4, tables[at] & 15
        size = 128 if wide else 64
        body = tables[at + 1 : at + 1 + size]
        if number == 0 and len(body) == size:
            return float(np.frombuffer(body, dtype=">u2" if wide else np.uint8).mean())
        at += 1 + size
    return math.nan


def _ijg_quality(step: float) -> float:
    """The quality number of the Independent JPEG Group's library whose tables are as coarse on the whole.

    Source: libjpeg's jcparam.c, jpeg_quality_scaling, solved for the quality. It tells of the last time of saving.
    """
    percent = 100 * step * 64 / _STANDARD_SUM
    return min(100.0, max(1.0, round(100 - percent / 2 if percent <= 100 else 5_000 / percent)))


def _may_be_enlarged(n_bytes: int, size_wh: tuple[int, int], head: _JpegHead, pixels: Figures) -> bool:
    """Whether a JPEG has few bits a pixel for its gradient at half size and its steps (a fit on photographs)."""
    gradient = float(pixels[quality.PIXEL_FIGURES.index("gradient")])
    if math.isnan(gradient) or math.isnan(head.step):
        return True
    bits = 8 * n_bytes / (size_wh[0] * size_wh[1])
    base, of_gradient, of_step = _BITS
    usual = base + of_gradient * math.log2(gradient + 0.5) - of_step * math.log2(head.step)
    return math.log2(max(bits, 1e-6)) - usual < _FEW_BITS


def _file_part(head: _JpegHead | None, orientation: int, small: Rgb | None) -> tuple[float, float, float, float]:
    if head is None:
        return math.nan, 1.0, float(orientation), 1.0
    agrees = _thumbnail_agrees(head.exif, small) if small is not None else 1.0
    return _ijg_quality(head.step), float(head.has_end), float(orientation), agrees


def _as_stored(rgb: Rgb, orientation: int) -> Rgb:
    """A square of upright cells, turned back to how the file stores them."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    return rgb if back is None else np.asarray(Image.fromarray(rgb).transpose(Image.Transpose(back)))


def _thumbnail_agrees(exif: bytes, small: Rgb) -> float:
    """The correlation of the thumbnail in EXIF with the picture, both as stored; 1 where there is none to compare."""
    thumbnail = _thumbnail(exif)
    if thumbnail is None:
        return 1.0
    here, there = (rgb.astype(np.float64).mean(axis=2) for rgb in (small, thumbnail))
    if min(here.std(), there.std()) < _FLAT_DEVIATION:
        return 1.0
    fits = [_correlation(here, np.rot90(side, k)) for side in (there, there.T) for k in range(4)]
    best = max(fits)
    return fits[0] - best if best >= _FITS and best > fits[0] + _BETTER else fits[0]


def _thumbnail(exif: bytes) -> Rgb | None:
    """(16, 16, 3) of the thumbnail without black bars; None where there is none that can be read."""
    block = Image.Exif()
    try:
        block.load(exif)
        entries = block.get_ifd(ExifTags.IFD.IFD1)
        start, length = int(entries[ExifTags.Base.JpegIFOffset]), int(entries[ExifTags.Base.JpegIFByteCount])
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, EOFError, OverflowError):
        return None
    data = exif[6 + start : 6 + start + length] if start > 0 < length else b""
    try:
        facts = images.probe(data)
        if max(facts.width_px, facts.height_px) > _THUMBNAIL_PX:
            return None
        rgb = images.decode_rgb(data)
    except images.ImageUnreadable:
        return None
    lit = rgb.max(axis=2) > 24
    rows, columns = np.flatnonzero(lit.mean(axis=1) > 0.05), np.flatnonzero(lit.mean(axis=0) > 0.05)
    if len(rows) and len(columns):
        rgb = rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(Image.fromarray(rgb).resize((_CELLS, _CELLS), Image.Resampling.BOX))


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    x, y = a - a.mean(), b - b.mean()
    return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))
