"""The steps that a recipe is made of: their fields, their limits, their versions. No pixel is touched here.

A field written as `[low, high]` is drawn anew for each copy; one number is fixed. Units: pixels of the image that the
step gets, degrees, or factors where 1 changes nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

MAX_SIDE_PX = 16_384
MAX_PIXELS = 100_000_000


def _pair(value: Any) -> Any:
    """One number is a range without width."""
    return (value, value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _colour(value: Any) -> Any:
    """One number is a grey."""
    return (value, value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise _trouble(f"the range {list(value)} begins above its end")
    return value


def _trouble(text: str) -> ValueError:
    """Pydantic gathers these into its own error, which `recipe.parse` turns into ours."""
    return ValueError(text)


def _list(value: tuple[float, ...]) -> list[float]:
    return list(value)


def _range(low: float, high: float) -> Any:
    number = Annotated[float, Field(ge=low, le=high, strict=False)]
    return Annotated[tuple[number, number], BeforeValidator(_pair), PlainSerializer(_list)]


_Level = Annotated[int, Field(ge=0, le=255)]
Fill = Annotated[tuple[_Level, _Level, _Level], BeforeValidator(_colour), PlainSerializer(list)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
Pair = tuple[float, float]


class Step(BaseModel):
    """One operation. `version` goes into the recipe's hash and grows when the same fields give other pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: ClassVar[int] = 1
    moves: ClassVar[bool] = False
    """Whether annotations move with it."""

    p: float = Field(default=1.0, ge=0.0, le=1.0)
    """Chance of being taken, drawn for each copy."""

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        for name in self.ranges():
            _ordered(getattr(self, name))
        return self

    @classmethod
    def ranges(cls) -> tuple[str, ...]:
        """Names of the fields that may hold a range."""
        return ()

    @property
    def is_random(self) -> bool:
        """Two copies may come out differently."""
        drawn = any(getattr(self, name)[0] < getattr(self, name)[1] for name in self.ranges())
        return drawn or 0.0 < self.p < 1.0


class _Sized(Step):
    moves = True

    width: Side
    height: Side

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.width * self.height > MAX_PIXELS:
            raise _trouble(f"{self.width}x{self.height} px is more than {MAX_PIXELS // 1_000_000} megapixels")
        return self


class Resize(Step):
    """To a size; with one side given the other follows, so that shapes keep their form."""

    moves = True

    width: Side | None = None
    height: Side | None = None

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.width is None and self.height is None:
            raise _trouble("give width, height or both")
        if self.width and self.height and self.width * self.height > MAX_PIXELS:
            raise _trouble(f"{self.width}x{self.height} px is more than {MAX_PIXELS // 1_000_000} megapixels")
        return self


class Letterbox(_Sized):
    """Into a size with its form kept, centred, the rest filled."""

    fill: Fill = (114, 114, 114)


class RandomCrop(BaseModel):
    """A window at a random place: its share of the image's area, and how much wider it may be than the image."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    min_scale: float = Field(default=0.5, gt=0.0, le=1.0)
    max_scale: float = Field(default=1.0, gt=0.0, le=1.0)
    ratio: _range(0.2, 5.0) = (1.0, 1.0)  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _check(self) -> Self:
        _ordered((self.min_scale, self.max_scale))
        _ordered(self.ratio)
        return self


class Crop(Step):
    """A window: at a place in pixels (cut to the image), or a random one."""

    moves = True

    x: int | None = Field(default=None, ge=0)
    y: int | None = Field(default=None, ge=0)
    w: Side | None = None
    h: Side | None = None
    random: RandomCrop | None = None

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        given = [side is not None for side in (self.x, self.y, self.w, self.h)]
        if self.random is not None and any(given):
            raise _trouble("give x, y, w, h or random, not both")
        if self.random is None and not all(given):
            raise _trouble("give x, y, w and h, or random")
        return self

    @property
    def is_random(self) -> bool:
        """A random window differs from copy to copy."""
        return self.random is not None or 0.0 < self.p < 1.0


class Flip(Step):
    """Mirrored left to right (horizontal) or top to bottom (vertical); left and right keypoints change places."""

    moves = True

    axis: Literal["horizontal", "vertical"]


class Rotate(Step):
    """Counter-clockwise about the centre; `expand` makes the canvas hold the whole turned image."""

    moves = True

    degrees: _range(-360.0, 360.0)  # type: ignore[valid-type]
    fill: Fill = (114, 114, 114)
    expand: bool = False

    @classmethod
    def ranges(cls) -> tuple[str, ...]:
        """The angle."""
        return ("degrees",)


class Colour(Step):
    """Factors on brightness, contrast and saturation, a turn of the hue in degrees, an exponent."""

    brightness: _range(0.0, 10.0) = (1.0, 1.0)  # type: ignore[valid-type]
    contrast: _range(0.0, 10.0) = (1.0, 1.0)  # type: ignore[valid-type]
    saturation: _range(0.0, 10.0) = (1.0, 1.0)  # type: ignore[valid-type]
    hue: _range(-180.0, 180.0) = (0.0, 0.0)  # type: ignore[valid-type]
    gamma: _range(0.1, 10.0) = (1.0, 1.0)  # type: ignore[valid-type]

    @classmethod
    def ranges(cls) -> tuple[str, ...]:
        """All five."""
        return ("brightness", "contrast", "saturation", "hue", "gamma")


class Blur(Step):
    """A Gaussian blur; sigma in pixels of the image that is made."""

    sigma_px: _range(0.0, 50.0)  # type: ignore[valid-type]

    @classmethod
    def ranges(cls) -> tuple[str, ...]:
        """Its width."""
        return ("sigma_px",)


class Noise(Step):
    """Noise on every channel, about Gaussian; sigma in levels of 0 to 255. Always random."""

    sigma: _range(0.0, 128.0)  # type: ignore[valid-type]

    @classmethod
    def ranges(cls) -> tuple[str, ...]:
        """Its strength."""
        return ("sigma",)

    @property
    def is_random(self) -> bool:
        """Every copy gets noise of its own."""
        return True


class Jpeg(Step):
    """The marks of a JPEG of this quality."""

    quality: _range(1.0, 100.0)  # type: ignore[valid-type]

    @classmethod
    def ranges(cls) -> tuple[str, ...]:
        """Its quality."""
        return ("quality",)


class Greyscale(Step):
    """Colour taken away; still three channels."""


class Format(Step):
    """The type of file that is written."""

    mime: Literal["image/jpeg", "image/png"]

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """`format: png` for `format: {mime: image/png}`."""
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
