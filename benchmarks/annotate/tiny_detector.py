"""A tiny detector of drawn shapes, trained on the CPU in two minutes, and written as ONNX in the style yolo-v8.

Six convolutions, one box and three classes for each cell of a grid. The images are drawn by code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw
from torch import nn

SIDE_PX, STRIDE_PX = 96, 8
CELLS = SIDE_PX // STRIDE_PX
NAMES = ("circle", "square", "triangle")
_CHANNELS = (3, 16, 32, 48, 64, 64)
_STRIDES = (2, 2, 2, 1, 1)
_DILATIONS = (1, 1, 1, 2, 2)


def draw(rng: np.random.Generator) -> tuple[Image.Image, list[tuple[int, tuple[float, ...]]]]:
    """An image of any size with 1 to 4 shapes on a noisy ground, and class and corners of each."""
    width, height = (int(side) for side in rng.integers(120, 360, 2))
    ground = rng.integers(70, 140, (height // 12 + 1, width // 12 + 1, 3), dtype=np.uint8)
    image = Image.fromarray(ground).resize((width, height), Image.Resampling.BICUBIC)
    pen, shapes = ImageDraw.Draw(image), list[tuple[int, tuple[float, ...]]]()
    for _ in range(int(rng.integers(1, 5))):
        size = int(rng.integers(min(width, height) // 6, min(width, height) // 2))
        x, y = int(rng.integers(0, width - size)), int(rng.integers(0, height - size))
        box = (x, y, x + size, y + size)
        if any(
            min(box[2], b[2]) > max(box[0], b[0]) and min(box[3], b[3]) > max(box[1], b[1]) for _, b in shapes
        ):
            continue
        kind, colour = int(rng.integers(3)), tuple(int(value) for value in rng.choice([0, 40, 210, 255], 3))
        outline = (255 - colour[0], 255 - colour[1], 255 - colour[2])
        if kind == 0:
            pen.ellipse(box, fill=colour, outline=outline, width=3)
        elif kind == 1:
            pen.rectangle(box, fill=colour, outline=outline, width=3)
        else:
            corners = [(x + size / 2, y), (x + size, y + size), (x, y + size)]
            pen.polygon(corners, fill=colour, outline=outline, width=3)
        shapes.append((kind, tuple(float(side) for side in box)))
    return image, shapes


def letterboxed(image: Image.Image) -> tuple[np.ndarray, tuple[float, float, float]]:
    """(3, side, side) float32 in [0, 1] with grey bars, and scale, left and top."""
    scale = min(SIDE_PX / image.width, SIDE_PX / image.height)
    wide, high = round(image.width * scale), round(image.height * scale)
    left, top = (SIDE_PX - wide) // 2, (SIDE_PX - high) // 2
    canvas = Image.new("RGB", (SIDE_PX, SIDE_PX), (114, 114, 114))
    canvas.paste(image.resize((wide, high), Image.Resampling.BILINEAR), (left, top))
    return np.asarray(canvas, np.float32).transpose(2, 0, 1) / 255, (scale, left, top)


class Net(nn.Module):
    """The layers; answers (n, 4 + classes, cells, cells) before the activations."""

    def __init__(self) -> None:
        super().__init__()
        layers = zip(_CHANNELS[:-1], _CHANNELS[1:], _STRIDES, _DILATIONS, strict=True)
        self.body = nn.ModuleList(
            nn.Conv2d(a, b, 3, step, wide, wide, bias=False) for a, b, step, wide in layers
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in _CHANNELS[1:])
        self.head = nn.Conv2d(_CHANNELS[-1], 4 + len(NAMES), 1)
        nn.init.constant_(self.head.bias[4:], -3.0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Offsets and log sizes of boxes, and logits of classes, for each cell."""
        for layer, norm in zip(self.body, self.norms, strict=True):
            images = torch.relu(norm(layer(images)))
        return self.head(images)


