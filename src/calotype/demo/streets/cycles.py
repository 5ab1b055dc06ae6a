"""Bicycles and motorcycles without their riders, and dogs."""

from __future__ import annotations

import itertools

import numpy as np

from calotype.demo.streets.figures import Figure, Rod
from calotype.demo.streets.layout import Thing, generator
from calotype.demo.streets.light import PAINT, Colour
from calotype.demo.streets.mesh import Spot
from calotype.demo.streets.people import COATS

_DOGS: tuple[Colour, ...] = ((0.62, 0.42, 0.24), (0.16, 0.14, 0.13), (0.86, 0.80, 0.70), (0.46, 0.28, 0.16))
BICYCLE_SEAT: tuple[Spot, Spot, Spot] = ((-0.20, 0.0, 0.93), (0.02, 1.0, 0.32), (0.46, 0.24, 1.02))
MOTORCYCLE_SEAT: tuple[Spot, Spot, Spot] = ((-0.22, 0.0, 0.80), (0.02, 0.0, 0.32), (0.48, 0.34, 1.02))


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
        rods.append(
            Rod(
                (0.37 * k, s * 0.07 * k, 0.77 * k),
                (0.33 * k, s * 0.10 * k, 0.66 * k),
                0.035 * k,
                0.04 * k,
                (fur[0] * 0.7, fur[1] * 0.7, fur[2] * 0.7),
            )
        )
        for x, phase in ((0.20, 0.0), (-0.26, 2.2)):
            swing = 0.34 * float(np.sin(turn + phase + (np.pi if s > 0 else 0)))
            foot = (x * k + 0.36 * k * np.sin(swing), s * 0.08 * k, 0.035)
            knee = (x * k + 0.20 * k * np.sin(swing) - 0.03, s * 0.085 * k, 0.24 * k)
            rods += [
                Rod((x * k, s * 0.085 * k, 0.42 * k), knee, 0.065 * k, 0.042 * k, fur),
                Rod(knee, foot, 0.040 * k, 0.034 * k, pale),
            ]
    return Figure(tuple(rods))


def two_wheeler(thing: Thing) -> Figure:
    """A bicycle or a motorcycle, without its rider."""
    rng = generator(thing.look, 8)
    paint = COATS[int(rng.integers(len(COATS)))]
    return Figure(tuple(_bicycle(paint) if thing.kind == "bicycle" else _motorcycle(paint)))


def _ring(x: float, radius: float, thick: float, colour: Colour, steps: int = 18) -> list[Rod]:
    at = [
        (x + radius * float(np.cos(t)), 0.0, radius + thick + radius * float(np.sin(t)))
        for t in np.linspace(0, 2 * np.pi, steps + 1)
    ]
    return [Rod(a, b, thick, thick, colour) for a, b in itertools.pairwise(at)]


def _bicycle(paint: Colour) -> list[Rod]:
    steel: Colour = (0.55, 0.56, 0.58)
    black: Colour = (0.08, 0.08, 0.09)
    rear, front, crank, seat, head = (
        (-0.52, 0, 0.35),
        (0.54, 0, 0.35),
        (0.0, 0, 0.31),
        (-0.18, 0, 0.80),
        (0.38, 0, 0.84),
    )
    rods = [*_ring(-0.52, 0.33, 0.022, black), *_ring(0.54, 0.33, 0.022, black)]
    for hub in (rear, front):
        for t in np.arange(4) * np.pi / 4:
            c, s = 0.31 * float(np.cos(t)), 0.31 * float(np.sin(t))
            rods.append(Rod((hub[0] - c, 0, hub[2] - s), (hub[0] + c, 0, hub[2] + s), 0.004, 0.004, steel))
    tubes: list[tuple[Spot, Spot]] = [
        (crank, seat),
        (seat, head),
        (crank, head),
        (rear, crank),
        (rear, seat),
        (head, front),
    ]
    rods += [Rod(a, b, 0.021, 0.021, paint, PAINT) for a, b in tubes]
    rods += [
        Rod(seat, (-0.20, 0, 0.90), 0.015, 0.015, steel),
        Rod((-0.32, 0, 0.92), (-0.08, 0, 0.91), 0.055, 0.03, black),
    ]
    rods += [
        Rod(head, (0.40, 0, 0.98), 0.016, 0.016, steel),
        Rod((0.42, -0.26, 1.0), (0.42, 0.26, 1.0), 0.017, 0.017, black),
    ]
    rods += [
        Rod((0.0, 0.09, 0.31), (0.06, 0.09, 0.18), 0.016, 0.02, black),
        Rod((0, -0.09, 0.31), (-0.06, -0.09, 0.44), 0.016, 0.02, black),
    ]
    return rods


def _motorcycle(paint: Colour) -> list[Rod]:
    black: Colour = (0.07, 0.07, 0.08)
    steel: Colour = (0.62, 0.63, 0.65)
    rods = [*_ring(-0.70, 0.27, 0.065, black, 14), *_ring(0.72, 0.27, 0.06, black, 14)]
    rods += [Rod((x, -0.02, 0.33), (x, 0.02, 0.33), 0.15, 0.15, steel) for x in (-0.70, 0.72)]
    rods += [
        Rod((-0.12, 0, 0.42), (0.18, 0, 0.42), 0.18, 0.17, (0.24, 0.24, 0.26)),
        Rod((-0.70, 0.12, 0.34), (0.0, 0.12, 0.38), 0.045, 0.05, steel),
        Rod((-0.72, -0.14, 0.36), (0.0, -0.14, 0.34), 0.06, 0.045, steel, PAINT),
        Rod((0.02, 0, 0.78), (0.34, 0, 0.82), 0.15, 0.13, paint, PAINT),
        Rod((-0.62, 0, 0.80), (-0.05, 0, 0.76), 0.085, 0.11, black),
        Rod((-0.85, 0, 0.76), (-0.60, 0, 0.74), 0.05, 0.09, paint, PAINT),
        Rod((0.72, 0.07, 0.33), (0.48, 0.07, 0.92), 0.032, 0.03, steel),
        Rod((0.72, -0.07, 0.33), (0.48, -0.07, 0.92), 0.032, 0.03, steel),
        Rod((0.46, -0.36, 1.02), (0.46, 0.36, 1.02), 0.022, 0.022, black),
        Rod((0.52, 0, 0.88), (0.60, 0, 0.87), 0.11, 0.095, paint, PAINT),
        Rod((0.66, 0, 0.87), (0.68, 0, 0.87), 0.07, 0.068, (0.94, 0.94, 0.88)),
        Rod((0.60, 0, 0.66), (0.86, 0, 0.66), 0.05, 0.04, paint, PAINT),
    ]
    return rods
