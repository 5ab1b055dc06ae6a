"""What an ONNX file says about itself, read without running it: the files of weights that it names.

An ONNX file may keep weights in other files, by a path that its author wrote. `external_files` reads these paths from
the protocol buffer, so that none outside the model's folder is ever opened. Source of the field numbers: `onnx.proto3`.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from calotype.foundation.os_errors import as_calotype_error
from calotype.models.model import ModelNotRunnable

MAX_MODEL_BYTES = 2_000_000_000
"""The limit of a protocol buffer; also that of all files of weights together."""
_MAX_DEPTH = 40
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {},
}
"""Message -> the fields that lead to external data, and the message that each holds."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on disk: its bytes, and the SHA-256 of them and of its files of weights."""

    path: Path
    data: bytes
    sha256: str
    weights: tuple[Path, ...] = ()


def read_model(path: Path) -> ModelFile:
    """Read a model file, and check the files of weights that it names.

    Raises: PathNotFound, StorageFailed, ModelNotRunnable (not a regular file, too large, weights outside its folder).
    """
    data = _bytes_of(path, path.name)
    digest = hashlib.sha256(data)
    folder = path.resolve().parent
    weights = []
    n_bytes = len(data)
    for location in sorted(set(external_files(data, path.name))):
        place = (folder / location).resolve()
        if Path(location).is_absolute() or not place.is_relative_to(folder):
            hint = "keep the files of weights in the folder of the model, as the exporter wrote them"
            detail = f"its weights are in {location[:200]!r}, outside the folder of the model"
            raise ModelNotRunnable(file=path.name, detail=detail, hint=hint)
        n_bytes += _size_of(place, path.name)
        if n_bytes > MAX_MODEL_BYTES:
            raise _too_large(path.name)
        with place.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        weights.append(place)
    return ModelFile(path, data, digest.hexdigest(), tuple(weights))


def external_files(data: bytes, name: str = "the model") -> Iterator[str]:
    """The locations of weights outside the file, in any of its graphs. Raises: ModelNotRunnable (not an ONNX file)."""
    try:
        yield from _locations(memoryview(data), "model", 0)
    except (IndexError, UnicodeDecodeError):
        raise not_onnx(name) from None


def not_onnx(name: str) -> ModelNotRunnable:
    """The error for bytes that are not an ONNX model."""
    hint = "give a model exported to ONNX; weights of PyTorch or Keras must be exported first"
    return ModelNotRunnable(file=name, detail="it is not an ONNX file", hint=hint)


def _locations(data: memoryview, message: str, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise IndexError
    if message == "entry":
        fields = {number: bytes(value) for number, value in _fields(data)}
        if fields.get(1) == b"location":
            yield fields.get(2, b"").decode("utf-8")
        return
    children = _CHILDREN[message]
    for number, value in _fields(data):
        if number in children:
            yield from _locations(value, children[number], depth + 1)


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each field with a length; others are skipped. Raises: IndexError for a broken buffer."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 2:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise IndexError
            yield key >> 3, data[at : at + length]
            at += length
        elif wire == 0:
            _, at = _varint(data, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise IndexError


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise IndexError


def _bytes_of(path: Path, name: str) -> bytes:
    _size_of(path, name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise as_calotype_error(error) from None


def _size_of(path: Path, name: str) -> int:
    """Bytes of a regular file within the limit; checked before it is read."""
    try:
        facts = path.stat()
    except OSError as error:
        raise as_calotype_error(error) from None
    if not stat.S_ISREG(facts.st_mode):
        raise ModelNotRunnable(
            file=name, detail=f"{path.name} is not a file", hint="give the path of an ONNX file"
        )
    if facts.st_size > MAX_MODEL_BYTES:
        raise _too_large(name)
    return facts.st_size


def _too_large(name: str) -> ModelNotRunnable:
    detail = f"with its weights it is larger than {MAX_MODEL_BYTES:,} bytes"
    return ModelNotRunnable(
        file=name, detail=detail, hint="use a smaller model, or export it in half precision"
    )
