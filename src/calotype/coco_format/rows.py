"""The rules for a single COCO row: annotations, images and categories."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from calotype.coco_format.files import Unreadable
from calotype.datasets.model import Kind
from calotype.formats.passthrough import Broken, shown, value_problem
from calotype.formats.values import ParsedAnnotation
from calotype.formats.windows import LabelIndex
from calotype.vision import masks, polygons

ANNOTATION_KEYS = frozenset(
    {
        "id",
        "image_id",
        "category_id",
        "bbox",
        "segmentation",
        "area",
        "iscrowd",
        "score",
        "keypoints",
        "num_keypoints",
        "attributes",
    }
)
CAPTION_CLASS = "caption"
"""The class of captions, which have none in COCO."""
LARGEST = 1e7
"""Coordinates beyond this many pixels are a broken file."""
LARGEST_AREA = 1e300


def annotation(row: Any, where: str, index: LabelIndex) -> ParsedAnnotation:
    """One annotation. Raises: Unreadable, RleInvalid."""
    if not isinstance(row, dict):
        raise Unreadable(row.reason if isinstance(row, Broken) else "it is not a JSON object")
    image = _image_position(row.get("image_id"), index)
    if image is None:
        raise Unreadable(f"its image_id {shown(row.get('image_id'))} is not listed")
    if not is_whole(row.get("category_id")) or row["category_id"] not in index.classes:
        raise Unreadable(f"its category_id {shown(row.get('category_id'))} is not listed")
    problem = value_problem(passed_through(row))
    if problem:
        raise Unreadable(problem)
    if is_caption(row):
        return _caption(row, where, index)
    width, height = int(index.widths[image]), int(index.heights[image])
    rings, rle, size = _segmentation(row.get("segmentation"), width, height)
    keypoints = _numbers(row.get("keypoints") or [], "keypoints")
    if len(keypoints) % 3:
        raise Unreadable(f"its keypoints are {len(keypoints)} numbers, not triples")
    box = _box_of_mask(rle, size) if "bbox" not in row and rle else _box(row, rings, width, height)
    kind = Kind.KEYPOINTS if keypoints else Kind.MASK if rle else Kind.POLYGON if rings else Kind.BOX
    return ParsedAnnotation(
        image_key=str(row["image_id"]),
        class_name=index.classes[row["category_id"]],
        kind=kind,
        where=where,
        bbox_xywh_px=box,
        rings_px=rings,
        mask_rle=rle,
        mask_size_hw=size,
        keypoints_xyv=keypoints,
        area_px=_area(row, rings, box),
        score=_score(row.get("score")),
        iscrowd=bool(row.get("iscrowd", 0)),
        attributes=_mapping(row.get("attributes")),
        extra={k: v for k, v in row.items() if k not in ANNOTATION_KEYS},
        source_id=_identity(row),
    )


def is_caption(row: Any) -> bool:
    """Whether a row is a caption of its image."""
    return type(row) is dict and type(row.get("caption")) is str and "bbox" not in row


def with_caption_class(row: Any, index: LabelIndex) -> Any:
    """A caption with the number of the class of captions, since COCO gives them none; other rows as they are."""
    if not is_caption(row) or "category_id" in row:
        return row
    number = next((number for number, name in index.classes.items() if name == CAPTION_CLASS), None)
    return row if number is None else {**row, "category_id": number}


def _caption(row: dict[str, Any], where: str, index: LabelIndex) -> ParsedAnnotation:
    extra = {key: row[key] for key in row if key not in ("id", "image_id", "category_id", "caption")}
    return ParsedAnnotation(
        image_key=str(row["image_id"]),
        class_name=index.classes[row["category_id"]],
        kind=Kind.CAPTION,
        where=where,
        attributes={"text": row["caption"]},
        extra=extra,
        source_id=_identity(row),
    )


def _identity(row: dict[str, Any]) -> str:
    """The id as a text, empty where there is none. Raises: Unreadable."""
    identity = row.get("id")
    if identity is not None and (not is_whole(identity) or abs(identity) >= 2**63):
        raise Unreadable(f"its id {shown(identity)} is not a whole number below 2**63")
    return "" if identity is None else str(identity)


def _box_of_mask(rle: str, size: tuple[int, int] | None) -> tuple[float, float, float, float]:
    box = masks.from_string(rle, size or (1, 1)).bbox_xywh_px()
    if box[2] <= 0:
        raise Unreadable("its mask is empty")
    return box


def passed_through(row: dict[str, Any]) -> list[Any]:
    """The keys and values of an annotation that are kept as they are."""
    kept = {k: v for k, v in row.items() if k not in ANNOTATION_KEYS}
    return [row.get("attributes"), kept]


def _image_position(image_id: Any, index: LabelIndex) -> int | None:
    """The position of an image id of any type; None where it is not listed."""
    if not is_whole(image_id) or not -(2**63) <= image_id < 2**63:
        return None
    position = int(index.positions(np.array([image_id], np.int64))[0])
    return None if position < 0 else position


def _box(
    row: dict[str, Any], rings: tuple[tuple[float, ...], ...], width: int, height: int
) -> tuple[float, float, float, float]:
    if "bbox" not in row and rings:
        return polygons.rings_bbox_xywh(rings)
    values = _numbers(row.get("bbox"), "bbox")
    if len(values) != 4:
        raise Unreadable(f"its bbox has {len(values)} numbers, 4 are needed")
    x, y, w, h = values
    if w <= 0 or h <= 0:
        raise Unreadable(f"its box has no area ({w} x {h})")
    if width and height and (x >= width or y >= height or x + w <= 0 or y + h <= 0):
        raise Unreadable(f"its box is outside the image of {width}x{height}")
    return x, y, w, h


def _segmentation(
    value: Any, width: int, height: int
) -> tuple[tuple[tuple[float, ...], ...], str, tuple[int, int] | None]:
    if value is None or value == []:
        return (), "", None
    if isinstance(value, dict):
        size, counts = value.get("size"), value.get("counts")
        if not isinstance(size, list) or len(size) != 2 or not all(is_length(side) for side in size):
            raise Unreadable("its mask has no size")
        if width and height and tuple(size) != (height, width):
            raise Unreadable(f"its mask is {size[1]}x{size[0]}, the image {width}x{height}")
        shape = (size[0], size[1])
        if isinstance(counts, str):
            return (), masks.to_string(masks.from_string(counts, shape)), shape
        if isinstance(counts, list):
            return (), masks.to_string(masks.from_counts(counts, shape)), shape
        raise Unreadable("its mask has no counts")
    if not isinstance(value, list):
        raise Unreadable("its segmentation is neither polygons nor a mask")
    rings = tuple(_numbers(ring, "polygon") for ring in value)
    for ring in rings:
        problem = polygons.ring_problem(ring)
        if problem:
            raise Unreadable(f"its polygon has {problem}")
    return rings, "", None


def _numbers(value: Any, what: str) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise Unreadable(f"its {what} is not a list of numbers")
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= LARGEST:
            raise Unreadable(f"its {what} holds {shown(number)}")
    return tuple(float(number) for number in value)


def _area(row: dict[str, Any], rings: tuple[tuple[float, ...], ...], box: tuple[float, ...]) -> float:
    area = row.get("area")
    if isinstance(area, int | float) and not isinstance(area, bool):
        if not abs(area) <= LARGEST_AREA:
            raise Unreadable(f"its area is {shown(area)}")
        return float(area)
    return polygons.rings_area(rings) if rings else box[2] * box[3]


def _score(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def is_plain(value: Any) -> bool:
    """A value that metadata can hold."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))


def is_whole(value: Any) -> bool:
    """A whole number, not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_length(value: Any) -> bool:
    """A whole number of pixels within reason."""
    return is_whole(value) and 0 < value <= LARGEST


def is_sized(row: dict[str, Any]) -> bool:
    """Whether an image row states its width and height."""
    return all(is_length(row.get(side)) for side in ("width", "height"))


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty where it is not a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
