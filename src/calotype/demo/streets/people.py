"""People: walking, standing under umbrellas, riding; with COCO's 17 keypoints from their own joints."""

from __future__ import annotations

import numpy as np

from calotype.demo.streets.figures import Figure, Rod
from calotype.demo.streets.layout import Thing, generator
from calotype.demo.streets.light import PAINT, Colour, Light
from calotype.demo.streets.mesh import Spot

KEYPOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
_SKINS: tuple[Colour, ...] = (
    (0.94, 0.76, 0.64),
    (0.84, 0.62, 0.48),
    (0.64, 0.43, 0.31),
    (0.45, 0.29, 0.21),
    (0.90, 0.70, 0.55),
)
_HAIRS: tuple[Colour, ...] = (
    (0.12, 0.09, 0.08),
    (0.30, 0.18, 0.10),
    (0.62, 0.42, 0.20),
    (0.45, 0.44, 0.43),
    (0.40, 0.14, 0.07),
)
COATS: tuple[Colour, ...] = (
    (0.78, 0.22, 0.20),
    (0.16, 0.32, 0.52),
    (0.92, 0.72, 0.24),
    (0.20, 0.44, 0.38),
    (0.86, 0.85, 0.80),
    (0.20, 0.20, 0.24),
    (0.58, 0.36, 0.54),
    (0.88, 0.50, 0.28),
    (0.36, 0.56, 0.70),
    (0.66, 0.52, 0.38),
)
_TROUSERS: tuple[Colour, ...] = (
    (0.16, 0.20, 0.32),
    (0.12, 0.12, 0.14),
    (0.42, 0.38, 0.32),
    (0.28, 0.34, 0.42),
    (0.32, 0.22, 0.20),
)
_UMBRELLAS: tuple[Colour, ...] = (
    (0.80, 0.18, 0.22),
    (0.14, 0.20, 0.36),
    (0.95, 0.76, 0.20),
    (0.22, 0.55, 0.56),
    (0.88, 0.46, 0.56),
)


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


def person(
    thing: Thing, seconds: float, light: Light, *, seat: tuple[Spot, Spot, Spot] | None = None
) -> Figure:
    """A person walking, standing, or riding with (seat, pedals, handlebar) given."""
    rng = generator(thing.look, 6)
    size = float(rng.uniform(0.90, 1.06))
    skin, hair = _one_of(rng, _SKINS), _one_of(rng, _HAIRS)
    coat, legs = _one_of(rng, COATS), _one_of(rng, _TROUSERS)
    long_coat, bag, hat, long_hair = (
        float(v) < t for v, t in zip(rng.random(4), (0.3, 0.35, 0.25, 0.4), strict=True)
    )
    turn = float(rng.uniform(0, 6.28)) + seconds * thing.speed * 3.6
    umbrella = light.weather == "rain" and seat is None and rng.random() < 0.72
    joints = (
        _riding(seat, turn, size) if seat is not None else _on_foot(thing.speed > 0, turn, size, umbrella)
    )
    rods = _body(joints, size, (skin, hair, coat, legs), long_coat and seat is None)
    neck, head = joints["neck"], joints["head"]
    if bag:
        top = (neck[0] - 0.17, neck[1], neck[2] - 0.12)
        rods.append(Rod(top, (top[0], top[1], top[2] - 0.26), 0.13, 0.14, _one_of(rng, COATS)))
    if long_hair and seat is None and not (hat or light.snow):
        back = (head[0] - 0.06, 0.0, head[2] + 0.03)
        rods.append(Rod(back, (head[0] - 0.08, 0, head[2] - 0.20), 0.115, 0.09, hair))
    dome = None
    if umbrella:
        hand = joints["wrist_r"]
        rods.append(Rod(hand, (hand[0], hand[1], head[2] + 0.42), 0.014, 0.014, (0.2, 0.2, 0.2)))
        dome = ((hand[0] - 0.05, hand[1] * 0.5, head[2] + 0.20), _one_of(rng, _UMBRELLAS))
    worn = _helmet(head, coat) if seat is not None else _hat(head, rng) if hat or light.snow else ()
    return Figure(tuple(rods), _keypoints(joints), worn, dome)


