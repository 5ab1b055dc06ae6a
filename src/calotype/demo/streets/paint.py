"""Marks on paper: coloured shapes in image pixels, rasterised into soft-edged sprites with an exact mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from calotype.demo.streets.camera import HEIGHT, WIDTH, Array, Point

Rgb = tuple[int, int, int]
MASK_SCALE = 2
"""Masks are kept at twice the image's size, so extents are exact to half a pixel."""
_MARGIN = 2


POLYGON, LINE, DISC = 0, 1, 2
"""Shapes of marks: filled polygon, round-ended line of `width` pixels, disc of radius `width`."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Shapes in painting order, kept as arrays because an image has thousands of them.

    Args:
        points: (N, 2) pixels, the points of all marks one after another.
        starts: First point of every mark, and the total.
        kinds: POLYGON, LINE or DISC of every mark.
        widths: Width or radius of every mark in pixels, 0 for polygons.
        colours: Colour of every mark.
    """

    points: Array
    starts: Sequence[int]
    kinds: Sequence[int]
    widths: Array
    colours: Sequence[Rgb]


@dataclass(frozen=True, slots=True)
class Sprite:
    """A rasterised drawing: image (RGBa), top-left corner, mask at `MASK_SCALE` times the image."""

    canvas: Image.Image
    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    full_area: float  # pixels squared, also outside the frame and behind other things
    inside: float  # share of the whole drawing's extent that lies in the frame


def polygons(shapes: Sequence[tuple[Sequence[Point], Rgb]]) -> Marks:
    """Filled polygons as marks."""
    sizes = [len(points) for points, _ in shapes]
    return Marks(
        np.array([p for points, _ in shapes for p in points]).reshape(-1, 2),
        [0, *np.cumsum(sizes).tolist()],
        [POLYGON] * len(shapes),
        np.zeros(len(shapes)),
        [colour for _, colour in shapes],
    )


def joined(layers: Sequence[Marks]) -> Marks:
    """Several layers as one, the first at the bottom."""
    layers = [m for m in layers if len(m.kinds)]
    starts, total = [0], 0
    for m in layers:
        starts += [s + total for s in m.starts[1:]]
        total = starts[-1]
    return Marks(
        np.concatenate([m.points for m in layers]),
        starts,
        [k for m in layers for k in m.kinds],
        np.concatenate([m.widths for m in layers]),
        [c for m in layers for c in m.colours],
    )


def rasterise(marks: Marks) -> Sprite | None:
    """Draw marks into the smallest sprite that holds their part inside the frame; None when that is empty."""
    x0, y0, x1, y1 = extent(marks)
    left, top = max(0, int(x0) - _MARGIN), max(0, int(y0) - _MARGIN)
    right, bottom = min(WIDTH, int(x1) + _MARGIN + 1), min(HEIGHT, int(y1) + _MARGIN + 1)
    if right - left < 2 or bottom - top < 2 or x1 <= 0 or y1 <= 0:
        return None
    zoom = 4 if (right - left) * (bottom - top) < 60_000 else 2
    # Marks are opaque, so the colours are already multiplied by alpha: RGBa is exact and needs no conversion.
    big = Image.new("RGBa", ((right - left) * zoom, (bottom - top) * zoom))
    draw_marks(ImageDraw.Draw(big), marks, zoom=zoom, corner=(left, top))
    twice = big if zoom == MASK_SCALE else big.reduce(zoom // MASK_SCALE)
    mask = np.asarray(twice.getchannel("a")) >= 128
    inside_x = (min(x1, WIDTH) - max(x0, 0)) / max(x1 - x0, 1e-9)
    inside_y = (min(y1, HEIGHT) - max(y0, 0)) / max(y1 - y0, 1e-9)
    area = float(np.count_nonzero(mask)) / MASK_SCALE**2
    return Sprite(twice.reduce(MASK_SCALE), (left, top), mask, area, inside_x * inside_y)


def draw_marks(pen: ImageDraw.ImageDraw, marks: Marks, *, zoom: int, corner: tuple[int, int]) -> None:
    """Draw marks onto a canvas that shows the frame from `corner` on, enlarged `zoom` times."""
    at = ((marks.points - corner) * zoom).ravel().tolist()
    first = 0
    polygon, ellipse = pen.polygon, pen.ellipse
    widths = (marks.widths * zoom).tolist()
    for kind, end, width, colour in zip(marks.kinds, marks.starts[1:], widths, marks.colours, strict=True):
        piece, first = at[2 * first : 2 * end], end
        if kind == POLYGON:
            polygon(piece, fill=colour)
        elif kind == DISC:
            x, y = piece
            ellipse((x - width, y - width, x + width, y + width), fill=colour)
        else:
            pen.line(piece, fill=colour, width=max(1, round(width)), joint="curve")
            if width >= 3:
                r = width / 2
                for x, y in (piece[:2], piece[-2:]):
                    ellipse((x - r, y - r, x + r, y + r), fill=colour)


def extent(marks: Marks) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of all marks in pixels."""
    pads = marks.widths * np.where(np.asarray(marks.kinds) == DISC, 1.0, 0.5)
    pad = np.repeat(pads, np.diff(marks.starts))[:, None]
    (x0, y0), (x1, y1) = (marks.points - pad).min(axis=0), (marks.points + pad).max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)
