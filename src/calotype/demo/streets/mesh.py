"""Solid things as convex parts with flat decals, turned into marks by true perspective and back-face culling.

Local frame of a vehicle: x forward, y to its left, z up, metres, origin on the ground under its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from calotype.demo.streets.camera import Array, Camera, Point
from calotype.demo.streets.layout import FACADE
from calotype.demo.streets.light import GLASS, MATTE, Colour, Light, to_bytes
from calotype.demo.streets.paint import Mark

Spot = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """One flat polygon of a part; decals lie on a face and are drawn after all faces of their part."""

    points: tuple[Spot, ...]
    colour: Colour
    material: int
    normal: Spot
    decal: bool = False


@dataclass(frozen=True, slots=True)
class Mesh:
    """Faces of all parts in one stack, ready to be turned, shaded and projected at once."""

    points: Array  # (P, 3)
    starts: tuple[int, ...]  # first point of every face, and the total
    normals: Array  # (F, 3)
    colours: Array  # (F, 3)
    materials: Array  # (F,)
    parts: tuple[tuple[float, int, int], ...]  # (local x of the middle, first face, end) per part
    solid: Array  # (F,) bool, False for decals
    glows: tuple[tuple[Spot, str], ...]


def part(faces: Sequence[Face], decals: Sequence[Face] = ()) -> tuple[Face, ...]:
    """A convex part: its faces turned outwards, then its decals."""
    spots = [p for f in faces for p in f.points]
    mx, my, mz = (sum(p[k] for p in spots) / len(spots) for k in range(3))
    turned = []
    for f in faces:
        (x, y, z), (nx, ny, nz) = f.points[0], f.normal
        outward = nx * (x - mx) + ny * (y - my) + nz * (z - mz) >= 0
        turned.append(f if outward else Face(f.points, f.colour, f.material, (-nx, -ny, -nz)))
    return (*turned, *(replace(d, decal=True) for d in decals))


def face(
    points: Sequence[Sequence[float]] | Array,
    colour: Colour,
    material: int = MATTE,
    normal: Spot | None = None,
) -> Face:
    """One face; its normal is found by Newell's method unless given (give it for decals)."""
    at = tuple((float(x), float(y), float(z)) for x, y, z in points)
    if normal is not None:
        return Face(at, colour, material, normal)
    nx = ny = nz = 0.0
    for (x0, y0, z0), (x1, y1, z1) in zip(at, (*at[1:], at[0]), strict=True):
        nx += (y0 - y1) * (z0 + z1)
        ny += (z0 - z1) * (x0 + x1)
        nz += (x0 - x1) * (y0 + y1)
    n = max((nx * nx + ny * ny + nz * nz) ** 0.5, 1e-12)
    return Face(at, colour, material, (nx / n, ny / n, nz / n))


def mesh(parts: Sequence[tuple[Face, ...]], glows: Sequence[tuple[Spot, str]] = ()) -> Mesh:
    """Stack parts into one mesh. Parts with the same x are drawn in the order given, others far to near."""
    faces = [f for p in parts for f in p]
    starts = np.cumsum([0, *(len(f.points) for f in faces)])
    spans, first = [], 0
    for p in parts:
        spans.append((0.0, first, first + len(p)))
        first += len(p)
    return Mesh(
        np.array([p for f in faces for p in f.points]),
        tuple(int(s) for s in starts),
        np.array([f.normal for f in faces]),
        np.array([f.colour for f in faces]),
        np.array([f.material for f in faces]),
        tuple(spans),
        np.array([not f.decal for f in faces]),
        tuple(glows),
    )


def placed(points: Array, x: float, y: float, heading: float) -> Array:
    """Local points (N, 3) in the world; heading is radians from +y, clockwise seen from above."""
    forward = np.array([np.sin(heading), np.cos(heading), 0.0])
    left = np.array([-np.cos(heading), np.sin(heading), 0.0])
    moved = points[..., 0:1] * forward + points[..., 1:2] * left
    moved[..., 2] += points[..., 2]
    return np.asarray(moved + np.array([x, y, 0.0]))


def mesh_marks(
    m: Mesh, pose: tuple[float, float, float], camera: Camera, light: Light, *, sunlit: float, lamp: float
) -> list[Mark]:
    """The visible faces of a mesh at (x, y, heading), shaded and in drawing order."""
    x, y, heading = pose
    world = placed(m.points, x, y, heading)
    normals = placed(m.normals, 0.0, 0.0, heading)
    firsts = np.asarray(m.starts[:-1])
    facing = ((np.asarray(camera.at) - world[firsts]) * normals).sum(axis=1) > 0
    colours = light.shade(m.colours, normals, m.materials, sunlit=sunlit, lamp=lamp)
    # Less light reaches the underside: darken towards the road.
    low = np.add.reduceat(world[:, 2], firsts) / np.diff(m.starts)
    colours = colours * np.where(m.materials == GLASS, 1.0, 0.70 + 0.30 * np.clip(low / 0.9, 0, 1))[:, None]
    flat, depth = camera.project(world)
    paints = to_bytes(light.through_air(colours, float(depth.mean())))
    points: list[Point] = list(map(tuple, flat.tolist()))
    eye = _local_eye(camera, x, y, heading)
    marks: list[Mark] = []
    for _, first, end in sorted(m.parts, key=lambda s: -abs(s[0] - eye)):
        marks += [
            Mark("polygon", points[m.starts[i] : m.starts[i + 1]], paints[i])
            for i in range(first, end)
            if facing[i]
        ]
    return marks


