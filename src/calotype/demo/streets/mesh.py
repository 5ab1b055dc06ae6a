"""Solid things as convex parts with flat decals, turned into marks by true perspective and back-face culling.

Local frame of a vehicle: x forward, y to its left, z up, metres, origin on the ground under its middle.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calotype.demo.streets.camera import Array, Camera
from calotype.demo.streets.layout import FACADE
from calotype.demo.streets.light import GLASS, MATTE, Colour, Light, to_bytes
from calotype.demo.streets.paint import POLYGON, Marks

Spot = tuple[float, float, float]
_SPECK_PX = 1.5
"""Decals that cover less than this (pixels squared) are not drawn."""


class Face(NamedTuple):
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
    starts: NDArray[np.int64]  # (F + 1,) first point of every face, and the total
    normals: Array  # (F, 3)
    colours: Array  # (F, 3)
    materials: Array  # (F,)
    areas: Array  # (F,) about the area of a decal in square metres, infinite for faces
    heights: Array  # (F,) mean height above the ground, metres
    casts: NDArray[np.bool_]  # (F,) whether its shadow is drawn
    parts: tuple[tuple[float, int, int], ...]  # (local x of the middle, first face, end) of parts to sort
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
    return (*turned, *(Face(d.points, d.colour, d.material, d.normal, True) for d in decals))


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


def mesh(
    parts: Sequence[tuple[Face, ...]],
    glows: Sequence[tuple[Spot, str]] = (),
    wheels: Sequence[tuple[Face, ...]] = (),
    middles: Sequence[float] = (),
) -> Mesh:
    """Stack wheels and parts into one mesh; wheels cast no shadow of their own.

    Parts are drawn in the order given, or from far to near where `middles` gives the local x of each.
    """
    hidden = sum(len(p) for p in wheels)
    edges = np.cumsum([hidden, *(len(p) for p in parts)]).tolist()
    spans = [(1e7, 0, hidden), *zip(middles, edges[:-1], edges[1:], strict=True)] if middles else []
    faces = [f for p in (*wheels, *parts) for f in p]
    starts = np.cumsum([0, *(len(f.points) for f in faces)])
    points = np.array([p for f in faces for p in f.points])
    first, sizes = starts[:-1], np.diff(starts)
    span = np.maximum.reduceat(points, first) - np.minimum.reduceat(points, first)
    span.sort(axis=1)
    decal = np.array([f.decal for f in faces])
    return Mesh(
        points,
        starts,
        np.array([f.normal for f in faces]),
        np.array([f.colour for f in faces]),
        np.array([f.material for f in faces]),
        np.where(decal, span[:, 1] * span[:, 2], np.inf),
        np.add.reduceat(points[:, 2], first) / sizes,
        ~decal & (np.arange(len(faces)) >= hidden),
        tuple(spans),
        tuple(glows),
    )


def placed(points: Array, x: float, y: float, heading: float) -> Array:
    """Local points (N, 3) in the world; heading is radians from +y, clockwise seen from above."""
    c, s = float(np.cos(heading)), float(np.sin(heading))
    turn = np.array([[s, c, 0.0], [-c, s, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(points @ turn + (x, y, 0.0))


def mesh_marks(
    m: Mesh, pose: tuple[float, float, float], camera: Camera, light: Light, *, sunlit: float, lamp: float
) -> Marks:
    """The visible faces of a mesh at (x, y, heading), shaded and in drawing order."""
    world = placed(m.points, *pose)
    normals = placed(m.normals, 0.0, 0.0, pose[2])
    firsts = m.starts[:-1]
    flat, depth = camera.project(world)
    away = float(depth.mean())
    shown = ((np.asarray(camera.at) - world[firsts]) * normals).sum(axis=1) > 0
    shown &= m.areas * camera.pixels_per_metre(away) ** 2 > _SPECK_PX
    kept = _order(m, camera, pose, shown)
    materials = m.materials[kept]
    colours = light.shade(m.colours[kept], normals[kept], materials, sunlit=sunlit, lamp=lamp)
    # Less light reaches the underside: darken towards the road.
    dim = np.where(materials == GLASS, 1.0, 0.70 + 0.30 * np.clip(m.heights[kept] / 0.9, 0, 1))
    paints = to_bytes(light.through_air(colours * dim[:, None], away))
    sizes = np.diff(m.starts)[kept]
    starts = np.cumsum([0, *sizes])
    points = flat[np.arange(starts[-1]) + np.repeat(firsts[kept] - starts[:-1], sizes)]
    return Marks(points, starts.tolist(), [POLYGON] * len(kept), np.zeros(len(kept)), paints)


def _order(
    m: Mesh, camera: Camera, pose: tuple[float, float, float], shown: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The shown faces in painting order."""
    if not m.parts:
        return np.flatnonzero(shown)
    x, y, heading = pose
    eye = float((camera.at[0] - x) * np.sin(heading) + (camera.at[1] - y) * np.cos(heading))
    far_first = sorted(m.parts, key=lambda span: -abs(span[0] - eye))
    order = np.concatenate([np.arange(first, end) for _, first, end in far_first])
    return np.asarray(order[shown[order]])


def mesh_shadow(m: Mesh, pose: tuple[float, float, float], camera: Camera, light: Light) -> list[list[float]]:
    """The shadows on the ground of the faces that the sun reaches, as flat lists x, y, x, y ... of pixels."""
    # The lit faces of closed parts cast the whole shadow.
    lit = (placed(m.normals, 0.0, 0.0, pose[2]) @ np.asarray(light.sun_at) > 0) & m.casts
    sizes = np.diff(m.starts)
    world = placed(m.points[np.repeat(lit, sizes)], *pose)
    if not len(world):
        return []
    sx, sy, sz = light.sun_at
    world[:, 0] -= world[:, 2] * sx / sz
    world[:, 1] -= world[:, 2] * sy / sz
    world[:, 0] = np.clip(world[:, 0], -FACADE, FACADE)
    world[:, 2] = 0.0
    flat, depth = camera.project(world)
    if float(depth.min()) < 1.0:
        return []
    at = flat.ravel().tolist()
    ends = [0, *np.cumsum(sizes[lit] * 2).tolist()]
    return [at[a:b] for a, b in itertools.pairwise(ends)]


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
