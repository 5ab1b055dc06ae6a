"""Images whose pixels are numbers: of classes or of objects, in a palette or in one channel."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.vision.images import ImageUnreadable, probe

_KEPT_MODES = frozenset({"P", "L", "I", "I;16"})
_ERRORS = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def decode_numbers(data: bytes) -> npt.NDArray[np.int64]:
    """(H, W) numbers of the pixels: the index of a palette, the level of one channel, or R + 256 G + 65536 B.

    Raises: ImageUnreadable.
    """
    facts = probe(data)
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if facts.mode == "1":
                return np.asarray(image, dtype=np.int64)
            if facts.mode in _KEPT_MODES:
                return np.asarray(image).astype(np.int64)
            rgb = np.asarray(image.convert("RGB")).astype(np.int64)
    except _ERRORS as error:
        raise ImageUnreadable(detail=str(error)[:100] or type(error).__name__) from None
    return rgb[..., 0] + 256 * rgb[..., 1] + 65_536 * rgb[..., 2]


def is_coloured(data: bytes) -> bool:
    """Whether `decode_numbers` gives colours, because the image has three channels. Raises: ImageUnreadable."""
    return probe(data).mode not in {*_KEPT_MODES, "1"}


def encode_palette(numbers: npt.NDArray[np.uint8], colours: npt.NDArray[np.uint8]) -> bytes:
    """A PNG with a palette.

    Args:
        numbers: (H, W) indexes into the palette.
        colours: (256, 3) RGB.
    """
    image = Image.fromarray(np.ascontiguousarray(numbers))
    image.putpalette(colours.reshape(-1).tolist())
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=False)
    return out.getvalue()
