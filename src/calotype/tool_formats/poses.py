"""Poses whose points have names and no declared order: the order is known when all of them were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calotype.tool_formats import shapes
from calotype.tool_formats.collected import Collected, Facts

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Pose:
    """One pose: x, y and v of its points by name, and its box where one is given."""

    key: str
    class_name: str
    points: Mapping[str, tuple[float, float, int]]
    where: str
    facts: Facts
    bbox_xywh_px: Box | None = None


class Poses:
    """Collects poses and hands them over with their classes."""

    def __init__(self) -> None:
        self._listed: list[Pose] = []

    def add(self, pose: Pose) -> None:
        """Add one pose."""
        self._listed.append(pose)

    def finish(self, collected: Collected, *, order: Sequence[str] = (), unseen: Sequence[str] = ()) -> None:
        """Declare the classes and add the poses.

        Args:
            order: Names of points in their order; those that are not listed follow as they were found.
            unseen: Names that belong to the class of the poses, where there is only one such class.
        """
        of_class: dict[str, list[str]] = {}
        for pose in self._listed:
            names = of_class.setdefault(pose.class_name, [])
            names += [name for name in pose.points if name not in names]
        if len(of_class) == 1:
            (names,) = of_class.values()
            names += [name for name in unseen if name not in names]
        place = {name: at for at, name in reversed(list(enumerate(order)))}
        for class_name, names in of_class.items():
            names.sort(key=lambda name: place.get(name, len(place)))
            collected.declare(class_name, keypoints=tuple(names))
        for pose in self._listed:
            with collected.item(pose.where):
                listed = [pose.points.get(name, (0.0, 0.0, 0)) for name in of_class[pose.class_name]]
                shape = shapes.pose(listed, pose.bbox_xywh_px)
                collected.add(pose.key, pose.class_name, shape, pose.where, pose.facts)
