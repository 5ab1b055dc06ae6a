"""Light and weather: the palettes, and how a surface takes its colour from them.

Colours are RGB in [0, 1], display space. Directions are unit vectors of the world frame, away from surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calotype.demo.streets.camera import Array

Colour = tuple[float, float, float]
MATTE, PAINT, GLASS, GLOW = 0, 1, 2, 3
"""Materials: plain, lacquered, reflecting the sky, shining by itself."""
LAMP_COLOUR: Colour = (1.0, 0.70, 0.38)


@dataclass(frozen=True, slots=True)
class Light:
    """What lights one scene."""

    time: str
    weather: str
    sky: tuple[Colour, Colour, Colour]  # zenith, middle, horizon
    sun: Colour
    sun_at: tuple[float, float, float]
    ambient_sky: Colour
    ambient_ground: Colour
    haze: Colour
    haze_m: float  # distance at which 63 % of a colour is haze
    shadow: float  # darkness of cast shadows, 0 none
    lit_windows: float  # share of windows with a lamp on
    wet: float = 0.0
    snow: float = 0.0
    cloud: float = 0.4

    @property
    def lamps_on(self) -> bool:
        return self.time != "day"

    def shade(
        self, colours: Array, normals: Array, materials: Array, *, sunlit: float = 1.0, lamp: float = 0.0
    ) -> Array:
        """Colours of surfaces under this light, without haze.

        Args:
            colours: (F, 3) own colours.
            normals: (F, 3) unit normals.
            materials: (F,) of MATTE, PAINT, GLASS, GLOW.
            sunlit: 0 in the shadow of a building, 1 in the sun.
            lamp: Street-lamp light that reaches the surface, 0 to about 1.
        Returns:
            (F, 3), may exceed 1 where the surface shines.
        """
        up = normals[:, 2:3]
        fall = np.maximum(normals @ np.asarray(self.sun_at), 0)[:, None]
        light = np.asarray(self.ambient_sky) * (0.5 + 0.5 * up) + np.asarray(self.ambient_ground) * (
            0.5 - 0.5 * up
        )
        light = light + np.asarray(self.sun) * fall * sunlit
        if lamp:
            light = light + np.asarray(LAMP_COLOUR) * (lamp * (0.42 + 0.38 * np.maximum(up, -0.6)))
        body = colours * light
        if not materials.any():  # all MATTE
            return np.asarray(body)
        mirror = np.asarray(self.sky[1]) * (0.6 + 0.4 * np.clip(up, 0, 1))
        gloss = mirror * (0.05 + 0.20 * np.clip(up, 0, 1) ** 2) + np.asarray(self.sun) * (
            0.35 * sunlit * fall**8
        )
        glass = colours * light * 0.55 + mirror * (0.16 + 0.42 * np.clip(up + 0.25, 0, 1))
        kind = materials[:, None]
        shaded = np.where(kind == PAINT, body + gloss, body)
        shaded = np.where(kind == GLASS, glass, shaded)
        return np.where(kind == GLOW, colours, shaded)

    def through_air(self, colours: Array, depth: Array | float) -> Array:
        """The same colours (F, 3) seen through `depth` metres (F,) of this scene's air."""
        kept = np.exp(-np.asarray(depth, dtype=np.float64) / self.haze_m)
        kept = kept[..., None] if kept.ndim else kept
        return np.asarray(colours * kept + np.asarray(self.haze) * (1 - kept))


def to_bytes(colours: Array) -> list[tuple[int, int, int]]:
    """(F, 3) colours as 8-bit tuples for Pillow."""
    eight = (np.minimum(np.maximum(colours, 0), 1) * 255 + 0.5).astype(np.uint8)
    return [(r, g, b) for r, g, b in eight.tolist()]


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    n = float(np.sqrt(x * x + y * y + z * z))
    return (x / n, y / n, z / n)


_DAY = Light(
    "day",
    "clear",
    ((0.20, 0.47, 0.83), (0.50, 0.72, 0.93), (0.88, 0.93, 0.95)),
    sun=(0.66, 0.60, 0.47),
    sun_at=_unit(0.62, -0.30, 0.80),
    ambient_sky=(0.52, 0.58, 0.68),
    ambient_ground=(0.34, 0.31, 0.28),
    haze=(0.80, 0.88, 0.94),
    haze_m=300,
    shadow=0.50,
    lit_windows=0.02,
)
_DUSK = Light(
    "dusk",
    "clear",
    ((0.20, 0.22, 0.47), (0.72, 0.45, 0.52), (1.0, 0.72, 0.42)),
    sun=(0.70, 0.38, 0.20),
    sun_at=_unit(-0.55, 0.62, 0.34),
    ambient_sky=(0.43, 0.38, 0.50),
    ambient_ground=(0.33, 0.25, 0.23),
    haze=(0.93, 0.63, 0.48),
    haze_m=210,
    shadow=0.42,
    lit_windows=0.34,
)
_NIGHT = Light(
    "night",
    "clear",
    ((0.018, 0.028, 0.085), (0.05, 0.065, 0.16), (0.15, 0.14, 0.24)),
    sun=(0.04, 0.05, 0.09),
    sun_at=_unit(-0.4, -0.3, 0.8),
    ambient_sky=(0.20, 0.24, 0.40),
    ambient_ground=(0.16, 0.14, 0.15),
    haze=(0.11, 0.11, 0.19),
    haze_m=190,
    shadow=0.22,
    lit_windows=0.36,
)
_CLEAR = {"day": _DAY, "dusk": _DUSK, "night": _NIGHT}
_GREY = {"day": (0.66, 0.70, 0.75), "dusk": (0.50, 0.43, 0.49), "night": (0.085, 0.095, 0.15)}


def light_for(time: str, weather: str) -> Light:
    """The light of a time ("day", "dusk", "night") under a weather ("clear", "rain", "fog", "snow")."""
    base = replace(_CLEAR[time], weather=weather)
    if weather == "clear":
        return base
    grey = _GREY[time]
    toward = {"rain": 0.72, "fog": 0.92, "snow": 0.80}[weather]
    dull = {"rain": 0.84, "fog": 1.16, "snow": 1.18}[weather]
    sky = tuple(_mix(c, grey, toward, dull) for c in base.sky)
    haze = _mix(base.haze, grey, toward * 0.8, dull)
    return replace(
        base,
        sky=(sky[0], sky[1], sky[2]),
        haze=haze,
        sun=_scale(base.sun, 0.10 if weather != "snow" else 0.2),
        ambient_sky=_scale(
            _mix(base.ambient_sky, (0.6, 0.6, 0.6), 0.25 if time == "day" else 0.0, 1.0),
            1.22 if time == "day" else 1.05,
        ),
        shadow=base.shadow * 0.25,
        haze_m={"rain": 120.0, "fog": 34.0, "snow": 95.0}[weather],
        lit_windows=min(0.5, base.lit_windows + (0.16 if time == "day" else 0.08)),
        wet={"rain": 1.0, "fog": 0.25, "snow": 0.15}[weather],
        snow=1.0 if weather == "snow" else 0.0,
        cloud=0.9,
    )


def _mix(a: Colour, b: Colour, t: float, gain: float) -> Colour:
    return (
        (a[0] + (b[0] - a[0]) * t) * gain,
        (a[1] + (b[1] - a[1]) * t) * gain,
        (a[2] + (b[2] - a[2]) * t) * gain,
    )


def _scale(a: Colour, k: float) -> Colour:
    return (a[0] * k, a[1] * k, a[2] * k)
