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


def add_glows(canvas: Image.Image, glows: Sequence[Glow], light: Light) -> Image.Image:
    """Add halos around lights, and their streaks on a wet road."""
    if not glows:
        return canvas
    sheet = np.zeros((_HALF[1], _HALF[0], 3), dtype=np.float32)
    for glow in glows:
        _stamp(sheet, glow.at[0], glow.at[1], glow.radius, glow.radius, glow.colour, 1.0)
        if light.wet > 0.5 and glow.foot is not None:
            _stamp(sheet, glow.at[0], glow.foot, glow.radius * 0.55, glow.radius * 3.0, glow.colour, 0.55)
    half = Image.fromarray((np.clip(sheet, 0, 1) * 255).astype(np.uint8))
    return ImageChops.screen(canvas, half.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))


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


def finish(canvas: Image.Image, light: Light, rng: np.random.Generator) -> Image.Image:
    """Bloom, weather in the air, vignette and grain."""
    small = canvas.reduce(4)
    bright = small.point([max(0, v - (176 if light.time == "day" else 138)) for v in range(256)] * 3)
    bloom = (
        bright.filter(ImageFilter.BoxBlur(6))
        .filter(ImageFilter.BoxBlur(6))
        .resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    )
    canvas = ImageChops.screen(canvas, bloom)
    if light.weather == "rain":
        canvas = _rain(canvas, light, rng)
    elif light.weather == "snow":
        canvas = _snow(canvas, light, rng)
    canvas = ImageChops.multiply(canvas, _vignette())
    return _grain(canvas, rng, 3 if light.time == "day" else 5)


def _rain(canvas: Image.Image, light: Light, rng: np.random.Generator) -> Image.Image:
    veil = Image.new("L", (WIDTH, HEIGHT), 0)
    pen = ImageDraw.Draw(veil)
    n = 420
    xs, ys, near = rng.random(n) * (WIDTH + 60) - 30, rng.random(n) * HEIGHT, rng.random(n) ** 2
    strength = 70 if light.time == "day" else 52
    for x, y, k in zip(xs.tolist(), ys.tolist(), near.tolist(), strict=True):
        long = 10 + 34 * k
        pen.line(
            (x, y, x - long * 0.16, y + long),
            fill=int(strength * (0.35 + 0.65 * k)),
            width=1 if k < 0.75 else 2,
        )
    tint = tuple(int(255 * min(1.0, c * 0.4 + 0.6)) for c in light.sky[2])
    canvas.paste(tint, (0, 0), veil.filter(ImageFilter.BoxBlur(0.6)))
    return canvas


def _snow(canvas: Image.Image, light: Light, rng: np.random.Generator) -> Image.Image:
    veil = Image.new("L", (WIDTH, HEIGHT), 0)
    pen = ImageDraw.Draw(veil)
    n = 520
    xs, ys, near = rng.random(n) * WIDTH, rng.random(n) * HEIGHT, rng.random(n) ** 3.2
    for x, y, k in zip(xs.tolist(), ys.tolist(), near.tolist(), strict=True):
        r = 0.7 + 3.4 * k
        pen.ellipse((x - r, y - r, x + r, y + r), fill=int(205 - 90 * k))
    white = (250, 252, 255) if light.time == "day" else (190, 198, 220)
    canvas.paste(white, (0, 0), veil.filter(ImageFilter.GaussianBlur(0.7)))
    return canvas


@lru_cache(maxsize=1)
def _vignette() -> Image.Image:
    y = (np.linspace(-1, 1, HEIGHT))[:, None]
    x = (np.linspace(-1, 1, WIDTH))[None, :]
    keep = 1 - 0.30 * np.clip(np.sqrt(0.55 * x * x + 0.5 * y * y) - 0.42, 0, 1) ** 1.4
    grey = Image.fromarray((keep * 255).astype(np.uint8))
    return Image.merge("RGB", (grey, grey, grey))


@lru_cache(maxsize=4)
def _grain_tiles(amount: int) -> tuple[Image.Image, Image.Image]:
    """What grain adds and what it takes away, larger than the image so that it can be shifted."""
    tile = (np.random.default_rng(20251103).random((HEIGHT + 64, WIDTH + 64)) - 0.5) * (2 * amount)
    more, less = (Image.fromarray(np.clip(t, 0, 255).astype(np.uint8)) for t in (tile, -tile))
    return Image.merge("RGB", (more, more, more)), Image.merge("RGB", (less, less, less))


def _grain(canvas: Image.Image, rng: np.random.Generator, amount: int) -> Image.Image:
    dx, dy = (int(v) for v in rng.integers(0, 64, 2))
    more, less = (t.crop((dx, dy, dx + WIDTH, dy + HEIGHT)) for t in _grain_tiles(amount))
    return ImageChops.subtract(ImageChops.add(canvas, more), less)
