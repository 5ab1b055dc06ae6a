"""An embedder that runs a user's ONNX file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.models.model import ModelUnusable, Rgb, Vectors, unit_length
from calotype.models.sessions import runtime, runtime_errors


@dataclass(frozen=True, slots=True)
class Preparation:
    """Preprocessing: resize without keeping the aspect ratio, then (value - mean) / deviation for each channel.

    Values are 0 to 1. The defaults are those of ImageNet, which most published image encoders expect; source:
    torchvision, the transforms of its weights. With `steps`, 256 bytes, the model takes (height, width, 3) uint8
    instead: each pixel value is replaced by its step, and `mean` and `deviation` are not used.
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    size_px: int = 224
    smooth: bool = False
    steps: bytes = b""

    def __call__(self, image: Rgb, size_wh: tuple[int, int]) -> npt.NDArray[Any]:
        """(H, W, 3) uint8 to (3, height, width) float32, or with `steps` to (height, width, 3) uint8."""
        resampling = Image.Resampling.BICUBIC if self.smooth else Image.Resampling.BILINEAR
        small = Image.fromarray(image).resize(size_wh, resampling, reducing_gap=2.0)
        if self.steps:
            return np.frombuffer(self.steps, np.uint8).take(np.asarray(small))
        resized = np.asarray(small, np.float32)
        mean, deviation = (np.asarray(channels, np.float32) for channels in (self.mean, self.deviation))
        return np.ascontiguousarray(((resized / np.float32(255) - mean) / deviation).transpose(2, 0, 1))


def read_preparation(path: Path) -> Preparation:
    """The preprocessing in `model.json` next to `model.onnx`: `mean`, `std`, `size_px`; defaults to ImageNet's.

    Raises: ModelUnusable.
    """
    file = path.with_suffix(".json")
    if not file.is_file():
        return Preparation()
    try:
        settings = msgspec.json.decode(file.read_bytes()[:100_000], type=_ModelFile)
    except (msgspec.DecodeError, OSError) as error:
        raise ModelUnusable(file=file.name, detail=str(error)[:200]) from error
    if min(settings.std) <= 0 or not 8 <= settings.size_px <= 2_048:
        raise ModelUnusable(file=file.name, detail="std must be positive, size_px between 8 and 2048")
    return Preparation(settings.mean, settings.std, settings.size_px)


class _ModelFile(msgspec.Struct, forbid_unknown_fields=True):
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    size_px: int = 224


class OnnxEmbedder:
    """Runs `path` on the CPU in one thread, 16 images at a time. Its name contains the first digits of the file's
    SHA-256, so a new file gets a new name.

    Images are resized to the model's input size, or to the size in `Preparation` if the model has a dynamic one. The
    first output is flattened to one vector per image.
    """

    def __init__(
        self, path: Path, *, batch: int = 16, prepare: Preparation | None = None, name: str = ""
    ) -> None:
        onnxruntime = runtime()
        self._errors = runtime_errors(onnxruntime)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = (
            1  # under load, several threads are slower than one
        )
        options.log_severity_level = 4
        try:
            data = path.read_bytes()
            self._session: Any = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except self._errors as error:
            raise ModelUnusable(file=path.name, detail=str(error)[:200]) from error
        inputs = self._session.get_inputs()
        self._prepare = read_preparation(path) if prepare is None else prepare
        channels = 3 if self._prepare.steps else 1
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[channels] != 3:
            raise ModelUnusable(file=path.name, detail=f"its inputs have shapes {[i.shape for i in inputs]}")
        self._file = path.name
        self._input = inputs[0].name
        sides = inputs[0].shape[1:3] if self._prepare.steps else inputs[0].shape[2:]
        height, width = (s if isinstance(s, int) else self._prepare.size_px for s in sides)
        self._size_wh = (width, height)
        self._fixed = isinstance(inputs[0].shape[0], int)
        self._batch = inputs[0].shape[0] if self._fixed else batch
        self.name = name or f"onnx:{path.stem}:{hashlib.sha256(data).hexdigest()[:12]}"
        blank = self._prepare(np.zeros((1, 1, 3), np.uint8), self._size_wh)
        self.dim = int(self._run(blank[None]).shape[1])

    def embed(self, images: Sequence[Rgb]) -> Vectors:
        """Embed N images, each (H, W, 3) uint8. Returns (N, dim) float32, rows of length 1."""
        outputs = []
        for start in range(0, len(images), self._batch):
            inputs = [self._prepare(image, self._size_wh) for image in images[start : start + self._batch]]
            outputs.append(self._run(np.stack(inputs)))
        return unit_length(np.concatenate(outputs)) if outputs else np.zeros((0, self.dim), np.float32)

    def _run(self, stack: npt.NDArray[Any]) -> Vectors:
        n = len(stack)
        if n < self._batch and self._fixed:
            stack = np.concatenate([stack, np.zeros((self._batch - n, *stack.shape[1:]), stack.dtype)])
        try:
            output = np.asarray(self._session.run(None, {self._input: stack})[0], np.float32)
        except self._errors as error:
            raise ModelUnusable(file=self._file, detail=str(error)[:200]) from error
        if output.ndim < 2 or len(output) != len(stack):
            raise ModelUnusable(file=self._file, detail=f"its first output has shape {output.shape}")
        return output.reshape(len(stack), -1)[:n]
