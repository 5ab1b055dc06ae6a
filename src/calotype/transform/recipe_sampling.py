"""From a recipe to what happens to one image: random numbers drawn, moves composed, pixel steps in order.

The numbers come from nothing but the recipe's seed and hash, the SHA-256 of the parent's media and the copy
number, each by a hash of its own: the same on every machine, in every order of work, in every NumPy.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace

from calotype.foundation.errors import Invalid
from calotype.transform import recipe_steps as steps
from calotype.transform.recipe import Recipe
from calotype.transform.recipe_warp import Affine, rotation, scaling

Size = tuple[int, int]
Rgb = tuple[int, int, int]


class RecipeDoesNotFit(Invalid):
    """A step that cannot be taken on this image."""

    code = "recipe-does-not-fit"
    what = "step {step} does not fit an image of {width}x{height} px: {detail}"
    fix = "narrow the samples with a query, or change the step"


@dataclass(frozen=True, slots=True)
class Segment:
    """Moves that one resampling does: the map, the size that comes out, what fills the rest."""

    affine: Affine
    size_wh: Size
    fill: Rgb


@dataclass(frozen=True, slots=True)
class PixelStep:
    """A step that moves nothing, with its numbers drawn. `key` seeds noise."""

    word: str
    values: dict[str, float]
    key: bytes


@dataclass(frozen=True, slots=True)
class Drawn:
    """All that happens to one image: moves, pixel steps, the type of file (empty: as the parent)."""

    segments: tuple[Segment, ...]
    pixels: tuple[PixelStep, ...]
    mime: str = ""


@dataclass(frozen=True, slots=True)
class Dice:
    """Numbers by name; asking in another order gives the same ones."""

    key: bytes

    def uniform(self, name: str, low: float, high: float) -> float:
        """A number in [low, high)."""
        digest = hashlib.blake2b(name.encode(), key=self.key, digest_size=8).digest()
        return low + (high - low) * ((int.from_bytes(digest, "big") >> 11) / 2**53)

    def bytes(self, name: str) -> bytes:
        """32 bytes."""
        return hashlib.blake2b(name.encode(), key=self.key, digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class _Move:
    affine: Affine
    size_wh: Size
    fill: Rgb | None = None
    """Given when the step shows places that its input does not reach."""
    cuts: bool = False


@dataclass(slots=True)
class _Canvas:
    """The moves so far. A step that would bring back what an earlier one cut off begins a new segment."""

    size_wh: Size
    segments: list[Segment] = field(default_factory=list)
    affine: Affine = field(default_factory=Affine)
    fill: Rgb | None = None
    cut: bool = False

    def take(self, move: _Move) -> None:
        if move.fill is not None and (self.cut or self.fill not in (None, move.fill)):
            self.close()
        self.affine = self.affine.then(move.affine)
        self.size_wh = move.size_wh
        self.fill = move.fill or self.fill
        self.cut = self.cut or move.cuts

    def close(self) -> None:
        """What is gathered becomes a segment."""
        self.segments.append(Segment(self.affine, self.size_wh, self.fill or (0, 0, 0)))
        self.affine, self.fill, self.cut = Affine(), None, False


def dice(recipe: Recipe, *, media_sha256: str, copy: int) -> Dice:
    """The dice of one derived sample."""
    words = "\x1f".join((str(recipe.seed), recipe.sha256, media_sha256, str(copy)))
    return Dice(hashlib.sha256(words.encode()).digest())


def draw(recipe: Recipe, *, media_sha256: str, copy: int, size_wh: Size) -> Drawn:
    """What the recipe does to copy number `copy` of an image of this size.

    Raises: RecipeDoesNotFit.
    """
    thrown = dice(recipe, media_sha256=media_sha256, copy=copy)
    canvas, pixels, mime = _Canvas(size_wh), list[PixelStep](), ""
    for at, (word, step) in enumerate(recipe.steps):
        if step.p < 1.0 and thrown.uniform(f"{at}.p", 0.0, 1.0) >= step.p:
            continue
        values = {name: thrown.uniform(f"{at}.{name}", *pair) for name, pair in step.ranges.items()}
        if isinstance(step, steps.Format):
            mime = step.mime
        elif not step.moves:
            pixels.append(PixelStep(word, values, thrown.bytes(f"{at}.key")))
        else:
            name = f"{at + 1} ({word})"
            move = _move(step, canvas.size_wh, values, _renamed(thrown, at), name=name)
            _check_size(move.size_wh, canvas.size_wh, name)
            canvas.take(move)
    if not canvas.segments or canvas.affine != Affine() or canvas.size_wh != canvas.segments[-1].size_wh:
        canvas.close()
    return Drawn(tuple(canvas.segments), tuple(pixels), mime)


def _renamed(thrown: Dice, at: int) -> Dice:
    return replace(thrown, key=thrown.bytes(f"{at}.window"))


def _move(step: steps.Step, size: Size, values: dict[str, float], thrown: Dice, *, name: str) -> _Move:
    width, height = size
    if isinstance(step, steps.Resize):
        return _resize(step, size)
    if isinstance(step, steps.Letterbox):
        return _letterbox(step, size)
    if isinstance(step, steps.Crop):
        return _crop(step, size, thrown, name=name)
    if isinstance(step, steps.Rotate):
        return _rotate(step, size, values["degrees"])
    flips = isinstance(step, steps.Flip) and step.axis == "vertical"
    return _Move(Affine(e=-1.0, f=float(height)) if flips else Affine(a=-1.0, c=float(width)), size)


def _resize(step: steps.Resize, size: Size) -> _Move:
    width = step.width or max(1, round(size[0] * (step.height or 1) / size[1]))
    height = step.height or max(1, round(size[1] * (step.width or 1) / size[0]))
    return _Move(scaling(width / size[0], height / size[1]), (width, height))


def _letterbox(step: steps.Letterbox, size: Size) -> _Move:
    scale = min(step.width / size[0], step.height / size[1])
    width = min(step.width, max(1, round(size[0] * scale)))
    height = min(step.height, max(1, round(size[1] * scale)))
    dx, dy = (step.width - width) // 2, (step.height - height) // 2
    affine = scaling(width / size[0], height / size[1], dx=dx, dy=dy)
    bars = (width, height) != (step.width, step.height)
    return _Move(affine, (step.width, step.height), fill=step.fill if bars else None)


def _crop(step: steps.Crop, size: Size, thrown: Dice, *, name: str) -> _Move:
    if step.random is not None:
        share = thrown.uniform("scale", step.random.min_scale, step.random.max_scale)
        form = thrown.uniform("ratio", *step.random.ratio)
        width = min(size[0], max(1, round(size[0] * math.sqrt(share * form))))
        height = min(size[1], max(1, round(size[1] * math.sqrt(share / form))))
        x = int(thrown.uniform("x", 0, size[0] - width + 1))
        y = int(thrown.uniform("y", 0, size[1] - height + 1))
    else:
        x, y = step.x or 0, step.y or 0
        width, height = min(step.w or 0, size[0] - x), min(step.h or 0, size[1] - y)
        if width < 1 or height < 1:
            detail = f"the window begins at {x}, {y}"
            raise RecipeDoesNotFit(step=name, width=size[0], height=size[1], detail=detail)
    return _Move(scaling(1.0, 1.0, dx=-x, dy=-y), (width, height), cuts=(width, height) != size)


def _rotate(step: steps.Rotate, size: Size, degrees: float) -> _Move:
    width, height = size
    if degrees % 360 == 0:
        return _Move(Affine(), size)
    quarters = degrees % 90 == 0
    out = size
    if step.expand:
        turned = rotation(degrees, centre_xy=(0, 0), new_centre_xy=(0, 0))
        wide = abs(turned.a) * width + abs(turned.b) * height
        high = abs(turned.d) * width + abs(turned.e) * height
        out = (math.ceil(wide - 1e-6), math.ceil(high - 1e-6))
    affine = rotation(degrees, centre_xy=(width / 2, height / 2), new_centre_xy=(out[0] / 2, out[1] / 2))
    whole = quarters and (step.expand or degrees % 180 == 0 or width == height)
    return _Move(affine, out, fill=None if whole else step.fill, cuts=not whole and not step.expand)


def _check_size(made: Size, given: Size, name: str) -> None:
    if max(made) > 2 * steps.MAX_SIDE_PX or made[0] * made[1] > steps.MAX_PIXELS:
        detail = f"{made[0]}x{made[1]} px would come out"
        raise RecipeDoesNotFit(step=name, width=given[0], height=given[1], detail=detail)
