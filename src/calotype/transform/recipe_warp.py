"""Affine maps, and images resampled through them. Continuous pixel coordinates: pixel i covers [i, i + 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Points = npt.NDArray[np.float64]

_EXACT = 1e-9
_REDUCE_BELOW = 0.75


@dataclass(frozen=True, slots=True)
class Affine:
    """x' = a x + b y + c and y' = d x + e y + f."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    @property
    def det(self) -> float:
        """Factor by which areas grow; negative when the map mirrors."""
        return self.a * self.e - self.b * self.d

    @property
    def keeps_axes(self) -> bool:
        """Whether axis-aligned rectangles stay axis-aligned, without a quarter turn."""
        return abs(self.b) < _EXACT and abs(self.d) < _EXACT

    def then(self, after: Affine) -> Affine:
        """This map followed by `after`."""
        return Affine(
            after.a * self.a + after.b * self.d,
            after.a * self.b + after.b * self.e,
            after.a * self.c + after.b * self.f + after.c,
            after.d * self.a + after.e * self.d,
            after.d * self.b + after.e * self.e,
            after.d * self.c + after.e * self.f + after.f,
        )

    def inverse(self) -> Affine:
        """The inverse map. Every step's map has one, since no step shrinks a side to zero."""
        det = self.det
        a, b, d, e = self.e / det, -self.b / det, -self.d / det, self.a / det
        return Affine(a, b, -(a * self.c + b * self.f), d, e, -(d * self.c + e * self.f))

    def points(self, xy_px: npt.ArrayLike) -> Points:
        """Map points: (N, 2) x, y -> (N, 2) float64."""
        xy = np.asarray(xy_px, dtype=np.float64).reshape(-1, 2)
        matrix = np.array([[self.a, self.d], [self.b, self.e]])
        return np.asarray(xy @ matrix + (self.c, self.f))


def scaling(sx: float, sy: float, *, dx: float = 0.0, dy: float = 0.0) -> Affine:
    """Scale by sx and sy, then shift by dx and dy pixels."""
    return Affine(a=sx, e=sy, c=dx, f=dy)


def rotation(degrees: float, *, centre_xy: tuple[float, float], new_centre_xy: tuple[float, float]) -> Affine:
    """Rotate counter-clockwise, as seen on the screen; quarter turns are exact."""
    quarter = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}
    angle = math.radians(degrees)
    cos, sin = quarter.get(degrees % 360.0, (math.cos(angle), math.sin(angle)))
    (x, y), (u, v) = centre_xy, new_centre_xy
    return Affine(cos, sin, u - cos * x - sin * y, -sin, cos, v + sin * x - cos * y)


def warp_image(
    image: Image.Image, affine: Affine, *, size_wh: tuple[int, int], fill: tuple[int, int, int] | int
) -> Image.Image:
    """The image resampled once through the map.

    Scaling, flips, quarter turns and whole-pixel shifts have exact edges, with antialiasing when they shrink the image.
    Everything else is bicubic; where the map shrinks the image, it is reduced first.

    Args:
        image: Mode RGB or L.
        affine: From pixels of `image` to pixels of the result.
        size_wh: Width and height of the result.
        fill: Colour outside the image.
    """
    image, affine = _without_turns(image, affine)
    if affine.keeps_axes:
        straight = _scaled(image, affine, size_wh, fill)
        if straight is not None:
            return straight
    scale = math.sqrt(abs(affine.det))
    if scale < _REDUCE_BELOW:
        small = (max(1, math.ceil(image.width * scale)), max(1, math.ceil(image.height * scale)))
        affine = scaling(image.width / small[0], image.height / small[1]).then(affine)
        image = image.resize(small, Image.Resampling.BICUBIC)
    back = affine.inverse()
    coefficients = (back.a, back.b, back.c, back.d, back.e, back.f)
    return image.transform(
        size_wh, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC, fillcolor=fill
    )


def _without_turns(image: Image.Image, affine: Affine) -> tuple[Image.Image, Affine]:
    """Apply quarter turns and flips to the pixels; the remaining map scales both axes by positive factors."""
    if abs(affine.a) < _EXACT and abs(affine.e) < _EXACT:
        affine = Affine(a=0.0, b=1.0, d=1.0, e=0.0).then(affine)  # swap x and y, as in the transposed image
        image = image.transpose(Image.Transpose.TRANSPOSE)
    if not affine.keeps_axes:
        return image, affine
    if affine.a < 0:
        affine = Affine(a=-1.0, c=image.width).then(affine)
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if affine.e < 0:
        affine = Affine(e=-1.0, f=image.height).then(affine)
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return image, affine


def _scaled(
    image: Image.Image, affine: Affine, size_wh: tuple[int, int], fill: tuple[int, int, int] | int
) -> Image.Image | None:
    """The scaled image on its canvas when its edges fall on whole pixels, else None."""
    spans = []
    for scale, shift, length, out in (
        (affine.a, affine.c, image.width, size_wh[0]),
        (affine.e, affine.f, image.height, size_wh[1]),
    ):
        low, high = max(0.0, shift), min(float(out), shift + scale * length)
        first, last = round(low), round(high)
        if last <= first or abs(low - first) > 1e-6 or abs(high - last) > 1e-6:
            return None
        begin, end = max(0.0, (first - shift) / scale), min(float(length), (last - shift) / scale)
        spans.append((first, last, begin, end))
    (left, right, x0, x1), (top, bottom, y0, y1) = spans
    part = image.resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=(x0, y0, x1, y1))
    if part.size == size_wh:
        return part
    canvas = Image.new(image.mode, size_wh, fill)
    canvas.paste(part, (left, top))
    return canvas
