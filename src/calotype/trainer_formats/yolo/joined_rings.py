"""One ring for a shape of several parts: the parts are joined by a line there and back, which covers no area."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
_MAX_PAIRS = 2_000_000


def joined(rings: Sequence[Sequence[float]]) -> list[float]:
    """All rings (flat x1, y1, x2, y2, ...) as one.

    Each further ring is joined where it comes closest to those before. The ring keeps the area, the bounds and the
    filled pixels of its parts.
    """
    first, *others = (np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings)
    for ring in others:
        here, there = _closest(first, ring)
        around = np.concatenate([ring[there:], ring[: there + 1]])
        first = np.concatenate([first[: here + 1], around, first[here:]])
    flat: list[float] = first.ravel().tolist()
    return flat


def _closest(a: Points, b: Points) -> tuple[int, int]:
    """Positions of two points, one of each ring, that are close to each other; the closest where rings are short."""
    step = max(1, round((len(a) * len(b) / _MAX_PAIRS) ** 0.5))
    x, y = a[::step], b[::step]
    distance = ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)
    here, there = divmod(int(distance.argmin()), len(y))
    return here * step, there * step
