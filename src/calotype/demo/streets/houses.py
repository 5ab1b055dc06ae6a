"""House fronts: walls, grids of windows, shop fronts with awnings, and the far skyline."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image, ImageDraw

from calotype.demo.streets.camera import HEIGHT, NEAR_M, WIDTH, Array
from calotype.demo.streets.layout import FACADE, House, Plan, generator
from calotype.demo.streets.light import GLASS, GLOW, MATTE, Light, to_bytes

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
_AWNINGS = np.array(
    [(0.72, 0.20, 0.20), (0.16, 0.42, 0.38), (0.20, 0.32, 0.56), (0.82, 0.56, 0.18), (0.42, 0.24, 0.40)]
)
_SHOP_GLOWS = np.array([(1.0, 0.80, 0.50), (1.0, 0.88, 0.70), (0.72, 0.90, 1.0), (1.0, 0.68, 0.52)])
_WINDOW_GLOWS = np.array([(1.0, 0.80, 0.46), (1.0, 0.72, 0.38), (0.98, 0.88, 0.66), (0.70, 0.82, 0.98)])
_SNOW = np.array([0.93, 0.95, 1.0])

Ends = tuple[tuple[float, float], tuple[float, float]]
"""Where a wall begins and ends, seen from above, metres."""


class _Sheet:
    """Collects quads of one wall and draws them at once."""

    def __init__(self, p: Plan, normal: tuple[float, float, float]) -> None:
        self._p, self._normal = p, np.asarray(normal)
        self._quads: list[Array] = []
        self._colours: list[Array] = []
        self._materials: list[Array] = []

    def add(self, quads: Array, colours: Array, material: int | Array) -> None:
        """Quads (N, 4, 3) in world metres with own colours (N, 3) or (3,)."""
        n = len(quads)
        self._quads.append(quads)
        self._colours.append(np.broadcast_to(colours, (n, 3)))
        self._materials.append(np.broadcast_to(np.asarray(material), (n,)))

    def draw(self, pen: ImageDraw.ImageDraw, lamp: float) -> None:
        quads, own = np.concatenate(self._quads), np.concatenate(self._colours)
        materials = np.concatenate(self._materials)
        normals = np.broadcast_to(self._normal, (len(quads), 3))
        height = quads[:, :, 2].mean(axis=1)
        light = self._p.light
        colours = light.shade(own, normals, materials, sunlit=0.9)
        low = np.exp(-height / 4.5)[:, None]
        dark = 1 - 0.20 * np.exp(-height / 1.2)[:, None]
        glowing = np.equal(materials, GLOW).reshape(-1, 1)
        colours = np.where(glowing, colours, colours * dark * (1 + lamp * low * np.array([1.5, 1.0, 0.5])))
        seen = self._p.camera.see(quads)
        depth = seen[:, :, 2].mean(axis=1)
        paints = to_bytes(light.through_air(colours, depth))
        flat = self._p.camera.flatten(seen) * _ZOOM
        whole = np.all(seen[:, :, 2] > NEAR_M, axis=1)
        left, right = flat[:, :, 0].min(axis=1), flat[:, :, 0].max(axis=1)
        onto = (right > 0) & (left < WIDTH * _ZOOM) & (flat[:, :, 1].max(axis=1) > 0)
        points = flat.reshape(len(flat), 8).tolist()
        for i in np.flatnonzero(onto | ~whole):
            if whole[i]:
                pen.polygon(points[i], fill=paints[i])
            else:
                cut = self._p.camera.polygon(quads[i])
                if cut:
                    pen.polygon([(x * _ZOOM, y * _ZOOM) for x, y in cut], fill=paints[i])


def draw_houses(p: Plan) -> Image.Image:
    """All houses and the skyline behind them on a transparent sheet of the image's size."""
    sheet = Image.new("RGBA", (WIDTH * _ZOOM, HEIGHT * _ZOOM), (0, 0, 0, 0))
    pen = ImageDraw.Draw(sheet)
    if p.light.weather != "fog":
        _skyline(p, pen)
    for house in sorted(p.houses, key=lambda h: -h.y0):
        _house(p, house, pen)
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


def _house(p: Plan, house: House, pen: ImageDraw.ImageDraw) -> None:
    rng = generator(house.look, 4)
    wall = _WALLS[int(rng.integers(len(_WALLS)))] * float(rng.uniform(0.88, 1.06))
    if p.light.snow:
        wall = wall * 0.9 + 0.06
    lamp = 0.75 if p.light.time == "night" else 0.22 if p.light.lamps_on else 0.0
    _end_wall(p, house, rng, wall).draw(pen, lamp)
    _front(p, house, rng, wall).draw(pen, lamp)


