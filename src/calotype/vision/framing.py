"""How an image is fitted into the input of a model, and how boxes come back to the pixels of the image.

Both ways are one scale and one offset for each axis, computed from the size that the image really gets (a whole number
of pixels), so the way back is exact and not only right to a pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.vision.boxes import clip

Boxes = npt.NDArray[np.float64]
Rgb = npt.NDArray[np.uint8]
Size = tuple[int, int]
Fit = Literal["letterbox", "stretch", "crop"]


@dataclass(frozen=True, slots=True)
class Framing:
    """Scale and position of an image in a model's input: `input = image * scale + offset` on each axis.

    Attributes:
        image_wh: Width and height of the upright image, pixels.
        input_wh: Width and height of the input.
        scale_xy: Pixels of the input for each pixel of the image.
        offset_xy: Left and top of the image in the input; negative where it is cropped.
    """

    image_wh: Size
    input_wh: Size
    scale_xy: tuple[float, float]
    offset_xy: tuple[float, float]

    def to_input(self, boxes_xyxy_px: npt.ArrayLike) -> Boxes:
        """(N, 4) corners in pixels of the image -> pixels of the input; not clipped."""
        scale, offset = np.tile(self.scale_xy, 2), np.tile(self.offset_xy, 2)
        return np.asarray(np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4) * scale + offset)

    def to_image(self, boxes_xyxy_px: npt.ArrayLike) -> Boxes:
        """(N, 4) corners in pixels of the input -> pixels of the image, clipped to it."""
        scale, offset = np.tile(self.scale_xy, 2), np.tile(self.offset_xy, 2)
        boxes = (np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4) - offset) / scale
        return np.asarray(clip(boxes, size_wh=self.image_wh), np.float64)

    @property
    def min_side_px(self) -> int:
        """How long the longer side of the image must stay when it is decoded smaller, so that no axis is enlarged."""
        return math.ceil(max(self.image_wh) * min(1.0, max(self.scale_xy)))


def frame(image_wh: Size, input_wh: Size, fit: Fit, *, centred: bool = True, share: float = 1.0) -> Framing:
    """Fit an image into an input.

    Args:
        image_wh: Width and height of the upright image, pixels, at least 1.
        input_wh: Width and height of the input.
        fit: "letterbox" keeps the aspect ratio and fills the rest, "stretch" does not keep it, "crop" keeps it and
            cuts the middle out.
        centred: Whether a letterbox has its bars on both sides, or at the right and bottom only.
        share: For "crop": the side of the cut as a share of the shorter side of the image, such as 224 / 256.
    """
    (width, height), (across, down) = image_wh, input_wh
    if fit == "stretch":
        return Framing(image_wh, input_wh, (across / width, down / height), (0.0, 0.0))
    if fit == "crop":
        scale = max(across / width, down / height) / share
        offset = ((across - width * scale) / 2, (down - height * scale) / 2)
        return Framing(image_wh, input_wh, (scale, scale), offset)
    scale = min(across / width, down / height)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = ((across - wide) // 2, (down - high) // 2) if centred else (0, 0)
    return Framing(image_wh, input_wh, (wide / width, high / height), (float(left), float(top)))


def framed(pixels: Rgb, framing: Framing, *, pad: int = 114) -> Rgb:
    """The input that `framing` describes, (H, W, 3) uint8; what the image does not cover has the value `pad`.

    Args:
        pixels: (h, w, 3) uint8, the upright image, also decoded smaller than `framing.image_wh` says.
    """
    image = Image.fromarray(pixels)
    sides = list(zip(framing.image_wh, framing.input_wh, framing.scale_xy, framing.offset_xy, strict=True))
    source, place, size = [], [], []
    for (side_px, input_px, scale, offset), decoded_px in zip(sides, image.size, strict=True):
        start, stop = max(0.0, -offset / scale), min(float(side_px), (input_px - offset) / scale)
        source.append((start * decoded_px / side_px, stop * decoded_px / side_px))
        first, last = round(max(offset, 0.0)), round(min(offset + side_px * scale, input_px))
        place.append(min(first, input_px - 1))
        size.append(max(1, last - first))
    box = (source[0][0], source[1][0], source[0][1], source[1][1])
    small = image.resize((size[0], size[1]), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    if tuple(size) == framing.input_wh:
        return np.asarray(small, np.uint8)
    canvas = Image.new("RGB", framing.input_wh, (pad, pad, pad))
    canvas.paste(small, (place[0], place[1]))
    return np.asarray(canvas, np.uint8)
