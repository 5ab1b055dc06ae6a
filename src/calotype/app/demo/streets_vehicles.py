"""Cars, trucks and buses: the models, built once per look."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from calotype.app.demo.streets_layout import generator
from calotype.app.demo.streets_light import GLASS, GLOW, MATTE, PAINT, Colour
from calotype.app.demo.streets_mesh import Face, Mesh, face, loft, mesh, part, wheel

_PAINTS: tuple[Colour, ...] = (
    (0.82, 0.16, 0.14), (0.13, 0.29, 0.56), (0.86, 0.86, 0.85), (0.17, 0.18, 0.20), (0.58, 0.61, 0.64),
    (0.90, 0.66, 0.18), (0.16, 0.42, 0.38), (0.44, 0.66, 0.80), (0.52, 0.15, 0.22), (0.90, 0.44, 0.20),
    (0.72, 0.70, 0.60), (0.30, 0.36, 0.42),
)
_GLASS: Colour = (0.10, 0.13, 0.16)
_DARK: Colour = (0.07, 0.07, 0.08)
_WHITE_LAMP: Colour = (1.0, 0.97, 0.86)
_PALE_LAMP: Colour = (0.88, 0.90, 0.92)
_RED_LAMP: Colour = (1.0, 0.16, 0.10)
_DULL_RED: Colour = (0.55, 0.05, 0.05)

_Shape = tuple[list[tuple[float, float]], list[tuple[float, float]], float, float, float, tuple[float, float]]
# Body outline, cabin outline (rear foot, rear top, front top, front foot), half width, bonnet height, wheel radius, axles.
_SHAPES: dict[str, _Shape] = {
    "saloon": (
        [(-2.15, 0.26), (-2.25, 0.50), (-2.22, 0.86), (-2.02, 0.95), (0.95, 0.97), (1.95, 0.80), (2.22, 0.66), (2.28, 0.42), (2.18, 0.24)],
        [(-1.72, 0.93), (-1.02, 1.42), (0.10, 1.45), (0.98, 0.94)], 0.90, 0.72, 0.33, (-1.32, 1.38)),
    "hatchback": (
        [(-1.85, 0.26), (-1.98, 0.52), (-1.96, 0.88), (-1.84, 0.98), (0.98, 1.00), (1.72, 0.86), (1.98, 0.70), (2.02, 0.44), (1.92, 0.24)],
        [(-1.90, 0.96), (-1.52, 1.47), (0.12, 1.52), (1.02, 0.97)], 0.88, 0.74, 0.31, (-1.22, 1.22)),
    "estate": (
        [(-2.22, 0.30), (-2.32, 0.58), (-2.30, 1.00), (-2.20, 1.08), (1.00, 1.08), (1.98, 0.98), (2.25, 0.84), (2.30, 0.50), (2.20, 0.28)],
        [(-2.24, 1.06), (-1.92, 1.66), (0.20, 1.70), (1.00, 1.05)], 0.95, 0.86, 0.37, (-1.36, 1.40)),
}


@lru_cache(maxsize=256)
def vehicle(kind: str, look: int, lamps: bool, braking: bool) -> Mesh:
    """The model of a "car", "truck" or "bus"; `lamps` lights its headlamps and tail lamps."""
    rng = generator(look, 5)
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    if kind == "bus":
        return _bus(rng, lamps, braking)
    if kind == "truck":
        return _truck(rng, paint, lamps, braking)
    return _car(rng, paint, lamps, braking)


def _car(rng: np.random.Generator, paint: Colour, lamps: bool, braking: bool) -> Mesh:
    shape = str(rng.choice(["saloon", "hatchback", "estate"]))
    body, cabin, half, bonnet, radius, axles = _SHAPES[shape]
    taxi = shape == "saloon" and rng.random() < 0.18
    if taxi:
        paint = (0.95, 0.74, 0.12)
    tyres, discs = _wheels(axles, half, radius)
    arches = [_arch(x, s * (half + 0.002), radius, s) for x in axles for s in (-1, 1)]
    front, rear = max(x for x, _ in body), min(x for x, _ in body)
    belt = max(z for _, z in body) - 0.06
    decals = [*arches, *discs, *_sides(rear, front, half, belt, axles, paint)]
    decals += _ends(front, rear, half, bonnet, lamps, braking)
    shell = part(loft(body, half, colour=paint, material=PAINT, bevel=0.09), decals)
    glass = part(
        loft(cabin, half - 0.05, colour=paint, material=PAINT, bevel=0.035, taper=0.20, panes={0: (_GLASS, GLASS), 2: (_GLASS, GLASS)}),
        _side_windows(cabin, half - 0.05),
    )
    parts = [*tyres, shell, glass]
    if taxi:
        sign = [(-0.62, 1.44), (-0.62, 1.60), (-0.34, 1.60), (-0.34, 1.44)]
        parts.append(part(loft(sign, 0.26, colour=(1.0, 0.93, 0.62), material=GLOW if lamps else MATTE, bevel=0.02)))
    return mesh(parts, _lamps(front, rear, half, bonnet, lamps, braking))


def _wheels(axles: tuple[float, ...], half: float, radius: float) -> tuple[list[tuple[Face, ...]], list[Face]]:
    tyres, discs = [], []
    for x in axles:
        for side in (-1, 1):
            tyre, disc = wheel(x, side * (half + 0.005), radius, 0.22, side)
            tyres.append(tyre)
            discs += disc
    return tyres, discs


def _arch(x: float, y: float, radius: float, side: int) -> Face:
    turn = np.linspace(-0.12, np.pi + 0.12, 12)
    r = radius * 1.20
    return face([(x + r * np.cos(t), y, radius + r * np.sin(t)) for t in turn], _DARK, MATTE, (0.0, float(side), 0.0))


def _sides(rear: float, front: float, half: float, belt: float, axles: tuple[float, float], paint: Colour) -> list[Face]:
    marks: list[Face] = []
    seam = (paint[0] * 0.55, paint[1] * 0.55, paint[2] * 0.55)
    edge = (min(1, paint[0] * 1.18 + 0.04), min(1, paint[1] * 1.18 + 0.04), min(1, paint[2] * 1.18 + 0.04))
    gap = 0.42
    for s in (-1, 1):
        y, n = s * (half + 0.001), (0.0, float(s), 0.0)

        def lay(x0: float, z0: float, x1: float, z1: float, colour: Colour, y: float = y, n: tuple[float, float, float] = n) -> None:
            marks.append(face([(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)], colour, MATTE, n))

        lay(axles[0] + gap, 0.27, axles[1] - gap, 0.37, _DARK)
        lay(rear + 0.22, belt - 0.20, front - 0.30, belt - 0.165, edge)
        for x in (-0.98, 0.02, 0.94):
            lay(x, 0.40, x + 0.022, belt - 0.01, seam)
        for x in (-0.80, 0.20):
            lay(x, belt - 0.13, x + 0.18, belt - 0.095, seam)
    return marks


def _ends(front: float, rear: float, half: float, bonnet: float, lamps: bool, braking: bool) -> list[Face]:
    ahead, behind = (1.0, 0.0, 0.25), (-1.0, 0.0, 0.1)
    lamp, kind = (_WHITE_LAMP, GLOW) if lamps else (_PALE_LAMP, PAINT)
    tail, tail_kind = (_RED_LAMP, GLOW) if lamps or braking else (_DULL_RED, PAINT)
    marks: list[Face] = []

    def lay(x: float, y0: float, z0: float, y1: float, z1: float, colour: Colour, material: int, n: tuple[float, float, float]) -> None:
        marks.append(face([(x, y0, z0), (x, y1, z0), (x - 0.03 * n[0], y1, z1), (x - 0.03 * n[0], y0, z1)], colour, material, n))

    x0, x1 = front + 0.005, rear - 0.005
    lay(x0, -0.48, bonnet - 0.30, 0.48, bonnet - 0.10, _DARK, MATTE, ahead)
    lay(x0, -0.62, bonnet - 0.45, 0.62, bonnet - 0.36, _DARK, MATTE, ahead)
    lay(x0 + 0.01, -0.24, bonnet - 0.36, 0.24, bonnet - 0.25, (0.93, 0.93, 0.90), MATTE, ahead)
    lay(x1 - 0.01, -0.26, bonnet - 0.16, 0.26, bonnet - 0.04, (0.94, 0.86, 0.42), MATTE, behind)
    lay(x1, -half + 0.14, bonnet - 0.42, half - 0.14, bonnet - 0.32, _DARK, MATTE, behind)
    for s in (-1, 1):
        lay(x0 - 0.02, s * 0.50, bonnet - 0.13, s * (half - 0.09), bonnet + 0.0, lamp, kind, ahead)
        lay(x1, s * 0.52, bonnet - 0.05, s * (half - 0.07), bonnet + 0.11, tail, tail_kind, behind)
    return marks


def _lamps(front: float, rear: float, half: float, z: float, lamps: bool, braking: bool) -> list[tuple[tuple[float, float, float], str]]:
    glows: list[tuple[tuple[float, float, float], str]] = []
    if lamps:
        glows += [((front, s * (half - 0.24), z - 0.06), "white") for s in (-1, 1)]
    if lamps or braking:
        glows += [((rear, s * (half - 0.2), z + 0.02), "brake" if braking else "red") for s in (-1, 1)]
    return glows


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
        panes.append(face([at(left[0], low), at(pillar - 0.05, low), at(pillar - 0.05, high), at(left[1], high)], _GLASS, GLASS, normal))
        panes.append(face([at(pillar + 0.05, low), at(right[0], low), at(right[1], high), at(pillar + 0.05, high)], _GLASS, GLASS, normal))
    return panes


def _box(x0: float, x1: float, z0: float, z1: float, round_by: float = 0.12) -> list[tuple[float, float]]:
    r = round_by
    return [(x0 + r, z0), (x0, z0 + r), (x0, z1 - r), (x0 + r, z1), (x1 - r, z1), (x1, z1 - r), (x1, z0 + r), (x1 - r, z0)]


def _pane(x0: float, x1: float, z0: float, z1: float, half: float, colour: Colour, material: int) -> list[Face]:
    return [face([(x0, s * half, z0), (x1, s * half, z0), (x1, s * half, z1), (x0, s * half, z1)], colour, material, (0.0, float(s), 0.0))
            for s in (-1, 1)]


def _plate(x: float, y0: float, y1: float, z0: float, z1: float, colour: Colour, material: int, ahead: int) -> Face:
    return face([(x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1)], colour, material, (float(ahead), 0.0, 0.0))


def _bus(rng: np.random.Generator, lamps: bool, braking: bool) -> Mesh:
    paint = [(0.80, 0.15, 0.15), (0.12, 0.40, 0.62), (0.92, 0.72, 0.16), (0.18, 0.50, 0.36)][int(rng.integers(4))]
    half, x0, x1 = 1.26, -5.6, 5.6
    axles = (-3.2, 3.1)
    tyres, discs = _wheels(axles, half, 0.48)
    inside, glow = ((1.0, 0.90, 0.66), GLOW) if lamps else (_GLASS, GLASS)
    decals = _pane(x0 + 0.15, x1 - 0.15, 0.34, 1.12, half + 0.001, (0.90, 0.89, 0.86), PAINT)
    decals += _pane(x0 + 0.15, x1 - 0.15, 0.30, 0.44, half + 0.002, _DARK, MATTE)
    decals += [_arch(x, s * (half + 0.003), 0.48, s) for x in axles for s in (-1, 1)] + discs
    decals += _pane(x0 + 0.28, x1 - 0.12, 1.36, 2.50, half + 0.002, _DARK, GLASS)
    for i in range(7):
        a = x0 + 0.36 + i * 1.54
        decals += _pane(a, a + 1.42, 1.43, 2.44, half + 0.003, inside, glow)
        if lamps or rng.random() < 0.5:
            head = a + float(rng.uniform(0.3, 1.0))
            shade = (0.30, 0.24, 0.20) if lamps else (0.05, 0.06, 0.07)
            decals += _pane(head, head + 0.34, 1.43, 1.88, half + 0.004, shade, GLOW if lamps else GLASS)
    for a in (-1.3, 3.75):
        decals += [face([(a, -half - 0.005, 0.4), (a + 1.1, -half - 0.005, 0.4), (a + 1.1, -half - 0.005, 2.45), (a, -half - 0.005, 2.45)],
                        (0.16, 0.18, 0.20) if not lamps else (0.85, 0.76, 0.56), GLASS if not lamps else GLOW, (0.0, -1.0, 0.0))]
    decals.append(_plate(x1 + 0.005, -1.12, 1.12, 1.05, 2.42, _GLASS, GLASS, 1))
    decals.append(_plate(x1 + 0.01, -0.86, 0.86, 2.50, 2.80, _DARK, MATTE, 1))
    amber = (1.0, 0.68, 0.14)
    for i in range(6):
        decals.append(_plate(x1 + 0.015, -0.72 + i * 0.25, -0.57 + i * 0.25, 2.57, 2.74, amber, GLOW, 1))
    decals.append(_plate(x1 + 0.005, -1.0, 1.0, 0.34, 0.50, _DARK, MATTE, 1))
    decals.append(_plate(x0 - 0.005, -0.98, 0.98, 1.60, 2.45, _GLASS, GLASS, -1))
    decals.append(_plate(x0 - 0.005, -0.7, 0.7, 0.45, 1.15, (0.20, 0.20, 0.21), MATTE, -1))
    decals += _lorry_lamps(x1, x0, half, 0.72, lamps, braking)
    shell = part(loft(_box(x0, x1, 0.26, 3.05, 0.18), half, colour=paint, material=PAINT, bevel=0.10), decals)
    unit = part(loft(_box(-2.6, 0.4, 3.03, 3.25, 0.08), 0.8, colour=(0.86, 0.86, 0.84), material=MATTE, bevel=0.05))
    return mesh([*tyres, shell, unit], _lamps(x1, x0, half, 0.76, lamps, braking))


def _lorry_lamps(front: float, rear: float, half: float, z: float, lamps: bool, braking: bool) -> list[Face]:
    lamp, kind = (_WHITE_LAMP, GLOW) if lamps else (_PALE_LAMP, PAINT)
    tail, tail_kind = (_RED_LAMP, GLOW) if lamps or braking else (_DULL_RED, PAINT)
    marks = []
    for s in (-1, 1):
        marks.append(_plate(front + 0.012, s * (half - 0.42), s * (half - 0.12), z - 0.12, z + 0.10, lamp, kind, 1))
        marks.append(_plate(rear - 0.012, s * (half - 0.30), s * (half - 0.10), z - 0.05, z + 0.28, tail, tail_kind, -1))
    return marks


def _truck(rng: np.random.Generator, paint: Colour, lamps: bool, braking: bool) -> Mesh:
    half = 1.18
    cargo = [(0.88, 0.88, 0.86), (0.78, 0.80, 0.82), (0.90, 0.85, 0.72), (0.30, 0.44, 0.52)][int(rng.integers(4))]
    tyres, discs = _wheels((-2.5, 2.75), half, 0.46)
    frame = part(loft(_box(-3.9, 3.6, 0.46, 0.92, 0.05), half - 0.25, colour=_DARK, material=MATTE, bevel=0.03))
    cab_x0, cab_x1 = 2.05, 4.1
    cab_side = [(cab_x0, 0.42), (cab_x0, 2.45), (cab_x0 + 0.15, 2.58), (cab_x1 - 0.42, 2.58), (cab_x1 - 0.02, 1.42), (cab_x1, 0.50),
                (cab_x1 - 0.08, 0.40)]
    decals = [_arch(2.75, s * (half + 0.002), 0.46, s) for s in (-1, 1)]
    for s in (-1, 1):
        y = s * (half + 0.002)
        decals.append(face([(2.45, y, 1.48), (3.72, y, 1.48), (3.46, y, 2.34), (2.45, y, 2.34)], _GLASS, GLASS, (0.0, float(s), 0.0)))
    decals.append(_plate(cab_x1 + 0.005, -0.85, 0.85, 0.62, 1.02, _DARK, MATTE, 1))
    decals.append(_plate(cab_x1 + 0.008, -0.26, 0.26, 0.48, 0.60, (0.93, 0.93, 0.9), MATTE, 1))
    front_lamps = [f for f in _lorry_lamps(cab_x1, -4.05, half, 0.78, lamps, braking) if f.normal[0] > 0]
    cab = part(loft(cab_side, half, colour=paint, material=PAINT, bevel=0.06, panes={3: (_GLASS, GLASS)}),
               [*decals, *front_lamps, *(d for d in discs if d.points[:, 0].mean() > 0)])
    stripe = _PAINTS[int(rng.integers(len(_PAINTS)))]
    box_decals = _pane(-3.9, 1.8, 1.35, 1.62, half + 0.06, stripe, MATTE) + _pane(-2.2, 0.2, 1.9, 2.62, half + 0.06, stripe, MATTE)
    box_decals += [_plate(-4.055, -0.02, 0.02, 0.9, 3.2, (0.3, 0.3, 0.3), MATTE, -1)]
    box_decals += [_plate(-4.055, s * 1.1, s * 1.04, 0.9, 3.2, (0.5, 0.5, 0.5), MATTE, -1) for s in (-1, 1)]
    box = part(loft(_box(-4.05, 1.9, 0.88, 3.3, 0.04), half + 0.05, colour=cargo, material=MATTE, bevel=0.03), box_decals)
    tail = part([*loft(_box(-4.06, -3.98, 0.5, 0.9, 0.01), half, colour=(0.2, 0.2, 0.2), material=MATTE, bevel=0.01)],
                [f for f in _lorry_lamps(cab_x1, -4.07, half, 0.6, lamps, braking) if f.normal[0] < 0])
    rear_discs = tuple(d for d in discs if d.points[:, 0].mean() < 0)
    under = [*tyres, frame, rear_discs, tail]
    made = mesh([*under, box, cab], _lamps(cab_x1, -4.05, half, 0.72, lamps, braking))
    # The cab and the box are side by side along x: whichever is nearer the camera is drawn last.
    n = len(under)
    parts = tuple((1e6, a, b) if i < n else ((-1.0 if i == n else 3.0), a, b) for i, (_, a, b) in enumerate(made.parts))
    return Mesh(made.points, made.starts, made.normals, made.colours, made.materials, parts, made.glows)
