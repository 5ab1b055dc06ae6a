"""What cars, buses and trucks have in common: colours, wheels, lamps, panes."""

from __future__ import annotations

import numpy as np

from calotype.demo.streets.light import GLOW, MATTE, PAINT, Colour
from calotype.demo.streets.mesh import Face, face, wheel

PAINTS: tuple[Colour, ...] = (
    (0.82, 0.16, 0.14),
    (0.13, 0.29, 0.56),
    (0.86, 0.86, 0.85),
    (0.17, 0.18, 0.20),
    (0.58, 0.61, 0.64),
    (0.90, 0.66, 0.18),
    (0.16, 0.42, 0.38),
    (0.44, 0.66, 0.80),
    (0.52, 0.15, 0.22),
    (0.90, 0.44, 0.20),
    (0.72, 0.70, 0.60),
    (0.30, 0.36, 0.42),
)
DARK_GLASS: Colour = (0.10, 0.13, 0.16)
DARK: Colour = (0.07, 0.07, 0.08)
WHITE_LAMP: Colour = (1.0, 0.97, 0.86)
PALE_LAMP: Colour = (0.88, 0.90, 0.92)
RED_LAMP: Colour = (1.0, 0.16, 0.10)
DULL_RED: Colour = (0.55, 0.05, 0.05)


def wheels(axles: tuple[float, ...], half: float, radius: float) -> tuple[list[tuple[Face, ...]], list[Face]]:
    tyres: list[tuple[Face, ...]] = []
    discs: list[Face] = []
    for x in axles:
        for side in (-1, 1):
            tyre, disc = wheel(x, side * (half + 0.005), radius, 0.22, side)
            tyres.append(tyre)
            discs += disc
    return tyres, discs


def arch(x: float, y: float, radius: float, side: int) -> Face:
    turn = np.linspace(-0.12, np.pi + 0.12, 12)
    r = radius * 1.20
    return face(
        [(x + r * np.cos(t), y, radius + r * np.sin(t)) for t in turn], DARK, MATTE, (0.0, float(side), 0.0)
    )


def lamp_glows(
    front: float, rear: float, half: float, z: float, lamps: bool, braking: bool
) -> list[tuple[tuple[float, float, float], str]]:
    glows: list[tuple[tuple[float, float, float], str]] = []
    if lamps:
        glows += [((front, s * (half - 0.24), z - 0.06), "white") for s in (-1, 1)]
    if lamps or braking:
        glows += [((rear, s * (half - 0.2), z + 0.02), "brake" if braking else "red") for s in (-1, 1)]
    return glows


def box_profile(
    x0: float, x1: float, z0: float, z1: float, round_by: float = 0.12
) -> list[tuple[float, float]]:
    r = round_by
    return [
        (x0 + r, z0),
        (x0, z0 + r),
        (x0, z1 - r),
        (x0 + r, z1),
        (x1 - r, z1),
        (x1, z1 - r),
        (x1, z0 + r),
        (x1 - r, z0),
    ]


def side_panes(
    x0: float, x1: float, z0: float, z1: float, half: float, colour: Colour, material: int
) -> list[Face]:
    return [
        face(
            [(x0, s * half, z0), (x1, s * half, z0), (x1, s * half, z1), (x0, s * half, z1)],
            colour,
            material,
            (0.0, float(s), 0.0),
        )
        for s in (-1, 1)
    ]


def end_plate(
    x: float, y0: float, y1: float, z0: float, z1: float, colour: Colour, material: int, ahead: int
) -> Face:
    return face(
        [(x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1)], colour, material, (float(ahead), 0.0, 0.0)
    )


def lorry_lamps(front: float, rear: float, half: float, z: float, lamps: bool, braking: bool) -> list[Face]:
    lamp, kind = (WHITE_LAMP, GLOW) if lamps else (PALE_LAMP, PAINT)
    tail, tail_kind = (RED_LAMP, GLOW) if lamps or braking else (DULL_RED, PAINT)
    marks = []
    for s in (-1, 1):
        marks.append(
            end_plate(front + 0.012, s * (half - 0.42), s * (half - 0.12), z - 0.12, z + 0.10, lamp, kind, 1)
        )
        marks.append(
            end_plate(
                rear - 0.012, s * (half - 0.30), s * (half - 0.10), z - 0.05, z + 0.28, tail, tail_kind, -1
            )
        )
    return marks
