"""Resolves a recipe for one image: chooses its random values, composes its geometric steps, orders its pixel steps.

Each value is a hash of the recipe's seed and hash, the SHA-256 of the parent's media, the copy number and its own name:
the same on every machine, with every NumPy version, in any order of processing.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

from calotype.foundation.errors import Invalid
from calotype.transform import recipe_steps as steps
from calotype.transform.recipe import Recipe
from calotype.transform.recipe_warp import Affine, rotation, scaling

Size = tuple[int, int]
Rgb = tuple[int, int, int]


class RecipeDoesNotFit(Invalid):
    """A step that cannot be applied to this image."""

    code = "recipe-does-not-fit"
    what = "step {step} does not fit an image of {width}x{height} px: {detail}"
    fix = "narrow the samples with a query, or change the step"


@dataclass(frozen=True, slots=True)
class Segment:
    """Geometric steps done by one resampling: the map, the size of the result, the colour outside the image."""

    affine: Affine
    size_wh: Size
    fill: Rgb


@dataclass(frozen=True, slots=True)
class PixelStep:
    """A step that changes pixel values only, with its values chosen. `key` seeds noise."""

    word: str
    values: dict[str, float]
    key: bytes


@dataclass(frozen=True, slots=True)
class ResolvedRecipe:
    """A recipe for one image, without random values. `mime` is the file type (empty: the parent's)."""

    segments: tuple[Segment, ...]
    pixel_steps: tuple[PixelStep, ...]
    mime: str = ""


@dataclass(frozen=True, slots=True)
class SeededValues:
    """Random values by name; the order of the calls does not matter."""

    key: bytes

    def uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high)."""
        digest = hashlib.blake2b(name.encode(), key=self.key, digest_size=8).digest()
        return low + (high - low) * ((int.from_bytes(digest, "big") >> 11) / 2**53)

    def bytes(self, name: str) -> bytes:
        """32 bytes."""
        return hashlib.blake2b(name.encode(), key=self.key, digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class _Warp:
    """One geometric step. `fill` is set when the result shows areas outside the step's input."""

    affine: Affine
    size_wh: Size
    fill: Rgb | None = None
    crops: bool = False


@dataclass(slots=True)
class _Canvas:
    """The warps so far. A step that would show again what an earlier one cropped starts a new segment."""

    size_wh: Size
    segments: list[Segment] = field(default_factory=list)
    affine: Affine = field(default_factory=Affine)
    fill: Rgb | None = None
    cropped: bool = False

    def add(self, warp: _Warp) -> None:
        if warp.fill is not None and (self.cropped or self.fill not in (None, warp.fill)):
            self.close_segment()
        self.affine = self.affine.then(warp.affine)
        self.size_wh = warp.size_wh
        self.fill = warp.fill or self.fill
        self.cropped = self.cropped or warp.crops

    def close_segment(self) -> None:
        """End the current segment."""
        self.segments.append(Segment(self.affine, self.size_wh, self.fill or (0, 0, 0)))
        self.affine, self.fill, self.cropped = Affine(), None, False


def seeded_values(recipe: Recipe, *, media_sha256: str, copy: int) -> SeededValues:
    """The random values of one derived sample."""
    seed_text = "\x1f".join((str(recipe.seed), recipe.sha256, media_sha256, str(copy)))
    return SeededValues(hashlib.sha256(seed_text.encode()).digest())


def resolve(recipe: Recipe, *, media_sha256: str, copy: int, size_wh: Size) -> ResolvedRecipe:
    """The recipe for copy number `copy` of an image of this size.

    Raises: RecipeDoesNotFit.
    """
    random = seeded_values(recipe, media_sha256=media_sha256, copy=copy)
    canvas, pixel_steps, mime = _Canvas(size_wh), list[PixelStep](), ""
    for index, (word, step) in enumerate(recipe.steps):
        if step.p < 1.0 and random.uniform(f"{index}.p", 0.0, 1.0) >= step.p:
            continue
        values = {name: random.uniform(f"{index}.{name}", *limits) for name, limits in step.ranges.items()}
        if isinstance(step, steps.Format):
            mime = step.mime
        elif not step.geometric:
            pixel_steps.append(PixelStep(word, values, random.bytes(f"{index}.key")))
        else:
            label = f"{index + 1} ({word})"
            window = SeededValues(random.bytes(f"{index}.window"))
            warp = _warp(step, canvas.size_wh, values, window, label=label)
            _check_size(warp.size_wh, canvas.size_wh, label)
            canvas.add(warp)
    if not canvas.segments or canvas.affine != Affine() or canvas.size_wh != canvas.segments[-1].size_wh:
        canvas.close_segment()
    return ResolvedRecipe(tuple(canvas.segments), tuple(pixel_steps), mime)


