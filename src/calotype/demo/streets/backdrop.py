"""The street without its traffic: sky, ground, their light. One image per scene, shared by its frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from calotype.demo.streets.camera import HEIGHT, WIDTH, Array, Camera
from calotype.demo.streets.houses import draw_houses
from calotype.demo.streets.layout import FACADE, ROAD, Plan, generator, lamp_light, plan, sunlit
from calotype.demo.streets.light import LAMP_COLOUR, Colour, to_bytes

_ASPHALT, _PAVEMENT, _KERB, _PAINT = (
    (0.30, 0.305, 0.325),
    (0.62, 0.60, 0.57),
    (0.74, 0.73, 0.71),
    (0.93, 0.92, 0.88),
)

Lay = Callable[[float, float, float, float, tuple[int, int, int]], None]
"""Paints a rectangle x0, y0, x1, y1 (metres) of the ground in a colour."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A scene's empty street.

    Args:
        image: RGB image.
        mirror: (H, W) uint8, how much each ground pixel mirrors what stands above it, 0 to 255.
    """

    canvas: Image.Image
    mirror: Image.Image


@lru_cache(maxsize=2)
def backdrop(seed: int, scene: int) -> Backdrop:
    """Draw the empty street of one scene."""
    p = plan(seed, scene)
    rng = generator(p.seed, 2)
    sky = _sky(p, rng)
    houses = draw_houses(p)
    above = sky.copy()
    above.paste(houses, (0, 0), houses)
    top = max(0, min(HEIGHT, int(p.camera.horizon) + 1))
    ground, mirror = _ground(p, rng, above, top)
    canvas = sky
    canvas.paste(ground, (0, top))
    canvas.paste(houses, (0, 0), houses)
    full_mirror = Image.new("L", (WIDTH, HEIGHT), 0)
    full_mirror.paste(mirror, (0, top))
    return Backdrop(canvas, full_mirror)


def noise(
    rng: np.random.Generator, width: int, height: int, octaves: tuple[tuple[int, int, float], ...]
) -> Array:
    """Smooth noise (height, width) in about [0, 1]: a sum of (columns, rows, weight) grids enlarged."""
    total = np.zeros((height, width))
    for columns, rows, weight in octaves:
        grid = Image.fromarray((rng.random((rows, columns)) * 255).astype(np.uint8))
        total += np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float64) * (
            weight / 255
        )
    return total / sum(w for _, _, w in octaves)


def _sky(p: Plan, rng: np.random.Generator) -> Image.Image:
    """The sky, painted at half size because nothing in it is sharp, then enlarged; stars are added last."""
    light, horizon = p.light, max(20.0, p.camera.horizon / 2)
    width, height = WIDTH // 2, HEIGHT // 2
    rise = np.clip(1 - np.arange(height) / horizon, 0, 1)[:, None]
    top, middle, low = (np.asarray(c) for c in light.sky)
    ramp = np.where(
        rise < 0.45, low + (middle - low) * (rise / 0.45), middle + (top - middle) * ((rise - 0.45) / 0.55)
    )
    sky = np.repeat(ramp[:, None, :], width, axis=1)
    density = noise(rng, width, height, ((5, 7, 1.0), (11, 16, 0.6), (26, 36, 0.3), (60, 80, 0.14)))
    cover = np.clip((density - (0.60 - 0.22 * light.cloud)) / 0.16, 0, 1)
    lift = np.clip((density - np.roll(density, -7, axis=0)) * 5 + 0.55, 0, 1)[..., None]
    cover *= np.clip(rise * 3, 0.15, 1) * (0.9 if light.cloud < 0.8 else 0.55)
    pale = np.clip(
        np.asarray(light.sky[2]) * (1.04 if light.time == "day" else 0.92) + np.asarray(light.sun) * 0.2, 0, 1
    )
    if light.time == "night":
        pale = np.asarray(light.sky[2]) * 1.1
    dim = np.asarray(light.sky[1]) * (0.94 if light.time == "day" else 0.72) + np.asarray(light.sky[2]) * 0.1
    sky += ((dim + (pale - dim) * lift) - sky) * cover[..., None]
    if light.weather == "clear" and light.time != "day":
        _sun_or_moon(sky, p)
    canvas = Image.fromarray((np.clip(sky, 0, 1) * 255).astype(np.uint8)).resize(
        (WIDTH, HEIGHT), Image.Resampling.BICUBIC
    )
    if light.time == "night" and light.cloud < 0.8:
        _stars(canvas, rng, horizon * 2)
    return canvas


def _stars(canvas: Image.Image, rng: np.random.Generator, horizon: float) -> None:
    pen = ImageDraw.Draw(canvas)
    for x, y, bright in rng.random((130, 3)).tolist():
        tone = int(40 + 150 * bright**2)
        pen.point((x * WIDTH, y**1.3 * horizon * 0.8), fill=(tone, tone, min(255, tone + 16)))


def _sun_or_moon(sky: Array, p: Plan) -> None:
    night = p.light.time == "night"
    x = sky.shape[1] * (0.5 + 0.16 * (1 if p.light.sun_at[0] > 0 else -1))
    y = p.camera.horizon / 2 * (0.30 if night else 0.80)
    ys, xs = np.mgrid[0 : sky.shape[0], 0 : sky.shape[1]]
    far = np.hypot(xs - x, ys - y)
    colour = np.array([0.93, 0.94, 0.86]) if night else np.array([1.0, 0.82, 0.50])
    size, halo, strength = (7.5, 35.0, 0.20) if night else (12.0, 95.0, 0.42)
    sky += (np.exp(-((far / halo) ** 1.1)) * strength)[..., None] * colour
    sky += (colour - sky) * np.clip(size + 0.5 - far, 0, 1)[..., None]


def _ground(
    p: Plan, rng: np.random.Generator, above: Image.Image, top: int
) -> tuple[Image.Image, Image.Image]:
    """The lit ground from row `top` down, and how strongly it mirrors."""
    light, rows = p.light, HEIGHT - top
    x, y, depth = (a.astype(np.float32) for a in ground_map(p.camera, top))
    own = np.asarray(_flat_ground(p, rng, top), dtype=np.float32) / np.float32(255)
    grain = rng.random((256, 256), dtype=np.float32)
    cell = grain[np.floor(y * 9).astype(np.int32) & 255, np.floor(x * 22).astype(np.int32) & 255]
    patch = noise(rng, 256, 256, ((24, 12, 1.0), (64, 40, 0.5))).astype(np.float32)
    broad = patch[np.floor(y * 5).astype(np.int32) & 255, np.floor(x * 12).astype(np.int32) & 255]
    near = np.exp(-depth / 26)
    own *= (1 + (cell - 0.5) * 0.16 * near + (broad - 0.5) * 0.24)[..., None]
    on_road = np.abs(x) < ROAD
    rut = np.exp(-(((np.abs(np.abs(x) - 1.75) - 0.78) / 0.36) ** 2)) * on_road
    if light.snow:
        cover = np.where(on_road, 0.55 - 0.45 * rut, 0.90) + (broad - 0.5) * 0.5
        own += (_f32((0.90, 0.93, 0.98)) - own) * np.clip(cover, 0, 1)[..., None]
    else:
        own *= (1 - 0.09 * rut)[..., None]
    own *= 1 - 0.30 * light.wet * (light.weather == "rain")
    colours = own * _ground_light(p, x, y)
    mirror: Array = np.zeros((rows, WIDTH), dtype=np.float32)
    if light.wet:
        puddle = np.clip((broad - 0.42) * 5, 0, 1) * on_road
        graze = np.clip(depth / 38, 0.12, 1)
        mirror = (
            light.wet
            * np.clip((0.34 + 0.42 * puddle) * (0.40 + 0.6 * graze), 0, 0.85)
            * np.where(on_road, 1, 0.55)
        )
        flipped = np.asarray(_mirrored(above, top, rows, p.camera.horizon), dtype=np.float32) / 255
        colours += (flipped - colours) * mirror[..., None]
    clear = np.exp(-depth / light.haze_m)[..., None]
    colours = colours * clear + _f32(light.haze) * (1 - clear)
    canvas = Image.fromarray((np.clip(colours, 0, 1) * 255).astype(np.uint8))
    return canvas, Image.fromarray((np.clip(mirror, 0, 1) * 255).astype(np.uint8))


def _ground_light(p: Plan, x: Array, y: Array) -> Array:
    """Light that falls on the ground at (x, y), RGB."""
    lit = p.light.sun_at[2] * _soft(sunlit(p, x, y))
    # Houses take some of the sky's light from the strip of pavement beside them.
    wall = 1 - 0.28 * np.exp(-np.abs(FACADE - np.abs(x)) / 1.3)
    light: Array = _f32(p.light.ambient_sky) * wall[..., None] + _f32(p.light.sun) * lit[..., None]
    if p.light.lamps_on:
        light = light + lamp_light(p, x, y)[..., None] * _f32(LAMP_COLOUR)
    return light


def _f32(colour: Colour) -> NDArray[np.float32]:
    return np.asarray(colour, dtype=np.float32)


def ground_map(camera: Camera, top: int) -> tuple[Array, Array, Array]:
    """World x, world y and depth in metres of every ground pixel from row `top` down; each (rows, WIDTH)."""
    v = (np.arange(top, HEIGHT) + 0.5 - HEIGHT / 2)[:, None] / camera.focal
    u = (np.arange(WIDTH) + 0.5 - WIDTH / 2)[None, :] / camera.focal
    cp, sp, cy, sy = np.cos(camera.pitch), np.sin(camera.pitch), np.cos(camera.yaw), np.sin(camera.yaw)
    drop = np.maximum(v * cp + sp, 1e-4)
    depth = np.minimum(camera.at[2] / drop, 3000.0) + 0 * u
    forward, right = depth * (cp - v * sp), depth * u
    return camera.at[0] + right * cy + forward * sy, camera.at[1] + forward * cy - right * sy, depth


def _soft(mask: Array) -> Array:
    image = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.6))
    return np.asarray(image, dtype=np.float32) / 255


def _mirrored(above: Image.Image, top: int, rows: int, horizon: float) -> Image.Image:
    flipped = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    shift = round(HEIGHT - 2 * horizon) + top
    piece = flipped.crop((0, shift, WIDTH, shift + rows))
    seen = max(1, min(rows, HEIGHT - shift))
    if seen < rows:
        piece.paste(piece.crop((0, seen - 1, WIDTH, seen)).resize((WIDTH, rows - seen)), (0, seen))
    small = piece.resize((WIDTH // 2, max(2, rows // 10)), Image.Resampling.BOX)
    return small.resize((WIDTH, rows), Image.Resampling.BICUBIC)


def _flat_ground(p: Plan, rng: np.random.Generator, top: int) -> Image.Image:
    """Colours of the ground before light: asphalt, pavements, kerbs, markings."""
    size = (WIDTH * 2, (HEIGHT - top) * 2)
    asphalt, pavement, kerb, paint = to_bytes(np.array([_ASPHALT, _PAVEMENT, _KERB, _PAINT]))
    image = Image.new("RGB", size, asphalt)
    pen = ImageDraw.Draw(image)

    def lay(x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int]) -> None:
        points = p.camera.polygon([(x0, y0, 0.0), (x1, y0, 0.0), (x1, y1, 0.0), (x0, y1, 0.0)])
        if points:
            pen.polygon([(x * 2, (y - top) * 2) for x, y in points], fill=colour)

    c = p.crossing
    spans = [(-10.0, 400.0)] if c is None else [(-10.0, c + 4.8), (c + 13.2, 400.0)]
    for side in (-1, 1):
        for y0, y1 in spans:
            lay(side * ROAD, y0, side * FACADE * 1.02, y1, pavement)
            for line in np.arange(max(y0, -2.0), min(y1, 46.0), 1.5):
                lay(side * (ROAD + 0.3), line, side * FACADE, line + 0.035, (132, 128, 122))
            lay(side * 8.3, y0, side * 8.335, y1, (132, 128, 122))
            lay(side * ROAD, y0, side * (ROAD + 0.26), y1, kerb)
            lay(side * (ROAD - 0.16), y0, side * ROAD, y1, (62, 62, 66))
    _markings(lay, c, paint)
    for _ in range(4):
        x, y = float(rng.uniform(-4, 4)), float(rng.uniform(6, 40))
        w, h = float(rng.uniform(0.8, 2.2)), float(rng.uniform(1.5, 5))
        if c is None or not c - 2 < y < c + 18:
            lay(x, y, x + w, y + h, (66, 67, 71))
    return image.reduce(2)


def _markings(lay: Lay, crossing: float | None, paint: tuple[int, int, int]) -> None:
    stops = (-10.0, 150.0) if crossing is None else (crossing - 1.4, crossing + 18.6)
    for y in np.arange(-8.0, 150.0, 4.0):
        if crossing is None or y + 2.0 < stops[0] or y > stops[1]:
            lay(-0.07, y, 0.07, y + 2.0, paint)
    for side in (-1, 1):
        ends = ((-10.0, stops[0]), (stops[1], 200.0)) if crossing is not None else ((-10.0, 200.0),)
        for y0, y1 in ends:
            lay(side * 3.86, y0, side * 3.95, y1, paint)
    if crossing is None:
        return
    for near in (crossing, crossing + 14.0):
        for x in np.arange(-5.75, 5.8, 1.0):
            lay(x - 0.25, near, x + 0.25, near + 3.2, paint)
    lay(0.15, crossing - 1.4, ROAD - 0.2, crossing - 1.0, paint)
    lay(-ROAD + 0.2, crossing + 18.2, -0.15, crossing + 18.6, paint)
