"""The objects of one annotation: boxes by their corners, which are read as they are, without "+1" (decision 0008)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from calotype.datasets.model import Kind
from calotype.formats.box_rows import BoxTables
from calotype.formats.passthrough import shown
from calotype.formats.values import AnnotationList, ParsedAnnotation
from calotype.formats.windows import Problem
from calotype.trainer_formats.voc.plain_xml import Node
from calotype.trainer_formats.voc.usual_text import UsualObject, flags_of
from calotype.trainer_formats.voc.xml_files import Element, text_of
from calotype.vision import polygons

FLAGS = ("truncated", "difficult", "occluded")
SIDES = ("xmin", "ymin", "xmax", "ymax")
_TRUE, _FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no"})
_PLAIN_TAGS = frozenset({"name", "pose", *FLAGS})
_LARGEST = 1e7
_MAX_PARTS = 1_000

Box = tuple[float, float, float, float]


def add_objects(tree: Element, key: str, read: AnnotationList, problems: list[Problem]) -> None:
    """Add the objects in their order; an empty place for one that is broken, which is added to the problems."""
    boxes = read.boxes
    image = len(boxes.tables.image_keys)
    boxes.tables.image_keys.append(key)
    for at, element in enumerate(tree.findall("object")):
        plain = _plain(element, boxes.tables)
        if plain is not None:
            class_number, attributes, box = plain
            boxes.add((image, class_number, attributes, at), box)
            continue
        where = f"{key} object[{at}]"
        found = _object(element, key, where)
        if isinstance(found, str):
            problems.append(Problem("invalid", "annotation", where, found))
        read.append(None if isinstance(found, str) else found)


def add_usual(objects: Sequence[UsualObject], key: str, read: AnnotationList) -> bool:
    """`add_objects` for plain boxes; adds nothing and is False where one of them is more, or broken."""
    boxes, tables = read.boxes, read.boxes.tables
    sides: list[float] = []
    of_flags = {flags: _usual_attributes(flags, tables) for flags in {flags for _, flags, _ in objects}}
    for name, flags, (x1, y1, x2, y2) in objects:
        if of_flags[flags] is None or not name.strip():
            return False
        if not (-_LARGEST <= x1 <= x2 <= _LARGEST and -_LARGEST <= y1 <= y2 <= _LARGEST):
            return False
        sides += (x1, y1, x2 - x1, y2 - y1)
    image = len(tables.image_keys)
    tables.image_keys.append(key)
    whole: list[int] = []
    for at, (name, flags, _) in enumerate(objects):
        whole += (image, tables.class_number(name.strip()), of_flags[flags] or 0, at)
    boxes.add_many(whole, sides)
    return True


def _usual_attributes(flags: str, tables: BoxTables) -> int | None:
    """The number of the attributes that some elements give; None where they are more than plain."""
    known = tables.known_attributes(flags)
    if known is not None:
        return known
    given = flags_of(flags)
    if given is None:
        return None
    element = Node("object")
    element.children = [Node(tag, text) for tag, text in given]
    return tables.add_attributes(flags, _attributes(element))


def _plain(element: Element, tables: BoxTables) -> tuple[int, int, Box] | None:
    """Numbers of class and attributes, and the box; None for an object that is more than these, or is broken."""
    facts: dict[str, Element] = {}
    for child in element:
        facts[child.tag] = child
    box = facts.pop("bndbox", None)
    if box is None or len(facts) + 1 != len(element) or not facts.keys() <= _PLAIN_TAGS:
        return None
    sides = {side.tag: side.text or "" for side in box}
    try:
        texts = (sides["xmin"], sides["ymin"], sides["xmax"], sides["ymax"])
        x1, y1, x2, y2 = map(float, texts)
    except (KeyError, ValueError):
        return None
    joined = "".join(texts)
    if len(box) != len(sides) or not joined.isascii() or "_" in joined:
        return None
    if not (-_LARGEST <= x1 <= x2 <= _LARGEST and -_LARGEST <= y1 <= y2 <= _LARGEST):
        return None
    name = (facts.pop("name").text or "").strip() if "name" in facts else ""
    if not name:
        return None
    key = tuple((tag, child.text) for tag, child in facts.items())
    attributes = tables.known_attributes(key)
    if attributes is None:
        attributes = tables.add_attributes(key, _attributes(element))
    return tables.class_number(name), attributes, (x1, y1, x2 - x1, y2 - y1)


def _object(element: Element, key: str, where: str) -> ParsedAnnotation | str:
    """An object, or why it is invalid."""
    name = text_of(element, "name")
    if not name:
        return "it has no class name"
    kind, attributes = Kind.BOX, _attributes(element)
    rings: tuple[tuple[float, ...], ...] = ()
    box = box_of(element.find("bndbox"))
    if isinstance(box, str):
        turned = _rotated(element.find("robndbox"))
        if turned is None:
            return box
        kind, rings, attributes = Kind.ROTATED_BOX, (turned[0],), {**attributes, "angle_deg": turned[1]}
        box = polygons.rings_bbox_xywh(rings)
    elif ring := _polygon(element.find("polygon")):
        kind, rings = Kind.POLYGON, (ring,)
    area = polygons.rings_area(rings) if rings else box[2] * box[3]
    extra = {"parts": parts} if (parts := _parts(element)) else {}
    return ParsedAnnotation(
        key, name, kind, where, box, rings, area_px=area, attributes=attributes, extra=extra
    )


def box_of(element: Element | None) -> Box | str:
    """The box x, y, w, h, or why it is invalid."""
    if element is None:
        return "it has no bndbox"
    corners = []
    for side in SIDES:
        value = _number(element, side)
        if isinstance(value, str):
            return value
        corners.append(value)
    x1, y1, x2, y2 = corners
    if x2 < x1 or y2 < y1:
        return f"its corners are swapped: {x1:g}, {y1:g}, {x2:g}, {y2:g}"
    return x1, y1, x2 - x1, y2 - y1


def _number(element: Element, tag: str) -> float | str:
    """A number, or why it is none."""
    text = text_of(element, tag)
    try:
        value = float(text if text.isascii() and "_" not in text else "no number")
    except ValueError:
        return f"its {tag} is {shown(text)}, which is not a number"
    return value if math.isfinite(value) and abs(value) <= _LARGEST else f"its {tag} is {shown(text)}"


def _rotated(element: Element | None) -> tuple[tuple[float, ...], float] | None:
    """The corners and the angle in degrees of a box given by centre, sides and an angle in radians."""
    if element is None:
        return None
    values = [_number(element, tag) for tag in ("cx", "cy", "w", "h", "angle")]
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < 5 or numbers[2] <= 0 or numbers[3] <= 0:
        return None
    cx, cy, w, h, angle = numbers
    half = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2
    c, s = math.cos(angle), math.sin(angle)
    corners = half @ np.array([[c, s], [-s, c]]) + (cx, cy)
    return tuple(corners.ravel().tolist()), math.degrees(angle)


def _polygon(element: Element | None) -> tuple[float, ...]:
    """The ring of a polygon given as x1, y1, x2, y2, ...; empty where there is none."""
    ring: list[float] = []
    n = 1
    while element is not None and element.find(f"x{n}") is not None:
        x, y = _number(element, f"x{n}"), _number(element, f"y{n}")
        if isinstance(x, str) or isinstance(y, str):
            return ()
        ring += [x, y]
        n += 1
    return tuple(ring) if polygons.ring_problem(ring) is None else ()


def _attributes(element: Element) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if pose := text_of(element, "pose"):
        attributes["pose"] = pose
    for flag in FLAGS:
        text = text_of(element, flag)
        if text:
            attributes[flag] = _value(text) if text.lower() in _TRUE | _FALSE else text
    for item in element.findall("attributes/attribute"):
        if name := text_of(item, "name"):
            attributes.setdefault(name, _value(text_of(item, "value"), numbers=False))
    return attributes


def _value(text: str, *, numbers: bool = True) -> bool | str:
    """True and false as such; other texts as they are."""
    low = text.lower()
    if low in ("true", "false") or (numbers and low in _TRUE | _FALSE):
        return low in _TRUE
    return text


def _parts(element: Element) -> list[dict[str, Any]]:
    """The parts of an object (a head, a hand) with their boxes."""
    parts = []
    for part in element.findall("part")[:_MAX_PARTS]:
        box = box_of(part.find("bndbox"))
        if not isinstance(box, str):
            parts.append({"name": text_of(part, "name"), "bbox": list(box)})
    return parts
