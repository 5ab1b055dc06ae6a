"""Keypoints: x, y and visibility of named points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_STIFF = ("eye", "ear", "shoulder", "hip")
"""Pairs that keep their sides; knees and ankles cross in walking."""


def swapped_pair(points_xyv: npt.NDArray[np.float64], names: Sequence[str]) -> tuple[int, int] | None:
    """The only pair of left and right that disagrees with all others on the sides; None if there is not exactly one.

    Args:
        points_xyv: (K, 3) pixels, and visibility above 0 where a point is seen.
        names: Of the points, such as `left_eye`; fewer than three visible pairs of eyes, ears, shoulders or hips
            are not enough.
    """
    place = {name: number for number, name in enumerate(names)}
    pairs = [
        (left, place.get(name.replace("left", "right"), -1))
        for name, left in place.items()
        if "left" in name and any(part in name for part in _STIFF)
    ]
    pairs = [pair for pair in pairs if pair[1] >= 0 and (points_xyv[list(pair), 2] > 0).all()]
    sides = np.sign([points_xyv[left, 0] - points_xyv[right, 0] for left, right in pairs])
    total = float(sides.sum())
    if len(pairs) < 3 or abs(total) == len(pairs) or abs(total) < len(pairs) - 2:
        return None
    odd = [pair for pair, side in zip(pairs, sides, strict=True) if side == -np.sign(total)]
    return odd[0] if len(odd) == 1 else None
