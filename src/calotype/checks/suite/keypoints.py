"""Checks of keypoints: the number that their class has, in their box, left and right not swapped."""

from __future__ import annotations

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally
from calotype.vision.keypoints import keypoint_problem

_COLUMNS = ("x", "y", "w", "h", "keypoints", "class_id")


def keypoints(context: CheckContext, tally: Tally) -> None:
    """Keypoints outside their box, visible ones at the corner of the image, and left and right swapped."""
    names = {cls.id: tuple(cls.keypoints) for cls in context.snapshot.ontology.classes}
    problems: dict[int, Description] = {}
    for row, shape in context.shapes("keypoints", _COLUMNS):
        tally.looked_at += 1
        box = tuple(shape[axis] for axis in "xywh")
        points = shape["keypoints"] or []
        problem = keypoint_problem(points, box, names.get(shape["class_id"], ()), slack=tally.number("slack"))
        if problem is not None:
            problems[row] = problem
    tally.annotations_by_fault(problems)


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
