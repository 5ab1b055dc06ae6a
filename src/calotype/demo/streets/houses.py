"""House fronts: walls, grids of windows, shop fronts with awnings, and the far skyline."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from calotype.demo.streets.camera import HEIGHT, NEAR_M, WIDTH, Array
from calotype.demo.streets.layout import FACADE, House, Plan, generator
from calotype.demo.streets.light import GLASS, GLOW, MATTE, Colour, Light, to_bytes

_ZOOM = 2
_SHOP_M, _FLOOR_M = 4.0, 3.1
_WALLS = np.array(
    [
        (0.66, 0.36, 0.28),
        (0.78, 0.66, 0.52),
        (0.86, 0.81, 0.72),
        (0.60, 0.62, 0.66),
        (0.52, 0.30, 0.26),
        (0.74, 0.56, 0.42),
        (0.48, 0.55, 0.60),
        (0.82, 0.73, 0.66),
        (0.60, 0.52, 0.46),
        (0.70, 0.72, 0.70),
    ]
)
_AWNINGS: tuple[Colour, ...] = (
    (0.72, 0.20, 0.20),
    (0.16, 0.42, 0.38),
    (0.20, 0.32, 0.56),
    (0.82, 0.56, 0.18),
    (0.42, 0.24, 0.40),
)
_SHOP_GLOWS: tuple[Colour, ...] = (
    (1.0, 0.80, 0.50),
    (1.0, 0.88, 0.70),
    (0.72, 0.90, 1.0),
    (1.0, 0.68, 0.52),
)
_WINDOW_GLOWS = np.array([(1.0, 0.80, 0.46), (1.0, 0.72, 0.38), (0.98, 0.88, 0.66), (0.70, 0.82, 0.98)])
_SNOW = np.array([0.93, 0.95, 1.0])

_SPECK, _DETAILS_M = 2.0, 50.0
"""Quads smaller than this (pixels squared of the enlarged sheet) are not drawn; details further away are left out."""

Ends = tuple[tuple[float, float], tuple[float, float]]
"""Where a wall begins and ends, seen from above, metres."""
_Row = tuple[float, float, float, float, float, float, float, int]
"""A rectangle on a wall: s0, s1, z0, z1 in metres, colour, material."""


class _Sheet:
    """Collects the quads of all walls and draws them at once."""

    def __init__(self, p: Plan) -> None:
        self._p = p
        self._layers: list[tuple[Array, Array, int | Array, tuple[float, float, float]]] = []

    def add(
        self, quads: Array, colours: Array, material: int | Array, normal: tuple[float, float, float]
    ) -> None:
        """Quads (N, 4, 3) in world metres with own colours (N, 3) or (3,) on a wall that faces `normal`."""
        self._layers.append((quads, colours, material, normal))

    def draw(self, pen: ImageDraw.ImageDraw, lamp: float) -> None:
        quads = np.concatenate([layer[0] for layer in self._layers])
        own, normals, materials = (np.empty((len(quads), 3)), np.empty((len(quads), 3)), np.empty(len(quads)))
        first = 0
        for piece, colours, material, normal in self._layers:
            end = first + len(piece)
            own[first:end], normals[first:end], materials[first:end] = colours, normal, material
            first = end
        camera, light = self._p.camera, self._p.light
        seen = camera.see(quads)
        flat = camera.flatten(seen) * _ZOOM
        ahead = seen[:, :, 2] > NEAR_M
        whole: NDArray[np.bool_] = np.all(ahead, axis=1)
        (x0, y0), (x1, y1) = flat.min(axis=1).T, flat.max(axis=1).T
        onto = (x1 > 0) & (x0 < WIDTH * _ZOOM) & (y1 > 0) & ((x1 - x0) * (y1 - y0) > _SPECK)
        shown = np.flatnonzero(np.where(whole, onto, ahead.any(axis=1)))
        height, materials = quads[shown, :, 2].mean(axis=1), materials[shown]
        colours = light.shade(own[shown], normals[shown], materials, sunlit=0.9)
        low = np.exp(-height / 4.5)[:, None]
        dark = 1 - 0.20 * np.exp(-height / 1.2)[:, None]
        glowing = np.equal(materials, GLOW).reshape(-1, 1)
        colours = np.where(glowing, colours, colours * dark * (1 + lamp * low * np.array([1.5, 1.0, 0.5])))
        paints = to_bytes(light.through_air(colours, seen[shown, :, 2].mean(axis=1)))
        points = flat[shown].reshape(-1, 8).tolist()
        for i, paint, at in zip(shown.tolist(), paints, points, strict=True):
            if whole[i]:
                pen.polygon(at, fill=paint)
            elif cut := camera.polygon(quads[i]):
                pen.polygon([(x * _ZOOM, y * _ZOOM) for x, y in cut], fill=paint)


@dataclass(frozen=True, slots=True)
class _Wall:
    """One upright wall with windows and shops: its ends, the way it faces, and whether details show."""

    sheet: _Sheet
    light: Light
    ends: Ends
    out: tuple[float, float]
    near: bool

    @property
    def length(self) -> float:
        (ax, ay), (bx, by) = self.ends
        return float(np.hypot(bx - ax, by - ay))

    def lay(self, s0: Array, s1: Array, z0: Array, z1: Array, colours: Array, material: int | Array) -> None:
        """Paint upright rectangles at distances s along the wall (N,) and heights z (N,)."""
        start, step = np.asarray(self.ends[0]), np.subtract(self.ends[1], self.ends[0]) / self.length
        quads = np.empty((len(s0), 4, 3))
        quads[:, 0, :2] = quads[:, 3, :2] = start + step * s0[:, None]
        quads[:, 1, :2] = quads[:, 2, :2] = start + step * s1[:, None]
        quads[:, 0, 2] = quads[:, 1, 2] = z0
        quads[:, 2, 2] = quads[:, 3, 2] = z1
        self.sheet.add(quads, colours, material, (*self.out, 0.0))


def draw_houses(p: Plan) -> Image.Image:
    """All houses and the skyline behind them on a transparent sheet (RGBa) of the image's size."""
    sheet = Image.new("RGBa", (WIDTH * _ZOOM, HEIGHT * _ZOOM))
    pen = ImageDraw.Draw(sheet)
    if p.light.weather != "fog":
        _skyline(p, pen)
    walls = _Sheet(p)
    for house in sorted(p.houses, key=lambda h: -h.y0):
        _house(p, house, walls)
    walls.draw(pen, 0.75 if p.light.time == "night" else 0.22 if p.light.lamps_on else 0.0)
    return sheet.reduce(_ZOOM)


