"""A pinhole camera over a flat street: world metres to image pixels.

World frame: x right, y forward along the street, z up, metres, origin on the road under the cameras.
Image frame: origin top-left corner, x right, y down, continuous pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Point = tuple[float, float]

WIDTH, HEIGHT = 960, 600
NEAR_M = 0.4
"""Nothing closer than this (metres along the optical axis) is drawn."""


@dataclass(frozen=True, slots=True)
class Camera:
    """One fixed camera.

    Args:
        name: As written in the metadata, e.g. "cam-01".
        at: Position in the world frame, metres.
        yaw: Radians, positive looks to the right of the street's direction.
        pitch: Radians, positive looks down.
        focal: Focal length in pixels of the final image.
    """

    name: str
    at: tuple[float, float, float]
    yaw: float
    pitch: float
    focal: float

    @property
    def horizon(self) -> float:
        """Row of the horizon in pixels."""
        return HEIGHT / 2 - self.focal * float(np.tan(self.pitch))

    def see(self, points: Array) -> Array:
        """World points (..., 3) in the camera frame (..., 3): right, down, depth, metres."""
        return np.asarray((np.asarray(points, dtype=np.float64) - self.at) @ _turn(self.yaw, self.pitch))

    def flatten(self, seen: Array) -> Array:
        """Camera-frame points (..., 3) to pixels (..., 2); depth is held at `NEAR_M` or more."""
        depth = np.maximum(seen[..., 2:3], NEAR_M)
        return seen[..., :2] * (self.focal / depth) + (WIDTH / 2, HEIGHT / 2)

    def project(self, points: Array) -> tuple[Array, Array]:
        """World points (..., 3) to pixels (..., 2) and depths (...) in metres."""
        seen = self.see(points)
        return self.flatten(seen), seen[..., 2]

    def polygon(self, points: Sequence[Sequence[float]] | Array) -> list[Point]:
        """A world polygon as pixels, cut at the near plane; empty when it is wholly behind the camera."""
        seen = self.see(np.asarray(points, dtype=np.float64))
        if (seen[:, 2] < NEAR_M).any():
            seen = _cut_near(seen)
        return [(x, y) for x, y in self.flatten(seen).tolist()] if len(seen) >= 3 else []

    def pixels_per_metre(self, depth: float) -> float:
        """Number of pixels of one metre across the view at this depth."""
        return self.focal / max(depth, NEAR_M)


@lru_cache(maxsize=64)
def _turn(yaw: float, pitch: float) -> Array:
    """World axes (rows) in the camera frame: right, down, depth."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    return np.array([[cy, -sy * sp, sy * cp], [-sy, -cy * sp, cy * cp], [0.0, -cp, -sp]])


def _cut_near(seen: Array) -> Array:
    """Sutherland and Hodgman's clip of one polygon (N, 3) against the near plane."""
    kept: list[Array] = []
    for a, b in zip(seen, np.roll(seen, -1, axis=0), strict=True):
        inside_a, inside_b = a[2] >= NEAR_M, b[2] >= NEAR_M
        if inside_a:
            kept.append(a)
        if inside_a != inside_b:
            kept.append(a + (b - a) * ((NEAR_M - a[2]) / (b[2] - a[2])))
    return np.array(kept) if kept else np.empty((0, 3))


def _camera(name: str, at: tuple[float, float, float], yaw: float, pitch: float, fov: float) -> Camera:
    focal = WIDTH / 2 / float(np.tan(np.radians(fov) / 2))
    return Camera(name, at, float(np.radians(yaw)), float(np.radians(pitch)), focal)


CAMERAS: tuple[Camera, ...] = (
    _camera("cam-01", (0.6, 0.0, 6.4), -1.0, 10.5, 58.0),  # high pole over the middle of the road
    _camera("cam-03", (1.75, 2.0, 1.45), -1.5, 0.5, 62.0),  # dashboard, waiting in the right lane
    _camera("cam-05", (8.6, 1.0, 3.2), -13.0, 5.0, 62.0),  # shop front on the right pavement
    _camera("cam-07", (-6.8, -1.0, 4.6), 11.0, 7.0, 76.0),  # wide, left kerb
)
