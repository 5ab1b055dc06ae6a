"""Figures of image quality from pixels: sharpness, motion, light, noise, borders, colour. Made to be quick.

What is measured is the picture at its *working size*: one of 600 px and more is reduced by 2, 4, 8... so that the
figures of a phone's photo and of a web picture can be compared. Most figures look at a lattice of pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.vision import quality_edges, quality_light

Grey = npt.NDArray[np.uint8]
Rgb = npt.NDArray[np.uint8]
Figures = npt.NDArray[np.float32]

PIXEL_FIGURES = (*quality_edges.FIGURES, *quality_light.FIGURES, "width_px", "height_px")
"""Order of the figures of a picture; the last two are its size as decoded, before it was reduced."""

_SMALL_PX = 600
_WORKING_SIDE_PX = 512


def working_scale(size_wh: tuple[int, int]) -> int:
    """1, 2, 4, 8...: by how much a picture of this size is reduced before it is measured.

    Its longer side is then below 600 px, or from 300 px (pictures of 600 px) to 1,023 px.
    """
    longer = max(size_wh)
    return 1 if longer < _SMALL_PX else 1 << max(1, (longer // _WORKING_SIDE_PX).bit_length() - 1)


def working_image(rgb: Rgb) -> Image.Image:
    """The picture at its working size, from its (H, W, 3) pixels at full size."""
    image = Image.fromarray(rgb)
    scale = working_scale(image.size)
    return image.reduce(scale) if scale > 1 else image


def pixel_figures(image: Image.Image, grey: Image.Image, full_size_wh: tuple[int, int]) -> Figures:
    """(len(PIXEL_FIGURES),) figures of a picture; NaN where there is nothing to measure.

    Args:
        image: The picture at its working size, mode RGB.
        grey: The same in mode L.
        full_size_wh: Its width and height before it was reduced, in pixels.
    """
    luma = np.asarray(grey)
    values = (*quality_edges.figures(luma), *quality_light.figures(image, luma), *full_size_wh)
    return np.asarray(values, dtype=np.float32)


def difference_hash(grey: Image.Image) -> int:
    """64 bits: which of 9 x 8 neighbouring cells of a picture (mode L) gets lighter to the right.

    Source: the difference hash of N. Krawetz, "Kind of like that", 2013.
    """
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return int.from_bytes(np.packbits((cells[:, 1:] > cells[:, :-1]).ravel()).tobytes(), "big")
