"""Keypoints: x, y and visibility of named points."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

_STIFF = ("eye", "ear", "shoulder", "hip")
"""Pairs that keep their sides; knees and ankles cross in walking."""
_SIDES = re.compile(r"(left|right)|(?<![a-z])([lr])(?![a-z])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<![A-Za-z])([LR])(?=[A-Z][a-z])")
_SWAP = {"left": "right", "right": "left", "l": "r", "r": "l"}


def mirror_order(keypoints: Sequence[str]) -> tuple[int, ...] | None:
    """For each keypoint the index of its mirror image by name (left_eye, right_eye); None when there are no pairs.

    Example:
        >>> mirror_order(["nose", "left_eye", "right_eye"])
        (0, 2, 1)
    """
    indices = {name: index for index, name in enumerate(keypoints)}
    order = tuple(indices.get(_other_side(name), index) for index, name in enumerate(keypoints))
    unchanged = tuple(range(len(keypoints)))
    return order if order != unchanged and sorted(order) == list(unchanged) else None


def is_mirror_order(order: Any, n_points: int) -> TypeGuard[Sequence[int]]:
    """Whether this is a list with an index for each keypoint that, applied twice, changes nothing."""
    if not isinstance(order, list | tuple) or len(order) != n_points:
        return False
    if any(type(index) is not int or not 0 <= index < n_points for index in order):
        return False
    return all(order[index] == at for at, index in enumerate(order))


def stated_mirror_order(keypoints: Sequence[str], extra: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The `flip_idx` of a class where its file gives one, else the order by its names (`mirror_order`).

    Args:
        extra: The further keys of the class.
    """
    given = extra.get("flip_idx")
    return tuple(given) if is_mirror_order(given, len(keypoints)) else mirror_order(keypoints)


def _other_side(name: str) -> str:
    def other(match: re.Match[str]) -> str:
        word = match.group()
        swapped = _SWAP[word.lower()]
        return swapped.upper() if word.isupper() else swapped.capitalize() if word[0].isupper() else swapped

    camel = _CAMEL.sub(other, name)
    return camel if camel != name else _SIDES.sub(other, name)


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


def keypoint_problem(
    keypoints_xyv: Sequence[float], box_xywh_px: Sequence[float], names: Sequence[str], *, slack: float
) -> tuple[str, dict[str, Any]] | None:
    """What is wrong with the keypoints of one annotation: the reason and its facts, with a repair if there is one.

    Args:
        keypoints_xyv: Flat x, y, v triples.
        names: Those of the class; empty if it declares none.
        slack: Share of the box's longer side by which visible points may lie outside of it.
    """
    points = np.asarray(keypoints_xyv, np.float64)
    if points.size % 3 or not points.size:
        return f"it has {points.size} numbers, not three per point", {"fault": "count"}
    points = points.reshape(-1, 3)
    if names and len(names) != len(points):
        return f"it has {len(points)} points, its class {len(names)}", {"fault": "count"}
    visible = points[:, 2] > 0
    if (visible & (points[:, 0] == 0) & (points[:, 1] == 0)).any():
        return "a visible point lies at 0, 0", {"fault": "at-zero"}
    x, y, w, h = box_xywh_px
    pad = slack * max(w, h)
    low, high = np.asarray([x - pad, y - pad]), np.asarray([x + w + pad, y + h + pad])
    outside = visible & ((points[:, :2] < low) | (points[:, :2] > high)).any(axis=1)
    if outside.any():
        return f"{int(outside.sum())} visible points lie outside the box", {"fault": "outside-box"}
    pair = swapped_pair(points, names)
    if pair is None:
        return None
    left, right = pair
    repaired = points.copy()
    repaired[[left, right]] = points[[right, left]]
    facts = {
        "fault": "swapped",
        "points": [names[left], names[right]],
        "repair": {"do": "set-keypoints", "keypoints_xyv": repaired.ravel().tolist()},
    }
    return f"{names[left]} and {names[right]} look swapped: all other pairs face the other way", facts
