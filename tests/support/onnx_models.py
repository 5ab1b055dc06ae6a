"""ONNX models built by the tests: their answers are known exactly, or follow from the colours of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 17, 9
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def constant_model(
    path: Path,
    outputs: Mapping[str, Any],
    *,
    shape: Sequence[int | str] = (1, 3, 64, 64),
    type: int = TensorProto.FLOAT,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A model that answers these arrays for every image: each has an axis of images if the input has one.

    Integer arrays are answered as they are; other arrays follow the number of images.
    """
    nodes, ports, weights = [helper.make_node("Cast", ["images"], ["values"], to=TensorProto.FLOAT)], [], []
    batched = len(shape) == 4
    axes = list(range(1, 4)) if batched else [0, 1, 2]
    nodes.append(helper.make_node("ReduceMean", ["values"], ["mean"], axes=axes, keepdims=0))
    weights.append(numpy_helper.from_array(np.zeros(1, np.float32), "nothing"))
    nodes.append(helper.make_node("Mul", ["mean", "nothing"], ["zero"]))
    for name, value in outputs.items():
        array = np.asarray(value)
        weights.append(numpy_helper.from_array(array.astype(np.float32), f"{name}.fixed"))
        sides = [1] * (array.ndim - 1) if batched else []
        weights.append(numpy_helper.from_array(np.array([-1, *sides], np.int64), f"{name}.sides"))
        nodes.append(helper.make_node("Reshape", ["zero", f"{name}.sides"], [f"{name}.zero"]))
        nodes.append(helper.make_node("Add", [f"{name}.fixed", f"{name}.zero"], [f"{name}.sum"]))
        whole = np.issubdtype(array.dtype, np.integer)
        to = TensorProto.INT64 if whole else TensorProto.FLOAT
        nodes.append(helper.make_node("Cast", [f"{name}.sum"], [name], to=to))
        first = ["n"] if batched and not isinstance(shape[0], int) else list(array.shape[:1])
        ports.append(helper.make_tensor_value_info(name, to, [*first, *array.shape[1:]]))
    image = helper.make_tensor_value_info("images", type, list(shape))
    return _save(path, helper.make_graph(nodes, "constant", [image], ports, weights), metadata)


def colour_detector(
    path: Path,
    *,
    size: int | None = 96,
    batch: int | str = "n",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A detector in the style of yolo-v8 for one bright red, green and blue box on a dark image, exact to a pixel.

    The box of a class is where its channel is above 0.6; its score is the highest value of that channel. Output:
    (n, 4 + 3, 3), the boxes as centre and size.
    """
    weights: dict[str, Any] = {
        "level": np.array(0.6, np.float32),
        "one": np.array(1, np.float32),
        "half": np.array(0.5, np.float32),
        "identity": np.eye(3, dtype=np.float32)[None],
        "axis1": np.array([1], np.int64),
    }
    nodes = []
    for name, axis in (("x", 2), ("y", 3)):
        nodes += [
            helper.make_node("ReduceMax", ["images"], [f"{name}max"], axes=[axis], keepdims=0),
            helper.make_node("Greater", [f"{name}max", "level"], [f"{name}hit"]),
            helper.make_node("Cast", [f"{name}hit"], [f"{name}ones"], to=TensorProto.FLOAT),
            helper.make_node("ArgMax", [f"{name}ones"], [f"{name}first"], axis=2, keepdims=0),
            helper.make_node(
                "ArgMax", [f"{name}ones"], [f"{name}last"], axis=2, keepdims=0, select_last_index=1
            ),
            helper.make_node("Cast", [f"{name}first"], [f"{name}1"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [f"{name}last"], [f"{name}0"], to=TensorProto.FLOAT),
            helper.make_node("Add", [f"{name}0", "one"], [f"{name}2"]),
            helper.make_node("Add", [f"{name}1", f"{name}2"], [f"{name}sum"]),
            helper.make_node("Mul", [f"{name}sum", "half"], [f"{name}centre"]),
            helper.make_node("Sub", [f"{name}2", f"{name}1"], [f"{name}size"]),
        ]
    rows = ["xcentre", "ycentre", "xsize", "ysize"]
    nodes += [helper.make_node("Unsqueeze", [row, "axis1"], [f"{row}row"]) for row in rows]
    nodes += [
        helper.make_node("ReduceMax", ["images"], ["peak"], axes=[2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["peak", "axis1"], ["peakrow"]),
        helper.make_node("Mul", ["peakrow", "identity"], ["scores"]),
        helper.make_node("Concat", [*(f"{row}row" for row in rows), "scores"], ["output0"], axis=1),
    ]
    image = helper.make_tensor_value_info(
        "images", TensorProto.FLOAT, [batch, 3, size or "height", size or "width"]
    )
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [batch, 7, 3])
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    return _save(path, helper.make_graph(nodes, "colours", [image], [output], tensors), metadata)


def ultralytics_metadata(names: Mapping[int, str], *, task: str = "detect", size: int = 96) -> dict[str, str]:
    """What that exporter writes into a model."""
    return {
        "author": "Ultralytics",
        "task": task,
        "imgsz": str([size, size]),
        "names": str(dict(names)),
    }


def _save(path: Path, graph: Any, metadata: Mapping[str, str] | None) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model)
    helper.set_model_props(model, dict(metadata or {}))
    path.write_bytes(model.SerializeToString())
    return path
