"""Images from outside, for methods that need no workspace: a path, bytes, or pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.validation import InputsInvalid, refuse
from calotype.vision.images import ImageUnreadable, decode_reduced

ImageInput = str | os.PathLike[str] | bytes | npt.NDArray[Any]
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

    An array is (H, W, 3), or grey (H, W) or (H, W, 1): uint8, or floats or booleans from 0 to 1.

    Raises: ImageUnreadable, InputsInvalid (an array of another shape, type or range).
    """
    if isinstance(image, np.ndarray):
        return _pixels(image)
    return decode_reduced(bytes_of(image), min_side_px=min_side_px)


def _pixels(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    shaped = image[:, :, None] if image.ndim == 2 else image
    if shaped.ndim != 3 or shaped.shape[2] not in (1, 3) or not shaped.size:
        raise _not_an_image(f"an array has shape {image.shape}")
    if image.dtype.kind in "fb":
        values = shaped.astype(np.float32)
        if not ((values >= 0) & (values <= 1)).all():
            raise _not_an_image("an array of floats has values that are not from 0 to 1")
        shaped = np.rint(values * 255).astype(np.uint8)
    if shaped.dtype != np.uint8:
        raise _not_an_image(f"an array has type {image.dtype}")
    return shaped if shaped.shape[2] == 3 else np.repeat(shaped, 3, axis=2)


def _not_an_image(detail: str) -> InputsInvalid:
    return refuse("an image", detail, "give (H, W, 3) or (H, W), uint8 or floats from 0 to 1; or a path")


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
