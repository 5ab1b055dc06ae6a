"""Image quality of a file: from its pixels, and from its bytes.

Bytes show how coarsely a JPEG was quantised, whether it is complete, how EXIF turns it and whether the EXIF thumbnail
shows the same. Whether an image *without* EXIF is the right way up cannot be seen from a file.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from calotype.vision import images
from calotype.vision.jpeg_header import JpegHead, read_head
from calotype.vision.quality import measures as quality

Figures = npt.NDArray[np.float32]

FILE_FIGURES = ("jpeg_quality", "orientation", "has_end", "thumbnail")
"""IJG's quality in 1..100 (NaN for no JPEG); EXIF's orientation in 1..8; 0 for a JPEG without its end mark, else 1; how
well the thumbnail in EXIF correlates with the image (1 for none; below 0 where it fits better turned or mirrored).
"""

_K1 = (
    10,
    11,
    12,
    12,
    13,
    14,
    14,
    14,
    16,
    16,
    16,
    17,
    18,
    19,
    22,
    22,
    24,
    24,
    24,
    26,
    29,
    35,
    37,
    40,
    40,
    49,
    51,
    51,
    55,
    55,
    56,
    56,
    57,
    58,
    60,
    61,
    62,
    64,
    64,
    68,
    69,
    72,
    77,
    78,
    80,
    81,
    87,
    87,
    92,
    92,
    95,
    98,
    99,
    100,
    101,
    103,
    103,
    103,
    104,
    109,
    112,
    113,
    120,
    121,
)
"""The luma quantisation steps of T.81, table K.1, from the smallest."""
_LARGEST_STEP = 255
_THUMBNAIL_PX = 1_024
_CELLS = (16, 16)
_FLAT_DEVIATION = 4.0
_FITS, _BETTER = 0.8, 0.2
_UPRIGHT = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
_BACK = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
"""EXIF's orientation -> Pillow's transposition of stored pixels into upright ones, and back."""
_BITS = (0.52, 0.68, 0.66)
"""log2 of a photograph's bits per pixel: a base, and how it grows with log2 of the gradient and falls with the step."""
_FEW_BITS = -0.4
"""A tenth of photographs have less than usual by this much, and nearly all enlarged or blurred ones."""


@dataclass(frozen=True, slots=True)
class FileQuality:
    """(12,) figures in the order of `quality.METRICS`, (4,) in that of `FILE_FIGURES`, the upright image's 64-bit
    difference hash, and its size."""

    pixels: Figures
    file: Figures
    difference_hash: int
    size_wh_px: tuple[int, int]


def measure(data: bytes) -> FileQuality:
    """All figures of a file's bytes; a JPEG of 600 px and more is read at half its size or less.

    `sharpness` needs a larger size where the reduced image is not clearly sharp. `detail` needs the full one: that is
    decoded where the file is small for what the reduced image shows, as an enlarged or blurred image's is; it is 1
    otherwise.
    Raises:
        ImageUnreadable.
    """
    image, facts = images.decode_working(data, quality.working_scale)
    head = read_head(data)
    size_wh = (facts.width_px, facts.height_px)
    grey = image.convert("L")
    scale = quality.finer_scale(size_wh)
    luma_at = cache(lambda scale: images.decode_grey(data, scale))
    is_reduced = quality.working_scale(size_wh) > 1
    pixels, gradient = quality.working_figures(
        image, np.asarray(grey), size_wh, (lambda: luma_at(scale)) if is_reduced else None
    )
    if _has_few_bits(len(data), size_wh, head, gradient):
        pixels[quality.DETAIL] = quality.detail(luma_at(1))
    if facts.orientation in _UPRIGHT:
        grey = grey.transpose(Image.Transpose(_UPRIGHT[facts.orientation]))
    of_file = _of_file(head, facts.orientation, lambda: image)
    return FileQuality(pixels, of_file, quality.difference_hash(grey), size_wh)


def pixel_part(data: bytes, upright: images.Upright) -> Figures:
    """The (12,) figures of a decoded file."""
    image = upright.image
    working = upright.reduced(quality.working_scale(image.size))
    luma = np.asarray(upright.grey if working is image else working.convert("L"))

    def finer() -> npt.NDArray[np.uint8]:
        scale = quality.finer_scale(image.size)
        return np.asarray(upright.reduced(scale).convert("L") if scale > 1 else upright.grey)

    pixels, gradient = quality.working_figures(working, luma, image.size, None if working is image else finer)
    if _has_few_bits(len(data), image.size, read_head(data), gradient):
        pixels[quality.DETAIL] = quality.detail(luma if working is image else np.asarray(upright.grey))
    return pixels


