"""Embedders by name: the built-in ones, and model files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calotype.models import lite0
from calotype.models.model import Embedder, EmbedderUnknown, Rgb, Vectors, unit_length
from calotype.models.onnx import OnnxEmbedder, Preparation
from calotype.vision.descriptors import DIMENSIONS, hog_colour_v1, hog_colours

HOG_COLOUR = "hog-colour-v2"
"""Gradients and colours, without learned weights. Captures layout and light, not
content.
"""
HOG_COLOUR_V1 = "hog-colour-v1"
"""The version before it: four times the work for vectors of equal use. For workspaces that hold its vectors."""


@dataclass(frozen=True, slots=True)
class HogColour:
    """Histograms of oriented gradients and of colour (`vision.descriptors`)."""

    name: str = HOG_COLOUR
    dim: int = DIMENSIONS

    def embed(self, images: Sequence[Rgb]) -> Vectors:
        """Embed N images, each (H, W, 3) uint8. Returns (N, dim) float32, rows of length 1."""
        if not images:
            return np.zeros((0, self.dim), np.float32)
        if self.name == HOG_COLOUR:
            return unit_length(hog_colours(images))
        return unit_length(np.stack([hog_colour_v1(image) for image in images]))


def _lite0() -> Embedder:
    """EfficientNet-Lite0 with 8-bit weights, from the extra `embed`."""
    if not lite0.is_installed():
        raise lite0.EmbedExtraMissing(name=lite0.NAME)
    prepare = Preparation(size_px=lite0.SIDE_PX, smooth=True, steps=lite0.input_steps().tobytes())
    return OnnxEmbedder(lite0.cached_model_file(), prepare=prepare, name=lite0.NAME)


DEFAULT = "default"
"""The best one installed: the network of the extra `embed`, otherwise the one without weights."""
_ALIASES = {"lite0": lite0.NAME, "hog-colour": HOG_COLOUR}
EMBEDDERS: dict[str, Callable[[], Embedder]] = {
    HOG_COLOUR: HogColour,
    HOG_COLOUR_V1: lambda: HogColour(HOG_COLOUR_V1),
    lite0.NAME: _lite0,
}


def embedder(name: str = DEFAULT) -> Embedder:
    """An embedder by name (`default`, `lite0`, `hog-colour`) or by the path of an `.onnx` file.

    Raises: EmbedderUnknown, EmbedExtraMissing, OnnxRuntimeMissing, ModelUnusable.
    """
    resolved = full_name(name)
    if resolved in EMBEDDERS:
        return EMBEDDERS[resolved]()
    if name.endswith(".onnx"):
        return OnnxEmbedder(Path(name))
    raise EmbedderUnknown(got=name[:120], known=", ".join([DEFAULT, *EMBEDDERS]))


def full_name(name: str) -> str:
    """Resolve an alias to the name stored with vectors. A model file gets its full name only when it is loaded."""
    if name == DEFAULT:
        return lite0.NAME if lite0.is_installed() else HOG_COLOUR
    return _ALIASES.get(name, name)
