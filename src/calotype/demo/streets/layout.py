"""What stands and moves in one street, decided from a seed before anything is drawn.

A scene is one camera, one light and one set of things; its frames are moments of it, `FRAME_SECONDS` apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from calotype.demo.streets.camera import CAMERAS, Array, Camera
from calotype.demo.streets.light import Light, light_for

FRAMES_PER_SCENE = 4
FRAME_SECONDS = 2.0
ROAD, FACADE = 6.2, 10.4
"""Half widths in metres: kerb to middle of the road, house front to middle of the road."""
_LOOKS = 48
"""Vehicles come in this many looks of each kind, so that their models are built once."""
LENGTHS = {"car": 4.5, "truck": 8.2, "bus": 11.5, "motorcycle": 2.1, "bicycle": 1.8}


@dataclass(frozen=True, slots=True)
class House:
    """One building: its side of the road (-1 left, +1 right), its extent along it, and how it looks."""

    side: int
    y0: float
    y1: float
    height: float
    look: int
    corner: bool  # its near end is a street corner


@dataclass(frozen=True, slots=True)
class Thing:
    """One labelled thing or prop at time zero; `heading` is radians from +y, clockwise seen from above."""

    kind: str
    x: float
    y: float
    heading: float
    speed: float
    look: int
    mode: str = ""  # "parked", "stopped", "ridden", "walking", "standing", "red", "green"

    def at(self, seconds: float) -> Thing:
        """The same thing some seconds later."""
        way = self.speed * seconds
        return replace(
            self, x=self.x + float(np.sin(self.heading)) * way, y=self.y + float(np.cos(self.heading)) * way
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """One scene, before drawing."""

    scene: str
    camera: Camera
    light: Light
    houses: tuple[House, ...]
    things: tuple[Thing, ...]
    crossing: float | None  # y of the near zebra's near edge
    started_at: datetime
    seed: int

    def lamps(self) -> Array:
        """(N, 2) positions of the street lamps."""
        return np.array([(t.x, t.y) for t in self.things if t.kind == "lamp"]).reshape(-1, 2)


def generator(seed: int, *path: int) -> np.random.Generator:
    """An independent random stream for one part of one scene."""
    return np.random.default_rng([seed, *path])


@lru_cache(maxsize=8)
def plan(seed: int, scene: int) -> Plan:
    """Decide everything about one scene."""
    rng = generator(seed, scene, 1)
    camera = CAMERAS[int(rng.integers(len(CAMERAS)))] if scene >= len(CAMERAS) else CAMERAS[scene]
    time = str(rng.choice(["day", "dusk", "night"], p=[0.5, 0.2, 0.3]))
    weather = str(rng.choice(["clear", "rain", "fog", "snow"], p=[0.52, 0.2, 0.13, 0.15]))
    light = _turn_sun(light_for(time, weather), rng)
    crossing = float(rng.uniform(14.0, 20.0)) if rng.random() < 0.7 else None
    if camera.name == "cam-03":
        crossing = float(rng.uniform(12.0, 14.0)) if rng.random() < 0.8 else None
    red = crossing is not None and (camera.name == "cam-03" or rng.random() < 0.5)
    houses = (*_houses(rng, -1, crossing), *_houses(rng, 1, crossing))
    things = [
        *_props(rng, camera, crossing, red),
        *_traffic(rng, camera, crossing, red),
        *_people(rng, camera, crossing, red),
    ]
    hour = {"day": rng.uniform(9, 16), "dusk": rng.uniform(17.2, 17.9), "night": rng.uniform(19, 23.5)}[time]
    start = datetime(2025, 11, 3, tzinfo=UTC) + timedelta(
        days=int(rng.integers(0, 90)), hours=float(round(hour, 3))
    )
    name = f"{camera.name}-{scene:04d}"
    return Plan(
        name,
        camera,
        light,
        houses,
        tuple(things),
        crossing,
        start.replace(microsecond=0),
        int(rng.integers(2**31)),
    )


def sunlit(p: Plan, x: Array, y: Array) -> Array:
    """1 where the sun reaches the ground at (x, y), 0 where a house stands in its way; same shape as x."""
    sx, sy, sz = p.light.sun_at
    side = 1 if sx > 0 else -1
    way = (side * FACADE - x) / (sx if abs(sx) > 1e-3 else side * 1e-3)
    hit_y, hit_z = y + sy * way, sz * way
    row = sorted((h for h in p.houses if h.side == side), key=lambda h: h.y0)
    edges = np.array([e for h in row for e in (h.y0, h.y1)])
    heights = np.zeros(len(edges) + 1)
    heights[1::2] = [h.height for h in row]
    return np.asarray(hit_z > heights[np.searchsorted(edges, hit_y)], dtype=np.float32)


def lamp_light(p: Plan, x: Array, y: Array) -> Array:
    """Street-lamp light on the ground at (x, y), 0 to about 1; same shape as x."""
    total = np.zeros_like(x)
    strength = 1.02 if p.light.time == "night" else 0.30
    for lx, ly in p.lamps().tolist():
        if ly < 100:
            reach = ((x - lx * 0.72) ** 2 + (y - ly) ** 2) / 32.0
            total += strength / (1 + reach) ** 1.5
    if p.light.time == "night":
        total += 0.16 * np.exp(-np.abs(FACADE - np.abs(x)) / 2.2)  # shop windows
        if p.camera.name == "cam-03":  # our own headlamps
            ahead = np.maximum(y - p.camera.at[1], 0)
            total += (
                0.75
                * np.exp(-(((x - p.camera.at[0]) / (1.2 + 0.16 * ahead)) ** 2))
                * np.exp(-ahead / 13)
                * (ahead > 2)
            )
    return total


def _turn_sun(light: Light, rng: np.random.Generator) -> Light:
    x, y, z = light.sun_at
    side = -1.0 if rng.random() < 0.5 else 1.0
    stretch = float(rng.uniform(0.6, 1.15))
    n = float(np.sqrt((x * stretch) ** 2 + y * y + z * z))
    return replace(light, sun_at=(side * x * stretch / n, y / n, z / n))


def _houses(rng: np.random.Generator, side: int, crossing: float | None) -> list[House]:
    gap = (crossing + 3.8, crossing + 14.2) if crossing is not None else (-100.0, -99.0)
    houses: list[House] = []
    y, corner = -14.0, False
    while y < 170:
        end = y + float(rng.uniform(9, 17))
        if y < gap[0] < end + 4:
            end = gap[0]
        houses.append(
            House(
                side,
                y,
                end,
                float(rng.choice([9.0, 12.1, 15.2, 18.3], p=[0.3, 0.35, 0.25, 0.1]) + rng.uniform(0, 0.8)),
                int(rng.integers(2**31)),
                corner,
            )
        )
        y, corner = end, False
        if y == gap[0]:
            y, corner = gap[1], True
    return houses


def _clear_of_crossing(y: float, crossing: float | None, before: float, after: float) -> bool:
    return crossing is None or not crossing - before < y < crossing + after


def _props(rng: np.random.Generator, camera: Camera, crossing: float | None, red: bool) -> list[Thing]:
    things: list[Thing] = []
    look = int(rng.integers(2**31))
    planted = rng.random() < 0.8
    for side in (-1, 1):
        for i in range(9):
            y = 4.0 + i * 12.5 + float(rng.uniform(-1, 1)) + (3 if side > 0 else 0)
            near = np.hypot(side * 7.2 - camera.at[0], y - camera.at[1]) < 9.5
            if planted and not near and _clear_of_crossing(y, crossing, 4.0, 19.0) and rng.random() < 0.85:
                things.append(Thing("tree", side * 7.3, y, 0.0, 0.0, int(rng.integers(2**31))))
            y += 6.2
            near = np.hypot(side * 6.8 - camera.at[0], y - camera.at[1]) < 6.5
            if not near and _clear_of_crossing(y, crossing, 1.5, 17.0):
                things.append(Thing("lamp", side * 6.75, y, -side * np.pi / 2, 0.0, look))
    if crossing is not None:
        mode = "red" if red else "green"
        for x, y in (
            (6.85, crossing - 0.9),
            (-6.85, crossing - 0.9),
            (6.85, crossing + 17.6),
            (-6.85, crossing + 17.6),
        ):
            things.append(Thing("traffic light", x, y, np.pi, 0.0, look, mode))
    return things


def _vehicle(rng: np.random.Generator) -> str:
    return str(rng.choice(["car", "truck", "bus", "motorcycle"], p=[0.66, 0.13, 0.11, 0.10]))


def _traffic(rng: np.random.Generator, camera: Camera, crossing: float | None, red: bool) -> list[Thing]:
    things: list[Thing] = []
    for side in (1, -1):
        speed = 0.0 if red and side > 0 else float(rng.uniform(4.0, 8.0))
        heading = 0.0 if side > 0 else np.pi
        held = red and crossing is not None
        y = 6.5 if camera.name == "cam-03" and side > 0 else float(rng.uniform(4, 12))
        if not held and side > 0 and camera.name != "cam-03":
            y -= 48  # these drive into the image later
        while y < (75 if held or side > 0 else 120):
            kind = _vehicle(rng)
            half = LENGTHS[kind] / 2
            y += half
            blocked = held and crossing is not None and crossing - 1.2 - half < y < crossing + 19 + half
            if not blocked and rng.random() < 0.84:
                moving = speed if not held else 0.0
                if held and crossing is not None and (y > crossing) == (side > 0):
                    moving = 5.0  # already past the crossing
                x = side * (1.75 + float(rng.uniform(-0.15, 0.15)))
                things.append(Thing(kind, x, y, heading, moving, int(rng.integers(_LOOKS)), "ridden"))
            y += half + float(rng.uniform(1.6, 4.0) if held else rng.uniform(3.5, 14.0))
        things += _parked(rng, camera, crossing, side)
        if rng.random() < 0.6:
            things.append(_cyclist(rng, crossing, side, red))
    if red and crossing is not None:
        for lane, heading in ((6.9, np.pi / 2), (10.9, -np.pi / 2)):
            if rng.random() < 0.6:
                kind = "car" if rng.random() < 0.7 else "truck"
                x = float(rng.uniform(-4, 2)) * (1 if heading > 0 else -1)
                things.append(
                    Thing(kind, x, crossing + lane, heading, 1.4, int(rng.integers(_LOOKS)), "ridden")
                )
    return things


def _cyclist(rng: np.random.Generator, crossing: float | None, side: int, red: bool) -> Thing:
    y = float(rng.uniform(9, 32))
    speed = 3.2
    if red and crossing is not None:
        speed, y = 0.0, crossing - 1.6 - float(rng.uniform(0, 2)) if side > 0 else crossing + 19.5
    return Thing(
        "bicycle", side * 3.45, y, 0.0 if side > 0 else np.pi, speed, int(rng.integers(2**31)), "ridden"
    )


def _parked(rng: np.random.Generator, camera: Camera, crossing: float | None, side: int) -> list[Thing]:
    things: list[Thing] = []
    y = float(rng.uniform(3, 9))
    heading = 0.0 if side > 0 else np.pi
    while y < 62:
        kind = str(rng.choice(["car", "truck", "motorcycle"], p=[0.86, 0.06, 0.08]))
        half = LENGTHS[kind] / 2
        y += half
        near = np.hypot(side * 5.0 - camera.at[0], y - camera.at[1]) < 6.0
        if _clear_of_crossing(y, crossing, 3.5 + half, 19.5 + half) and not near and rng.random() < 0.62:
            things.append(Thing(kind, side * 5.0, y, heading, 0.0, int(rng.integers(_LOOKS)), "parked"))
        y += half + float(rng.uniform(0.9, 2.6))
    return things


def _people(rng: np.random.Generator, camera: Camera, crossing: float | None, red: bool) -> list[Thing]:
    candidates: list[Thing] = []
    for _ in range(int(rng.integers(3, 8))):
        candidates += _walkers(rng, crossing)
    if red and crossing is not None:
        for _ in range(int(rng.integers(2, 6))):
            way = 1 if rng.random() < 0.5 else -1
            x, y = way * float(rng.uniform(-4.8, 1.5)), crossing + float(rng.uniform(0.5, 2.9))
            candidates.append(
                Thing("person", x, y, way * np.pi / 2, 1.3, int(rng.integers(2**31)), "walking")
            )
    if rng.random() < 0.7:
        side, y = (1 if rng.random() < 0.5 else -1), float(rng.uniform(9, 26))
        if _clear_of_crossing(y, crossing, 2, 18):
            for i in range(int(rng.integers(1, 4))):
                look = int(rng.integers(2**31))
                candidates.append(
                    Thing("bicycle", side * 6.8, y + i * 0.75, np.pi / 2 + 0.1, 0.0, look, "parked")
                )
    things: list[Thing] = []
    for t in candidates:
        near = np.hypot(t.x - camera.at[0], t.y - camera.at[1]) < 5.5
        taken = any(abs(o.x - t.x) < 0.7 and abs(o.y - t.y) < 0.7 for o in things)
        if not near and not taken:
            things.append(t)
    return things


def _walkers(rng: np.random.Generator, crossing: float | None) -> list[Thing]:
    """One person on a pavement, sometimes with company or a dog."""
    side = 1 if rng.random() < 0.5 else -1
    x, y = side * float(rng.uniform(7.9, 9.7)), float(rng.uniform(8, 36))
    if not _clear_of_crossing(y, crossing, 0, 16):
        y = (crossing or 0.0) - float(rng.uniform(0.5, 5))
    heading = float(rng.choice([0.0, np.pi])) + float(rng.uniform(-0.12, 0.12))
    walks = rng.random() < 0.8 and _clear_of_crossing(y, crossing, 5, 22)
    speed, mode = (1.25, "walking") if walks else (0.0, "standing")
    things = [Thing("person", x, y, heading, speed, int(rng.integers(2**31)), mode)]
    if walks and rng.random() < 0.28:
        things.append(
            Thing("person", x - side * 0.85, y + 0.2, heading, 1.25, int(rng.integers(2**31)), mode)
        )
    elif walks and rng.random() < 0.40:
        ahead = y + float(np.cos(heading)) * 0.8
        things.append(Thing("dog", x - side * 0.75, ahead, heading, 1.25, int(rng.integers(2**31))))
    return things
