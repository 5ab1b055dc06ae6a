"""Effects over the whole image: glows, bloom, falling rain and snow, vignette, grain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from calotype.demo.streets.camera import HEIGHT, WIDTH
from calotype.demo.streets.draw import Glow
from calotype.demo.streets.light import Light

_HALF = (WIDTH // 2, HEIGHT // 2)
_ROWS = 40
"""Rows worked on at a time, few enough to stay in the processor's cache."""


def finish(
    canvas: Image.Image, glows: Sequence[Glow], light: Light, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Halos around lights and their streaks on a wet road, bloom, weather in the air, vignette and grain.

    Args:
        canvas: RGB image; weather is drawn onto it.
        glows: Lights that are seen.
        light: Of the scene.
        rng: Decides where drops and flakes fall, and the grain.
    Returns:
        (H, W, 3).
    """
    halo = _halo(glows, light) if glows else None
    small = canvas.reduce(8)
    if halo is not None:
        small = ImageChops.screen(small, halo.reduce(4))
    bright = small.point([max(0, v - (176 if light.time == "day" else 138)) for v in range(256)] * 3)
    air = bright.filter(ImageFilter.BoxBlur(3)).filter(ImageFilter.BoxBlur(3))
    if halo is not None:
        air = ImageChops.screen(halo, air.resize(_HALF, Image.Resampling.BILINEAR))
    if light.weather == "rain":
        _rain(canvas, light, rng)
    elif light.weather == "snow":
        _snow(canvas, light, rng)
    air = air.resize((WIDTH, _HALF[1]), Image.Resampling.BILINEAR)
    return _developed(np.asarray(canvas), np.asarray(air), rng, 3 if light.time == "day" else 5)


def _halo(glows: Sequence[Glow], light: Light) -> Image.Image:
    """Light around lamps at half size."""
    sheet = np.zeros((_HALF[1], _HALF[0], 3), dtype=np.float32)
    for glow in glows:
        _stamp(sheet, glow.at[0], glow.at[1], glow.radius, glow.radius, glow.colour, 1.0)
        if light.wet > 0.5 and glow.foot is not None:
            _stamp(sheet, glow.at[0], glow.foot, glow.radius * 0.55, glow.radius * 3.0, glow.colour, 0.55)
    return Image.fromarray((np.minimum(sheet, 1) * 255).astype(np.uint8))


def _developed(
    canvas: NDArray[np.uint8], air: NDArray[np.uint8], rng: np.random.Generator, amount: int
) -> NDArray[np.uint8]:
    """`canvas` with the light in the air (of half the height) added (screen), then vignette and grain."""
    dx, dy = (int(v) for v in rng.integers(0, 64, 2))
    grain = _grain(amount)[dy : dy + HEIGHT, 3 * dx : 3 * (dx + WIDTH)]
    keep, scaled = _vignette()
    own, clear = canvas.reshape(HEIGHT, -1), _twice_as_high(255 - air.reshape(_HALF[1], -1))
    image = np.empty((HEIGHT, WIDTH * 3), dtype=np.uint8)
    for y in range(0, HEIGHT, _ROWS):
        rows = slice(y, y + _ROWS)
        # 255 - (255 - own) (255 - added) / 255, times the vignette: in 16 bits, / 255 as a shift by 8.
        dark = np.multiply(255 - own[rows], clear[rows], dtype=np.uint16)
        dark >>= 8
        dark *= scaled[rows]
        dark >>= 8
        light = keep[rows] + grain[rows]
        light -= dark.view(np.int16)
        np.clip(light, 0, 255, out=image[rows], casting="unsafe")
    return image.reshape(HEIGHT, WIDTH, 3)


@lru_cache(maxsize=64)
def _kernel(rx: int, ry: int) -> NDArray[np.float32]:
    y = (np.arange(-ry, ry + 1) / ry)[:, None]
    x = (np.arange(-rx, rx + 1) / rx)[None, :]
    r = np.sqrt(x * x + y * y)
    fall = np.clip(1 - r, 0, 1) ** 2.4 * 0.62 + np.exp(-((r / 0.13) ** 2)) * 0.7
    return np.asarray(fall, dtype=np.float32)


def _stamp(
    sheet: NDArray[np.float32],
    x: float,
    y: float,
    rx: float,
    ry: float,
    colour: tuple[float, float, float],
    gain: float,
) -> None:
    kx, ky = max(2, min(150, round(rx / 2))), max(2, min(150, round(ry / 2)))
    kernel = _kernel(kx, ky)
    left, top = round(x / 2) - kx, round(y / 2) - ky
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(_HALF[0], left + kernel.shape[1]), min(_HALF[1], top + kernel.shape[0])
    if x0 < x1 and y0 < y1:
        piece = kernel[y0 - top : y1 - top, x0 - left : x1 - left, None]
        sheet[y0:y1, x0:x1] += piece * (np.asarray(colour, dtype=np.float32) * np.float32(gain))


_ROAM = 240
"""Sheets of drops and flakes are this much larger than the image, in pixels, and shifted for every frame."""


def _rain(canvas: Image.Image, light: Light, rng: np.random.Generator) -> None:
    tint = tuple(int(255 * min(1.0, c * 0.4 + 0.6)) for c in light.sky[2])
    canvas.paste(tint, (0, 0), _shifted(_drops(70 if light.time == "day" else 52), rng))


def _snow(canvas: Image.Image, light: Light, rng: np.random.Generator) -> None:
    white = (250, 252, 255) if light.time == "day" else (190, 198, 220)
    canvas.paste(white, (0, 0), _shifted(_flakes(), rng))


def _shifted(sheet: Image.Image, rng: np.random.Generator) -> Image.Image:
    x, y = (int(v) for v in rng.integers(0, _ROAM, 2))
    return sheet.crop((x, y, x + WIDTH, y + HEIGHT))


@lru_cache(maxsize=2)
def _drops(strength: int) -> Image.Image:
    """Streaks of rain, as strong as the veil they lay over the image."""
    rng = np.random.default_rng(20251104)
    width, height = WIDTH + _ROAM, HEIGHT + _ROAM
    veil = Image.new("L", (width, height))
    pen = ImageDraw.Draw(veil)
    n = round(420 * width * height / (WIDTH * HEIGHT))
    xs, ys, near = rng.random(n) * width, rng.random(n) * (height + 44) - 44, rng.random(n) ** 2
    for x, y, k in zip(xs.tolist(), ys.tolist(), near.tolist(), strict=True):
        long = 10 + 34 * k
        fill, wide = int(strength * (0.35 + 0.65 * k)), 1 if k < 0.75 else 2
        pen.line((x, y, x - long * 0.16, y + long), fill=fill, width=wide)
    return veil.filter(ImageFilter.BoxBlur(0.6))


@lru_cache(maxsize=1)
def _flakes() -> Image.Image:
    """Snow in the air, few flakes near and large."""
    rng = np.random.default_rng(20251105)
    width, height = WIDTH + _ROAM, HEIGHT + _ROAM
    veil = Image.new("L", (width, height))
    pen = ImageDraw.Draw(veil)
    n = round(520 * width * height / (WIDTH * HEIGHT))
    xs, ys, near = rng.random(n) * width, rng.random(n) * height, rng.random(n) ** 3.2
    for x, y, k in zip(xs.tolist(), ys.tolist(), near.tolist(), strict=True):
        r = 0.7 + 3.4 * k
        pen.ellipse((x - r, y - r, x + r, y + r), fill=int(205 - 90 * k))
    return veil.filter(ImageFilter.GaussianBlur(0.7))


def _twice_as_high(half: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Twice as many rows, each three parts of the nearest and one of the next."""
    whole = np.empty((2 * len(half), half.shape[1]), dtype=np.uint8)
    for y in range(0, len(half), _ROWS):
        rows = slice(y, y + _ROWS)
        piece = np.pad(
            half[max(0, y - 1) : y + _ROWS + 1], ((int(y == 0), int(y + _ROWS >= len(half))), (0, 0)), "edge"
        )
        thrice = piece[1:-1] * np.uint16(3) + np.uint16(2)
        whole[::2][rows] = (thrice + piece[:-2]) >> 2
        whole[1::2][rows] = (thrice + piece[2:]) >> 2
    return whole


@lru_cache(maxsize=1)
def _vignette() -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Light (H, 3 W) that the lens lets through, 0 to 255, and the same for the shifts of `_developed`."""
    y = (np.linspace(-1, 1, HEIGHT))[:, None]
    x = (np.linspace(-1, 1, WIDTH))[None, :]
    keep = 1 - 0.30 * np.clip(np.sqrt(0.55 * x * x + 0.5 * y * y) - 0.42, 0, 1) ** 1.4
    whole = np.repeat((keep * 255).astype(np.int16), 3, axis=1)
    # Both shifts cut off half a level on average, hence the one less.
    return whole - np.int16(1), (whole * (256 * 256 / 255 / 255) + 0.5).astype(np.uint16)


@lru_cache(maxsize=4)
def _grain(amount: int) -> NDArray[np.int16]:
    """What grain adds, the same in all three channels, larger than the image so that it can be shifted."""
    tile = (np.random.default_rng(20251103).random((HEIGHT + 64, WIDTH + 64)) - 0.5) * (2 * amount)
    return np.repeat(tile.astype(np.int16), 3, axis=1)
