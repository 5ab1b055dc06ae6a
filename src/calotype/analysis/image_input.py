"""Images from outside, for methods that need no workspace: a path, bytes, or pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from calotype.analysis.validation import refuse
from calotype.vision.images import ImageUnreadable, decode_reduced

ImageInput = str | os.PathLike[str] | bytes | npt.NDArray[np.uint8]
MAX_BYTES = 500_000_000


def bytes_of(image: str | os.PathLike[str] | bytes) -> bytes:
    """The bytes of a file, or the bytes given.

    Raises: ImageUnreadable (no such file, a folder, too large, not readable).
    """
    if isinstance(image, bytes):
        return image
    path = Path(image)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageUnreadable(detail=f"it is larger than {MAX_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ImageUnreadable(detail=f"the file cannot be read: {reason}") from error


def rgb_of(image: ImageInput, *, min_side_px: int = 10_000) -> npt.NDArray[np.uint8]:
    """Upright pixels (H, W, 3) uint8; a JPEG may be decoded smaller, with its longer side still `min_side_px` or more.

    Raises: ImageUnreadable, InputsInvalid (an array of another shape).
    """
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            detail = f"an array has shape {image.shape} and type {image.dtype}"
            raise refuse("an image", detail, "give (H, W, 3) uint8, or a path")
        return image
    return decode_reduced(bytes_of(image), min_side_px=min_side_px)


def read_each(
    images: Sequence[ImageInput], *, min_side_px: int = 10_000
) -> Iterator[npt.NDArray[np.uint8] | str]:
    """Pixels of each image, or why it cannot be read.

    Raises: InputsInvalid.
    """
    if isinstance(images, str | bytes):
        raise refuse("paths", "it is one path", "give a list of paths")
    for image in images:
        try:
            yield rgb_of(image, min_side_px=min_side_px)
        except ImageUnreadable as error:
            yield error.message