def file_part(data: bytes, upright: images.Upright) -> Figures:
    """The (4,) figures of a decoded file."""
    orientation = upright.facts.orientation

    def stored() -> Image.Image:
        cells = upright.image.resize(_CELLS, Image.Resampling.BOX)
        return cells.transpose(Image.Transpose(_BACK[orientation])) if orientation in _BACK else cells

    return _of_file(read_head(data), orientation, stored)


def jpeg_quality(luma_steps: Sequence[int]) -> float:
    """The quality, 1 to 100, at which the Independent JPEG Group's library makes such a table; NaN for none.

    It describes only the last time that the file was saved. Source: ITU-T T.81, table K.1, and libjpeg's
    `jpeg_quality_scaling` solved for the quality. Steps at either end of the range are clipped and not used.
    """
    if len(luma_steps) != len(_K1):
        return math.nan
    pairs = zip(sorted(luma_steps), _K1, strict=True)
    steps = [(step, usual) for step, usual in pairs if 1 < step < _LARGEST_STEP]
    if not steps:
        return 100.0 if max(luma_steps) <= 1 else 1.0
    percent = 100 * sum(step for step, _ in steps) / sum(usual for _, usual in steps)
    return float(min(100, max(1, round(100 - percent / 2 if percent <= 100 else 5_000 / percent))))


def _has_few_bits(n_bytes: int, size_wh: tuple[int, int], head: JpegHead | None, gradient: float) -> bool:
    """Whether a file has few bits per pixel for the gradient at its working size and its steps (a fit on photographs);
    True for files that are not JPEGs."""
    if head is None or not head.luma_steps:
        return True
    mean_step = max(1.0, sum(head.luma_steps) / len(head.luma_steps))
    bits = 8 * n_bytes / (size_wh[0] * size_wh[1])
    base, of_gradient, of_step = _BITS
    usual = base + of_gradient * math.log2(gradient + 0.5) - of_step * math.log2(mean_step)
    return math.log2(bits) - usual < _FEW_BITS


def _of_file(head: JpegHead | None, orientation: int, stored: Callable[[], Image.Image]) -> Figures:
    """The figures of a file; the image as `stored` is asked for where a thumbnail is compared with it."""
    if head is None:
        return np.asarray([math.nan, orientation, 1, 1], dtype=np.float32)
    agrees = _thumbnail_agrees(head.exif, stored()) if head.exif else 1.0
    values = [jpeg_quality(head.luma_steps), orientation, float(head.has_end), agrees]
    return np.asarray(values, dtype=np.float32)


def _thumbnail_agrees(exif: bytes, stored: Image.Image) -> float:
    """The correlation of the thumbnail in EXIF with the image, both as stored; 1 where there is none to compare."""
    thumbnail = _thumbnail(exif)
    if thumbnail is None:
        return 1.0
    images = (image.resize(_CELLS, Image.Resampling.BOX).convert("L") for image in (stored, thumbnail))
    here, there = (np.asarray(image, dtype=np.float64) for image in images)
    if min(here.std(), there.std()) < _FLAT_DEVIATION:
        return 1.0
    ways = [np.rot90(side, k) for side in (there, there.T) for k in range(4)]
    fits = [float(np.corrcoef(here.ravel(), way.ravel())[0, 1]) for way in ways]
    best = max(fits)
    return fits[0] - best if best >= _FITS and best > fits[0] + _BETTER else fits[0]


def _thumbnail(exif: bytes) -> Image.Image | None:
    """The thumbnail without black bars; None where none can be read."""
    block = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a broken block means no thumbnail, nothing more
            block.load(exif)
            entries = block.get_ifd(ExifTags.IFD.IFD1)
        start, length = int(entries[ExifTags.Base.JpegIFOffset]), int(entries[ExifTags.Base.JpegIFByteCount])
    except images.DECODER_ERRORS:
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
    return Image.fromarray(np.ascontiguousarray(rgb))
