"""Turns the things of one moment into drawings, far to near, with their shadows, lights and reflections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calotype.demo.streets import cycles, figures, props
from calotype.demo.streets.camera import Array, Camera, Point
from calotype.demo.streets.layout import LENGTHS, Plan, Thing, lamp_light, sunlit
from calotype.demo.streets.light import Light
from calotype.demo.streets.mesh import Mesh, mesh_marks, mesh_shadow, placed
from calotype.demo.streets.paint import Marks, Sprite, rasterise
from calotype.demo.streets.people import person
from calotype.demo.streets.vehicles import vehicle

_WIDTHS = {
    "car": 1.85,
    "truck": 2.5,
    "bus": 2.6,
    "motorcycle": 0.7,
    "bicycle": 0.5,
    "dog": 0.3,
    "person": 0.6,
}
_GLOW_COLOURS = {
    "white": (1.0, 0.95, 0.80),
    "red": (1.0, 0.14, 0.08),
    "brake": (1.0, 0.16, 0.08),
    "green": (0.12, 1.0, 0.42),
    "lamp": (1.0, 0.74, 0.42),
}
_GLOW_METRES = {"white": 0.95, "red": 0.36, "brake": 0.55, "green": 0.62, "lamp": 1.15}
_FAINTEST = 0.16
"""Things whose light reaches the camera by less than this share are lost in the haze and not drawn."""


@dataclass(frozen=True, slots=True)
class Glow:
    """A light the camera sees: centre, radius (pixels), colour (0 to 1), row where its reflection begins."""

    at: Point
    radius: float
    colour: tuple[float, float, float]
    foot: float | None  # None where something stands on its reflection


@dataclass(frozen=True, slots=True)
class Drawing:
    """One thing on paper. `label` is None for props. All coordinates are pixels of the image."""

    label: str | None
    marks: Marks
    base: float  # row where it stands
    shadows: Sequence[Sequence[float]] = ()  # polygons as flat lists x, y, x, y ...
    contact: tuple[Sequence[Point], ...] = ()  # soft dark directly under it
    beams: tuple[Sequence[Point], ...] = ()  # headlamp light on the road
    glows: tuple[Glow, ...] = ()
    keypoints: Array | None = None
    shadow_strength: float = 1.0
    attributes: tuple[tuple[str, str], ...] = ()


Drawn = tuple[Drawing, Sprite]


def drawings(p: Plan, seconds: float) -> list[Drawn]:
    """Everything that stands or moves in the scene at this moment with its sprite, in painting order."""
    visible = [t for t in (t.at(seconds) for t in p.things) if _in_sight(t, p)]
    if not visible:
        return []
    xs, ys = np.array([t.x for t in visible]), np.array([t.y for t in visible])
    sun, lamp = sunlit(p, xs, ys), np.clip(lamp_light(p, xs, ys) if p.light.lamps_on else xs * 0, 0, 0.8)
    still = _stills(p.seed)
    drawn: list[Drawn] = []
    for i in painting_order(visible, p.camera):
        t = visible[i]
        if t.speed == 0 and t in still:
            drawn += still[t]
            continue
        drawn_now = [
            (d, s)
            for d in _draw(t, seconds, p, float(sun[i]), float(lamp[i]))
            if (s := rasterise(d.marks)) is not None
        ]
        if t.speed == 0:
            still[t] = drawn_now
        drawn += drawn_now
    return drawn


@lru_cache(maxsize=2)
def _stills(seed: int) -> dict[Thing, list[Drawn]]:
    """Things that do not move in one scene, drawn once for all its frames."""
    return {}


def casts_shadow(light: Light, strength: float) -> bool:
    """Whether a shadow of this strength is dark enough to be seen."""
    return int(255 * light.shadow * strength) > 3


def _in_sight(t: Thing, p: Plan) -> bool:
    half = LENGTHS.get(t.kind, 0.8) / 2
    depth = float(p.camera.see(np.array([t.x, t.y, 1.0]))[2])
    nearest = half + (4.5 if t.kind in ("truck", "bus") else 1.6)  # a wall of lorry shows nothing
    if depth < nearest or np.exp(-depth / p.light.haze_m) < _FAINTEST or depth > 90:
        return False
    across = abs(float(np.sin(t.heading))) > 0.7 and t.kind in ("car", "truck")
    return not (across and abs(t.x) + half > 9.8)


def painting_order(things: Sequence[Thing], camera: Camera) -> list[int]:
    """Indices far to near, such that nothing is painted over what stands in front of it.

    Footprints are compared as boxes along the street: what lies wholly beyond another goes first; of two
    things side by side, the one further from the camera's own line does. Falls back to distance otherwise.
    """
    boxes = np.array([_footprint(t) for t in things])
    x0, x1, y0, y1 = boxes.T
    cx = camera.at[0]
    beyond = y0[:, None] >= y1[None, :] - 0.05
    beside = ~beyond & ~beyond.T
    right = beside & (x0[:, None] >= x1[None, :] - 0.05) & (cx < (x0[:, None] + x1[None, :]) / 2)
    left = beside & (x1[:, None] <= x0[None, :] + 0.05) & (cx > (x1[:, None] + x0[None, :]) / 2)
    first = beyond | right | left
    far = np.hypot((x0 + x1) / 2 - cx, (y0 + y1) / 2 - camera.at[1])
    order: list[int] = []
    left_over = set(range(len(things)))
    waiting = first.sum(axis=0).astype(int)
    while left_over:
        ready = [i for i in left_over if waiting[i] == 0] or list(left_over)
        pick = max(ready, key=lambda i: (far[i], i))
        order.append(pick)
        left_over.remove(pick)
        waiting -= first[pick]
    return order


def _footprint(t: Thing) -> tuple[float, float, float, float]:
    length, width = LENGTHS.get(t.kind, 0.5), _WIDTHS.get(t.kind, 0.3)
    c, s = abs(float(np.cos(t.heading))), abs(float(np.sin(t.heading)))
    half_x, half_y = (width * c + length * s) / 2, (width * s + length * c) / 2
    return t.x - half_x, t.x + half_x, t.y - half_y, t.y + half_y


def _draw(t: Thing, seconds: float, p: Plan, sun: float, lamp: float) -> list[Drawing]:
    pose = (t.x, t.y, t.heading)
    base = float(p.camera.project(np.array([t.x, t.y, 0.0]))[0][1])
    if t.kind in ("car", "truck", "bus"):
        return [_vehicle(t, pose, p, sun, lamp, base)]
    if t.kind == "tree":
        marks, shade = props.tree(t, p.camera, p.light, sunlit=sun, lamp=lamp)
        return [Drawing(None, marks, base, shade, shadow_strength=max(0.35, sun) * 0.8)]
    if t.kind == "lamp":
        glows = _post_glow(pose, p, base)
        return [_figure(None, props.street_lamp(p.light), pose, p, sun, lamp * 0.4, base, glows=glows)]
    if t.kind == "traffic light":
        pole = _figure(None, props.signal_pole(), pose, p, sun, lamp, base)
        head = props.signal_head(t.mode)
        marks = mesh_marks(head, pose, p.camera, p.light, sunlit=sun, lamp=lamp)
        return [
            pole,
            Drawing(t.kind, marks, base, glows=_glows(head, pose, p, base), attributes=(("state", t.mode),)),
        ]
    if t.kind == "dog":
        return [_figure("dog", cycles.dog(t, seconds), pose, p, sun, lamp, base)]
    if t.kind == "person":
        return [_figure("person", person(t, seconds, p.light), pose, p, sun, lamp, base)]
    seat = cycles.BICYCLE_SEAT if t.kind == "bicycle" else cycles.MOTORCYCLE_SEAT
    drawn = [
        _figure(t.kind, cycles.two_wheeler(t), pose, p, sun, lamp, base, glows=_bike_glows(t, pose, p, base))
    ]
    if t.mode == "ridden":
        drawn.append(_figure("person", person(t, seconds, p.light, seat=seat), pose, p, sun, lamp, base))
    return drawn


def _vehicle(
    t: Thing, pose: tuple[float, float, float], p: Plan, sun: float, lamp: float, base: float
) -> Drawing:
    used = t.mode == "ridden"
    lamps = used and (p.light.time != "day" or p.light.weather in ("fog", "rain"))
    model = vehicle(t.kind, t.look, lamps, used and t.speed == 0)
    marks = mesh_marks(model, pose, p.camera, p.light, sunlit=sun, lamp=lamp)
    length, half = LENGTHS[t.kind], _WIDTHS[t.kind] / 2
    patch = _ground_patch(p.camera, pose, -length / 2, length / 2, half, half)
    beam = (
        _ground_patch(p.camera, pose, length / 2, length / 2 + 13, half * 0.8, half * 2.2)
        if lamps and p.light.time != "day"
        else []
    )
    return Drawing(
        t.kind,
        marks,
        base,
        mesh_shadow(model, pose, p.camera, p.light) if casts_shadow(p.light, sun) else (),
        (patch,) if patch else (),
        (beam,) if beam else (),
        _glows(model, pose, p, base),
        None,
        sun,
    )


def _figure(
    label: str | None,
    figure: figures.Figure,
    pose: tuple[float, float, float],
    p: Plan,
    sun: float,
    lamp: float,
    base: float,
    *,
    glows: tuple[Glow, ...] = (),
) -> Drawing:
    marks = figures.figure_marks(figure, pose, p.camera, p.light, sunlit=sun, lamp=lamp)
    r = 0.75 if label in ("bicycle", "motorcycle") else 0.26
    patch = _ground_patch(p.camera, pose, -r, r, 0.2, 0.2)
    return Drawing(
        label,
        marks,
        base,
        figures.figure_shadow(figure, pose, p.camera, p.light) if casts_shadow(p.light, sun) else (),
        (patch,) if patch else (),
        (),
        glows,
        figures.keypoints_in_image(figure, pose, p.camera),
        sun,
    )


def _ground_patch(
    camera: Camera, pose: tuple[float, float, float], x0: float, x1: float, half0: float, half1: float
) -> list[Point]:
    corners = np.array([[x0, -half0, 0], [x1, -half1, 0], [x1, half1, 0], [x0, half0, 0]])
    return camera.polygon(placed(corners, *pose))


def _glow(spot: tuple[float, float, float], kind: str, pose: tuple[float, float, float], p: Plan) -> Glow:
    world = placed(np.array([spot, (spot[0], spot[1], -spot[2])]), *pose)
    flat, depth = p.camera.project(world)
    k = p.camera.pixels_per_metre(float(depth[0]))
    power = {"night": 1.0, "dusk": 0.72, "day": 0.45}[p.light.time] * (
        1.35 if p.light.weather in ("fog", "rain") else 1.0
    )
    clear = float(np.exp(-depth[0] / (p.light.haze_m * 2.2)))
    c = _GLOW_COLOURS[kind]
    gain = power * clear * (1.0 if kind in ("white", "lamp") else 0.8)
    radius = _GLOW_METRES[kind] * k * (1.7 if p.light.weather == "fog" else 1.0) + 5.0
    return Glow(
        (float(flat[0, 0]), float(flat[0, 1])),
        radius,
        (c[0] * gain, c[1] * gain, c[2] * gain),
        float(flat[1, 1]),
    )


def _glows(m: Mesh, pose: tuple[float, float, float], p: Plan, base: float) -> tuple[Glow, ...]:
    forward = np.array([np.sin(pose[2]), np.cos(pose[2])])
    toward = np.array([p.camera.at[0] - pose[0], p.camera.at[1] - pose[1]])
    facing = float(forward @ toward) > 0
    kept = []
    for spot, kind in m.glows:
        if (spot[0] > 0) == facing and (kind != "red" or p.light.time != "day" or p.light.weather != "clear"):
            kept.append(_glow(spot, kind if kind in _GLOW_METRES else "red", pose, p))
    return tuple(kept)


def _post_glow(pose: tuple[float, float, float], p: Plan, base: float) -> tuple[Glow, ...]:
    return (_glow((1.45, 0.0, 5.94), "lamp", pose, p),) if p.light.lamps_on else ()


def _bike_glows(t: Thing, pose: tuple[float, float, float], p: Plan, base: float) -> tuple[Glow, ...]:
    if t.mode != "ridden" or not p.light.lamps_on:
        return ()
    facing = np.cos(t.heading) < 0
    spot = (0.70, 0.0, 0.87) if facing else (-0.80, 0.0, 0.74)
    return (_glow(spot, "white" if facing else "red", pose, p),)
