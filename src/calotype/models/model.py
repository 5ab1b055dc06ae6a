"""What an embedder promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from calotype.foundation.errors import External, Invalid, NotFound

Rgb = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


class EmbedderUnknown(NotFound):
    """No embedder of this name."""

    code = "embedder-unknown"
    what = "no embedder is called {got!r}"
    fix = "use one of: {known}; or give the path of a model file that ends in .onnx"


class ModelUnusable(Invalid):
    """A model file that does not turn an image into one vector."""

    code = "model-unusable"
    what = "{file} cannot be used to embed images: {detail}"
    fix = "give an ONNX model with one float32 input (batch, 3, height, width) whose first output is (batch, numbers)"


class OnnxRuntimeMissing(External):
    """The library that runs ONNX models is not installed."""

    code = "onnx-runtime-missing"
    what = "ONNX models need onnxruntime, which is not installed"
    fix = "install it beside calotype: `pip install onnxruntime`"


class Embedder(Protocol):
    """Turns images into vectors that lie close together when the images look alike.

    `name` says which model and version, and names the vectors wherever they are kept; `dim` is their length.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def embed(self, images: Sequence[Rgb]) -> Vectors:
        """Vectors (N, dim) float32 of length 1 (or all zero) for N images, each (H, W, 3) uint8, upright."""
        ...


def unit_length(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a row of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return np.ascontiguousarray(scaled, dtype=np.float32)
