"""The shape elements of CVAT XML 1.1, of an image and of a frame of a track alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from calotype.formats.fields import BadItem, written_number, written_whole
from calotype.formats.notices import Notices
from calotype.formats.xml_file import Element
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import Facts
from calotype.tool_formats.cvat.labels import Label, typed
from calotype.tool_formats.mask_runs import rows_to_mask
from calotype.tool_formats.shapes import Point, Shape, Turned

CUBOID = tuple(
    f"{axis}{corner}" for corner in ("tl1", "bl1", "tr1", "br1", "tl2", "bl2", "tr2", "br2") for axis in "xy"
)
_MOST_SIDE = 100_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """The numbers of a shape element as they are interpolated; `visible` are the states of keypoints."""

    tag: str
    numbers: tuple[float, ...] = ()
    visible: tuple[int, ...] = ()
    runs: tuple[int, ...] = ()


def drawn(element: Element, label: Label) -> Drawn:
    """The numbers of one element. Raises: BadItem."""
    tag = element.tag
    if tag in ("polygon", "polyline", "points"):
        return Drawn(tag, shapes.flattened(_points(element)))
    if tag == "skeleton":
        return _skeleton(element, label)
    if tag == "mask":
        box = tuple(written_whole(element.get(side), side) for side in ("left", "top", "width", "height"))
        texts = [text for text in (element.get("rle") or "").split(",") if text.strip()]
        runs = tuple(written_whole(text, "rle", most=100_000_000) for text in texts)
        return Drawn(tag, tuple(map(float, box)), runs=runs)
    sides = {"box": ("xtl", "ytl", "xbr", "ybr"), "ellipse": ("cx", "cy", "rx", "ry"), "cuboid": CUBOID}.get(
        tag
    )
    if sides is None:
        raise BadItem(f"{tag[:40]!r} is not a shape of this format")
    numbers = [written_number(element.get(side), side) for side in sides]
    if tag != "cuboid":
        numbers.append(written_number(element.get("rotation") or "0", "rotation"))
    return Drawn(tag, tuple(numbers))


def shape(at: Drawn, size_wh: tuple[int, int] | None) -> Shape:
    """The geometry of an element on an image of this size. Raises: BadItem."""
    numbers = at.numbers
    if at.tag == "box":
        x1, y1, x2, y2, angle = numbers
        upright = shapes.box_by_corners(x1, y1, x2, y2)
        if angle % 360 == 0:
            return upright
        return shapes.turned_box(Turned((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, angle))
    if at.tag == "ellipse":
        cx, cy, rx, ry, angle = numbers
        return shapes.ellipse(Turned(cx, cy, 2 * rx, 2 * ry, angle))
    if at.tag == "mask":
        return _mask(at, size_wh)
    points = shapes.paired(numbers)
    if at.tag == "skeleton":
        return shapes.pose((x, y, v) for (x, y), v in zip(points, at.visible, strict=True))
    if at.tag == "polyline":
        return shapes.polyline([points])
    if at.tag == "points":
        return shapes.points(points)
    return shapes.polygon([_hull(points) if at.tag == "cuboid" else points])


def between(first: Drawn, second: Drawn, share: float) -> Drawn | None:
    """The shape at a share of the way from one keyframe to the next; None where that is not defined.

    Angles take the shorter way around. A mask stays as it is until the next keyframe.
    """
    if first.tag == "mask":
        return first
    if first.tag != second.tag or len(first.numbers) != len(second.numbers):
        return None
    numbers = [a + (b - a) * share for a, b in zip(first.numbers, second.numbers, strict=True)]
    for at, state in enumerate(second.visible):
        if not state:  # a point that is gone at the next keyframe stays where it was until then
            numbers[2 * at : 2 * at + 2] = first.numbers[2 * at : 2 * at + 2]
    if first.tag in ("box", "ellipse"):
        turn = (second.numbers[4] - first.numbers[4] + 180) % 360 - 180
        numbers[4] = (first.numbers[4] + turn * share) % 360
    return replace(first, numbers=tuple(numbers))


def is_gone(at: Drawn) -> bool:
    """Whether no point of a skeleton is there: that is how CVAT ends the track of one."""
    return at.tag == "skeleton" and not any(at.visible)


def facts(element: Element, label: Label, notices: Notices, where: str) -> Facts:
    """What an element says beside its shape: its attributes by their declared types, occluded, group and order."""
    attributes: dict[str, Any] = {}
    if element.get("occluded") == "1":
        attributes["occluded"] = True
    group = element.get("group_id") or "0"
    if group not in ("0", "") and group.isascii() and group.isdigit() and len(group) < 19:
        attributes["group_id"] = int(group)
    for one in element.findall("attribute"):
        name, written = (one.get("name") or "").strip(), one.text or ""
        if not name:
            notices.add("value-dropped", where, what="attribute without a name: left out")
            continue
        value = typed(written, label.types.get(name, "text"))
        if value is None or name not in label.types:
            notices.add(
                "value-unknown",
                where,
                what="attribute that is not declared, or not of its type: kept as text",
            )
        attributes[name] = written if value is None else value
    extra: dict[str, Any] = {}
    order = element.get("z_order") or "0"
    if order != "0" and order.lstrip("-").isdigit() and len(order) < 10:
        extra["z_order"] = int(order)
    if element.get("source") not in (None, "", "manual"):
        extra["source"] = element.get("source")
    return Facts(attributes, extra, score=_score(element.get("score")))


def cuboid_extra(at: Drawn) -> dict[str, list[float]]:
    """The 16 numbers of a cuboid, kept beside its outline."""
    return {"cuboid": list(at.numbers)} if at.tag == "cuboid" else {}


def _score(written: str | None) -> float | None:
    try:
        return written_number(written, "score")
    except BadItem:
        return None


def _points(element: Element) -> list[Point]:
    points = []
    for pair in (element.get("points") or "").split(";"):
        x, comma, y = pair.partition(",")
        if not comma:
            raise BadItem(f"its points hold {pair[:40]!r}, which is not a point")
        points.append((written_number(x, "points"), written_number(y, "points")))
    return points


def _skeleton(element: Element, label: Label) -> Drawn:
    numbers: dict[str, tuple[float, float, int]] = {}
    for part in element.findall("points"):
        at = _points(part)
        if len(at) != 1:
            raise BadItem(f"its point {(part.get('label') or '')[:40]!r} has {len(at)} places")
        hidden = 1 if part.get("occluded") == "1" else 2
        numbers[(part.get("label") or "").strip()] = (*at[0], 0 if part.get("outside") == "1" else hidden)
    names = label.keypoints or tuple(numbers)
    unknown = [name for name in numbers if name not in names]
    if unknown:
        raise BadItem(f"its point {unknown[0][:40]!r} is not one of its label")
    listed = [numbers.get(name, (0.0, 0.0, 0)) for name in names]
    return Drawn(
        "skeleton", tuple(value for x, y, _ in listed for value in (x, y)), tuple(v for _, _, v in listed)
    )


def _mask(at: Drawn, size_wh: tuple[int, int] | None) -> Shape:
    left, top, width, height = map(int, at.numbers)
    if size_wh is None:
        raise BadItem("the size of its image is not known")
    if max(width, height) > _MOST_SIDE:
        raise BadItem(f"its mask is {width}x{height} pixels")
    return shapes.mask(rows_to_mask(at.runs, (width, height)), (left, top), size_wh)


def _hull(points: list[Point]) -> list[Point]:
    """The convex outline of points. Source: Andrew's monotone chain, 1979."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    sides = []
    for way in (ordered, ordered[::-1]):
        side: list[Point] = []
        for point in way:
            while len(side) > 1 and _turn(side[-2], side[-1], point) <= 0:
                side.pop()
            side.append(point)
        sides.append(side[:-1])
    return [*sides[0], *sides[1]]


def _turn(a: Point, b: Point, c: Point) -> float:
    value = float(np.float64(b[0] - a[0]) * (c[1] - a[1]) - np.float64(b[1] - a[1]) * (c[0] - a[0]))
    return value if math.isfinite(value) else 0.0
