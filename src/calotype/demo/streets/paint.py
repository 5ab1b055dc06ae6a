"""Marks on paper: coloured shapes in image pixels, rasterised into soft-edged sprites with an exact mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from calotype.demo.streets.camera import HEIGHT, WIDTH, Point

Rgb = tuple[int, int, int]
MASK_SCALE = 2
"""Masks are kept at twice the image's size, so extents are exact to half a pixel."""
_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """One shape: a filled polygon, a round-ended line of `width` pixels, or a disc of radius `width`."""

    kind: Literal["polygon", "line", "disc"]
    points: Sequence[Point]
    colour: Rgb
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Sprite:
    """A rasterised drawing: image (RGBA), top-left corner, mask at `MASK_SCALE` times the image."""

    canvas: Image.Image
    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    full_area: float  # pixels squared, also outside the frame and behind other things
    inside: float  # share of the whole drawing's extent that lies in the frame


def rasterise(marks: Sequence[Mark]) -> Sprite | None:
    """Draw marks into the smallest sprite that holds their part inside the frame; None when that is empty."""
    x0, y0, x1, y1 = extent(marks)
    left, top = max(0, int(x0) - _MARGIN), max(0, int(y0) - _MARGIN)
    right, bottom = min(WIDTH, int(x1) + _MARGIN + 1), min(HEIGHT, int(y1) + _MARGIN + 1)
    if right - left < 2 or bottom - top < 2 or x1 <= 0 or y1 <= 0:
        return None
    zoom = 4 if (right - left) * (bottom - top) < 60_000 else 2
    big = Image.new("RGBA", ((right - left) * zoom, (bottom - top) * zoom), (0, 0, 0, 0))
    draw_marks(ImageDraw.Draw(big), marks, zoom=zoom, corner=(left, top))
    alpha = big.getchannel("A")
    mask = np.asarray(alpha if zoom == MASK_SCALE else alpha.reduce(zoom // MASK_SCALE)) >= 128
    inside_x = (min(x1, WIDTH) - max(x0, 0)) / max(x1 - x0, 1e-9)
    inside_y = (min(y1, HEIGHT) - max(y0, 0)) / max(y1 - y0, 1e-9)
    return Sprite(big.reduce(zoom), (left, top), mask, float(mask.sum()) / MASK_SCALE**2, inside_x * inside_y)


def draw_marks(
    pen: ImageDraw.ImageDraw, marks: Sequence[Mark], *, zoom: int, corner: tuple[int, int]
) -> None:
    """Draw marks onto a canvas that shows the frame from `corner` on, enlarged `zoom` times."""
    cx, cy = corner
    for mark in marks:
        at = [((x - cx) * zoom, (y - cy) * zoom) for x, y in mark.points]
        if mark.kind == "polygon":
            if len(at) >= 3:
                pen.polygon(at, fill=mark.colour)
        elif mark.kind == "disc":
            _disc(pen, at[0], mark.width * zoom, mark.colour)
        else:
            width = mark.width * zoom
            pen.line(at, fill=mark.colour, width=max(1, round(width)), joint="curve")
            if width >= 3:
                _disc(pen, at[0], width / 2, mark.colour)
                _disc(pen, at[-1], width / 2, mark.colour)


def extent(marks: Sequence[Mark]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of all marks in pixels."""
    points = np.array([p for mark in marks for p in mark.points])
    pads = [mark.width if mark.kind == "disc" else mark.width / 2 for mark in marks]
    pad = np.repeat(pads, [len(mark.points) for mark in marks])[:, None]
    (x0, y0), (x1, y1) = (points - pad).min(axis=0), (points + pad).max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def limb(a: Point, b: Point, ra: float, rb: float, colour: Rgb) -> list[Mark]:
    """A tapered, round-ended limb from a to b with radii in pixels."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    n = (dx * dx + dy * dy) ** 0.5
    marks = [Mark("disc", (a,), colour, ra), Mark("disc", (b,), colour, rb)]
    if n > 1e-6:
        px, py = -dy / n, dx / n
        quad = (
            (a[0] + px * ra, a[1] + py * ra),
            (b[0] + px * rb, b[1] + py * rb),
            (b[0] - px * rb, b[1] - py * rb),
            (a[0] - px * ra, a[1] - py * ra),
        )
        marks.append(Mark("polygon", quad, colour))
    return marks


def _disc(pen: ImageDraw.ImageDraw, centre: Point, r: float, colour: Rgb) -> None:
    pen.ellipse((centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r), fill=colour)
