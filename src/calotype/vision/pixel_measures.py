"""What is measured of every image: a function of its bytes and decoded pixels, and the form of the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.vision import images, pixel_facts
from calotype.vision.looks.look import LOOK_BYTES, look
from calotype.vision.quality import files, measures

Form = tuple[Callable[[bytes, images.Upright], npt.NDArray[Any]], type[np.generic], tuple[int, ...]]
"""How to compute a value, its type and its shape."""

FIGURES = "figures-v4"
"""Of the pixels, in the order of `vision.quality.measures.METRICS`."""
FILE_FIGURES = "file-v2"
"""Of the file rather than its pixels, in the order of `vision.quality.files.FILE_FIGURES`."""
LOOK = "look-v2"
"""Of `vision.looks.look`."""
_SIDE = pixel_facts.THUMB_SIDE_PX

OF_PIXELS: dict[str, Form] = {
    "pixel-sha256": (lambda _, upright: pixel_facts.pixel_sha256(upright.rgb), np.uint8, (32,)),
    "dhash64": (lambda _, upright: pixel_facts.dhash64(upright.grey), np.uint64, ()),
    "thumb32": (lambda _, upright: pixel_facts.thumb32(upright.grey), np.uint8, (_SIDE, _SIDE)),
    LOOK: (lambda _, upright: look(upright.rgb, upright.reduced), np.uint8, (LOOK_BYTES,)),
    FIGURES: (files.pixel_part, np.float32, (len(measures.METRICS),)),
    FILE_FIGURES: (files.file_part, np.float32, (len(files.FILE_FIGURES),)),
}
"""One decode of an image is enough for all of them."""
