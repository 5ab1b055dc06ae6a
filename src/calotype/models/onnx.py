"""An embedder from an ONNX file that a user brings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from calotype.models.model import ModelUnusable, OnnxRuntimeMissing, Rgb, Vectors, unit_length


@dataclass(frozen=True, slots=True)
class Preparation:
    """How an image becomes a network's input: stretched to a size, then (value - mean) / deviation of each channel.

    Values are 0 to 1. The default is ImageNet's, as most published image encoders expect; source: torchvision, the
    transforms of its weights.
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    size_px: int = 224
    smooth: bool = False

    def __call__(self, images: Sequence[Rgb], size_wh: tuple[int, int]) -> Vectors:
        """(N, 3, height, width) float32 of N images, each (H, W, 3) uint8."""
        how = Image.Resampling.BICUBIC if self.smooth else Image.Resampling.BILINEAR
        mean, deviation = (np.asarray(three, np.float32)[:, None] for three in (self.mean, self.deviation))
        values = (np.arange(256, dtype=np.float32) / np.float32(255) - mean) / deviation
        prepared = np.empty((len(images), 3, size_wh[1], size_wh[0]), np.float32)
        for image, channels in zip(images, prepared, strict=True):
            small = np.asarray(Image.fromarray(image).resize(size_wh, how, reducing_gap=2.0))
            for number, channel in enumerate(channels):
                np.take(values[number], small[:, :, number], out=channel, mode="clip")
        return prepared


def beside(path: Path) -> Preparation:
    """The preparation that `model.json` beside `model.onnx` asks for: `mean`, `std`, `size_px`; ImageNet's without one.

    Raises: ModelUnusable.
    """
    file = path.with_suffix(".json")
    if not file.is_file():
        return Preparation()
    try:
        asked = msgspec.json.decode(file.read_bytes()[:100_000], type=_Asked)
    except (msgspec.DecodeError, OSError) as error:
        raise ModelUnusable(file=file.name, detail=str(error)[:200]) from error
    if min(asked.std) <= 0 or not 8 <= asked.size_px <= 2_048:
        raise ModelUnusable(file=file.name, detail="std has to be above 0, size_px 8 to 2048")
    return Preparation(asked.mean, asked.std, asked.size_px)


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    size_px: int = 224


class OnnxEmbedder:
    """Runs `path` on the processor, one thread and 16 images at a time. Its name holds the first digits of the file's
    SHA-256, so a new file is a new name.

    Images are stretched to the model's input, or to the preparation's size where the file leaves it open; the first
    output is flattened to one vector an image.
    """

    def __init__(
        self, path: Path, *, batch: int = 16, prepare: Preparation | None = None, name: str = ""
    ) -> None:
        try:
            import onnxruntime  # optional and heavy
        except ModuleNotFoundError:
            raise OnnxRuntimeMissing() from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = (
            1  # several under load are slower than one
        )
        options.log_severity_level = 4
        try:
            data = path.read_bytes()
            self._session: Any = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelUnusable(file=path.name, detail=str(error)[:200]) from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3:
            raise ModelUnusable(file=path.name, detail=f"its inputs are {[i.shape for i in inputs]}")
        self._file = path.name
        self._prepare = beside(path) if prepare is None else prepare
        self._input = inputs[0].name
        height, width = (s if isinstance(s, int) else self._prepare.size_px for s in inputs[0].shape[2:])
        self._size_wh = (width, height)
        self._fixed = isinstance(inputs[0].shape[0], int)
        self._batch = inputs[0].shape[0] if self._fixed else batch
        self.name = name or f"onnx:{path.stem}:{hashlib.sha256(data).hexdigest()[:12]}"
        self.dim = int(self._run(np.zeros((1, 3, height, width), np.float32)).shape[1])

    def embed(self, images: Sequence[Rgb]) -> Vectors:
        """Vectors (N, dim) float32 of length 1 for N images, each (H, W, 3) uint8."""
        parts = []
        for at in range(0, len(images), self._batch):
            parts.append(self._run(self._prepare(images[at : at + self._batch], self._size_wh)))
        return unit_length(np.concatenate(parts)) if parts else np.zeros((0, self.dim), np.float32)

    def _run(self, stack: Vectors) -> Vectors:
        n = len(stack)
        if n < self._batch and self._fixed:
            stack = np.concatenate([stack, np.zeros((self._batch - n, *stack.shape[1:]), np.float32)])
        try:
            output = np.asarray(self._session.run(None, {self._input: stack})[0], np.float32)
        except (RuntimeError, ValueError) as error:
            raise ModelUnusable(file=self._file, detail=str(error)[:200]) from error
        if output.ndim < 2 or len(output) != len(stack):
            raise ModelUnusable(file=self._file, detail=f"its first output has the shape {output.shape}")
        return output.reshape(len(stack), -1)[:n]
