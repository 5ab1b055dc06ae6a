"""Vectors of image files: similar images are close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from calotype.analysis.image_input import ImageInput, rgb_of
from calotype.foundation.errors import Invalid
from calotype.models.model import Embedder
from calotype.models.registry import embedder
from calotype.vision.images import ImageUnreadable

_BATCH = 64
_SIDE_PX = 200
"""JPEGs are decoded at a fraction of their size, down to this side; networks see less."""


class ImageNotEmbeddable(Invalid):
    """An image of a list that cannot be read."""

    code = "image-not-embeddable"
    what = "image {position} of the list ({name}) cannot be embedded: {detail}"
    fix = "leave it out; `calotype.checks.image_quality` lists all that cannot be read"


def embed(paths: Sequence[ImageInput], model: str = "default") -> npt.NDArray[np.float32]:
    """(N, D) float32 rows of length 1, one per image.

    Args:
        paths: Paths, bytes, or arrays: (H, W, 3) or grey (H, W), uint8 or floats from 0 to 1.
        model: "default" is EfficientNet-Lite0 where `calotype[embed]` is installed, else the descriptor without
            weights; "lite0" and "hog-colour" name them; a path that ends in `.onnx` is a model of your own.
    Raises: ImageNotEmbeddable, EmbedderUnknown, EmbedExtraMissing, ModelUnusable.
    """
    maker = _maker(model)
    parts = [maker.embed(batch) for batch in _batches(paths)]
    return np.concatenate(parts) if parts else np.zeros((0, maker.dim), np.float32)


@lru_cache(maxsize=4)
def _maker(model: str) -> Embedder:
    return embedder(model)


def _batches(paths: Sequence[ImageInput]) -> Iterator[list[npt.NDArray[np.uint8]]]:
    batch = []
    for position, image in enumerate(paths):
        try:
            batch.append(rgb_of(image, min_side_px=_SIDE_PX))
        except ImageUnreadable as error:
            name = "bytes" if isinstance(image, bytes | np.ndarray) else str(image)
            raise ImageNotEmbeddable(position=position, name=name[-120:], detail=error.message) from error
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
