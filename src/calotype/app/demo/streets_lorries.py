"""Buses and trucks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calotype.app.demo.streets_light import GLASS, GLOW, MATTE, PAINT, Colour
from calotype.app.demo.streets_mesh import Mesh, face, loft, mesh, part
from calotype.app.demo.streets_vehicle_parts import (
    DARK,
    DARK_GLASS,
    PAINTS,
    arch,
    box_profile,
    end_plate,
    lamp_glows,
    lorry_lamps,
    side_panes,
    wheels,
)


def bus(rng: np.random.Generator, lamps: bool, braking: bool) -> Mesh:
    paint = [(0.80, 0.15, 0.15), (0.12, 0.40, 0.62), (0.92, 0.72, 0.16), (0.18, 0.50, 0.36)][
        int(rng.integers(4))
    ]
    half, x0, x1 = 1.26, -5.6, 5.6
    axles = (-3.2, 3.1)
    tyres, discs = wheels(axles, half, 0.48)
    inside, glow = ((1.0, 0.90, 0.66), GLOW) if lamps else (DARK_GLASS, GLASS)
    decals = side_panes(x0 + 0.15, x1 - 0.15, 0.34, 1.12, half + 0.001, (0.90, 0.89, 0.86), PAINT)
    decals += side_panes(x0 + 0.15, x1 - 0.15, 0.30, 0.44, half + 0.002, DARK, MATTE)
    decals += [arch(x, s * (half + 0.003), 0.48, s) for x in axles for s in (-1, 1)] + discs
    decals += side_panes(x0 + 0.28, x1 - 0.12, 1.36, 2.50, half + 0.002, DARK, GLASS)
    for i in range(7):
        a = x0 + 0.36 + i * 1.54
        decals += side_panes(a, a + 1.42, 1.43, 2.44, half + 0.003, inside, glow)
        if lamps or rng.random() < 0.5:
            head = a + float(rng.uniform(0.3, 1.0))
            shade = (0.30, 0.24, 0.20) if lamps else (0.05, 0.06, 0.07)
            decals += side_panes(head, head + 0.34, 1.43, 1.88, half + 0.004, shade, GLOW if lamps else GLASS)
    for a in (-1.3, 3.75):
        decals += [
            face(
                [
                    (a, -half - 0.005, 0.4),
                    (a + 1.1, -half - 0.005, 0.4),
                    (a + 1.1, -half - 0.005, 2.45),
                    (a, -half - 0.005, 2.45),
                ],
                (0.16, 0.18, 0.20) if not lamps else (0.85, 0.76, 0.56),
                GLASS if not lamps else GLOW,
                (0.0, -1.0, 0.0),
            )
        ]
    decals.append(end_plate(x1 + 0.005, -1.12, 1.12, 1.05, 2.42, DARK_GLASS, GLASS, 1))
    decals.append(end_plate(x1 + 0.01, -0.86, 0.86, 2.50, 2.80, DARK, MATTE, 1))
    amber = (1.0, 0.68, 0.14)
    for i in range(6):
        decals.append(end_plate(x1 + 0.015, -0.72 + i * 0.25, -0.57 + i * 0.25, 2.57, 2.74, amber, GLOW, 1))
    decals.append(end_plate(x1 + 0.005, -1.0, 1.0, 0.34, 0.50, DARK, MATTE, 1))
    decals.append(end_plate(x0 - 0.005, -0.98, 0.98, 1.60, 2.45, DARK_GLASS, GLASS, -1))
    decals.append(end_plate(x0 - 0.005, -0.7, 0.7, 0.45, 1.15, (0.20, 0.20, 0.21), MATTE, -1))
    decals += lorry_lamps(x1, x0, half, 0.72, lamps, braking)
    shell = part(
        loft(box_profile(x0, x1, 0.26, 3.05, 0.18), half, colour=paint, material=PAINT, bevel=0.10), decals
    )
    unit = part(
        loft(
            box_profile(-2.6, 0.4, 3.03, 3.25, 0.08),
            0.8,
            colour=(0.86, 0.86, 0.84),
            material=MATTE,
            bevel=0.05,
        )
    )
    return mesh([*tyres, shell, unit], lamp_glows(x1, x0, half, 0.76, lamps, braking))


def truck(rng: np.random.Generator, paint: Colour, lamps: bool, braking: bool) -> Mesh:
    half = 1.18
    cargo = [(0.88, 0.88, 0.86), (0.78, 0.80, 0.82), (0.90, 0.85, 0.72), (0.30, 0.44, 0.52)][
        int(rng.integers(4))
    ]
    tyres, discs = wheels((-2.5, 2.75), half, 0.46)
    frame = part(
        loft(box_profile(-3.9, 3.6, 0.46, 0.92, 0.05), half - 0.25, colour=DARK, material=MATTE, bevel=0.03)
    )
    cab_x0, cab_x1 = 2.05, 4.1
    cab_side = [
        (cab_x0, 0.42),
        (cab_x0, 2.45),
        (cab_x0 + 0.15, 2.58),
        (cab_x1 - 0.42, 2.58),
        (cab_x1 - 0.02, 1.42),
        (cab_x1, 0.50),
        (cab_x1 - 0.08, 0.40),
    ]
    decals = [arch(2.75, s * (half + 0.002), 0.46, s) for s in (-1, 1)]
    for s in (-1, 1):
        y = s * (half + 0.002)
        decals.append(
            face(
                [(2.45, y, 1.48), (3.72, y, 1.48), (3.46, y, 2.34), (2.45, y, 2.34)],
                DARK_GLASS,
                GLASS,
                (0.0, float(s), 0.0),
            )
        )
    decals.append(end_plate(cab_x1 + 0.005, -0.85, 0.85, 0.62, 1.02, DARK, MATTE, 1))
    decals.append(end_plate(cab_x1 + 0.008, -0.26, 0.26, 0.48, 0.60, (0.93, 0.93, 0.9), MATTE, 1))
    front_lamps = [f for f in lorry_lamps(cab_x1, -4.05, half, 0.78, lamps, braking) if f.normal[0] > 0]
    cab = part(
        loft(cab_side, half, colour=paint, material=PAINT, bevel=0.06, panes={3: (DARK_GLASS, GLASS)}),
        [*decals, *front_lamps, *(d for d in discs if d.points[0][0] > 0)],
    )
    stripe = PAINTS[int(rng.integers(len(PAINTS)))]
    box_decals = side_panes(-3.9, 1.8, 1.35, 1.62, half + 0.06, stripe, MATTE) + side_panes(
        -2.2, 0.2, 1.9, 2.62, half + 0.06, stripe, MATTE
    )
    box_decals += [end_plate(-4.055, -0.02, 0.02, 0.9, 3.2, (0.3, 0.3, 0.3), MATTE, -1)]
    box_decals += [
        end_plate(-4.055, s * 1.1, s * 1.04, 0.9, 3.2, (0.5, 0.5, 0.5), MATTE, -1) for s in (-1, 1)
    ]
    box = part(
        loft(box_profile(-4.05, 1.9, 0.88, 3.3, 0.04), half + 0.05, colour=cargo, material=MATTE, bevel=0.03),
        box_decals,
    )
    tail = part(
        [
            *loft(
                box_profile(-4.06, -3.98, 0.5, 0.9, 0.01),
                half,
                colour=(0.2, 0.2, 0.2),
                material=MATTE,
                bevel=0.01,
            )
        ],
        [f for f in lorry_lamps(cab_x1, -4.07, half, 0.6, lamps, braking) if f.normal[0] < 0],
    )
    rear_discs = tuple(d for d in discs if d.points[0][0] < 0)
    under = [*tyres, frame, rear_discs, tail]
    made = mesh([*under, box, cab], lamp_glows(cab_x1, -4.05, half, 0.72, lamps, braking))
    # The cab and the box are side by side along x: whichever is nearer the camera is drawn last.
    n = len(under)
    parts = tuple(
        (1e6, a, b) if i < n else ((-1.0 if i == n else 3.0), a, b) for i, (_, a, b) in enumerate(made.parts)
    )
    return replace(made, parts=parts)