def _warp(
    step: steps.Step, size_wh: Size, values: dict[str, float], window: SeededValues, *, label: str
) -> _Warp:
    width, height = size_wh
    if isinstance(step, steps.Resize):
        return _resize(step, size_wh)
    if isinstance(step, steps.Letterbox):
        return _letterbox(step, size_wh)
    if isinstance(step, steps.Crop):
        return _crop(step, size_wh, window, label=label)
    if isinstance(step, steps.Rotate):
        return _rotate(step, size_wh, values["degrees"])
    vertical = isinstance(step, steps.Flip) and step.axis == "vertical"
    return _Warp(Affine(e=-1.0, f=float(height)) if vertical else Affine(a=-1.0, c=float(width)), size_wh)


def _resize(step: steps.Resize, size_wh: Size) -> _Warp:
    width = step.width or max(1, round(size_wh[0] * (step.height or 1) / size_wh[1]))
    height = step.height or max(1, round(size_wh[1] * (step.width or 1) / size_wh[0]))
    return _Warp(scaling(width / size_wh[0], height / size_wh[1]), (width, height))


def _letterbox(step: steps.Letterbox, size_wh: Size) -> _Warp:
    scale = min(step.width / size_wh[0], step.height / size_wh[1])
    width = min(step.width, max(1, round(size_wh[0] * scale)))
    height = min(step.height, max(1, round(size_wh[1] * scale)))
    dx, dy = (step.width - width) // 2, (step.height - height) // 2
    affine = scaling(width / size_wh[0], height / size_wh[1], dx=dx, dy=dy)
    has_bars = (width, height) != (step.width, step.height)
    return _Warp(affine, (step.width, step.height), fill=step.fill if has_bars else None)


def _crop(step: steps.Crop, size_wh: Size, window: SeededValues, *, label: str) -> _Warp:
    if step.random is not None:
        area_share = window.uniform("scale", step.random.min_scale, step.random.max_scale)
        ratio = window.uniform("ratio", *step.random.ratio)
        width = min(size_wh[0], max(1, round(size_wh[0] * math.sqrt(area_share * ratio))))
        height = min(size_wh[1], max(1, round(size_wh[1] * math.sqrt(area_share / ratio))))
        x = int(window.uniform("x", 0, size_wh[0] - width + 1))
        y = int(window.uniform("y", 0, size_wh[1] - height + 1))
    else:
        x, y = step.x or 0, step.y or 0
        width, height = min(step.w or 0, size_wh[0] - x), min(step.h or 0, size_wh[1] - y)
        if width < 1 or height < 1:
            detail = f"the window begins at {x}, {y}"
            raise RecipeDoesNotFit(step=label, width=size_wh[0], height=size_wh[1], detail=detail)
    return _Warp(scaling(1.0, 1.0, dx=-x, dy=-y), (width, height), crops=(width, height) != size_wh)


def _rotate(step: steps.Rotate, size_wh: Size, degrees: float) -> _Warp:
    width, height = size_wh
    if degrees % 360 == 0:
        return _Warp(Affine(), size_wh)
    out_wh = size_wh
    if step.expand:
        turn = rotation(degrees, centre_xy=(0, 0), new_centre_xy=(0, 0))
        out_width = abs(turn.a) * width + abs(turn.b) * height
        out_height = abs(turn.d) * width + abs(turn.e) * height
        out_wh = (math.ceil(out_width - 1e-6), math.ceil(out_height - 1e-6))
    affine = rotation(
        degrees, centre_xy=(width / 2, height / 2), new_centre_xy=(out_wh[0] / 2, out_wh[1] / 2)
    )
    is_quarter = degrees % 90 == 0
    covers = is_quarter and (step.expand or degrees % 180 == 0 or width == height)
    return _Warp(affine, out_wh, fill=None if covers else step.fill, crops=not covers and not step.expand)


def _check_size(result_wh: Size, input_wh: Size, label: str) -> None:
    if max(result_wh) > 2 * steps.MAX_SIDE_PX or result_wh[0] * result_wh[1] > steps.MAX_PIXELS:
        detail = f"the result would have {result_wh[0]}x{result_wh[1]} px"
        raise RecipeDoesNotFit(step=label, width=input_wh[0], height=input_wh[1], detail=detail)