def _skyline(p: Plan, pen: ImageDraw.ImageDraw) -> None:
    rng = generator(p.seed, 3)
    horizon = (p.camera.horizon + 1.5) * _ZOOM
    for share, tall in ((0.72, 74.0), (0.42, 48.0)):
        own = np.asarray(p.light.ambient_sky) * 0.5
        colour = to_bytes(np.array([own + (np.asarray(p.light.haze) - own) * share]))[0]
        glow = to_bytes(np.array([np.asarray(p.light.haze) * 0.6 + np.array([0.5, 0.36, 0.16])]))[0]
        x = -20.0
        while x < WIDTH * _ZOOM + 20:
            w, h = float(rng.uniform(26, 74)), float(rng.uniform(0.35, 1.0)) * tall * _ZOOM
            pen.rectangle((x, horizon - h, x + w, horizon), fill=(*colour, 255))
            if p.light.time == "night" and p.light.weather == "clear":
                for _ in range(int(w * h / 700)):
                    wx, wy = x + float(rng.uniform(3, w - 5)), horizon - float(rng.uniform(6, h - 4))
                    pen.rectangle((wx, wy, wx + 1, wy + 2), fill=glow)
            x += w + float(rng.uniform(-6, 18))


def _house(p: Plan, house: House, sheet: _Sheet) -> None:
    rng = generator(house.look, 4)
    wall = _WALLS[int(rng.integers(len(_WALLS)))] * float(rng.uniform(0.88, 1.06))
    if p.light.snow:
        wall = wall * 0.9 + 0.06
    away = house.y0 - p.camera.at[1]
    near = away < _DETAILS_M and np.exp(-away / p.light.haze_m) > 0.1
    _end_wall(p, house, rng, wall, sheet)
    _front(p, house, rng, wall, sheet, bool(near))


