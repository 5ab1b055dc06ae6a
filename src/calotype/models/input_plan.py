"""How images become the input of a model: from its graph, its metadata and its description."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from calotype.models.description import MAX_SIDE_PX, Described
from calotype.models.onnx import Preparation
from calotype.models.sessions import OnnxSession, Port, Shape, shown
from calotype.vision.framing import Framing, Size, frame, framed

_TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Source: ITU-R BT.601."""
_MAX_BATCH, _PIXELS_AT_ONCE = 8, 8 * 640 * 640
_MAX_FIXED_BATCH, _MAX_FIXED_PIXELS = 64, 64 * 640 * 640

Three = tuple[float, float, float]
Layout = Literal["NCHW", "NHWC"]


@dataclass(frozen=True, slots=True)
class InputShape:
    """What the graph and the description fix together.

    Attributes:
        size_wh: Width and height; None where each image keeps its own.
        channels: 3, or 1 for grey.
        batch: Images at once that the graph fixes; None where any number fits.
        batched: Whether the input has an axis of images at all.
    """

    layout: Layout
    channels: int
    size_wh: Size | None
    batch: int | None
    batched: bool
    dtype: Any

    @property
    def at_once(self) -> int:
        """Images in one run."""
        if self.batch is not None or not self.batched or self.size_wh is None:
            return self.batch or 1
        return max(1, min(_MAX_BATCH, _PIXELS_AT_ONCE // (self.size_wh[0] * self.size_wh[1])))

    @property
    def prepared(self) -> int:
        """Images that are decoded before they are run: a few more than in one run, where their size is bounded."""
        return 1 if self.size_wh is None else max(self.at_once, min(16, 2 * self.at_once))

    def blank(self, n: int) -> npt.NDArray[Any]:
        """A stack of `n` grey images, for a first run."""
        width, height = self.size_wh or (320, 320)
        sides = (self.channels, height, width) if self.layout == "NCHW" else (height, width, self.channels)
        value = 114 if self.dtype is np.uint8 else 0.5
        return np.full((n, *sides) if self.batched else sides, value, self.dtype)


def input_shape(session: OnnxSession, described: Described) -> InputShape:
    """The shape of the input. Raises: ModelDescriptionInvalid, where graph and description differ or say too little."""
    if len(session.inputs) != 1:
        ports = ", ".join(map(str, session.inputs))[:300]
        raise described.problem("input", f"the model has {len(session.inputs)} inputs: {ports}", _ONE_INPUT)
    port = session.inputs[0]
    if len(port.shape) not in (3, 4) or port.type not in _TYPES:
        detail = f"the model takes {port} of type {port.type}"
        raise described.problem("input", detail, _ONE_INPUT)
    batched = len(port.shape) == 4
    sides = port.shape[1:] if batched else port.shape
    layout = _layout(sides, port, described)
    fixed = sides[0] if layout == "NCHW" else sides[2]
    channels = fixed or (1 if described.description.input.colour == "grey" else 3)
    if channels not in (1, 3):
        detail = f"the model takes {port}, which has {channels} channels"
        raise described.problem("input.layout", detail, "use a model that takes colour or grey images")
    batch = port.shape[0] if batched else None
    if batch is not None and not 1 <= batch <= _MAX_FIXED_BATCH:
        detail = f"the model takes {batch} images at once"
        raise described.problem("input", detail, f"export it for 1 to {_MAX_FIXED_BATCH} images")
    height, width = (sides[1], sides[2]) if layout == "NCHW" else (sides[0], sides[1])
    size_wh = _size(width, height, port, described, session, batched=batched)
    if size_wh is not None and (batch or 1) * size_wh[0] * size_wh[1] > _MAX_FIXED_PIXELS:
        detail = f"the model takes {port}: {batch or 1} images of {size_wh[0]} x {size_wh[1]} px at once"
        raise described.problem("input", detail, "export it for fewer images at once")
    return InputShape(layout, channels, size_wh, batch, batched, _TYPES[port.type])


def _layout(sides: Shape, port: Port, described: Described) -> Layout:
    given = described.description.input.layout
    fits: list[Layout] = []
    if sides[0] in (1, 3, None):
        fits.append("NCHW")
    if sides[2] in (1, 3, None):
        fits.append("NHWC")
    if given is not None and given not in fits:
        hint = f"write `layout: {fits[0]}`, or leave the key out" if fits else _ONE_INPUT
        raise described.problem("input.layout", f"the model takes {port}, not {given}", hint)
    if given is None and not fits:
        raise described.problem("input", f"the model takes {port}", _ONE_INPUT)
    if given is None and len(fits) == 2 and sides[0] is None:
        return "NHWC" if sides[2] is not None or port.type == "tensor(uint8)" else "NCHW"
    return given or fits[0]


def _size(
    width: int | None,
    height: int | None,
    port: Port,
    described: Described,
    session: OnnxSession,
    *,
    batched: bool,
) -> Size | None:
    """Width and height: those of the graph, of the description, or of the metadata."""
    given = described.description.input
    wanted = (given.size, given.size) if isinstance(given.size, int) else given.size
    if width is not None and height is not None:
        if wanted not in (None, (width, height)):
            hint = f"write `size: [{width}, {height}]` (width, height), or leave the key out"
            raise described.problem("input.size", f"the model takes {port}", hint)
        if max(width, height) > MAX_SIDE_PX:
            hint = f"export it for images of at most {MAX_SIDE_PX} px a side"
            raise described.problem("input.size", f"the model takes {port}", hint)
        return width, height
    if given.resize == "none" or (wanted is None and not batched and given.resize is None):
        return None
    numbers = [int(number) for number in re.findall(r"\d{1,5}", session.metadata.get("imgsz", "")[:50])]
    if wanted is None and len(numbers) in (1, 2) and all(8 <= side <= MAX_SIDE_PX for side in numbers):
        wanted = (numbers[-1], numbers[0])
    if wanted is not None and (width or wanted[0], height or wanted[1]) != wanted:
        hint = f"write `size: [{width or 'WIDTH'}, {height or 'HEIGHT'}]`"
        raise described.problem(
            "input.size", f"the model takes {port}, not {wanted[0]} x {wanted[1]} px", hint
        )
    if wanted is None:
        hint = "write `input: {size: [WIDTH, HEIGHT]}`, the size that the model was trained at"
        raise described.problem("input.size", f"the model takes {port}, any size", hint)
    return wanted


_ONE_INPUT = (
    "export the model with one input of images, (batch, 3, height, width) or (batch, height, width, 3)"
)


@dataclass(frozen=True, slots=True)
class InputPlan:
    """How an image is fitted in, and how its values are scaled: `(value / divide_by - mean) / std`."""

    shape: InputShape
    resize: Literal["letterbox", "stretch", "crop", "none"]
    bgr: bool
    pad: int
    centred: bool
    share: float
    divide_by: float
    mean: Three
    std: Three

    def framing(self, size_wh: Size) -> Framing:
        """How an image of this size is scaled and placed in the input."""
        if self.shape.size_wh is not None and self.resize != "none":
            return frame(size_wh, self.shape.size_wh, self.resize, centred=self.centred, share=self.share)
        shrink = min(1.0, MAX_SIDE_PX / max(size_wh))
        own = (max(1, round(size_wh[0] * shrink)), max(1, round(size_wh[1] * shrink)))
        return frame(size_wh, self.shape.size_wh or own, "stretch")

    def tensor(self, pixels: npt.NDArray[np.uint8], framing: Framing) -> npt.NDArray[Any]:
        """The input of one image, without the axis of images."""
        values: npt.NDArray[Any] = framed(pixels, framing, pad=self.pad)
        if self.shape.channels == 1:
            grey = values.astype(np.float32) @ _LUMA
            values = (
                np.rint(grey).astype(np.uint8)[..., None] if self.shape.dtype is np.uint8 else grey[..., None]
            )
        elif self.bgr:
            values = values[..., ::-1]
        if self.shape.dtype is not np.uint8:
            channels = self.shape.channels
            mean, std = (np.asarray(three[:channels], np.float32) for three in (self.mean, self.std))
            factor = np.float32(1) / (np.float32(self.divide_by) * std)
            values = values * factor - mean / std
        axes = (2, 0, 1) if self.shape.layout == "NCHW" else (0, 1, 2)
        return np.ascontiguousarray(values.transpose(axes), dtype=self.shape.dtype)


def input_plan(shape: InputShape, described: Described, style: str, session: OnnxSession) -> InputPlan:
    """The plan of a model whose style is known. Raises: ModelDescriptionInvalid."""
    given = described.description.input
    colour = given.colour or ("grey" if shape.channels == 1 else "RGB")
    if (colour == "grey") != (shape.channels == 1):
        hint = (
            "write `colour: grey`, or leave the key out"
            if shape.channels == 1
            else "write `colour: RGB` or `BGR`"
        )
        detail = f"the model takes {session.inputs[0]}"
        raise described.problem("input.colour", detail, hint)
    scaled = [key for key in ("divide_by", "mean", "std") if getattr(given, key) is not None]
    if shape.dtype is np.uint8 and scaled:
        detail = "the model takes whole numbers (uint8), which are not scaled"
        raise described.problem(f"input.{scaled[0]}", detail, "leave the key out")
    if given.resize == "none" and shape.batch not in (None, 1):
        detail = (
            f"`none` gives images of different sizes, and the model takes {shown(session.inputs[0].shape)}"
        )
        raise described.problem("input.resize", detail, "write `letterbox` or `stretch`")
    usual: Any = {"ssd": "stretch", "classes": "crop"}.get(style, "letterbox")
    imagenet = style == "classes" and not session.metadata.get("author", "").startswith("Ultralytics")
    resize = given.resize or (usual if shape.size_wh is not None else "none")
    if resize != "none" and shape.size_wh is None:
        hint = "write `input: {size: [WIDTH, HEIGHT]}` beside it"
        raise described.problem("input.size", f"`resize: {resize}` needs a size", hint)
    return InputPlan(
        shape,
        resize,
        bgr=colour == "BGR",
        pad=given.pad,
        centred=given.pad_at == "both",
        share=given.crop_share,
        divide_by=given.divide_by or 255.0,
        mean=_three(given.mean, Preparation().mean if imagenet else (0.0, 0.0, 0.0)),
        std=_three(given.std, Preparation().deviation if imagenet else (1.0, 1.0, 1.0)),
    )


def _three(given: float | Sequence[float] | None, usual: Three) -> Three:
    if given is None:
        return usual
    values = [given] * 3 if isinstance(given, int | float) else list(given)
    return (values[0], values[1], values[2])
