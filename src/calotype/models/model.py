"""The interface of an embedder, and the errors of this room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from calotype.foundation.errors import External, Invalid, NotFound

Rgb = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


class EmbedderUnknown(NotFound):
    """There is no embedder of this name."""

    code = "embedder-unknown"
    what = "there is no embedder {got!r}"
    fix = "use one of: {known}; or give the path of a model file that ends in .onnx"


class ModelUnusable(Invalid):
    """A model file that does not map an image to one vector."""

    code = "model-unusable"
    what = "{file} cannot be used to embed images: {detail}"
    fix = "use an ONNX model with one float32 input (batch, 3, height, width) and a first output (batch, numbers)"


class OnnxRuntimeMissing(External):
    """The library that runs ONNX models is not installed."""

    code = "onnx-runtime-missing"
    what = "ONNX models need onnxruntime, which is not installed"
    fix = "install it with `pip install onnxruntime`"


class ModelNotRunnable(Invalid):
    """A model file that cannot be loaded or run."""

    code = "model-not-runnable"
    what = "{file} cannot be run: {detail}"
    fix = "{hint}"


class ModelDescriptionInvalid(Invalid):
    """A description that cannot be parsed, or that does not fit its model."""

    code = "model-description-invalid"
    what = "the description does not fit the model: {detail}"
    fix = "{hint}"


class Embedder(Protocol):
    """Maps images to vectors; similar images get vectors that are close together.

    `name` identifies the model and its version, and is stored with the vectors; `dim` is their length.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def embed(self, images: Sequence[Rgb]) -> Vectors:
        """Embed N upright images, each (H, W, 3) uint8. Returns (N, dim) float32, rows of length 1 or all zero."""
        ...


def unit_length(vectors: Vectors) -> Vectors:
    """Scale rows to length 1; rows of zeros are unchanged."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return np.ascontiguousarray(scaled, dtype=np.float32)