def _end_wall(p: Plan, house: House, rng: np.random.Generator, wall: Array, sheet: _Sheet) -> None:
    """The wall towards the camera, and at a corner the row of houses along the crossing street."""
    side, x, y, reach = house.side, house.side * FACADE, house.y0, 13.0
    facing = (0.0, -1.0, 0.0)
    sheet.add(_upright((x, y), (x + side * reach, y), 0.0, house.height), wall * 0.93, MATTE, facing)
    if not house.corner:
        return
    front = _Wall(sheet, p.light, ((x + side * 0.7, y), (x + side * (reach - 0.7), y)), facing[:2], True)
    _windows(front, rng, house.height, wall)
    _shops(front, rng)
    for i in range(2):
        a, tall = x + side * reach * (i + 1), float(rng.uniform(9, 20))
        tint = _WALLS[int(rng.integers(len(_WALLS)))]
        sheet.add(_upright((a, y), (a + side * reach, y), 0.0, tall), tint, MATTE, facing)
        ends = ((a + side * 0.8, y), (a + side * (reach - 0.8), y))
        _windows(replace(front, ends=ends), rng, tall, tint)


def _front(p: Plan, house: House, rng: np.random.Generator, wall: Array, sheet: _Sheet, near: bool) -> None:
    """The wall along the street with its windows, shops and cornice."""
    side, x, top = house.side, house.side * FACADE, house.height
    facing = (-float(side), 0.0, 0.0)
    # Split along the street so that haze and clipping follow it.
    pieces = [
        _upright((x, a), (x, b), z0, z1)
        for a, b in itertools.pairwise(np.linspace(house.y0, house.y1, 4).tolist())
        for z0, z1 in ((0.0, 1.0), (1.0, 4.0), (4.0, top))
    ]
    sheet.add(np.concatenate(pieces), wall, MATTE, facing)
    if house.y1 > p.camera.at[1]:
        ends = (x, house.y0 + 0.5), (x, house.y1 - 0.5)
        street = _Wall(sheet, p.light, ends, (-float(side), 0.0), near)
        _windows(street, rng, top, wall)
        if house.y0 < 95:
            _shops(street, rng)
    cap = np.array([0.9, 0.92, 0.95]) if p.light.snow else np.clip(wall * 1.16 + 0.03, 0, 1)
    out = x - side * 0.25
    sheet.add(_upright((out, house.y0), (out, house.y1), top - 0.55, top + 0.1), cap, MATTE, facing)
    sheet.add(_upright((x, house.y0), (x, house.y1), top - 0.72, top - 0.55), wall * 0.6, MATTE, facing)


def _upright(a: tuple[float, float], b: tuple[float, float], z0: float, z1: float) -> Array:
    return np.array([[(*a, z0), (*b, z0), (*b, z1), (*a, z1)]])


def _windows(front: _Wall, rng: np.random.Generator, height: float, wall: Array) -> None:
    light, length = front.light, front.length
    floors = int((height - _SHOP_M - 0.9) / _FLOOR_M)
    columns = max(1, int(length / float(rng.uniform(1.9, 2.9))))
    if floors < 1:
        return
    pitch = length / columns
    width, tall = pitch * float(rng.uniform(0.42, 0.66)), float(rng.uniform(1.5, 2.1))
    s = np.tile((np.arange(columns) + 0.5) * pitch - width / 2, floors)
    z = np.repeat(_SHOP_M + 0.55 + np.arange(floors) * _FLOOR_M, columns)
    trim = np.clip(wall * 1.22 + 0.05, 0, 1) if rng.random() < 0.6 else wall * 0.62
    front.lay(s - 0.11, s + width + 0.11, z - 0.13, z + tall + 0.12, trim, MATTE)
    if light.snow:
        front.lay(s - 0.14, s + width + 0.14, z - 0.10, z + 0.05, _SNOW, MATTE)
    lit = rng.random(len(s)) < light.lit_windows
    glow = _WINDOW_GLOWS[rng.integers(0, len(_WINDOW_GLOWS), len(s))] * rng.uniform(0.50, 0.95, (len(s), 1))
    dark = np.array([0.20, 0.25, 0.31]) * rng.uniform(0.75, 1.5, (len(s), 1))
    pane, kind = np.where(lit[:, None], glow, dark), np.where(lit, GLOW, GLASS)
    front.lay(s, s + width, z, z + tall, pane, kind)
    # A blind, drawn down by a different length in each.
    blind = z + tall * (1 - rng.uniform(0.12, 0.75, len(s)) * 0.6)
    cloth, kind = np.where(lit[:, None], glow * 0.78, dark * 1.5 + 0.14), np.where(lit, GLOW, MATTE)
    front.lay(s, s + width, blind, z + tall, cloth, kind)
    if front.near:
        middle = s + width / 2
        front.lay(middle - 0.035, middle + 0.035, z, z + tall, np.clip(trim * 0.9, 0, 1), MATTE)