def targets(shapes: Any, place: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """(4, cells, cells) boxes and (classes, cells, cells) ones where the middle of a shape is, or next to it."""
    scale, left, top = place
    boxes = np.zeros((4, CELLS, CELLS), np.float32)
    ones = np.zeros((len(NAMES), CELLS, CELLS), np.float32)
    for kind, (x1, y1, x2, y2) in shapes:
        cx, cy = (x1 + x2) / 2 * scale + left, (y1 + y2) / 2 * scale + top
        wide, high = (x2 - x1) * scale, (y2 - y1) * scale
        for row in range(CELLS):
            for column in range(CELLS):
                dx, dy = cx / STRIDE_PX - column - 0.5, cy / STRIDE_PX - row - 0.5
                if abs(dx) <= 0.8 and abs(dy) <= 0.8:
                    boxes[:, row, column] = dx, dy, np.log(wide / STRIDE_PX), np.log(high / STRIDE_PX)
                    ones[:, row, column] = 0
                    ones[kind, row, column] = 1
    return boxes, ones


def train(n: int = 2_000, epochs: int = 10, seed: int = 0) -> Net:
    """A trained net; the same each time on one machine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    images = np.zeros((n, 3, SIDE_PX, SIDE_PX), np.float32)
    boxes = np.zeros((n, 4, CELLS, CELLS), np.float32)
    ones = np.zeros((n, len(NAMES), CELLS, CELLS), np.float32)
    for at in range(n):
        image, shapes = draw(rng)
        images[at], place = letterboxed(image)
        boxes[at], ones[at] = targets(shapes, place)
    net = Net()
    steps = epochs * (n // 32)
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps)
    for _ in range(epochs):
        order = rng.permutation(n)[: n // 32 * 32].reshape(-1, 32)
        for rows in order:
            answer = net(torch.from_numpy(images[rows]))
            wanted, classes = torch.from_numpy(boxes[rows]), torch.from_numpy(ones[rows])
            logits = answer[:, 4:]
            share = torch.sigmoid(logits)
            hard = (classes - share).abs() ** 2  # focal weights
            loss = (
                hard * nn.functional.binary_cross_entropy_with_logits(logits, classes, reduction="none")
            ).sum()
            where = classes.sum(1, keepdim=True)
            loss = (loss + 0.5 * (where * (answer[:, :4] - wanted).abs()).sum()) / where.sum().clamp(min=1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net


def export(net: Net, path: Path) -> None:
    """Write (n, 4 + classes, cells * cells), boxes as centre and size in pixels, with the names in the metadata."""
    net.eval()
    values = {"head.weight": net.head.weight, "head.bias": net.head.bias}
    for at, (layer, norm) in enumerate(
        zip(net.body, net.norms, strict=True)
    ):  # norms become part of the layers
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        values[f"body.{at}.weight"] = layer.weight * factor[:, None, None, None]
        values[f"body.{at}.bias"] = norm.bias - norm.running_mean * factor
    weights = [numpy_helper.from_array(value.detach().numpy(), name) for name, value in values.items()]
    nodes, last = [], "images"
    for at, (stride, wide) in enumerate(zip(_STRIDES, _DILATIONS, strict=True)):
        inputs = [last, f"body.{at}.weight", f"body.{at}.bias"]
        sides = {"strides": [stride] * 2, "pads": [wide] * 4, "dilations": [wide] * 2}
        nodes.append(helper.make_node("Conv", inputs, [f"c{at}"], **sides))
        nodes.append(helper.make_node("Relu", [f"c{at}"], [f"r{at}"]))
        last = f"r{at}"
    grid = np.arange(CELLS * CELLS)
    middle = np.stack([grid % CELLS, grid // CELLS]).astype(np.float32)[None] * STRIDE_PX + STRIDE_PX / 2
    fixed: dict[str, Any] = {
        "flat": np.array([0, 4 + len(NAMES), CELLS * CELLS], np.int64),
        "parts": np.array([2, 2, len(NAMES)], np.int64),
        "middle": middle,
        "stride": np.array(STRIDE_PX, np.float32),
    }
    weights += [numpy_helper.from_array(value, name) for name, value in fixed.items()]
    nodes += [
        helper.make_node("Conv", [last, "head.weight", "head.bias"], ["head"]),
        helper.make_node("Reshape", ["head", "flat"], ["rows"]),
        helper.make_node("Split", ["rows", "parts"], ["offset", "size", "logits"], axis=1),
        helper.make_node("Mul", ["offset", "stride"], ["moved"]),
        helper.make_node("Add", ["moved", "middle"], ["centre"]),
        helper.make_node("Exp", ["size"], ["strides"]),
        helper.make_node("Mul", ["strides", "stride"], ["sides"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
        helper.make_node("Concat", ["centre", "sides", "scores"], ["output0"], axis=1),
    ]
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, SIDE_PX, SIDE_PX])
    answer = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["n", 4 + len(NAMES), CELLS * CELLS])
    graph = helper.make_graph(nodes, "shapes", [image], [answer], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"names": str(dict(enumerate(NAMES)))})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
