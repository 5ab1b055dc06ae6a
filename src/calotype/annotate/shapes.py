"""Gives an annotation the shape of an edit, checked as an import checks it. Pixels of the upright image."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from calotype.annotate.model import MAX_COORDINATE_PX, Add, EditsInvalid, SetShape
from calotype.datasets.model import CORNERED, RINGED, WHOLE_IMAGE, Annotation, Kind, Sample
from calotype.foundation.errors import CalotypeError
from calotype.vision import corners, masks
from calotype.vision.ontology import Class
from calotype.vision.shape_problems import shape_problem

_FLAT = frozenset({Kind.POLYLINE, Kind.POINT})
_VISIBILITIES = (0, 1, 2)
_FIELDS: dict[Kind, tuple[str, ...]] = {
    Kind.CLASSIFICATION: (),
    Kind.CAPTION: (),
    Kind.BOX: ("bbox",),
    Kind.MASK: ("mask",),
    Kind.KEYPOINTS: ("keypoints", "bbox"),
    **dict.fromkeys(RINGED, ("rings",)),
    **dict.fromkeys(CORNERED, ("rings", "rotated")),
}
_MAX_MASK_PIXELS = 400_000_000


def kind_of(text: str, where: str) -> Kind:
    """Raises: EditsInvalid."""
    try:
        return Kind(text)
    except ValueError:
        known = ", ".join(Kind)
        raise EditsInvalid(where=f"{where}.kind", detail=f"{text[:40]!r} is not one of {known}") from None


def shape_of(
    edit: SetShape | Add, kind: Kind, class_: Class | None, sample: Sample, where: str
) -> dict[str, Any]:
    """The geometry fields of an annotation. Raises: EditsInvalid."""
    given = [
        name for name in ("bbox", "rotated", "rings", "keypoints", "mask") if getattr(edit, name) is not None
    ]
    unfit = [name for name in given if name not in _FIELDS[kind]]
    if unfit:
        raise EditsInvalid(where=f"{where}.{unfit[0]}", detail=f"a {kind} has no {unfit[0]}")
    if kind in WHOLE_IMAGE:
        return _geometry(None, None)
    if not given or (kind is Kind.KEYPOINTS and edit.keypoints is None):
        fields = " or ".join(_FIELDS[kind])
        raise EditsInvalid(where=where, detail=f"a {kind} needs {fields}")
    _check_numbers(edit, where)
    if kind is Kind.MASK:
        shape = _masked(edit, where)
    elif kind is Kind.KEYPOINTS:
        shape = _posed(edit, class_, where)
    elif kind is Kind.BOX:
        box = _box(edit.bbox or (), where)
        shape = _geometry(box, box[2] * box[3])
    else:
        shape = _ringed(edit, kind, where)
    _check_inside(shape["bbox_xywh_px"], sample, where)
    return shape


def reshaped(annotation: Annotation, shape: dict[str, Any], kind: Kind) -> Annotation:
    """The annotation with this geometry; keypoints keep the box and the outline that they had."""
    if kind is Kind.KEYPOINTS and annotation.kind is Kind.KEYPOINTS:
        shape = {"keypoints_xyv": shape["keypoints_xyv"], "bbox_xywh_px": shape["bbox_xywh_px"]}
    return replace(annotation, kind=kind, **shape)


def _geometry(
    box: tuple[float, float, float, float] | None, area_px: float | None, **more: Any
) -> dict[str, Any]:
    empty: dict[str, Any] = {"rings_px": (), "mask_rle": "", "mask_size_hw": None, "keypoints_xyv": ()}
    return {**empty, "bbox_xywh_px": box, "area_px": area_px, **more}


def _masked(edit: SetShape | Add, where: str) -> dict[str, Any]:
    assert edit.mask is not None
    height, width = edit.mask.size
    place = f"{where}.mask"
    if not (height > 0 and width > 0 and height * width <= _MAX_MASK_PIXELS):
        raise EditsInvalid(where=place, detail=f"a mask of {width}x{height} px")
    try:
        rle = masks.from_string(edit.mask.counts, (height, width))
    except CalotypeError as error:
        raise EditsInvalid(where=place, detail=error.message) from None
    if not rle.area_px:
        raise EditsInvalid(where=place, detail="the mask has no pixel")
    return _geometry(
        rle.bbox_xywh_px(), float(rle.area_px), mask_rle=edit.mask.counts, mask_size_hw=(height, width)
    )


def _posed(edit: SetShape | Add, class_: Class | None, where: str) -> dict[str, Any]:
    points = [float(value) for value in edit.keypoints or ()]
    named = len(class_.keypoints) if class_ else 0
    place = f"{where}.keypoints"
    if len(points) % 3 or not points:
        raise EditsInvalid(where=place, detail="keypoints are triples x, y, v")
    if named and len(points) != 3 * named:
        assert class_ is not None
        raise EditsInvalid(
            where=place, detail=f"class {class_.name} has {named} keypoints, not {len(points) // 3}"
        )
    if any(v not in _VISIBILITIES for v in points[2::3]):
        raise EditsInvalid(where=place, detail="v is 0 (not labelled), 1 (hidden) or 2 (visible)")
    placed = [(x, y) for x, y, v in zip(points[::3], points[1::3], points[2::3], strict=True) if v > 0]
    if edit.bbox is not None:
        box = _box(edit.bbox, where)
    elif placed:
        xs, ys = [x for x, _ in placed], [y for _, y in placed]
        box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    else:
        raise EditsInvalid(where=place, detail="no keypoint is labelled, and there is no bbox")
    return _geometry(box, box[2] * box[3], keypoints_xyv=tuple(points))


def _ringed(edit: SetShape | Add, kind: Kind, where: str) -> dict[str, Any]:
    if edit.rings is not None:
        rings = tuple(tuple(float(value) for value in ring) for ring in edit.rings)
    else:
        rings = (_turned(edit.rotated or (), where),)
    if not rings or (kind in CORNERED and (len(rings) != 1 or len(rings[0]) != 8)):
        raise EditsInvalid(where=f"{where}.rings", detail=f"a {kind} needs " + _needed(kind))
    problem = shape_problem(str(kind), rings)
    if problem:
        raise EditsInvalid(where=f"{where}.rings", detail=problem)
    area_px = corners.area_of(str(kind), rings)
    if kind not in _FLAT and not area_px:
        raise EditsInvalid(where=f"{where}.rings", detail=f"the {kind} has no area")
    return _geometry(corners.bounds_of(str(kind), rings), area_px, rings_px=rings)


def _needed(kind: Kind) -> str:
    return "the four corners of one rectangle" if kind in CORNERED else "points"


def _turned(values: Sequence[float], where: str) -> corners.Corners:
    """The four corners of centre x, y, width, height, angle in degrees clockwise."""
    if len(values) != 5:
        raise EditsInvalid(where=f"{where}.rotated", detail="it is centre x, y, width, height and degrees")
    x, y, w, h, angle_deg = values
    if w <= 0 or h <= 0:
        raise EditsInvalid(where=f"{where}.rotated", detail="it has no area")
    return corners.corners_of(corners.Rectangle(x, y, w, h, angle_deg))


def _box(values: Sequence[float], where: str) -> tuple[float, float, float, float]:
    if len(values) != 4:
        raise EditsInvalid(where=f"{where}.bbox", detail="a box is left, top, width, height")
    x, y, w, h = (float(value) for value in values)
    if w <= 0 or h <= 0:
        raise EditsInvalid(where=f"{where}.bbox", detail="the box has no area")
    return x, y, w, h


def _check_numbers(edit: SetShape | Add, where: str) -> None:
    lists: Iterable[tuple[str, Sequence[float]]] = [
        *((name, getattr(edit, name) or ()) for name in ("bbox", "rotated", "keypoints")),
        *(("rings", ring) for ring in edit.rings or ()),
    ]
    for name, values in lists:
        if not all(math.isfinite(value) and abs(value) <= MAX_COORDINATE_PX for value in values):
            detail = f"a number is not finite, or beyond {MAX_COORDINATE_PX:,.0f} px"
            raise EditsInvalid(where=f"{where}.{name}", detail=detail)


def _check_inside(box: tuple[float, float, float, float], sample: Sample, where: str) -> None:
    x, y, w, h = box
    if x > sample.width_px or y > sample.height_px or x + w < 0 or y + h < 0:
        detail = f"the shape is outside the image of {sample.width_px}x{sample.height_px} px"
        raise EditsInvalid(where=where, detail=detail)