def _shops(front: _Wall, rng: np.random.Generator) -> None:
    """A row of shop fronts, each with its awning or without."""
    length = front.length
    bays = max(1, int(length / 4.6))
    pitch = length / bays
    rows: list[_Row] = []
    awnings = []
    for i in range(bays):
        span = i * pitch + 0.3, (i + 1) * pitch - 0.3
        colour: Colour = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
        rows += _shop(front, rng, span, colour)
        if rng.random() < 0.6:
            awnings.append((span, colour))
    table = np.array(rows)
    s0, s1, z0, z1 = table[:, :4].T
    front.lay(s0, s1, z0, z1, table[:, 4:7], table[:, 7])
    for span, colour in reversed(awnings):  # far to near
        _awning(front, span, np.asarray(colour))


def _shop(front: _Wall, rng: np.random.Generator, span: tuple[float, float], colour: Colour) -> list[_Row]:
    """One shop: frame, window with its goods, door, and a sign with letters."""
    light, (s0, s1) = front.light, span
    width = s1 - s0
    open_late = light.lamps_on and rng.random() < 0.72
    shining = GLOW if open_late else GLASS
    glow = _SHOP_GLOWS[int(rng.integers(len(_SHOP_GLOWS)))]
    inside = _scaled(glow, 0.84 if light.time == "night" else 0.80)
    pane = inside if open_late else (0.22, 0.26, 0.31)
    rows = [
        (s0 - 0.12, s1 + 0.12, 0.0, 3.55, *_scaled(colour, 0.5), MATTE),
        (s0, s1, 0.45, 2.9, *pane, shining),
    ]
    goods = s0 + np.sort(rng.uniform(0.05, 0.9, 5)) * (width - 0.4)
    ware = rng.uniform(0.25, 0.8, (5, 3)) * (inside if open_late else (0.5, 0.5, 0.5))
    tops = 0.45 + rng.uniform(0.3, 1.3, 5)
    for at, top, tint in zip(goods.tolist(), tops.tolist(), ware.tolist(), strict=True):
        rows.append((at, at + 0.34, 0.45, top, *tint, shining))
    door = s0 + width * float(rng.choice([0.06, 0.62]))
    rows.append((door, door + 0.95, 0.0, 2.35, *_scaled(colour, 0.4), MATTE))
    rows.append((door + 0.12, door + 0.83, 0.9, 2.2, *_scaled(pane, 0.9), shining))
    sign = _scaled(colour, 1.1 if open_late else 1.0)
    rows.append((s0 - 0.1, s1 + 0.1, 2.98, 3.55, *sign, MATTE))
    letters = int(rng.integers(5, 9))
    ends = rng.uniform(0.14, 0.26, letters).tolist()
    for i, wide in enumerate(ends if front.near else ()):
        at = s0 + width / 2 + (i - letters / 2) * 0.34
        rows.append((at, at + wide, 3.1, 3.42, 1.0, 0.94, 0.80, GLOW if open_late else MATTE))
    return rows


def _scaled(colour: Colour, by: float) -> Colour:
    return min(1.0, colour[0] * by), min(1.0, colour[1] * by), min(1.0, colour[2] * by)


def _awning(front: _Wall, span: tuple[float, float], colour: Array) -> None:
    """A striped awning that slopes over the pavement, and its valance."""
    stripes = 8 if front.near else 4
    start, step = np.asarray(front.ends[0]), np.subtract(front.ends[1], front.ends[0]) / front.length
    back = start + step * np.linspace(*span, stripes + 1)[:, None]
    lip = back + np.asarray(front.out) * 1.15
    quads = np.empty((2 * stripes, 4, 3))
    top, valance = quads[:stripes], quads[stripes:]
    top[:, 0, :2], top[:, 1, :2], top[:, 2, :2], top[:, 3, :2] = back[:-1], back[1:], lip[1:], lip[:-1]
    top[:, :, 2] = 3.1, 3.1, 2.55, 2.55
    valance[:, [0, 3], :2], valance[:, [1, 2], :2] = lip[:-1, None], lip[1:, None]
    valance[:, :, 2] = 2.55, 2.55, 2.28, 2.28
    tints = np.where((np.arange(stripes) % 2 == 0)[:, None], colour, np.array([0.93, 0.91, 0.86]))
    if front.light.snow:
        tints = tints * 0.25 + 0.72
    colours = np.concatenate([np.clip(tints * 1.12, 0, 1), tints * 0.86])
    front.sheet.add(quads, colours, MATTE, (*front.out, 0.0))
