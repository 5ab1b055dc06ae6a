"""People, dogs and two-wheelers: rounded limbs in space, seen through the camera.

Local frame: x forward, y left, z up, metres, origin on the ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calotype.app.demo.streets_camera import Array, Camera, Point
from calotype.app.demo.streets_layout import FACADE, Thing, generator
from calotype.app.demo.streets_light import MATTE, PAINT, Colour, Light, to_bytes
from calotype.app.demo.streets_mesh import placed
from calotype.app.demo.streets_paint import Mark, limb

Spot = tuple[float, float, float]
KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)
_SKINS: tuple[Colour, ...] = ((0.94, 0.76, 0.64), (0.84, 0.62, 0.48), (0.64, 0.43, 0.31), (0.45, 0.29, 0.21), (0.90, 0.70, 0.55))
_HAIRS: tuple[Colour, ...] = ((0.12, 0.09, 0.08), (0.30, 0.18, 0.10), (0.62, 0.42, 0.20), (0.45, 0.44, 0.43), (0.40, 0.14, 0.07))
_COATS: tuple[Colour, ...] = (
    (0.78, 0.22, 0.20), (0.16, 0.32, 0.52), (0.92, 0.72, 0.24), (0.20, 0.44, 0.38), (0.86, 0.85, 0.80), (0.20, 0.20, 0.24),
    (0.58, 0.36, 0.54), (0.88, 0.50, 0.28), (0.36, 0.56, 0.70), (0.66, 0.52, 0.38),
)
_TROUSERS: tuple[Colour, ...] = ((0.16, 0.20, 0.32), (0.12, 0.12, 0.14), (0.42, 0.38, 0.32), (0.28, 0.34, 0.42), (0.32, 0.22, 0.20))
_UMBRELLAS: tuple[Colour, ...] = ((0.80, 0.18, 0.22), (0.14, 0.20, 0.36), (0.95, 0.76, 0.20), (0.22, 0.55, 0.56), (0.88, 0.46, 0.56))
_DOGS: tuple[Colour, ...] = ((0.62, 0.42, 0.24), (0.16, 0.14, 0.13), (0.86, 0.80, 0.70), (0.46, 0.28, 0.16))


@dataclass(frozen=True, slots=True)
class Rod:
    """A tapered, round-ended solid between two spots; radii in metres."""

    a: Spot
    b: Spot
    ra: float
    rb: float
    colour: Colour
    material: int = MATTE


@dataclass(frozen=True, slots=True)
class Figure:
    """Rods drawn from far to near, keypoints if it is a person, and flat shapes drawn last (an umbrella)."""

    rods: tuple[Rod, ...]
    keypoints: tuple[Spot, ...] = ()
    last: tuple[Rod, ...] = ()
    umbrella: tuple[Spot, Colour] | None = None


def figure_marks(
    figure: Figure, at: tuple[float, float, float], camera: Camera, light: Light, *, sunlit: float, lamp: float
) -> list[Mark]:
    """Marks of a figure at (x, y, heading), each limb with a lit and a shaded side."""
    rods = [*figure.rods, *figure.last]
    ends = np.array([[r.a, r.b] for r in rods])
    world = placed(ends.reshape(-1, 3), *at)
    flat, depth = camera.project(world)
    flat, depth = flat.reshape(-1, 2, 2), depth.reshape(-1, 2)
    toward = np.array([camera.at[0] - at[0], camera.at[1] - at[1], 0.0])
    normal = toward / max(float(np.linalg.norm(toward)), 1e-9) * 0.9 + (0, 0, 0.42)
    normals = np.broadcast_to(normal, (len(rods), 3))
    colours = light.shade(np.array([r.colour for r in rods]), normals, np.array([r.material for r in rods]), sunlit=sunlit, lamp=lamp)
    away = float(depth.mean())
    dark = to_bytes(light.through_air(colours * 0.78, away))
    pale = to_bytes(light.through_air(colours * 1.10, away))
    scale = camera.pixels_per_metre(away)
    lean = -0.24 if _sun_on_left(camera, light) else 0.24
    order = [*sorted(range(len(figure.rods)), key=lambda i: -float(depth[i].sum())), *range(len(figure.rods), len(rods))]
    marks: list[Mark] = []
    for i in order:
        rod = rods[i]
        a, b = (float(flat[i, 0, 0]), float(flat[i, 0, 1])), (float(flat[i, 1, 0]), float(flat[i, 1, 1]))
        ra, rb = rod.ra * scale, rod.rb * scale
        if max(ra, rb) < 1.1:
            marks.append(Mark("line", (a, b), dark[i], max(ra + rb, 0.7)))
            continue
        marks += limb(a, b, ra, rb, dark[i])
        if max(ra, rb) > 1.6:
            a2, b2 = (a[0] + ra * lean, a[1] - ra * 0.10), (b[0] + rb * lean, b[1] - rb * 0.10)
            marks += limb(a2, b2, ra * 0.70, rb * 0.70, pale[i])
    if figure.umbrella is not None:
        marks += _umbrella(figure.umbrella, at, camera, light, lamp)
    return marks


def figure_shadow(figure: Figure, at: tuple[float, float, float], camera: Camera, light: Light) -> list[list[Point]]:
    """Shadows of the limbs on the ground, as pixel polygons."""
    rods = [*figure.rods, *figure.last]
    world = placed(np.array([[r.a, r.b] for r in rods]).reshape(-1, 3), *at)
    sx, sy, sz = light.sun_at
    ground = world[:, :2] - world[:, 2:3] * np.array([sx / sz, sy / sz])
    ground[:, 0] = np.clip(ground[:, 0], -FACADE, FACADE)
    ground = ground.reshape(-1, 2, 2)
    along = ground[:, 1] - ground[:, 0]
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    side = np.column_stack([-along[:, 1], along[:, 0]]) / length
    ra, rb = np.array([[r.ra] for r in rods]), np.array([[r.rb] for r in rods])
    tip = along / length
    a, b = ground[:, 0] - tip * ra, ground[:, 1] + tip * rb
    quads = np.stack([a + side * ra, b + side * rb, b - side * rb, a - side * ra], axis=1)
    flat, depth = camera.project(np.concatenate([quads, np.zeros((*quads.shape[:2], 1))], axis=2))
    return [[(float(u), float(v)) for u, v in q] for q, d in zip(flat, depth, strict=True) if d.min() > 1.0]


def _sun_on_left(camera: Camera, light: Light) -> bool:
    return bool(light.sun_at[0] * np.cos(camera.yaw) - light.sun_at[1] * np.sin(camera.yaw) < 0)


def _umbrella(umbrella: tuple[Spot, Colour], at: tuple[float, float, float], camera: Camera, light: Light, lamp: float) -> list[Mark]:
    spot, colour = umbrella
    flat, depth = camera.project(placed(np.array([spot]), *at))
    r = 0.56 * camera.pixels_per_metre(float(depth[0]))
    x, y = float(flat[0, 0]), float(flat[0, 1])
    up = np.array([[0.0, 0.2, 0.95], [0.0, 0.2, 0.8]])
    tones = light.shade(np.array([colour, colour]) * np.array([[0.80], [1.12]]), up, np.array([MATTE, PAINT]), lamp=lamp)
    dark, pale = to_bytes(light.through_air(tones, float(depth[0])))
    arc = np.linspace(np.pi, 0, 13)
    dome = [(x + r * np.cos(t), y - 0.62 * r * np.sin(t)) for t in arc]
    hem = [(x + r * s, y + (0.07 * r if k % 2 else 0.0)) for k, s in enumerate(np.linspace(1, -1, 9))]
    gores = [(x + r * 0.36 * np.cos(t), y - 0.62 * r * np.sin(t)) for t in arc]
    return [Mark("polygon", [*dome, *hem], dark), Mark("polygon", gores, pale)]


def _leg(hip: Spot, swing: float, bend: float, size: float) -> tuple[Spot, Spot]:
    knee = (hip[0] + 0.43 * size * np.sin(swing), hip[1], hip[2] - 0.43 * size * np.cos(swing))
    low = swing - bend
    return knee, (knee[0] + 0.42 * size * np.sin(low), knee[1], knee[2] - 0.42 * size * np.cos(low))


def _joint(a: Spot, b: Spot, upper: float, lower: float, forward: float) -> Spot:
    """The knee or elbow between a and b: two-bone inverse kinematics in the x-z plane."""
    d = np.array([b[0] - a[0], b[2] - a[2]])
    n = float(np.hypot(*d))
    n = min(max(n, 1e-6), (upper + lower) * 0.999)
    along = (upper**2 - lower**2 + n * n) / (2 * n)
    off = max(upper**2 - along**2, 0.0) ** 0.5 * forward
    u = d / max(float(np.hypot(*d)), 1e-6)
    return (a[0] + u[0] * along - u[1] * off * -1, (a[1] + b[1]) / 2, a[2] + u[1] * along - u[0] * off * 1)


def person(thing: Thing, seconds: float, light: Light, *, seat: tuple[Spot, Spot, Spot] | None = None) -> Figure:
    """A person walking, standing, or riding with (seat, pedals, handlebar) given."""
    rng = generator(thing.look, 6)
    size = float(rng.uniform(0.90, 1.06))
    skin, hair = _SKINS[int(rng.integers(len(_SKINS)))], _HAIRS[int(rng.integers(len(_HAIRS)))]
    coat, legs = _COATS[int(rng.integers(len(_COATS)))], _TROUSERS[int(rng.integers(len(_TROUSERS)))]
    long_coat, bag, hat, long_hair = (float(v) < t for v, t in zip(rng.random(4), (0.3, 0.35, 0.25, 0.4), strict=True))
    turn = float(rng.uniform(0, 6.28)) + seconds * thing.speed * 3.6
    umbrella = light.weather == "rain" and seat is None and rng.random() < 0.72
    joints = _riding(seat, turn, size) if seat is not None else _on_foot(thing.speed > 0, turn, size, umbrella)
    rods = _body(joints, size, (skin, hair, coat, legs), long_coat and seat is None)
    neck, head = joints["neck"], joints["head"]
    if bag:
        back = (neck[0] - 0.17, neck[1], neck[2] - 0.12)
        rods.append(Rod(back, (back[0], back[1], back[2] - 0.26), 0.13, 0.14, _COATS[int(rng.integers(len(_COATS)))]))
    last: list[Rod] = []
    if seat is not None:
        last.append(Rod((head[0] - 0.02, 0, head[2] + 0.05), (head[0] + 0.03, 0, head[2] + 0.07), 0.135, 0.125, coat, PAINT))
    elif hat or light.snow:
        wool = _COATS[int(rng.integers(len(_COATS)))]
        last.append(Rod((head[0] - 0.02, 0, head[2] + 0.06), (head[0], 0, head[2] + 0.10), 0.118, 0.095, wool))
    elif long_hair:
        rods.append(Rod((head[0] - 0.06, 0, head[2] + 0.03), (head[0] - 0.08, 0, head[2] - 0.20), 0.115, 0.09, hair))
    dome = None
    if umbrella:
        hand = joints["wrist_r"]
        rods.append(Rod(hand, (hand[0], hand[1], head[2] + 0.42), 0.014, 0.014, (0.2, 0.2, 0.2)))
        dome = ((hand[0] - 0.05, hand[1] * 0.5, head[2] + 0.20), _UMBRELLAS[int(rng.integers(len(_UMBRELLAS)))])
    return Figure(tuple(rods), _keypoints(joints), tuple(last), dome)


def _on_foot(walks: bool, turn: float, size: float, umbrella: bool) -> dict[str, Spot]:
    swing = 0.46 * np.sin(turn) if walks else 0.05
    bend_l = 0.10 + (0.62 * max(0.0, float(np.cos(turn))) if walks else 0.0)
    bend_r = 0.10 + (0.62 * max(0.0, -float(np.cos(turn))) if walks else 0.0)
    hip = 0.92 * size
    joints: dict[str, Spot] = {"hip_l": (0, 0.10 * size, hip), "hip_r": (0, -0.10 * size, hip)}
    joints["knee_l"], joints["ankle_l"] = _leg(joints["hip_l"], swing, bend_l, size)
    joints["knee_r"], joints["ankle_r"] = _leg(joints["hip_r"], -swing, bend_r, size)
    sink = min(joints["ankle_l"][2], joints["ankle_r"][2]) - 0.075
    joints = {k: (x, y, z - sink) for k, (x, y, z) in joints.items()}
    top = hip - sink
    joints["neck"] = (0.03 * size, 0, top + 0.53 * size)
    joints["head"] = (0.06 * size, 0, top + 0.71 * size)
    for s, name, sway in ((1, "l", -swing), (-1, "r", swing)):
        shoulder = (0.02 * size, s * 0.19 * size, top + 0.48 * size)
        arm = sway * 0.9
        elbow = (shoulder[0] + 0.28 * size * np.sin(arm), shoulder[1] * 1.14, shoulder[2] - 0.28 * size * np.cos(arm))
        low = arm + 0.35
        wrist = (elbow[0] + 0.25 * size * np.sin(low), elbow[1], elbow[2] - 0.25 * size * np.cos(low))
        if umbrella and name == "r":
            elbow = (shoulder[0] + 0.06, shoulder[1] * 1.1, shoulder[2] - 0.27 * size)
            wrist = (elbow[0] + 0.20, elbow[1] * 0.6, elbow[2] + 0.14)
        joints["shoulder_" + name], joints["elbow_" + name], joints["wrist_" + name] = shoulder, elbow, wrist
    return joints


def _riding(seat: tuple[Spot, Spot, Spot], turn: float, size: float) -> dict[str, Spot]:
    saddle, pedals, bar = seat
    lean = (bar[0] - saddle[0]) * 0.42
    top = saddle[2] + 0.06
    neck = (saddle[0] + lean, 0.0, top + 0.50 * size)
    joints: dict[str, Spot] = {"neck": neck, "head": (neck[0] + 0.07, 0.0, neck[2] + 0.19 * size)}
    for s, name, phase in ((1, "l", 0.0), (-1, "r", np.pi)):
        hip = (saddle[0], s * 0.10, top)
        ankle = (pedals[0] + 0.15 * np.cos(turn + phase) * (pedals[1] > 0), s * 0.11, pedals[2] + 0.15 * np.sin(turn + phase) * (pedals[1] > 0))
        shoulder = (neck[0] - 0.01, s * 0.19 * size, neck[2] - 0.05)
        wrist = (bar[0], s * bar[1], bar[2] + 0.03)
        joints |= {"hip_" + name: hip, "ankle_" + name: ankle, "knee_" + name: _joint(hip, ankle, 0.44 * size, 0.44 * size, 1.0)}
        joints |= {"shoulder_" + name: shoulder, "wrist_" + name: wrist, "elbow_" + name: _joint(shoulder, wrist, 0.30 * size, 0.28 * size, -1.0)}
    return joints


def _body(j: dict[str, Spot], size: float, tints: tuple[Colour, Colour, Colour, Colour], long_coat: bool) -> list[Rod]:
    skin, hair, coat, legs = tints
    shoe: Colour = (0.10, 0.09, 0.09)
    rods: list[Rod] = []
    for s in ("l", "r"):
        hip, knee, ankle = j["hip_" + s], j["knee_" + s], j["ankle_" + s]
        rods += [Rod(hip, knee, 0.095 * size, 0.068 * size, legs), Rod(knee, ankle, 0.068 * size, 0.048 * size, legs)]
        rods.append(Rod((ankle[0] - 0.03, ankle[1], ankle[2] - 0.03), (ankle[0] + 0.14, ankle[1], ankle[2] - 0.045), 0.048, 0.036, shoe))
        shoulder, elbow, wrist = j["shoulder_" + s], j["elbow_" + s], j["wrist_" + s]
        rods += [Rod(shoulder, elbow, 0.068 * size, 0.052 * size, coat), Rod(elbow, wrist, 0.052 * size, 0.042 * size, coat)]
        rods.append(Rod(wrist, (wrist[0] + 0.02, wrist[1], wrist[2] - 0.05), 0.040, 0.034, skin))
        hem = (hip[0], hip[1] * 0.75, hip[2] - (0.34 * size if long_coat else 0.02))
        chest = ((shoulder[0] + j["neck"][0]) / 2, shoulder[1] * 0.55, shoulder[2] - 0.05)
        rods.append(Rod(chest, hem, 0.115 * size, (0.125 if long_coat else 0.098) * size, coat))
    neck, head = j["neck"], j["head"]
    rods.append(Rod(neck, head, 0.052 * size, 0.05 * size, skin))
    rods.append(Rod((head[0] + 0.015, 0, head[2] - 0.035), (head[0], 0, head[2] + 0.02), 0.088, 0.104, skin))
    rods.append(Rod((head[0] - 0.05, 0, head[2] + 0.01), (head[0] - 0.015, 0, head[2] + 0.055), 0.098, 0.105, hair))
    return rods


def _keypoints(j: dict[str, Spot]) -> tuple[Spot, ...]:
    x, _, z = j["head"]
    face: list[Spot] = [(x + 0.11, 0, z - 0.02), (x + 0.09, 0.035, z + 0.02), (x + 0.09, -0.035, z + 0.02), (x, 0.09, z), (x, -0.09, z)]
    rest = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    return (*face, *(j[f"{name}_{s}"] for name in rest for s in ("l", "r")))


def dog(thing: Thing, seconds: float) -> Figure:
    """A dog trotting."""
    rng = generator(thing.look, 7)
    fur, k = _DOGS[int(rng.integers(len(_DOGS)))], float(rng.uniform(0.85, 1.15))
    pale = (min(1, fur[0] * 1.25 + 0.05), min(1, fur[1] * 1.25 + 0.05), min(1, fur[2] * 1.25 + 0.05))
    turn = float(rng.uniform(0, 6.28)) + seconds * 9.0
    rods = [
        Rod((-0.28 * k, 0, 0.46 * k), (0.22 * k, 0, 0.48 * k), 0.125 * k, 0.145 * k, fur),
        Rod((0.24 * k, 0, 0.52 * k), (0.40 * k, 0, 0.68 * k), 0.10 * k, 0.085 * k, fur),
        Rod((0.40 * k, 0, 0.70 * k), (0.44 * k, 0, 0.71 * k), 0.10 * k, 0.09 * k, fur),
        Rod((0.48 * k, 0, 0.67 * k), (0.60 * k, 0, 0.65 * k), 0.055 * k, 0.042 * k, pale),
        Rod((0.63 * k, 0, 0.665 * k), (0.64 * k, 0, 0.665 * k), 0.02 * k, 0.02 * k, (0.05, 0.05, 0.05)),
        Rod((-0.34 * k, 0, 0.52 * k), (-0.54 * k, 0.05 * np.sin(turn), 0.70 * k), 0.045 * k, 0.022 * k, fur),
    ]
    for s in (-1, 1):
        rods.append(Rod((0.37 * k, s * 0.07 * k, 0.77 * k), (0.33 * k, s * 0.10 * k, 0.66 * k), 0.035 * k, 0.04 * k, (fur[0] * 0.7, fur[1] * 0.7, fur[2] * 0.7)))
        for x, phase in ((0.20, 0.0), (-0.26, 2.2)):
            swing = 0.34 * float(np.sin(turn + phase + (np.pi if s > 0 else 0)))
            foot = (x * k + 0.36 * k * np.sin(swing), s * 0.08 * k, 0.035)
            knee = (x * k + 0.20 * k * np.sin(swing) - 0.03, s * 0.085 * k, 0.24 * k)
            rods += [Rod((x * k, s * 0.085 * k, 0.42 * k), knee, 0.065 * k, 0.042 * k, fur), Rod(knee, foot, 0.040 * k, 0.034 * k, pale)]
    return Figure(tuple(rods))


BICYCLE_SEAT: tuple[Spot, Spot, Spot] = ((-0.20, 0.0, 0.93), (0.02, 1.0, 0.32), (0.46, 0.24, 1.02))
MOTORCYCLE_SEAT: tuple[Spot, Spot, Spot] = ((-0.22, 0.0, 0.80), (0.02, 0.0, 0.32), (0.48, 0.34, 1.02))


def two_wheeler(thing: Thing) -> Figure:
    """A bicycle or a motorcycle, without its rider."""
    rng = generator(thing.look, 8)
    paint = _COATS[int(rng.integers(len(_COATS)))]
    return Figure(tuple(_bicycle(paint) if thing.kind == "bicycle" else _motorcycle(paint)))


def _ring(x: float, radius: float, thick: float, colour: Colour, steps: int = 18) -> list[Rod]:
    at = [(x + radius * float(np.cos(t)), 0.0, radius + thick + radius * float(np.sin(t))) for t in np.linspace(0, 2 * np.pi, steps + 1)]
    return [Rod(a, b, thick, thick, colour) for a, b in zip(at[:-1], at[1:], strict=True)]


def _bicycle(paint: Colour) -> list[Rod]:
    steel: Colour = (0.55, 0.56, 0.58)
    black: Colour = (0.08, 0.08, 0.09)
    rear, front, crank, seat, head = (-0.52, 0, 0.35), (0.54, 0, 0.35), (0.0, 0, 0.31), (-0.18, 0, 0.80), (0.38, 0, 0.84)
    rods = [*_ring(-0.52, 0.33, 0.022, black), *_ring(0.54, 0.33, 0.022, black)]
    for hub in (rear, front):
        for t in np.arange(4) * np.pi / 4:
            c, s = 0.31 * float(np.cos(t)), 0.31 * float(np.sin(t))
            rods.append(Rod((hub[0] - c, 0, hub[2] - s), (hub[0] + c, 0, hub[2] + s), 0.004, 0.004, steel))
    tubes: list[tuple[Spot, Spot]] = [(crank, seat), (seat, head), (crank, head), (rear, crank), (rear, seat), (head, front)]
    rods += [Rod(a, b, 0.021, 0.021, paint, PAINT) for a, b in tubes]
    rods += [Rod(seat, (-0.20, 0, 0.90), 0.015, 0.015, steel), Rod((-0.32, 0, 0.92), (-0.08, 0, 0.91), 0.055, 0.03, black)]
    rods += [Rod(head, (0.40, 0, 0.98), 0.016, 0.016, steel), Rod((0.42, -0.26, 1.0), (0.42, 0.26, 1.0), 0.017, 0.017, black)]
    rods += [Rod((0.0, 0.09, 0.31), (0.06, 0.09, 0.18), 0.016, 0.02, black), Rod((0, -0.09, 0.31), (-0.06, -0.09, 0.44), 0.016, 0.02, black)]
    return rods


def _motorcycle(paint: Colour) -> list[Rod]:
    black: Colour = (0.07, 0.07, 0.08)
    steel: Colour = (0.62, 0.63, 0.65)
    rods = [*_ring(-0.70, 0.27, 0.065, black, 14), *_ring(0.72, 0.27, 0.06, black, 14)]
    rods += [Rod((x, -0.02, 0.33), (x, 0.02, 0.33), 0.15, 0.15, steel) for x in (-0.70, 0.72)]
    rods += [
        Rod((-0.12, 0, 0.42), (0.18, 0, 0.42), 0.18, 0.17, (0.24, 0.24, 0.26)), Rod((-0.70, 0.12, 0.34), (0.0, 0.12, 0.38), 0.045, 0.05, steel),
        Rod((-0.72, -0.14, 0.36), (0.0, -0.14, 0.34), 0.06, 0.045, steel, PAINT), Rod((0.02, 0, 0.78), (0.34, 0, 0.82), 0.15, 0.13, paint, PAINT),
        Rod((-0.62, 0, 0.80), (-0.05, 0, 0.76), 0.085, 0.11, black), Rod((-0.85, 0, 0.76), (-0.60, 0, 0.74), 0.05, 0.09, paint, PAINT),
        Rod((0.72, 0.07, 0.33), (0.48, 0.07, 0.92), 0.032, 0.03, steel), Rod((0.72, -0.07, 0.33), (0.48, -0.07, 0.92), 0.032, 0.03, steel),
        Rod((0.46, -0.36, 1.02), (0.46, 0.36, 1.02), 0.022, 0.022, black), Rod((0.52, 0, 0.88), (0.60, 0, 0.87), 0.11, 0.095, paint, PAINT),
        Rod((0.66, 0, 0.87), (0.68, 0, 0.87), 0.07, 0.068, (0.94, 0.94, 0.88)), Rod((0.60, 0, 0.66), (0.86, 0, 0.66), 0.05, 0.04, paint, PAINT),
    ]
    return rods


def keypoints_in_image(figure: Figure, at: tuple[float, float, float], camera: Camera) -> Array:
    """Keypoints (17, 2) in pixels, in COCO's order; (0, 2) when the figure has none."""
    if not figure.keypoints:
        return np.empty((0, 2))
    return camera.project(placed(np.array(figure.keypoints), *at))[0]
