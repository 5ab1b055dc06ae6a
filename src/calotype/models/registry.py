"""The embedders by name: an explicit list, and model files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calotype.models import lite0
from calotype.models.model import Embedder, EmbedderUnknown, Rgb, Vectors, unit_length
from calotype.models.onnx import OnnxEmbedder, Preparation
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


def _lite0() -> Embedder:
    """EfficientNet-Lite0 in 8-bit numbers, of the extra `embed`."""
    if not lite0.is_installed():
        raise lite0.EmbedExtraMissing(name=lite0.NAME)
    mean, deviation = lite0.MEAN / 255, lite0.DEVIATION / 255
    prepare = Preparation((mean,) * 3, (deviation,) * 3, lite0.SIDE_PX, smooth=True)
    return OnnxEmbedder(lite0.model_file(), prepare=prepare, name=lite0.NAME)


DEFAULT = "default"
"""The best that is installed: the network of the extra `embed`, else the one without weights."""
_SHORT = {"lite0": lite0.NAME, "hog-colour": HOG_COLOUR}
EMBEDDERS: dict[str, Callable[[], Embedder]] = {HOG_COLOUR: HogColour, lite0.NAME: _lite0}


def embedder(name: str = DEFAULT) -> Embedder:
    """The embedder of a name (`default`, `lite0`, `hog-colour-v1`), or of a model file (a path that ends in `.onnx`).

    Raises: EmbedderUnknown, EmbedExtraMissing, OnnxRuntimeMissing, ModelUnusable.
    """
    whole = full_name(name)
    if whole in EMBEDDERS:
        return EMBEDDERS[whole]()
    if name.endswith(".onnx"):
        return OnnxEmbedder(Path(name))
    raise EmbedderUnknown(got=name[:120], known=", ".join([DEFAULT, *EMBEDDERS]))


def full_name(name: str) -> str:
    """The name under which vectors are kept, of a short one; a model file's name is known only once it is read."""
    if name == DEFAULT:
        return lite0.NAME if lite0.is_installed() else HOG_COLOUR
    return _SHORT.get(name, name)
