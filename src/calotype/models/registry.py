"""The embedders by name: an explicit list, and model files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calotype.models.model import Embedder, EmbedderUnknown, Rgb, Vectors, unit_length
from calotype.models.onnx import OnnxEmbedder
from calotype.vision.descriptors import DIMENSIONS, hog_colour

HOG_COLOUR = "hog-colour-v1"
"""The default: gradients and colours, computed without any learned weights. It sees layout and light, not
meaning.
"""


@dataclass(frozen=True, slots=True)
class HogColour:
    """Histograms of oriented gradients and of colour (`vision.descriptors`)."""

    name: str = HOG_COLOUR
    dim: int = DIMENSIONS

    def embed(self, images: Sequence[Rgb]) -> Vectors:
        """Vectors (N, dim) float32 of length 1 for N images, each (H, W, 3) uint8."""
        if not images:
            return np.zeros((0, self.dim), np.float32)
        return unit_length(np.stack([hog_colour(image) for image in images]).astype(np.float32))


EMBEDDERS: dict[str, Callable[[], Embedder]] = {HOG_COLOUR: HogColour}


def embedder(name: str) -> Embedder:
    """The embedder of a name, or of a model file (a path that ends in `.onnx`).

    Raises: EmbedderUnknown, OnnxRuntimeMissing, ModelUnusable.
    """
    if name in EMBEDDERS:
        return EMBEDDERS[name]()
    if name.endswith(".onnx"):
        return OnnxEmbedder(Path(name))
    raise EmbedderUnknown(got=name[:120], known=", ".join(EMBEDDERS))
