"""The steps of a recipe: their fields, limits and versions. No pixels are changed here.

A field written as `[low, high]` gets a new random value for each copy; a single number is fixed. Units: pixels of the
step's input image, degrees, or factors where 1 means no change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

MAX_SIDE_PX = 16_384
MAX_PIXELS = 100_000_000

Pair = tuple[float, float]
"""A range: lowest and highest; the same number twice for a fixed value."""


def invalid(detail: str) -> PydanticCustomError:
    """A validation error that `recipe.parse` turns into `RecipeInvalid`."""
    return PydanticCustomError("recipe", "{detail}", {"detail": detail})


def _pair(value: Any) -> Any:
    """A single number is a range of one value."""
    return (value, value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _colour(value: Any) -> Any:
    """A single number is a shade of grey."""
    return (value, value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def _between(low: float, high: float) -> Callable[[Pair], Pair]:
    def check(value: Pair) -> Pair:
        if value[0] > value[1]:
            raise invalid(f"the range [{value[0]:g}, {value[1]:g}] starts above its end")
        if value[0] < low or value[1] > high:
            raise invalid(f"must be between {low:g} and {high:g}")
        return value

    return check


Degrees = Annotated[Pair, BeforeValidator(_pair), AfterValidator(_between(-360, 360)), PlainSerializer(list)]
Hue = Annotated[Pair, BeforeValidator(_pair), AfterValidator(_between(-180, 180)), PlainSerializer(list)]
Factor = Annotated[Pair, BeforeValidator(_pair), AfterValidator(_between(0, 10)), PlainSerializer(list)]
Exponent = Annotated[Pair, BeforeValidator(_pair), AfterValidator(_between(0.1, 10)), PlainSerializer(list)]
Ratio = Annotated[Pair, BeforeValidator(_pair), AfterValidator(_between(0.2, 5)), PlainSerializer(list)]
Sigma = Annotated[Pair, BeforeValidator(_pair), AfterValidator(_between(0, 128)), PlainSerializer(list)]
Quality = Annotated[Pair, BeforeValidator(_pair), AfterValidator(_between(1, 100)), PlainSerializer(list)]

_Level = Annotated[int, Field(ge=0, le=255)]
Fill = Annotated[tuple[_Level, _Level, _Level], BeforeValidator(_colour), PlainSerializer(list)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]


class Step(BaseModel):
    """One operation. `version` is part of the recipe's hash; raise it when the same fields give different pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: ClassVar[int] = 1
    geometric: ClassVar[bool] = False
    """Whether it changes the coordinates of annotations."""

    p: float = Field(default=1.0, ge=0.0, le=1.0)
    """Probability that the step is applied, for each copy."""

    @property
    def ranges(self) -> dict[str, Pair]:
        """The fields that may be ranges, with their limits."""
        return {name: value for name, value in self if isinstance(value, tuple) and len(value) == 2}

    @property
    def is_random(self) -> bool:
        """Whether two copies may differ."""
        return 0.0 < self.p < 1.0 or any(low < high for low, high in self.ranges.values())


class _Sized(Step):
    geometric = True

    width: Side
    height: Side

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.width * self.height > MAX_PIXELS:
            raise invalid(f"{self.width}x{self.height} px is more than {MAX_PIXELS // 1_000_000} megapixels")
        return self


class Resize(Step):
    """Resize; when only one side is given, the aspect ratio is kept."""

    geometric = True

    width: Side | None = None
    height: Side | None = None

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.width is None and self.height is None:
            raise invalid("give width, height or both")
        if self.width and self.height and self.width * self.height > MAX_PIXELS:
            raise invalid(f"{self.width}x{self.height} px is more than {MAX_PIXELS // 1_000_000} megapixels")
        return self


class Letterbox(_Sized):
    """Resize to fit inside a size, keep the aspect ratio, centre, and fill the rest."""

    fill: Fill = (114, 114, 114)


class RandomCrop(BaseModel):
    """A random window: its share of the image's area, and its aspect ratio relative to the image's."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    min_scale: float = Field(default=0.5, gt=0.0, le=1.0)
    max_scale: float = Field(default=1.0, gt=0.0, le=1.0)
    ratio: Ratio = (1.0, 1.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_scale > self.max_scale:
            raise invalid("min_scale is above max_scale")
        return self


class Crop(Step):
    """Crop to a window, given in pixels (clipped to the image) or random."""

    geometric = True

    x: int | None = Field(default=None, ge=0)
    y: int | None = Field(default=None, ge=0)
    w: Side | None = None
    h: Side | None = None
    random: RandomCrop | None = None

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        given = [side is not None for side in (self.x, self.y, self.w, self.h)]
        if self.random is not None and any(given):
            raise invalid("give x, y, w, h or random, not both")
        if self.random is None and not all(given):
            raise invalid("give x, y, w and h, or random")
        return self

    @property
    def is_random(self) -> bool:
        """A random window differs between copies."""
        return self.random is not None or 0.0 < self.p < 1.0


class Flip(Step):
    """Mirror left to right (horizontal) or top to bottom (vertical); left and right keypoints swap."""

    geometric = True

    axis: Literal["horizontal", "vertical"]


class Rotate(Step):
    """Rotate counter-clockwise about the centre; `expand` enlarges the canvas to hold the whole image."""

    geometric = True

    degrees: Degrees
    fill: Fill = (114, 114, 114)
    expand: bool = False


class Colour(Step):
    """Change brightness, contrast and saturation by factors, hue by degrees, and apply a gamma exponent."""

    brightness: Factor = (1.0, 1.0)
    contrast: Factor = (1.0, 1.0)
    saturation: Factor = (1.0, 1.0)
    hue: Hue = (0.0, 0.0)
    gamma: Exponent = (1.0, 1.0)


class Blur(Step):
    """Gaussian blur; sigma in pixels of the result."""

    sigma_px: Sigma


class Noise(Step):
    """Approximately Gaussian noise on every channel; sigma in levels of 0 to 255. Always random."""

    sigma: Sigma

    @property
    def is_random(self) -> bool:
        """Every copy gets different noise."""
        return True


class Jpeg(Step):
    """Add the compression artefacts of a JPEG of this quality."""

    quality: Quality


class Greyscale(Step):
    """Remove colour; the result still has three channels."""


class Format(Step):
    """Set the file type of the result."""

    mime: Literal["image/jpeg", "image/png"]

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """Accept `format: png` for `format: {mime: image/png}`."""
        short = {"jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png"}
        if isinstance(value, str):
            return {"mime": short.get(value.lower(), value)}
        if isinstance(value, dict) and isinstance(value.get("mime"), str):
            return {**value, "mime": short.get(value["mime"].lower(), value["mime"])}
        return value


STEPS: dict[str, type[Step]] = {
    "resize": Resize,
    "letterbox": Letterbox,
    "crop": Crop,
    "flip": Flip,
    "rotate": Rotate,
    "colour": Colour,
    "blur": Blur,
    "noise": Noise,
    "jpeg": Jpeg,
    "greyscale": Greyscale,
    "format": Format,
}