def _end_wall(p: Plan, house: House, rng: np.random.Generator, wall: Array) -> _Sheet:
    """The wall towards the camera, and at a corner the row of houses along the crossing street."""
    side, x, y, reach = house.side, house.side * FACADE, house.y0, 13.0
    sheet = _Sheet(p, (0.0, -1.0, 0.0))
    sheet.add(_upright((x, y), (x + side * reach, y), 0.0, house.height), wall * 0.93, MATTE)
    if not house.corner:
        return sheet
    ends = (x + side * 0.7, y), (x + side * (reach - 0.7), y)
    _windows(sheet, p.light, rng, ends, house.height, wall)
    _shops(sheet, p.light, rng, ends, (0.0, -1.0))
    for i in range(2):
        a, tall = x + side * reach * (i + 1), float(rng.uniform(9, 20))
        tint = _WALLS[int(rng.integers(len(_WALLS)))]
        sheet.add(_upright((a, y), (a + side * reach, y), 0.0, tall), tint, MATTE)
        _windows(sheet, p.light, rng, ((a + side * 0.8, y), (a + side * (reach - 0.8), y)), tall, tint)
    return sheet


def _front(p: Plan, house: House, rng: np.random.Generator, wall: Array) -> _Sheet:
    """The wall along the street with its windows, shops and cornice."""
    side, x, top = house.side, house.side * FACADE, house.height
    sheet = _Sheet(p, (-float(side), 0.0, 0.0))
    # Split along the street so that haze and clipping follow it.
    for a, b in itertools.pairwise(np.linspace(house.y0, house.y1, 4).tolist()):
        for z0, z1 in ((0.0, 1.0), (1.0, 4.0), (4.0, top)):
            sheet.add(_upright((x, a), (x, b), z0, z1), wall, MATTE)
    if house.y1 > p.camera.at[1]:
        ends = (x, house.y0 + 0.5), (x, house.y1 - 0.5)
        _windows(sheet, p.light, rng, ends, top, wall)
        if house.y0 < 95:
            _shops(sheet, p.light, rng, ends, (-float(side), 0.0))
    cap = np.array([0.9, 0.92, 0.95]) if p.light.snow else np.clip(wall * 1.16 + 0.03, 0, 1)
    out = x - side * 0.25
    sheet.add(_upright((out, house.y0), (out, house.y1), top - 0.55, top + 0.1), cap, MATTE)
    sheet.add(_upright((x, house.y0), (x, house.y1), top - 0.72, top - 0.55), wall * 0.6, MATTE)
    return sheet


def _upright(a: tuple[float, float], b: tuple[float, float], z0: float, z1: float) -> Array:
    return np.array([[(*a, z0), (*b, z0), (*b, z1), (*a, z1)]])


def _between(
    a: tuple[float, float], b: tuple[float, float], s0: Array, s1: Array, z0: Array, z1: Array
) -> Array:
    """Quads (N, 4, 3) on the upright plane from a to b, at distances s along it and heights z."""
    start, step = np.asarray(a), np.asarray(b) - np.asarray(a)
    step = step / np.hypot(*step)
    p0, p1 = start + step * s0[:, None], start + step * s1[:, None]
    low0, low1 = np.column_stack([p0, z0]), np.column_stack([p1, z0])
    high1, high0 = np.column_stack([p1, z1]), np.column_stack([p0, z1])
    return np.stack([low0, low1, high1, high0], axis=1)


def _windows(
    sheet: _Sheet, light: Light, rng: np.random.Generator, ends: Ends, height: float, wall: Array
) -> None:
    a, b = ends
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    floors = int((height - _SHOP_M - 0.9) / _FLOOR_M)
    columns = max(1, int(length / float(rng.uniform(1.9, 2.9))))
    if floors < 1:
        return
    pitch = length / columns
    width, tall = pitch * float(rng.uniform(0.42, 0.66)), float(rng.uniform(1.5, 2.1))
    s = np.tile((np.arange(columns) + 0.5) * pitch - width / 2, floors)
    z = np.repeat(_SHOP_M + 0.55 + np.arange(floors) * _FLOOR_M, columns)
    trim = np.clip(wall * 1.22 + 0.05, 0, 1) if rng.random() < 0.6 else wall * 0.62
    sheet.add(_between(a, b, s - 0.11, s + width + 0.11, z - 0.13, z + tall + 0.12), trim, MATTE)
    if light.snow:
        sheet.add(_between(a, b, s - 0.14, s + width + 0.14, z - 0.10, z + 0.05), _SNOW, MATTE)
    lit = rng.random(len(s)) < light.lit_windows
    glow = _WINDOW_GLOWS[rng.integers(0, len(_WINDOW_GLOWS), len(s))] * rng.uniform(0.50, 0.95, (len(s), 1))
    dark = np.array([0.20, 0.25, 0.31]) * rng.uniform(0.75, 1.5, (len(s), 1))
    pane, kind = np.where(lit[:, None], glow, dark), np.where(lit, GLOW, GLASS)
    sheet.add(_between(a, b, s, s + width, z, z + tall), pane, kind)
    # A blind, drawn down by a different length in each.
    blind = z + tall * (1 - rng.uniform(0.12, 0.75, len(s)) * 0.6)
    cloth, kind = np.where(lit[:, None], glow * 0.78, dark * 1.5 + 0.14), np.where(lit, GLOW, MATTE)
    sheet.add(_between(a, b, s, s + width, blind, z + tall), cloth, kind)
    middle = s + width / 2
    sheet.add(_between(a, b, middle - 0.035, middle + 0.035, z, z + tall), np.clip(trim * 0.9, 0, 1), MATTE)


