"""Trees, street lamps and traffic lights."""

from __future__ import annotations

import numpy as np

from calotype.demo.streets.camera import Array, Camera
from calotype.demo.streets.figures import Figure, Rod
from calotype.demo.streets.layout import FACADE, Thing, generator
from calotype.demo.streets.light import GLOW, MATTE, Light, to_bytes
from calotype.demo.streets.mesh import Mesh, face, loft, mesh, part, placed
from calotype.demo.streets.paint import DISC, LINE, Marks, joined, polygons

_LEAVES = ((0.26, 0.44, 0.18), (0.34, 0.48, 0.16), (0.74, 0.46, 0.14), (0.62, 0.30, 0.13), (0.20, 0.38, 0.22))
SIGNAL = {"red": (1.0, 0.13, 0.08), "green": (0.15, 1.0, 0.45)}


def tree(
    thing: Thing, camera: Camera, light: Light, *, sunlit: float, lamp: float
) -> tuple[Marks, list[list[float]]]:
    """A tree's marks, and the polygons of its shadow as flat lists x, y, x, y ... of pixels."""
    rng = generator(thing.look, 9)
    leaf = np.asarray(_LEAVES[int(rng.integers(len(_LEAVES)))])
    tall = float(rng.uniform(3.9, 5.2))
    n = 64
    turn, rise = rng.uniform(0, 2 * np.pi, n), rng.uniform(-1, 1, n)
    out = np.sqrt(1 - rise**2) * rng.uniform(0.55, 1.0, n)
    centres = np.column_stack([1.35 * out * np.cos(turn), 1.35 * out * np.sin(turn), tall + 1.45 * rise])
    radii = rng.uniform(0.26, 0.56, n)
    world = placed(centres, thing.x, thing.y, 0.0)
    flat, depth = camera.project(world)
    normals = centres - (0, 0, tall)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    own = np.clip(leaf * rng.uniform(0.82, 1.18, (n, 1)), 0, 1)
    if light.snow:
        own = own * 0.45 + 0.22 + 0.32 * np.clip(normals[:, 2:3] + 0.35, 0, 1)
    under = 0.70 + 0.30 * np.clip(rise[:, None] * 0.7 + 0.6, 0, 1)
    tones = light.shade(own * under, normals, np.full(n, MATTE), sunlit=max(sunlit, 0.5), lamp=lamp * 0.7)
    paints = to_bytes(light.through_air(tones, float(depth.mean())))
    scale = camera.pixels_per_metre(float(depth.mean()))
    order = np.argsort(0.35 * rise - depth, kind="stable")
    ordered = [paints[i] for i in order]
    crown = Marks(flat[order], range(n + 1), [DISC] * n, radii[order] * scale, ordered)
    trunk = _trunk(thing, camera, light, tall, lamp)
    return joined([*trunk, crown]), _leaf_shadow(world, radii, camera, light)


def _trunk(thing: Thing, camera: Camera, light: Light, tall: float, lamp: float) -> list[Marks]:
    spots = np.array(
        [
            (0, 0, 0),
            (0, 0, 1.4),
            (0.05, 0, tall - 0.6),
            (0, 0.6, tall - 0.2),
            (0, -0.55, tall),
            (-0.55, -0.6, 0),
            (0.55, 0.6, 0),
        ]
    )
    flat, depth = camera.project(placed(spots, thing.x, thing.y, 0.0))
    bark = np.array([[0.30, 0.22, 0.16], [0.20, 0.17, 0.15]])
    tones = light.shade(bark, np.array([[0, -0.9, 0.3], [0, 0, 1.0]]), np.array([MATTE, MATTE]), lamp=lamp)
    dark, soil = to_bytes(light.through_air(tones, float(depth.mean())))
    k = camera.pixels_per_metre(float(depth.mean()))
    pit = camera.polygon(
        [(thing.x + a, thing.y + b, 0.0) for a, b in ((-0.6, -0.6), (0.6, -0.6), (0.6, 0.6), (-0.6, 0.6))]
    )
    widths = np.array([0.30, 0.24, 0.13, 0.13]) * k
    wood = Marks(flat[[0, 1, 1, 2, 1, 3, 1, 4]], range(0, 9, 2), [LINE] * 4, widths, [dark] * 4)
    return [polygons([(pit, soil)]), wood] if pit else [wood]


