"""Cars, and the entry to all vehicles: models that are built once per look."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from calotype.demo.streets.layout import generator
from calotype.demo.streets.light import GLASS, GLOW, MATTE, PAINT, Colour
from calotype.demo.streets.lorries import bus, truck
from calotype.demo.streets.mesh import Face, Mesh, face, loft, mesh, part
from calotype.demo.streets.vehicle_parts import (
    DARK,
    DARK_GLASS,
    DULL_RED,
    PAINTS,
    PALE_LAMP,
    RED_LAMP,
    WHITE_LAMP,
    arch,
    lamp_glows,
    wheels,
)

_Shape = tuple[list[tuple[float, float]], list[tuple[float, float]], float, float, float, tuple[float, float]]
# Body outline, cabin outline (rear foot, rear top, front top, front foot), half width, bonnet height,
# wheel radius, axles.
_SHAPES: dict[str, _Shape] = {
    "saloon": (
        [
            (-2.15, 0.26),
            (-2.25, 0.50),
            (-2.22, 0.86),
            (-2.02, 0.95),
            (0.95, 0.97),
            (1.95, 0.80),
            (2.22, 0.66),
            (2.28, 0.42),
            (2.18, 0.24),
        ],
        [(-1.72, 0.93), (-1.02, 1.42), (0.10, 1.45), (0.98, 0.94)],
        0.90,
        0.72,
        0.33,
        (-1.32, 1.38),
    ),
    "hatchback": (
        [
            (-1.85, 0.26),
            (-1.98, 0.52),
            (-1.96, 0.88),
            (-1.84, 0.98),
            (0.98, 1.00),
            (1.72, 0.86),
            (1.98, 0.70),
            (2.02, 0.44),
            (1.92, 0.24),
        ],
        [(-1.90, 0.96), (-1.52, 1.47), (0.12, 1.52), (1.02, 0.97)],
        0.88,
        0.74,
        0.31,
        (-1.22, 1.22),
    ),
    "estate": (
        [
            (-2.22, 0.30),
            (-2.32, 0.58),
            (-2.30, 1.00),
            (-2.20, 1.08),
            (1.00, 1.08),
            (1.98, 0.98),
            (2.25, 0.84),
            (2.30, 0.50),
            (2.20, 0.28),
        ],
        [(-2.24, 1.06), (-1.92, 1.66), (0.20, 1.70), (1.00, 1.05)],
        0.95,
        0.86,
        0.37,
        (-1.36, 1.40),
    ),
}


@lru_cache(maxsize=1024)
def vehicle(kind: str, look: int, lamps: bool, braking: bool) -> Mesh:
    """The model of a "car", "truck" or "bus"; `lamps` lights its headlamps and tail lamps."""
    rng = generator(look, 5)
    paint = PAINTS[int(rng.integers(len(PAINTS)))]
    if kind == "bus":
        return bus(rng, lamps, braking)
    if kind == "truck":
        return truck(rng, paint, lamps, braking)
    return _car(rng, paint, lamps, braking)


def _car(rng: np.random.Generator, paint: Colour, lamps: bool, braking: bool) -> Mesh:
    shape = str(rng.choice(["saloon", "hatchback", "estate"]))
    taxi = shape == "saloon" and bool(rng.random() < 0.12)
    if taxi:
        paint = (0.95, 0.74, 0.12)
    return _car_model(shape, paint, taxi, lamps, braking)


@lru_cache(maxsize=256)
def _car_model(shape: str, paint: Colour, taxi: bool, lamps: bool, braking: bool) -> Mesh:
    body, cabin, half, bonnet, radius, axles = _SHAPES[shape]
    tyres, discs = wheels(axles, half, radius)
    arches = [arch(x, s * (half + 0.002), radius, s) for x in axles for s in (-1, 1)]
    front, rear = max(x for x, _ in body), min(x for x, _ in body)
    belt = max(z for _, z in body) - 0.06
    decals = [*arches, *discs, *_sides(rear, front, half, belt, axles, paint)]
    decals += _ends(front, rear, half, bonnet, lamps, braking)
    shell = part(loft(body, half, colour=paint, material=PAINT, bevel=0.09), decals)
    glass = part(
        loft(
            cabin,
            half - 0.05,
            colour=paint,
            material=PAINT,
            bevel=0.035,
            taper=0.20,
            panes={0: (DARK_GLASS, GLASS), 2: (DARK_GLASS, GLASS)},
        ),
        _side_windows(cabin, half - 0.05),
    )
    parts = [shell, glass]
    if taxi:
        sign = [(-0.62, 1.44), (-0.62, 1.60), (-0.34, 1.60), (-0.34, 1.44)]
        parts.append(
            part(loft(sign, 0.26, colour=(1.0, 0.93, 0.62), material=GLOW if lamps else MATTE, bevel=0.02))
        )
    return mesh(parts, lamp_glows(front, rear, half, bonnet, lamps, braking), tyres)


def _sides(
    rear: float, front: float, half: float, belt: float, axles: tuple[float, float], paint: Colour
) -> list[Face]:
    marks: list[Face] = []
    seam = (paint[0] * 0.55, paint[1] * 0.55, paint[2] * 0.55)
    edge = (min(1, paint[0] * 1.18 + 0.04), min(1, paint[1] * 1.18 + 0.04), min(1, paint[2] * 1.18 + 0.04))
    gap = 0.42
    for s in (-1, 1):
        y, n = s * (half + 0.001), (0.0, float(s), 0.0)

        def lay(
            x0: float,
            z0: float,
            x1: float,
            z1: float,
            colour: Colour,
            y: float = y,
            n: tuple[float, float, float] = n,
        ) -> None:
            marks.append(face([(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)], colour, MATTE, n))

        lay(axles[0] + gap, 0.27, axles[1] - gap, 0.37, DARK)
        lay(rear + 0.22, belt - 0.20, front - 0.30, belt - 0.165, edge)
        for x in (-0.98, 0.02, 0.94):
            lay(x, 0.40, x + 0.022, belt - 0.01, seam)
        for x in (-0.80, 0.20):
            lay(x, belt - 0.13, x + 0.18, belt - 0.095, seam)
    return marks


def _ends(front: float, rear: float, half: float, bonnet: float, lamps: bool, braking: bool) -> list[Face]:
    ahead, behind = (1.0, 0.0, 0.25), (-1.0, 0.0, 0.1)
    lamp, kind = (WHITE_LAMP, GLOW) if lamps else (PALE_LAMP, PAINT)
    tail, tail_kind = (RED_LAMP, GLOW) if lamps or braking else (DULL_RED, PAINT)
    marks: list[Face] = []

    def lay(
        x: float,
        y0: float,
        z0: float,
        y1: float,
        z1: float,
        colour: Colour,
        material: int,
        n: tuple[float, float, float],
    ) -> None:
        marks.append(
            face(
                [(x, y0, z0), (x, y1, z0), (x - 0.03 * n[0], y1, z1), (x - 0.03 * n[0], y0, z1)],
                colour,
                material,
                n,
            )
        )

    x0, x1 = front + 0.005, rear - 0.005
    lay(x0, -0.48, bonnet - 0.30, 0.48, bonnet - 0.10, DARK, MATTE, ahead)
    lay(x0, -0.62, bonnet - 0.45, 0.62, bonnet - 0.36, DARK, MATTE, ahead)
    lay(x0 + 0.01, -0.24, bonnet - 0.36, 0.24, bonnet - 0.25, (0.93, 0.93, 0.90), MATTE, ahead)
    lay(x1 - 0.01, -0.26, bonnet - 0.16, 0.26, bonnet - 0.04, (0.94, 0.86, 0.42), MATTE, behind)
    lay(x1, -half + 0.14, bonnet - 0.42, half - 0.14, bonnet - 0.32, DARK, MATTE, behind)
    for s in (-1, 1):
        lay(x0 - 0.02, s * 0.50, bonnet - 0.13, s * (half - 0.09), bonnet + 0.0, lamp, kind, ahead)
        lay(x1, s * 0.52, bonnet - 0.05, s * (half - 0.07), bonnet + 0.11, tail, tail_kind, behind)
    return marks


def _side_windows(cabin: list[tuple[float, float]], half: float) -> list[Face]:
    (rx0, z0), (rx1, z1), (fx1, _), (fx0, _) = cabin
    panes: list[Face] = []
    for s in (-1, 1):

        def at(x: float, z: float, s: int = s) -> tuple[float, float, float]:
            return (x, s * (half * (1 - 0.20 * (z - z0) / (z1 - z0)) + 0.003), z)

        low, high = z0 + 0.07, z1 - 0.10
        t0, t1 = (low - z0) / (z1 - z0), (high - z0) / (z1 - z0)
        left = rx0 + (rx1 - rx0) * t0 + 0.13, rx0 + (rx1 - rx0) * t1 + 0.10
        right = fx0 + (fx1 - fx0) * t0 - 0.13, fx0 + (fx1 - fx0) * t1 - 0.08
        normal = (0.0, s * 0.97, 0.24)
        pillar = -0.44
        panes.append(
            face(
                [at(left[0], low), at(pillar - 0.05, low), at(pillar - 0.05, high), at(left[1], high)],
                DARK_GLASS,
                GLASS,
                normal,
            )
        )
        panes.append(
            face(
                [at(pillar + 0.05, low), at(right[0], low), at(right[1], high), at(pillar + 0.05, high)],
                DARK_GLASS,
                GLASS,
                normal,
            )
        )
    return panes
