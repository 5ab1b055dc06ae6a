"""Buses and trucks."""

from __future__ import annotations

import numpy as np

from calotype.demo.streets.light import GLASS, GLOW, MATTE, PAINT, Colour
from calotype.demo.streets.mesh import Face, Mesh, face, loft, mesh, part
from calotype.demo.streets.vehicle_parts import (
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

_BUS_HALF, _BUS_REAR, _BUS_FRONT = 1.26, -5.6, 5.6
_BUS_PAINTS: tuple[Colour, ...] = (
    (0.80, 0.15, 0.15),
    (0.12, 0.40, 0.62),
    (0.92, 0.72, 0.16),
    (0.18, 0.50, 0.36),
)
_CARGO_PAINTS: tuple[Colour, ...] = (
    (0.88, 0.88, 0.86),
    (0.78, 0.80, 0.82),
    (0.90, 0.85, 0.72),
    (0.30, 0.44, 0.52),
)
_TRUCK_HALF, _CAB_FRONT, _BOX_REAR = 1.18, 4.1, -4.05


def bus(rng: np.random.Generator, lamps: bool, braking: bool) -> Mesh:
    """A city bus; at night one sees its passengers."""
    paint = _BUS_PAINTS[int(rng.integers(len(_BUS_PAINTS)))]
    half, x0, x1 = _BUS_HALF, _BUS_REAR, _BUS_FRONT
    axles = (-3.2, 3.1)
    tyres, discs = wheels(axles, half, 0.48)
    decals = side_panes(x0 + 0.15, x1 - 0.15, 0.34, 1.12, half + 0.001, (0.90, 0.89, 0.86), PAINT)
    decals += side_panes(x0 + 0.15, x1 - 0.15, 0.30, 0.44, half + 0.002, DARK, MATTE)
    decals += [arch(x, s * (half + 0.003), 0.48, s) for x in axles for s in (-1, 1)] + discs
    decals += _bus_windows(rng, lamps) + _bus_ends() + lorry_lamps(x1, x0, half, 0.72, lamps, braking)
    side = box_profile(x0, x1, 0.26, 3.05, 0.18)
    shell = part(loft(side, half, colour=paint, material=PAINT, bevel=0.10), decals)
    roof = box_profile(-2.6, 0.4, 3.03, 3.25, 0.08)
    unit = part(loft(roof, 0.8, colour=(0.86, 0.86, 0.84), material=MATTE, bevel=0.05))
    return mesh([shell, unit], lamp_glows(x1, x0, half, 0.76, lamps, braking), tyres)


def _bus_windows(rng: np.random.Generator, lamps: bool) -> list[Face]:
    """Side windows with heads in them, and the two doors on the kerb's side."""
    half, x0, x1 = _BUS_HALF, _BUS_REAR, _BUS_FRONT
    inside, kind = ((1.0, 0.90, 0.66), GLOW) if lamps else (DARK_GLASS, GLASS)
    shade = (0.30, 0.24, 0.20) if lamps else (0.05, 0.06, 0.07)
    panes = side_panes(x0 + 0.28, x1 - 0.12, 1.36, 2.50, half + 0.002, DARK, GLASS)
    for i in range(7):
        a = x0 + 0.36 + i * 1.54
        panes += side_panes(a, a + 1.42, 1.43, 2.44, half + 0.003, inside, kind)
        if lamps or rng.random() < 0.5:
            head = a + float(rng.uniform(0.3, 1.0))
            panes += side_panes(head, head + 0.34, 1.43, 1.88, half + 0.004, shade, kind)
    door = (0.85, 0.76, 0.56) if lamps else (0.16, 0.18, 0.20)
    y = -half - 0.005
    for a in (-1.3, 3.75):
        corners = [(a, y, 0.4), (a + 1.1, y, 0.4), (a + 1.1, y, 2.45), (a, y, 2.45)]
        panes.append(face(corners, door, kind, (0.0, -1.0, 0.0)))
    return panes


def _bus_ends() -> list[Face]:
    """Windscreen, lit destination, bumper; rear window and engine cover."""
    front, rear = _BUS_FRONT + 0.005, _BUS_REAR - 0.005
    plates = [
        end_plate(front, -1.12, 1.12, 1.05, 2.42, DARK_GLASS, GLASS, 1),
        end_plate(front + 0.005, -0.86, 0.86, 2.50, 2.80, DARK, MATTE, 1),
        end_plate(front, -1.0, 1.0, 0.34, 0.50, DARK, MATTE, 1),
        end_plate(rear, -0.98, 0.98, 1.60, 2.45, DARK_GLASS, GLASS, -1),
        end_plate(rear, -0.7, 0.7, 0.45, 1.15, (0.20, 0.20, 0.21), MATTE, -1),
    ]
    for i in range(6):
        y = -0.72 + i * 0.25
        plates.append(end_plate(front + 0.01, y, y + 0.15, 2.57, 2.74, (1.0, 0.68, 0.14), GLOW, 1))
    return plates


def truck(rng: np.random.Generator, paint: Colour, lamps: bool, braking: bool) -> Mesh:
    """A box truck: frame, cab and cargo box."""
    half = _TRUCK_HALF
    tyres, discs = wheels((-2.5, 2.75), half, 0.46)
    lit = lorry_lamps(_CAB_FRONT, _BOX_REAR - 0.02, half, 0.68, lamps, braking)
    chassis = box_profile(-3.9, 3.6, 0.46, 0.92, 0.05)
    frame = part(loft(chassis, half - 0.25, colour=DARK, material=MATTE, bevel=0.03))
    bumper = loft(
        box_profile(-4.06, -3.98, 0.5, 0.9, 0.01), half, colour=(0.2, 0.2, 0.2), material=MATTE, bevel=0.01
    )
    tail = part(bumper, [f for f in lit if f.normal[0] < 0])
    rear_discs = tuple(d for d in discs if d.points[0][0] < 0)
    front_decals = [d for d in discs if d.points[0][0] > 0] + [f for f in lit if f.normal[0] > 0]
    under = [frame, rear_discs, tail]
    glows = lamp_glows(_CAB_FRONT, _BOX_REAR, half, 0.68, lamps, braking)
    # The cab and the box are side by side along x: whichever is nearer the camera is drawn last.
    middles = [*(1e6 for _ in under), -1.0, 3.0]
    return mesh([*under, _cargo_box(rng), _cab(paint, front_decals)], glows, tyres, middles)


def _cab(paint: Colour, decals: list[Face]) -> tuple[Face, ...]:
    half, x0, x1 = _TRUCK_HALF, 2.05, _CAB_FRONT
    side = [(x0, 0.42), (x0, 2.45), (x0 + 0.15, 2.58), (x1 - 0.42, 2.58), (x1 - 0.02, 1.42), (x1, 0.50)]
    side.append((x1 - 0.08, 0.40))
    marks = [arch(2.75, s * (half + 0.002), 0.46, s) for s in (-1, 1)]
    for s in (-1, 1):
        y = s * (half + 0.002)
        pane = [(2.45, y, 1.48), (3.72, y, 1.48), (3.46, y, 2.34), (2.45, y, 2.34)]
        marks.append(face(pane, DARK_GLASS, GLASS, (0.0, float(s), 0.0)))
    marks.append(end_plate(x1 + 0.005, -0.85, 0.85, 0.62, 1.02, DARK, MATTE, 1))
    marks.append(end_plate(x1 + 0.008, -0.26, 0.26, 0.48, 0.60, (0.93, 0.93, 0.9), MATTE, 1))
    shell = loft(side, half, colour=paint, material=PAINT, bevel=0.06, panes={3: (DARK_GLASS, GLASS)})
    return part(shell, [*marks, *decals])


def _cargo_box(rng: np.random.Generator) -> tuple[Face, ...]:
    half, rear = _TRUCK_HALF + 0.06, _BOX_REAR - 0.005
    cargo = _CARGO_PAINTS[int(rng.integers(len(_CARGO_PAINTS)))]
    stripe = PAINTS[int(rng.integers(len(PAINTS)))]
    marks = side_panes(-3.9, 1.8, 1.35, 1.62, half, stripe, MATTE)
    marks += side_panes(-2.2, 0.2, 1.9, 2.62, half, stripe, MATTE)
    marks.append(end_plate(rear, -0.02, 0.02, 0.9, 3.2, (0.3, 0.3, 0.3), MATTE, -1))
    marks += [end_plate(rear, s * 1.1, s * 1.04, 0.9, 3.2, (0.5, 0.5, 0.5), MATTE, -1) for s in (-1, 1)]
    side = box_profile(_BOX_REAR, 1.9, 0.88, 3.3, 0.04)
    return part(loft(side, half - 0.01, colour=cargo, material=MATTE, bevel=0.03), marks)
