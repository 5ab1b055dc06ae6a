"""An embedder from an ONNX file that a user brings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calotype.models.model import ModelUnusable, OnnxRuntimeMissing, Rgb, Vectors, unit_length

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""Of ImageNet, as most published image encoders expect. Source: torchvision, the transforms of its weights.
"""


class OnnxEmbedder:
    """Runs `path` on the processor. Its name holds the first digits of the file's SHA-256, so a new file is a
    new name.

    Images are resized to the model's input (bilinear, 224 x 224 px where the file leaves it open), scaled to
    0 to 1 and normalised by ImageNet's mean and deviation; the first output is flattened to one vector an
    image.
    """

    def __init__(self, path: Path, *, batch: int = 16) -> None:
        try:
            import onnxruntime  # optional and heavy
        except ModuleNotFoundError:
            raise OnnxRuntimeMissing() from None
        try:
            data = path.read_bytes()
            self._session: Any = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelUnusable(file=path.name, detail=str(error)[:200]) from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3:
            raise ModelUnusable(file=path.name, detail=f"its inputs are {[i.shape for i in inputs]}")
        self._input = inputs[0].name
        height, width = (side if isinstance(side, int) else 224 for side in inputs[0].shape[2:])
        self._size_wh = (width, height)
        self._batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else batch
        self.name = f"onnx:{path.stem}:{hashlib.sha256(data).hexdigest()[:12]}"
        self.dim = int(self._run(np.zeros((1, 3, height, width), np.float32)).shape[1])

    def embed(self, images: Sequence[Rgb]) -> Vectors:
        """Vectors (N, dim) float32 of length 1 for N images, each (H, W, 3) uint8."""
        parts = [self._run(np.stack([self._prepared(image) for image in images[at : at + self._batch]]))
                 for at in range(0, len(images), self._batch)]  # fmt: skip
        return unit_length(np.concatenate(parts)) if parts else np.zeros((0, self.dim), np.float32)

    def _prepared(self, image: Rgb) -> Vectors:
        small = np.asarray(
            Image.fromarray(image).resize(self._size_wh, Image.Resampling.BILINEAR), np.float32
        )
        return np.ascontiguousarray(((small / np.float32(255) - MEAN) / DEVIATION).transpose(2, 0, 1))

    def _run(self, stack: Vectors) -> Vectors:
        n = len(stack)
        if n < self._batch and isinstance(self._session.get_inputs()[0].shape[0], int):
            stack = np.concatenate([stack, np.zeros((self._batch - n, *stack.shape[1:]), np.float32)])
        output = np.asarray(self._session.run(None, {self._input: stack})[0], np.float32)
        return output.reshape(len(stack), -1)[:n]
