"""One region of a Label Studio result: coordinates in percent of the image, turned into shapes in pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from calotype.formats.fields import BadItem, listing, mapping, number, pairs, text, whole
from calotype.tool_formats import shapes
from calotype.tool_formats.mask_runs import bits_to_mask, image_to_grey
from calotype.tool_formats.shapes import Shape, Turned

Size = tuple[int, int]

_MOST_PERCENT = 1e6
_BY_KEY = (
    ("rle", "brush"),
    ("imageDataURL", "bitmask"),
    ("vertices", "vector"),
    ("points", "polygon"),
    ("radiusX", "ellipse"),
    ("height", "rectangle"),
    ("x", "keypoint"),
)
_CONTROLS = frozenset(
    {"choices", "textarea", "number", "rating", "datetime", "taxonomy", "relation", "pairwise"}
)


def shape_type(result: Mapping[str, Any]) -> str:
    """What is drawn, such as "rectangle"; empty for a result that is not a region."""
    kind = result.get("type")
    if not isinstance(kind, str) or kind.lower() in _CONTROLS:
        return ""
    name = kind.lower().removesuffix("labels")
    if name:
        return name
    value = result.get("value")
    known = value if isinstance(value, dict) else {}
    return next((drawn for key, drawn in _BY_KEY if key in known), "")


def class_names(result: Mapping[str, Any]) -> list[str]:
    """The labels of a region. Raises: BadItem."""
    value = mapping(result.get("value"), "value")
    lists = [part for key, part in value.items() if key.endswith("labels") and key != "textlabels"]
    return [text(name, "label") for part in lists for name in listing(part, "labels")]


def stated_size(result: Mapping[str, Any]) -> Size | None:
    """The size of the image in pixels, as the result states it."""
    try:
        sides = [whole(result.get(f"original_{side}"), side) for side in ("width", "height")]
    except BadItem:
        return None
    return (sides[0], sides[1]) if min(sides) > 0 else None


def shape(kind: str, value: Mapping[str, Any], size_wh: Size) -> Shape:
    """The geometry of a region. Raises: BadItem."""
    if kind == "rectangle":
        return _rectangle(value, size_wh)
    if kind == "ellipse":
        return _ellipse(value, size_wh)
    if kind == "polygon":
        points = [_pixels(x, y, size_wh) for x, y in pairs(value.get("points"), "points")]
        return shapes.polyline([points]) if value.get("closed") is False else shapes.polygon([points])
    if kind == "vector":
        points = [
            _pixels(*_xy(mapping(v, "vertex")), size_wh) for v in listing(value.get("vertices"), "vertices")
        ]
        return shapes.polygon([points]) if value.get("closed") is True else shapes.polyline([points])
    if kind == "keypoint":
        return shapes.points([_pixels(*_xy(value), size_wh)])
    if kind == "brush":
        runs = [whole(part, "rle", most=255) for part in listing(value.get("rle"), "rle")]
        return shapes.mask(bits_to_mask(bytes(runs), size_wh), (0, 0), size_wh)
    if kind == "bitmask":
        grey = image_to_grey(text(value.get("imageDataURL"), "imageDataURL"))
        if grey.shape != (size_wh[1], size_wh[0]):
            raise BadItem(f"its mask is not that of an image of {size_wh[0]}x{size_wh[1]}")
        return shapes.mask(grey > 0, (0, 0), size_wh)
    raise BadItem(f"{kind[:40]!r} is not a shape that can be read")


def values_of_control(result: Mapping[str, Any]) -> list[Any]:
    """What a control beside the shapes says: choices, texts, numbers. Raises: BadItem."""
    value = mapping(result.get("value"), "value")
    kind = str(result.get("type")).lower()
    if kind == "choices":
        return [text(one, "choice") for one in listing(value.get("choices"), "choices")]
    if kind == "textarea":
        written = value.get("text")
        return [one for one in ([written] if isinstance(written, str) else listing(written, "text"))]
    if kind == "taxonomy":
        paths = listing(value.get("taxonomy"), "taxonomy")
        return ["/".join(text(part, "taxonomy") for part in listing(path, "taxonomy")) for path in paths]
    if kind in ("number", "rating"):
        return [value[kind] if isinstance(value.get(kind), int) else number(value.get(kind), kind, most=1e15)]
    return [text(value.get(kind), kind)]


def _rectangle(value: Mapping[str, Any], size_wh: Size) -> Shape:
    left, top = _pixels(*_xy(value), size_wh)
    width, height = _pixels(
        number(value.get("width"), "width", most=_MOST_PERCENT),
        number(value.get("height"), "height", most=_MOST_PERCENT),
        size_wh,
    )
    angle = number(value.get("rotation") or 0, "rotation")
    if angle % 360 == 0:
        return shapes.box(left, top, width, height)
    turn = math.radians(angle)
    x = left + width / 2 * math.cos(turn) - height / 2 * math.sin(turn)
    y = top + width / 2 * math.sin(turn) + height / 2 * math.cos(turn)
    return shapes.turned_box(Turned(x, y, width, height, angle))


def _ellipse(value: Mapping[str, Any], size_wh: Size) -> Shape:
    x, y = _pixels(*_xy(value), size_wh)
    radius_x, radius_y = (
        number(value.get(f"radius{axis}"), f"radius{axis}", most=_MOST_PERCENT) for axis in "XY"
    )
    rx, ry = _pixels(radius_x, radius_y, size_wh)
    return shapes.ellipse(Turned(x, y, 2 * rx, 2 * ry, number(value.get("rotation") or 0, "rotation")))


def _xy(value: Mapping[str, Any]) -> tuple[float, float]:
    x, y = (number(value.get(axis), axis, most=_MOST_PERCENT) for axis in "xy")
    return x, y


def _pixels(x: float, y: float, size_wh: Size) -> tuple[float, float]:
    return x * size_wh[0] / 100, y * size_wh[1] / 100


def percent(points: Sequence[float], size_wh: Size) -> list[float]:
    """Flat x1, y1, x2, y2, ... in percent of the image."""
    return [100 * value / size_wh[at % 2] for at, value in enumerate(points)]
