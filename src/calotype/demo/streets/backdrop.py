"""The street without its traffic: sky, ground, their light. One image per scene, shared by its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from calotype.demo.streets.camera import HEIGHT, NEAR_M, WIDTH, Array, Camera
from calotype.demo.streets.houses import draw_houses
from calotype.demo.streets.layout import FACADE, ROAD, Plan, generator, lamp_light, plan, sunlit
from calotype.demo.streets.light import LAMP_COLOUR, Colour, Light, to_bytes

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
    top = max(0, min(HEIGHT, int(p.camera.horizon) + 1))
    canvas = _sky(p, rng, top)
    houses = draw_houses(p)
    above = canvas
    if p.light.wet:
        above = canvas.copy()
        above.paste(houses, (0, 0), houses)
    ground, mirror = _ground(p, rng, above, top)
    canvas.paste(ground, (0, top))
    canvas.paste(houses, (0, 0), houses)
    full_mirror = Image.new("L", (WIDTH, HEIGHT), 0)
    if mirror is not None:
        full_mirror.paste(mirror, (0, top))
    return Backdrop(canvas, full_mirror)


def noise(
    rng: np.random.Generator,
    size: tuple[int, int],
    octaves: tuple[tuple[int, int, float], ...],
    kept: int | None = None,
) -> NDArray[np.float32]:
    """Smooth noise in about [0, 1]: a sum of (columns, rows, weight) grids enlarged to (width, height).

    Of the height only the first `kept` rows are computed.
    """
    width, height = size
    rows_kept = height if kept is None else min(kept, height)
    total = np.zeros((rows_kept, width), dtype=np.float32)
    for columns, rows, weight in octaves:
        grid = Image.fromarray((rng.random((rows, columns)) * 255).astype(np.uint8))
        box = (0.0, 0.0, float(columns), rows * rows_kept / height)
        large = np.asarray(grid.resize((width, rows_kept), Image.Resampling.BICUBIC, box=box))
        total += large * np.float32(weight / 255)
    total /= np.float32(sum(w for _, _, w in octaves))
    return total


def _sky(p: Plan, rng: np.random.Generator, top: int) -> Image.Image:
    """The sky above row `top`, painted at half size because nothing in it is sharp; stars are added last."""
    light, horizon = p.light, max(20.0, p.camera.horizon / 2)
    width, height = WIDTH // 2, min(HEIGHT // 2, top // 2 + 2)
    rise = np.clip(1 - np.arange(height, dtype=np.float32) / np.float32(horizon), 0, 1)
    size, octaves = (width, HEIGHT // 2), ((5, 7, 1.0), (11, 16, 0.6), (26, 36, 0.3), (60, 80, 0.14))
    density = noise(rng, size, octaves, height + 7)
    lift = np.clip((density[:height] - np.roll(density, -7, axis=0)[:height]) * 5 + 0.55, 0, 1)
    cover = np.clip((density[:height] - (0.60 - 0.22 * light.cloud)) / 0.16, 0, 1)
    cover *= (np.clip(rise * 3, 0.15, 1) * (0.9 if light.cloud < 0.8 else 0.55))[:, None]
    pale = np.clip(
        np.asarray(light.sky[2]) * (1.04 if light.time == "day" else 0.92) + np.asarray(light.sun) * 0.2, 0, 1
    )
    if light.time == "night":
        pale = np.asarray(light.sky[2]) * 1.1
    dim = np.asarray(light.sky[1]) * (0.94 if light.time == "day" else 0.72) + np.asarray(light.sky[2]) * 0.1
    extra = _sun_or_moon(p, height, width) if light.weather == "clear" and light.time != "day" else None
    planes = []
    for c in range(3):
        ramp = np.interp(rise, (0.0, 0.45, 1.0), [colour[c] for colour in light.sky[::-1]])
        plane = np.repeat(ramp.astype(np.float32)[:, None], width, axis=1)
        plane += (np.float32(dim[c]) + np.float32(pale[c] - dim[c]) * lift - plane) * cover
        if extra is not None:
            halo, disc, colour = extra
            plane += halo * np.float32(colour[c])
            plane += (np.float32(colour[c]) - plane) * disc
        planes.append(_eight_bits(plane))
    canvas = Image.new("RGB", (WIDTH, HEIGHT))
    canvas.paste(Image.merge("RGB", planes).resize((WIDTH, height * 2), Image.Resampling.BILINEAR))
    if light.time == "night" and light.cloud < 0.8:
        _stars(canvas, rng, horizon * 2)
    return canvas


def _eight_bits(plane: NDArray[np.float32]) -> Image.Image:
    """An "L" image of a plane in [0, 1]; what is outside is clipped."""
    return Image.fromarray((np.minimum(np.maximum(plane, 0), 1) * np.float32(255)).astype(np.uint8))


def _stars(canvas: Image.Image, rng: np.random.Generator, horizon: float) -> None:
    pen = ImageDraw.Draw(canvas)
    for x, y, bright in rng.random((130, 3)).tolist():
        tone = int(40 + 150 * bright**2)
        pen.point((x * WIDTH, y**1.3 * horizon * 0.8), fill=(tone, tone, min(255, tone + 16)))


def _sun_or_moon(p: Plan, height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32], Colour]:
    """Halo and disc (height, width) in [0, 1], and their colour."""
    night = p.light.time == "night"
    x = np.float32(width * (0.5 + 0.16 * (1 if p.light.sun_at[0] > 0 else -1)))
    y = np.float32(p.camera.horizon / 2 * (0.30 if night else 0.80))
    far = np.hypot(
        np.arange(width, dtype=np.float32)[None, :] - x, np.arange(height, dtype=np.float32)[:, None] - y
    )
    size, halo, strength = (7.5, 35.0, 0.20) if night else (12.0, 95.0, 0.42)
    glow = np.exp(-((far / np.float32(halo)) ** np.float32(1.1))) * np.float32(strength)
    disc = np.clip(np.float32(size + 0.5) - far, 0, 1)
    return glow, disc, (0.93, 0.94, 0.86) if night else (1.0, 0.82, 0.50)


def _ground(
    p: Plan, rng: np.random.Generator, above: Image.Image, top: int
) -> tuple[Image.Image, Image.Image | None]:
    """The lit ground from row `top` down, and how strongly it mirrors, None where it is dry."""
    light, rows = p.light, HEIGHT - top
    x, y, depth = ground_map(p.camera, top)
    flat = _flat_ground(p, rng, top)
    cell = rng.random((256, 256), dtype=np.float32).ravel()[_cells(x, y, 22, 9)]
    cell -= np.float32(0.5)
    cell *= np.float32(0.16) * np.exp(-depth / np.float32(26))
    broad = noise(rng, (256, 256), ((24, 12, 1.0), (64, 40, 0.5))).ravel()[_cells(x, y, 12, 5)]
    across = np.abs(x)
    on_road = across < ROAD
    rut = _ruts()[np.minimum(across * np.float32(_BINS), len(_ruts()) - 1).astype(np.int32)]
    tone = cell + (broad - np.float32(0.5)) * np.float32(0.24)
    tone += 1
    cover = None
    if light.snow:
        cover = np.where(on_road, np.float32(0.55) - np.float32(0.45) * rut, np.float32(0.90))
        cover = np.clip(cover + (broad - np.float32(0.5)) * np.float32(0.5), 0, 1)
    else:
        tone *= 1 - np.float32(0.09) * rut
    tone *= np.float32(1 - 0.30 * light.wet * (light.weather == "rain"))
    mirror = _wetness(light, broad, depth, on_road) if light.wet else None
    flipped = _mirrored(above, top, rows, p.camera.horizon) if light.wet else None
    clear = np.exp(-depth / np.float32(light.haze_m))
    planes = []
    lit = _ground_light(p, top)
    for c in range(3):
        plane = np.asarray(flat.getchannel(c)) * tone
        if cover is not None:
            plane += (np.float32((230, 237, 250)[c]) - plane) * cover
        plane *= np.asarray(lit.getchannel(c))
        plane *= np.float32(1 / 255 / _LIGHT_STEPS)
        if mirror is not None and flipped is not None:
            plane += (np.asarray(flipped.getchannel(c)) * np.float32(1 / 255) - plane) * mirror
        plane *= clear
        plane += np.float32(light.haze[c]) * (1 - clear)
        planes.append(_eight_bits(plane))
    return Image.merge("RGB", planes), None if mirror is None else _eight_bits(mirror)


def _wetness(
    light: Light, broad: NDArray[np.float32], depth: NDArray[np.float32], on_road: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """How strongly the ground mirrors, 0 to 1: puddles more, and the further away the more."""
    wet: NDArray[np.float32] = np.clip((broad - np.float32(0.42)) * 5, 0, 1) * on_road
    wet *= np.float32(0.42)
    wet += np.float32(0.34)
    wet *= np.float32(0.40) + np.float32(0.6) * np.clip(depth / np.float32(38), 0.12, 1)
    np.minimum(wet, np.float32(0.85), out=wet)
    wet *= np.where(on_road, np.float32(light.wet), np.float32(0.55 * light.wet))
    return wet


def _cells(x: NDArray[np.float32], y: NDArray[np.float32], across: float, along: float) -> NDArray[np.intp]:
    """Where each ground pixel looks into a repeated sheet of 256 x 256 cells, `across` and `along` cells a metre."""
    lift = np.float32(
        1 << 16
    )  # a multiple of 256 that makes every number positive, so that cutting is flooring
    row = (y * np.float32(along) + lift).astype(np.int32).astype(np.uint8)
    column = (x * np.float32(across) + lift).astype(np.int32).astype(np.uint8)
    return (row.astype(np.intp) << 8) | column


_LIGHT_STEPS = 100
_BINS = 64
"""Steps of a metre in tables over the distance from the middle of the road."""


@lru_cache(maxsize=1)
def _ruts() -> NDArray[np.float32]:
    """How worn the road is at each distance from its middle, 0 to 1."""
    across = (np.arange(12 * _BINS) + 0.5) / _BINS
    worn = np.exp(-(((np.abs(across - 1.75) - 0.78) / 0.36) ** 2)) * (across < ROAD)
    return np.asarray(worn, dtype=np.float32)


def _ground_light(p: Plan, top: int) -> Image.Image:
    """Light that falls on the ground below row `top`, RGB, `_LIGHT_STEPS` for 1.

    Its edges are soft, so it is computed at half size, and that of the lamps at a quarter.
    """
    light = p.light
    x, y, _ = ground_map(p.camera, top, 2)
    # Houses take some of the sky's light from the strip of pavement beside them.
    wall = 1 - np.float32(0.28) * np.exp(np.abs(np.float32(FACADE) - np.abs(x)) * np.float32(-1 / 1.3))
    lit = np.float32(light.sun_at[2]) * _soft(sunlit(p, x, y))
    lamps = None
    if light.lamps_on:
        small = lamp_light(p, *ground_map(p.camera, top, 4)[:2])
        lamps = _enlarged(small, x.shape, (HEIGHT - top) / 4)
    planes = []
    for c in range(3):
        plane = np.float32(light.ambient_sky[c]) * wall + np.float32(light.sun[c]) * lit
        if lamps is not None:
            plane += np.float32(LAMP_COLOUR[c]) * lamps
        planes.append(Image.fromarray(np.minimum(plane * np.float32(_LIGHT_STEPS), 255).astype(np.uint8)))
    box = (0.0, 0.0, WIDTH / 2, (HEIGHT - top) / 2)
    return Image.merge("RGB", planes).resize((WIDTH, HEIGHT - top), Image.Resampling.BILINEAR, box)


def _enlarged(plane: NDArray[np.float32], shape: tuple[int, ...], rows: float) -> NDArray[np.float32]:
    """The first `rows` rows of a plane at another size."""
    box = (0.0, 0.0, float(plane.shape[1]), min(rows, float(plane.shape[0])))
    image = Image.fromarray(plane).resize((shape[1], shape[0]), Image.Resampling.BILINEAR, box=box)
    return np.asarray(image)


def ground_map(
    camera: Camera, top: int, step: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """World x and y (rows, columns) of the ground at every `step`-th pixel from row `top` down, and depth (rows, 1).

    Metres; a step of 2 or more looks at the middle of each block of pixels.
    """
    v = (np.arange(top, HEIGHT, step) + step / 2 - HEIGHT / 2)[:, None] / camera.focal
    u = ((np.arange(0, WIDTH, step) + step / 2 - WIDTH / 2)[None, :] / camera.focal).astype(np.float32)
    cp, sp, cy, sy = np.cos(camera.pitch), np.sin(camera.pitch), np.cos(camera.yaw), np.sin(camera.yaw)
    drop = np.maximum(v * cp + sp, 1e-4)
    depth = np.minimum(camera.at[2] / drop, 3000.0)
    forward = depth * (cp - v * sp)
    x = (camera.at[0] + forward * sy).astype(np.float32) + (depth * cy).astype(np.float32) * u
    y = (camera.at[1] + forward * cy).astype(np.float32) - (depth * sy).astype(np.float32) * u
    return x, y, depth.astype(np.float32)


def _soft(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    image = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    return np.asarray(image) * np.float32(1 / 255)


def _mirrored(above: Image.Image, top: int, rows: int, horizon: float) -> Image.Image:
    flipped = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    shift = round(HEIGHT - 2 * horizon) + top
    piece = flipped.crop((0, shift, WIDTH, shift + rows))
    seen = max(1, min(rows, HEIGHT - shift))
    if seen < rows:
        piece.paste(piece.crop((0, seen - 1, WIDTH, seen)).resize((WIDTH, rows - seen)), (0, seen))
    small = piece.resize((WIDTH // 2, max(2, rows // 10)), Image.Resampling.BOX)
    return small.resize((WIDTH, rows), Image.Resampling.BILINEAR)


def _flat_ground(p: Plan, rng: np.random.Generator, top: int) -> Image.Image:
    """Colours of the ground before light: asphalt, pavements, kerbs, markings."""
    size = (WIDTH * 2, (HEIGHT - top) * 2)
    asphalt, pavement, kerb, paint = to_bytes(np.array([_ASPHALT, _PAVEMENT, _KERB, _PAINT]))
    rectangles: list[tuple[float, float, float, float]] = []
    colours: list[tuple[int, int, int]] = []

    def lay(x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int]) -> None:
        rectangles.append((x0, y0, x1, y1))
        colours.append(colour)

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
    image = Image.new("RGB", size, asphalt)
    _fill(ImageDraw.Draw(image), p.camera, np.array(rectangles), colours, top)
    return image.reduce(2)


def _fill(
    pen: ImageDraw.ImageDraw,
    camera: Camera,
    rectangles: Array,
    colours: Sequence[tuple[int, int, int]],
    top: int,
) -> None:
    """Fill rectangles (N, 4) x0, y0, x1, y1 of the ground on a canvas of twice the size that begins at `top`."""
    corners = np.zeros((len(rectangles), 4, 3))
    corners[:, :, :2] = rectangles[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    seen = camera.see(corners)
    ahead = seen[:, :, 2] >= NEAR_M
    whole: NDArray[np.bool_] = np.all(ahead, axis=1)
    flat = ((camera.flatten(seen) - (0, top)) * 2).reshape(-1, 8)
    near, far = flat[:, 1::2].max(axis=1), flat[:, 1::2].min(axis=1)
    left, right = flat[:, ::2].min(axis=1), flat[:, ::2].max(axis=1)
    onto = (near > 0) & (far < 2 * (HEIGHT - top)) & (right > 0) & (left < 2 * WIDTH)
    points = flat.tolist()
    for i in np.flatnonzero(np.where(whole, onto, ahead.any(axis=1))).tolist():
        if whole[i]:
            pen.polygon(points[i], fill=colours[i])
        elif cut := camera.polygon(corners[i]):
            pen.polygon([(x * 2, (y - top) * 2) for x, y in cut], fill=colours[i])


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
