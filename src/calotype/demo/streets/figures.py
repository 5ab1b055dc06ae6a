"""Figures of rounded limbs in space, seen through the camera: what people, dogs and two-wheelers are made of.

Local frame: x forward, y left, z up, metres, origin on the ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from calotype.demo.streets.camera import Array, Camera
from calotype.demo.streets.layout import FACADE
from calotype.demo.streets.light import MATTE, PAINT, Colour, Light, to_bytes
from calotype.demo.streets.mesh import Spot, placed
from calotype.demo.streets.paint import DISC, LINE, POLYGON, Marks, Rgb, joined, polygons


class Rod(NamedTuple):
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
    figure: Figure,
    pose: tuple[float, float, float],
    camera: Camera,
    light: Light,
    *,
    sunlit: float,
    lamp: float,
) -> Marks:
    """Marks of a figure at (x, y, heading), each limb with a lit and a shaded side."""
    rods = [*figure.rods, *figure.last]
    world = placed(np.array([spot for r in rods for spot in (r.a, r.b)]), *pose)
    flat, depth = camera.project(world)
    flat, depth = flat.reshape(-1, 2, 2), depth.reshape(-1, 2)
    colours = _rod_colours(rods, pose, camera, light, sunlit, lamp)
    away = float(depth.mean())
    dark = to_bytes(light.through_air(colours * 0.78, away))
    pale = to_bytes(light.through_air(colours * 1.10, away))
    scale = camera.pixels_per_metre(away)
    lean = -0.24 if _sun_on_left(camera, light) else 0.24
    n = len(figure.rods)
    order = [*np.argsort(-depth[:n].sum(axis=1), kind="stable").tolist(), *range(n, len(rods))]
    radii = np.array([(r.ra, r.rb) for r in rods]) * scale
    limbs = _limbs(flat[order], radii[order], lean, [dark[i] for i in order], [pale[i] for i in order])
    if figure.umbrella is None:
        return limbs
    return joined([limbs, _umbrella(figure.umbrella, pose, camera, light, lamp)])


def _limbs(flat: Array, radii: Array, lean: float, dark: Sequence[Rgb], pale: Sequence[Rgb]) -> Marks:
    """Tapered, round-ended limbs between points (N, 2, 2), radii (N, 2) pixels, with a paler lit side.

    Limbs thinner than a pixel or so are lines; only stout ones have a lit side.
    """
    n, stout = len(flat), radii.max(axis=1)
    bodies = _capsules(flat, radii)
    lit = _capsules(flat + radii[:, :, None] * (lean, -0.10), radii * 0.70)
    thin, pale_too = stout < 1.1, stout > 1.6
    # Seven marks a limb, of which each keeps some: a line, and twice two discs with the quad between.
    kept = np.stack([thin, *[~thin] * 3, *[pale_too] * 3], axis=1)
    sizes = np.array([2, 1, 1, 4, 1, 1, 4])
    points = np.concatenate([flat, bodies, lit], axis=1)[np.repeat(kept, sizes, axis=1)]
    widths = np.zeros((n, 7))
    widths[:, 0] = np.maximum(radii.sum(axis=1), 0.7)
    widths[:, 1:3], widths[:, 4:6] = radii, radii * 0.70
    marks = np.flatnonzero(kept).tolist()
    starts = [0, *np.cumsum(np.tile(sizes, n)[marks]).tolist()]
    kinds = [_LIMB_KINDS[i % 7] for i in marks]
    colours = [(pale if i % 7 > 3 else dark)[i // 7] for i in marks]
    return Marks(points, starts, kinds, widths[kept], colours)


_LIMB_KINDS = (LINE, DISC, DISC, POLYGON, DISC, DISC, POLYGON)


def _capsules(ends: Array, radii: Array) -> Array:
    """(N, 6, 2): both ends of each limb, then the corners of the quad between their discs."""
    along = ends[:, 1] - ends[:, 0]
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    side = (along[:, ::-1] * (-1, 1))[:, None] * radii[:, :, None]
    return np.concatenate([ends, ends + side, (ends - side)[:, ::-1]], axis=1)


def _rod_colours(
    rods: list[Rod],
    pose: tuple[float, float, float],
    camera: Camera,
    light: Light,
    sunlit: float,
    lamp: float,
) -> Array:
    """Colours of limbs, taken as facing the camera and a little upwards."""
    toward = np.array([camera.at[0] - pose[0], camera.at[1] - pose[1], 0.0])
    normal = toward / max(float(np.linalg.norm(toward)), 1e-9) * 0.9 + np.array([0.0, 0.0, 0.42])
    normals = np.tile(normal, (len(rods), 1))
    own, materials = np.array([r.colour for r in rods]), np.array([r.material for r in rods])
    return light.shade(own, normals, materials, sunlit=sunlit, lamp=lamp)


def figure_shadow(
    figure: Figure, pose: tuple[float, float, float], camera: Camera, light: Light
) -> list[list[float]]:
    """Shadows of the limbs on the ground, as flat lists x, y, x, y ... of pixels."""
    rods = [*figure.rods, *figure.last]
    world = placed(np.array([spot for r in rods for spot in (r.a, r.b)]), *pose)
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
    near = depth.min(axis=1) > 1.0
    return flat.reshape(-1, 8)[near].tolist()  # type: ignore[no-any-return]


def _sun_on_left(camera: Camera, light: Light) -> bool:
    return bool(light.sun_at[0] * np.cos(camera.yaw) - light.sun_at[1] * np.sin(camera.yaw) < 0)


def _umbrella(
    umbrella: tuple[Spot, Colour], pose: tuple[float, float, float], camera: Camera, light: Light, lamp: float
) -> Marks:
    spot, colour = umbrella
    flat, depth = camera.project(placed(np.array([spot]), *pose))
    r = 0.56 * camera.pixels_per_metre(float(depth[0]))
    x, y = float(flat[0, 0]), float(flat[0, 1])
    up = np.array([[0.0, 0.2, 0.95], [0.0, 0.2, 0.8]])
    tones = light.shade(
        np.array([colour, colour]) * np.array([[0.80], [1.12]]), up, np.array([MATTE, PAINT]), lamp=lamp
    )
    dark, pale = to_bytes(light.through_air(tones, float(depth[0])))
    arc = np.linspace(np.pi, 0, 13)
    dome = [(x + r * np.cos(t), y - 0.62 * r * np.sin(t)) for t in arc]
    hem = [(x + r * s, y + (0.07 * r if k % 2 else 0.0)) for k, s in enumerate(np.linspace(1, -1, 9))]
    gores = [(x + r * 0.36 * np.cos(t), y - 0.62 * r * np.sin(t)) for t in arc]
    return polygons([([*dome, *hem], dark), (gores, pale)])


def keypoints_in_image(figure: Figure, pose: tuple[float, float, float], camera: Camera) -> Array:
    """Keypoints (17, 3) in COCO's order: pixels x, y, and 0 where the back of the head hides them, else 1."""
    if not figure.keypoints:
        return np.empty((0, 3))
    flat = camera.project(placed(np.array(figure.keypoints), *pose))[0]
    ahead = (camera.at[0] - pose[0]) * np.sin(pose[2]) + (camera.at[1] - pose[1]) * np.cos(pose[2])
    shown = np.ones((len(flat), 1))
    shown[:3] = float(ahead > 0)
    return np.hstack([flat, shown])
