"""ONNX models in onnxruntime: opened within limits, run on the CPU, with errors of ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.models.graph import ModelFile
from calotype.models.model import ModelNotRunnable, OnnxRuntimeMissing

MAX_OUTPUT_VALUES = 100_000_000
"""Numbers that a model may answer at once, 400 MB."""
_MAX_THREADS = 4
_HINT = "check that the model runs with `onnxruntime` on the CPU; export it again if it does not"

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a model. Sides of the shape that are not fixed are None; `type` as `tensor(float)`."""

    name: str
    shape: Shape
    type: str

    def __str__(self) -> str:
        return f"{self.name} {shown(self.shape)}"


def shown(shape: Sequence[int | None]) -> str:
    """A shape for people: `[1, 3, ?, ?]`."""
    return "[" + ", ".join("?" if side is None else str(side) for side in shape) + "]"


def runtime() -> Any:
    """The library. Raises: OnnxRuntimeMissing."""
    try:
        import onnxruntime  # optional and large
    except ModuleNotFoundError:
        raise OnnxRuntimeMissing() from None
    return onnxruntime


def runtime_errors(library: Any) -> tuple[type[Exception], ...]:
    """What the library raises: its own errors have no common base besides `Exception`."""
    state = library.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError, TypeError, OSError)


class OnnxSession:
    """A model that is ready to run, with its inputs, outputs and metadata."""

    def __init__(self, model: ModelFile, *, threads: int = 0) -> None:
        """Raises: OnnxRuntimeMissing, ModelNotRunnable."""
        library = runtime()
        self._errors = runtime_errors(library)
        self.file = model.path.name
        options = library.SessionOptions()
        options.intra_op_num_threads = threads or min(_MAX_THREADS, os.cpu_count() or 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # waiting threads burn CPU time
        source: Any = str(model.path.resolve()) if model.weights else model.data
        try:
            self._session = library.InferenceSession(source, options, providers=["CPUExecutionProvider"])
            self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        except self._errors as error:
            raise self._failed(error) from error
        self.inputs = [_port(port) for port in self._session.get_inputs()]
        self.outputs = [_port(port) for port in self._session.get_outputs()]
        for port in self.outputs:
            n_values = np.prod([side or 1 for side in port.shape], dtype=np.float64)
            if n_values > MAX_OUTPUT_VALUES:
                raise self._too_much(port.name, int(n_values))

    def run(
        self, stack: npt.NDArray[Any], names: Sequence[str] | None = None
    ) -> list[npt.NDArray[np.float32]]:
        """The outputs of these names, or all, as float32. Raises: ModelNotRunnable."""
        try:
            values = self._session.run(None if names is None else list(names), {self.inputs[0].name: stack})
            answers = [np.asarray(value, np.float32) for value in values]
        except self._errors as error:
            raise self._failed(error) from error
        for name, answer in zip(names or [port.name for port in self.outputs], answers, strict=True):
            if answer.size > MAX_OUTPUT_VALUES:
                raise self._too_much(name, answer.size)
        return answers

    def _failed(self, error: Exception) -> ModelNotRunnable:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return ModelNotRunnable(file=self.file, detail=lines[0][:300], hint=_HINT)

    def _too_much(self, name: str, n_values: int) -> ModelNotRunnable:
        detail = f"its output {name[:80]!r} has {n_values:,} numbers, more than {MAX_OUTPUT_VALUES:,}"
        return ModelNotRunnable(file=self.file, detail=detail, hint="export it for smaller images")


def _port(port: Any) -> Port:
    return Port(port.name, tuple(side if isinstance(side, int) else None for side in port.shape), port.type)