def _one_of(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return colours[int(rng.integers(len(colours)))]


def _helmet(head: Spot, colour: Colour) -> tuple[Rod, ...]:
    back, brow = (head[0] - 0.02, 0.0, head[2] + 0.05), (head[0] + 0.03, 0.0, head[2] + 0.07)
    return (Rod(back, brow, 0.135, 0.125, colour, PAINT),)


def _hat(head: Spot, rng: np.random.Generator) -> tuple[Rod, ...]:
    rim, top = (head[0] - 0.02, 0.0, head[2] + 0.06), (head[0], 0.0, head[2] + 0.10)
    return (Rod(rim, top, 0.118, 0.095, _one_of(rng, COATS)),)


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
        elbow = (
            shoulder[0] + 0.28 * size * np.sin(arm),
            shoulder[1] * 1.14,
            shoulder[2] - 0.28 * size * np.cos(arm),
        )
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
        ankle = (
            pedals[0] + 0.15 * np.cos(turn + phase) * (pedals[1] > 0),
            s * 0.11,
            pedals[2] + 0.15 * np.sin(turn + phase) * (pedals[1] > 0),
        )
        shoulder = (neck[0] - 0.01, s * 0.19 * size, neck[2] - 0.05)
        wrist = (bar[0], s * bar[1], bar[2] + 0.03)
        joints |= {
            "hip_" + name: hip,
            "ankle_" + name: ankle,
            "knee_" + name: _joint(hip, ankle, 0.44 * size, 0.44 * size, 1.0),
        }
        joints |= {
            "shoulder_" + name: shoulder,
            "wrist_" + name: wrist,
            "elbow_" + name: _joint(shoulder, wrist, 0.30 * size, 0.28 * size, -1.0),
        }
    return joints


def _body(
    j: dict[str, Spot], size: float, tints: tuple[Colour, Colour, Colour, Colour], long_coat: bool
) -> list[Rod]:
    skin, hair, coat, legs = tints
    shoe: Colour = (0.10, 0.09, 0.09)
    rods: list[Rod] = []
    for s in ("l", "r"):
        hip, knee, ankle = j["hip_" + s], j["knee_" + s], j["ankle_" + s]
        rods += [
            Rod(hip, knee, 0.095 * size, 0.068 * size, legs),
            Rod(knee, ankle, 0.068 * size, 0.048 * size, legs),
        ]
        rods.append(
            Rod(
                (ankle[0] - 0.03, ankle[1], ankle[2] - 0.03),
                (ankle[0] + 0.14, ankle[1], ankle[2] - 0.045),
                0.048,
                0.036,
                shoe,
            )
        )
        shoulder, elbow, wrist = j["shoulder_" + s], j["elbow_" + s], j["wrist_" + s]
        rods += [
            Rod(shoulder, elbow, 0.068 * size, 0.052 * size, coat),
            Rod(elbow, wrist, 0.052 * size, 0.042 * size, coat),
        ]
        rods.append(Rod(wrist, (wrist[0] + 0.02, wrist[1], wrist[2] - 0.05), 0.040, 0.034, skin))
        hem = (hip[0], hip[1] * 0.62, hip[2] - (0.34 * size if long_coat else 0.02))
        chest = ((shoulder[0] + j["neck"][0]) / 2, shoulder[1] * 0.42, shoulder[2] - 0.05)
        rods.append(Rod(chest, hem, 0.115 * size, (0.125 if long_coat else 0.098) * size, coat))
    neck, head = j["neck"], j["head"]
    rods.append(Rod(neck, head, 0.052 * size, 0.05 * size, skin))
    rods.append(Rod((head[0] + 0.015, 0, head[2] - 0.035), (head[0], 0, head[2] + 0.02), 0.088, 0.104, skin))
    rods.append(
        Rod((head[0] - 0.05, 0, head[2] + 0.01), (head[0] - 0.015, 0, head[2] + 0.055), 0.098, 0.105, hair)
    )
    return rods


def _keypoints(j: dict[str, Spot]) -> tuple[Spot, ...]:
    x, _, z = j["head"]
    face: list[Spot] = [
        (x + 0.11, 0, z - 0.02),
        (x + 0.09, 0.035, z + 0.02),
        (x + 0.09, -0.035, z + 0.02),
        (x, 0.09, z),
        (x, -0.09, z),
    ]
    rest = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    return (*face, *(j[f"{name}_{s}"] for name in rest for s in ("l", "r")))