def _local_eye(camera: Camera, x: float, y: float, heading: float) -> float:
    return float((camera.at[0] - x) * np.sin(heading) + (camera.at[1] - y) * np.cos(heading))


def mesh_shadow(m: Mesh, pose: tuple[float, float, float], camera: Camera, light: Light) -> list[list[Point]]:
    """The faces' shadows on the ground, as pixel polygons."""
    world = placed(m.points, *pose)
    sx, sy, sz = light.sun_at
    world[:, 0] -= world[:, 2] * sx / sz
    world[:, 1] -= world[:, 2] * sy / sz
    world[:, 0] = np.clip(world[:, 0], -FACADE, FACADE)
    world[:, 2] = 0.0
    flat, depth = camera.project(world)
    if float(depth.min()) < 1.0:
        return []
    points: list[Point] = list(map(tuple, flat.tolist()))
    # The lit faces of closed parts cast the whole shadow.
    lit = (placed(m.normals, 0.0, 0.0, pose[2]) @ np.asarray(light.sun_at) > 0) & m.solid
    return [points[m.starts[i] : m.starts[i + 1]] for i in np.flatnonzero(lit)]


def loft(
    profile: Sequence[tuple[float, float]],
    half_width: float,
    *,
    colour: Colour,
    material: int,
    bevel: float = 0.07,
    taper: float = 0.0,
    panes: dict[int, tuple[Colour, int]] | None = None,
) -> list[Face]:
    """A side profile (x, z) carried across the width, with bevelled edges.

    Args:
        profile: Convex outline seen from the side, metres.
        half_width: Half the width at the outline's lowest point.
        bevel: How far the side faces are drawn in; the strip between catches the light.
        taper: Share of the width lost at the outline's highest point.
        panes: Colour and material of single strips across, as a windscreen; strip i joins points i and i + 1.
    """
    out = np.asarray(profile, dtype=np.float64)
    middle = out.mean(axis=0)
    inward = (middle - out) / np.linalg.norm(middle - out, axis=1, keepdims=True)
    low, high = out[:, 1].min(), out[:, 1].max()

    def ring(xz: Array, width: float) -> Array:
        y = width * (1 - taper * (xz[:, 1] - low) / (high - low))
        return np.column_stack([xz[:, 0], y, xz[:, 1]])

    inner = out + inward * bevel
    rings = [
        ring(inner, -half_width),
        ring(out, -(half_width - bevel)),
        ring(out, half_width - bevel),
        ring(inner, half_width),
    ]
    faces = [face(rings[0], colour, material), face(rings[3], colour, material)]
    for i in range(len(out)):
        j = (i + 1) % len(out)
        for k in range(3):
            tint, kind = (panes or {}).get(i, (colour, material)) if k == 1 else (colour, material)
            faces.append(face([rings[k][i], rings[k][j], rings[k + 1][j], rings[k + 1][i]], tint, kind))
    return faces


@lru_cache(maxsize=64)
def wheel(
    x: float, y: float, radius: float, width: float, outward: int
) -> tuple[tuple[Face, ...], tuple[Face, ...]]:
    """A wheel's tyre as a part, and its outer disc with rim as decals for the body's side."""
    turn = np.linspace(0, 2 * np.pi, 15)[:-1]
    circle = np.column_stack([x + radius * np.cos(turn), np.zeros(14), radius + radius * np.sin(turn)])
    outer = circle + np.array([0.0, y, 0.0])
    inner = circle + np.array([0.0, y - outward * width, 0.0])
    rubber: Colour = (0.075, 0.075, 0.08)
    tread = [face([outer[i], outer[(i + 1) % 14], inner[(i + 1) % 14], inner[i]], rubber) for i in range(14)]
    tyre = part([*tread, face(outer, rubber), face(inner, rubber)])
    side = (0.0, float(outward), 0.0)

    def disc(share: float, colour: Colour, steps: int = 14) -> Face:
        around = np.linspace(0, 2 * np.pi, steps + 1)[:-1]
        rim = np.column_stack(
            [x + radius * share * np.cos(around), np.full(steps, y), radius + radius * share * np.sin(around)]
        )
        return face(rim, colour, MATTE, side)

    rim = [disc(1.0, rubber), disc(0.66, (0.16, 0.16, 0.17)), disc(0.60, (0.66, 0.67, 0.69))]
    spokes = []
    for a in np.arange(5) * (2 * np.pi / 5) + 0.3:
        gap = [(0.22, a + 0.35), (0.52, a + 0.2), (0.52, a + 1.05), (0.22, a + 0.9)]
        spokes.append(
            face(
                [(x + radius * r * np.cos(t), y, radius + radius * r * np.sin(t)) for r, t in gap],
                (0.22, 0.22, 0.24),
                MATTE,
                side,
            )
        )
    return tyre, (*rim, *spokes)
