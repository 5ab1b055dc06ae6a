"""Checks of keypoints: the number that their class has, in their box, left and right not swapped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally
from calotype.vision.keypoints import swapped_pair

_COLUMNS = ("x", "y", "w", "h", "keypoints", "class_id")


def keypoints(context: CheckContext, tally: Tally) -> None:
    """Keypoints outside their box, visible ones at the corner of the image, and left and right swapped."""
    names = {cls.id: tuple(cls.keypoints) for cls in context.snapshot.ontology.classes}
    problems: dict[int, Description] = {}
    for row, shape in context.shapes("keypoints", _COLUMNS):
        tally.looked_at += 1
        problem = _problem(shape, names.get(shape["class_id"], ()), tally.number("slack"))
        if problem is not None:
            problems[row] = problem
    tally.annotations_by_fault(problems)


def _problem(shape: Mapping[str, Any], names: tuple[str, ...], slack: float) -> Description | None:
    points = np.asarray(shape["keypoints"] or [], np.float64)
    if points.size % 3 or not points.size:
        return f"it has {points.size} numbers, not three per point", {"fault": "count"}
    points = points.reshape(-1, 3)
    if names and len(names) != len(points):
        return f"it has {len(points)} points, its class {len(names)}", {"fault": "count"}
    visible = points[:, 2] > 0
    if (visible & (points[:, 0] == 0) & (points[:, 1] == 0)).any():
        return "a visible point lies at 0, 0", {"fault": "at-zero"}
    pad = slack * max(shape["w"], shape["h"])
    low = np.asarray([shape["x"] - pad, shape["y"] - pad])
    high = np.asarray([shape["x"] + shape["w"] + pad, shape["y"] + shape["h"] + pad])
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


CHECKS = (
    Check(
        name="keypoints",
        title="Keypoints in place",
        means=(
            "Visible keypoints lie outside their box or at 0, 0, left and right are swapped, or their "
            "number is wrong."
        ),
        fix="move the point, or swap the two sides",
        unit="keypoint annotations",
        severity="warning",
        family="structure",
        scope="sample",
        run=keypoints,
        parameters={"slack": 0.25},
        source="COCO's keypoints; sides by majority of stiff pairs",
        example="left_hip and right_hip look swapped",
    ),
)