def _shops(
    sheet: _Sheet, light: Light, rng: np.random.Generator, ends: Ends, out: tuple[float, float]
) -> None:
    """A row of shop fronts between two ends; `out` points to the street."""
    a, b = ends
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    bays = max(1, int(length / 4.6))
    pitch = length / bays
    step = (np.asarray(b) - np.asarray(a)) / length
    for i in range(bays):
        s0, s1 = i * pitch + 0.3, (i + 1) * pitch - 0.3
        colour = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
        _shop(sheet, light, rng, ends, (s0, s1), colour)
        if rng.random() < 0.6:
            _awning(sheet, a, step, s0, s1, out, colour, light)


def _shop(
    sheet: _Sheet,
    light: Light,
    rng: np.random.Generator,
    ends: Ends,
    span: tuple[float, float],
    colour: Array,
) -> None:
    """One shop: frame, window with its goods, door, and a sign with letters."""
    s0, s1 = span
    width = s1 - s0
    open_late = light.lamps_on and rng.random() < 0.72
    shining = GLOW if open_late else GLASS
    inside = _SHOP_GLOWS[int(rng.integers(len(_SHOP_GLOWS)))] * (0.84 if light.time == "night" else 0.80)
    pane = inside if open_late else np.array([0.22, 0.26, 0.31])

    def lay(
        x0: Array | float, x1: Array | float, z0: float, z1: Array | float, tint: Array, kind: int
    ) -> None:
        at = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (x0, x1, z0, z1)))
        sheet.add(_between(ends[0], ends[1], *at), tint, kind)

    lay(s0 - 0.12, s1 + 0.12, 0.0, 3.55, colour * 0.5, MATTE)
    lay(s0, s1, 0.45, 2.9, pane, shining)
    goods = s0 + np.sort(rng.uniform(0.05, 0.9, 5)) * (width - 0.4)
    ware = rng.uniform(0.25, 0.8, (5, 3)) * (inside if open_late else np.array([0.5, 0.5, 0.5]))
    lay(goods, goods + 0.34, 0.45, 0.45 + rng.uniform(0.3, 1.3, 5), ware, shining)
    door = s0 + width * float(rng.choice([0.06, 0.62]))
    lay(door, door + 0.95, 0.0, 2.35, colour * 0.4, MATTE)
    lay(door + 0.12, door + 0.83, 0.9, 2.2, pane * 0.9, shining)
    lay(s0 - 0.1, s1 + 0.1, 2.98, 3.55, np.clip(colour * (1.1 if open_late else 1.0), 0, 1), MATTE)
    letters = int(rng.integers(5, 9))
    at = s0 + width / 2 + (np.arange(letters) - letters / 2) * 0.34
    ink = np.array([1.0, 0.94, 0.80])
    lay(at, at + rng.uniform(0.14, 0.26, letters), 3.1, 3.42, ink, GLOW if open_late else MATTE)


def _awning(
    sheet: _Sheet,
    a: tuple[float, float],
    step: Array,
    s0: float,
    s1: float,
    out: tuple[float, float],
    colour: Array,
    light: Light,
) -> None:
    stripes = 8
    edges = np.linspace(s0, s1, stripes + 1)
    start, reach = np.asarray(a), np.asarray(out) * 1.15
    quads, valances = [], []
    for e0, e1 in itertools.pairwise(edges):
        back0, back1 = start + step * e0, start + step * e1
        front0, front1 = back0 + reach, back1 + reach
        quads.append([(*back0, 3.1), (*back1, 3.1), (*front1, 2.55), (*front0, 2.55)])
        valances.append([(*front0, 2.55), (*front1, 2.55), (*front1, 2.28), (*front0, 2.28)])
    white = np.array([0.93, 0.91, 0.86])
    tints = np.where((np.arange(stripes) % 2 == 0)[:, None], colour, white)
    if light.snow:
        tints = tints * 0.25 + 0.72
    sheet.add(np.array(quads), np.clip(tints * 1.12, 0, 1), MATTE)
    sheet.add(np.array(valances), tints * 0.86, MATTE)