def _leaf_shadow(world: Array, radii: Array, camera: Camera, light: Light) -> list[list[float]]:
    sx, sy, sz = light.sun_at
    turn = np.linspace(0, 2 * np.pi, 9)[:-1]
    ring = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(8)])
    ground = world[::2].copy()
    ground[:, 0] -= ground[:, 2] * sx / sz
    ground[:, 1] -= ground[:, 2] * sy / sz
    ground[:, 0] = np.clip(ground[:, 0], -FACADE, FACADE)
    ground[:, 2] = 0.0
    flat, depth = camera.project(ground[:, None, :] + ring[None] * radii[::2, None, None])
    near = depth.min(axis=1) > 1.0
    return flat.reshape(-1, 16)[near].tolist()  # type: ignore[no-any-return]


def street_lamp(light: Light) -> Figure:
    """A lamp post whose arm reaches over the road (local x)."""
    iron = (0.22, 0.25, 0.26)
    head = (1.0, 0.90, 0.70) if light.lamps_on else (0.74, 0.76, 0.76)
    kind = GLOW if light.lamps_on else MATTE
    rods = [
        Rod((0, 0, 0.0), (0, 0, 0.7), 0.12, 0.10, iron),
        Rod((0, 0, 0.7), (0, 0, 5.6), 0.065, 0.05, iron),
        Rod((0, 0, 5.6), (0.5, 0, 6.0), 0.05, 0.045, iron),
        Rod((0.5, 0, 6.0), (1.4, 0, 6.05), 0.045, 0.04, iron),
    ]
    last = [
        Rod((1.15, 0, 6.04), (1.75, 0, 6.03), 0.09, 0.08, iron),
        Rod((1.2, 0, 5.97), (1.7, 0, 5.96), 0.07, 0.06, head, kind),
    ]
    return Figure(tuple(rods), (), tuple(last))


def signal_pole() -> Figure:
    """The post of a traffic light; a prop, not part of the labelled housing."""
    iron = (0.25, 0.27, 0.28)
    return Figure(
        (Rod((0, 0, 0), (0, 0, 0.5), 0.10, 0.09, iron), Rod((0, 0, 0.5), (0, 0, 2.6), 0.06, 0.055, iron))
    )


def signal_head(mode: str) -> Mesh:
    """The housing of a traffic light with its three lamps, facing local +x."""
    box = [(-0.14, 2.45), (-0.14, 3.55), (0.14, 3.55), (0.14, 2.45)]
    lamps = []
    for z, name, own in (
        (3.32, "red", (0.25, 0.05, 0.04)),
        (3.0, "amber", (0.26, 0.17, 0.04)),
        (2.68, "green", (0.04, 0.20, 0.10)),
    ):
        on = name == mode
        turn = np.linspace(0, 2 * np.pi, 13)[:-1]
        for r, colour, kind in (
            (0.135, (0.03, 0.03, 0.03), MATTE),
            (0.115, SIGNAL[mode] if on else own, GLOW if on else MATTE),
        ):
            lamps.append(
                face([(0.142, r * np.cos(t), z + r * np.sin(t)) for t in turn], colour, kind, (1.0, 0.0, 0.0))
            )
    plate = part(
        [
            face(
                [
                    (-0.02, s * 0.30, 2.32),
                    (-0.02, s * 0.30, 3.68),
                    (0.0, s * 0.30, 3.68),
                    (0.0, s * 0.30, 2.32),
                ],
                (0.05, 0.05, 0.06),
            )
            for s in (-1, 1)
        ]
        + [
            face([(x, -0.30, 2.32), (x, 0.30, 2.32), (x, 0.30, 3.68), (x, -0.30, 3.68)], (0.05, 0.05, 0.06))
            for x in (-0.02, 0.0)
        ]
    )
    z = {"red": 3.32, "green": 2.68}[mode]
    return mesh(
        [plate, part(loft(box, 0.19, colour=(0.13, 0.14, 0.14), material=MATTE, bevel=0.03), lamps)],
        [((0.16, 0.0, z), mode)],
    )
