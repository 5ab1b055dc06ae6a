"""Checks of geometry: boxes inside their image, shapes with an area, no annotation twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import KEPT_PER_CHECK, CheckContext, Rows, Tally
from calotype.checks.suite.drawn import drawn, rle_of
from calotype.checks.suite.narrow import KINDS
from calotype.checks.suite.pairs import ClosePairs
from calotype.vision import boxes, masks, polygons

_ROWS = 500_000


def _has_box(context: CheckContext) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(context.boxes_xywh_px).all(axis=1) & (context.sample_of >= 0))


def _shown(box: npt.NDArray[np.float64]) -> list[float]:
    return [round(float(value), 3) for value in box]


def box_bounds(context: CheckContext, tally: Tally) -> None:
    """Boxes that reach beyond their image."""
    rows = np.flatnonzero(_has_box(context))
    tally.looked_at = len(rows)
    parts = [
        _beyond(context, rows[at : at + _ROWS], tally.number("tolerance_px"))
        for at in range(0, len(rows), _ROWS)
    ]
    hit, over = (
        (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else (rows, np.zeros(0))
    )
    order = np.argsort(-over, kind="stable")
    hit, over = hit[order], over[order]
    sizes = _sizes(context, hit)
    box = context.boxes_xywh_px[hit]
    outside = boxes.are_outside(box, size_wh=sizes)
    at = {int(row): k for k, row in enumerate(hit)}

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        k = at[row]
        width, height = (int(v) for v in sizes[k])
        name = context.class_name(context.annotation_column("class_id")[row])
        how = "lies outside" if outside[k] else f"reaches {over[k]:.1f} px beyond"
        has_shape = KINDS[context.kinds[row]] in ("polygon", "mask")
        facts = {
            "box_xywh_px": _shown(box[k]),
            "image_wh_px": [width, height],
            "beyond_px": round(float(over[k]), 3),
            "repair": {"do": "box-of-shape"} if has_shape else _clipped(box[k], width, height),
        }
        return f"the box of {name} {how} the image of {width}x{height} px", facts

    tally.annotations(hit, tell)


def _sizes(context: CheckContext, rows: Rows) -> npt.NDArray[Any]:
    of = context.sample_of[rows]
    return np.stack([context.column("width_px")[of], context.column("height_px")[of]], axis=1)


def _beyond(context: CheckContext, rows: Rows, tolerance_px: float) -> tuple[Rows, npt.NDArray[np.float64]]:
    over = boxes.overshoot_px(context.boxes_xywh_px[rows], size_wh=_sizes(context, rows))
    hit = np.flatnonzero(over > tolerance_px)
    return rows[hit], np.asarray(over[hit], np.float64)


def _clipped(box: npt.NDArray[np.float64], width: int, height: int) -> dict[str, Any]:
    """What to do with a box that reaches beyond its image: clip it, or remove it where nothing would be left."""
    x1, y1 = max(0.0, float(box[0])), max(0.0, float(box[1]))
    x2, y2 = min(float(width), float(box[0] + box[2])), min(float(height), float(box[1] + box[3]))
    if x2 - x1 < 1 or y2 - y1 < 1:
        return {"do": "remove-annotation"}
    return {"do": "set-box", "box_xywh_px": [round(v, 4) for v in (x1, y1, x2 - x1, y2 - y1)]}


def degenerate_shapes(context: CheckContext, tally: Tally) -> None:
    """Boxes, polygons and masks without a usable area."""
    has_box = _has_box(context)
    tally.looked_at = int(has_box.sum())
    box = context.boxes_xywh_px
    with np.errstate(invalid="ignore"):
        none = has_box & ((box[:, 2] <= 0) | (box[:, 3] <= 0))
        thin = has_box & ~none & (np.minimum(box[:, 2], box[:, 3]) < tally.number("min_side_px"))

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        width, height = box[row, 2:]
        name = context.class_name(context.annotation_column("class_id")[row])
        what = "has no area" if none[row] else f"is thinner than {tally.number('min_side_px'):g} px"
        return f"the box of {name} is {width:g} x {height:g} px and {what}", {
            "box_xywh_px": _shown(box[row]), "repair": {"do": "remove-annotation"},
        }  # fmt: skip

    tally.annotations(np.flatnonzero(none), tell, severity="error", fault="no-area")
    tally.annotations(np.flatnonzero(thin), tell, fault="thin")
    _empty_areas(context, tally)


def _empty_areas(context: CheckContext, tally: Tally) -> None:
    told: dict[int, str] = {}
    for row, shape in drawn(context, ("polygon", "mask"), ("kind", "rings", "mask_rle", "mask_h", "mask_w")):
        reason = _polygon_problem(shape["rings"]) if shape["kind"] == "polygon" else _mask_problem(shape)
        if reason:
            told[row] = reason

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        return told[row], {"kind": KINDS[context.kinds[row]], "repair": {"do": "remove-annotation"}}

    tally.annotations(sorted(told), tell, severity="error", fault="empty")


def _polygon_problem(rings: list[list[float]] | None) -> str:
    for ring in rings or []:
        distinct = {(ring[at], ring[at + 1]) for at in range(0, len(ring) - 1, 2)}
        if len(distinct) < 3:
            return f"a ring of the polygon has {len(distinct)} distinct points, an area needs 3"
        if polygons.ring_area(ring) <= 0:
            return f"a ring of {len(distinct)} points lies on one line and has no area"
    return "" if rings else "the polygon has no ring"


def _mask_problem(shape: dict[str, Any]) -> str:
    try:
        rle = rle_of(shape)
    except masks.RleInvalid as error:
        return error.message
    return "" if rle.area_px else "no pixel of the mask is set"


def duplicate_annotations(context: CheckContext, tally: Tally) -> None:
    """Two boxes of one class on one sample that cover the same place."""
    classes = context.annotation_column("class_id")
    tally.looked_at = int(_has_box(context).sum())
    pairs = context.close_pairs
    same = (classes[pairs.first] == classes[pairs.second]) & (pairs.iou > tally.number("min_iou"))
    _tell_pairs(context, tally, pairs, same, "covers the same place as another", {"do": "remove-annotation"})


def conflicting_boxes(context: CheckContext, tally: Tally) -> None:
    """Two boxes of different classes on one sample that cover the same place."""
    classes = context.annotation_column("class_id")
    tally.looked_at = int(_has_box(context).sum())
    pairs = context.close_pairs
    other = (classes[pairs.first] != classes[pairs.second]) & (pairs.iou > tally.number("min_iou"))
    _tell_pairs(context, tally, pairs, other, "covers the same place as a", None)


def nested_boxes(context: CheckContext, tally: Tally) -> None:
    """A box that lies within a larger one of its class."""
    classes = context.annotation_column("class_id")
    tally.looked_at = int(_has_box(context).sum())
    pairs = context.close_pairs
    inside = (classes[pairs.first] == classes[pairs.second]) & (pairs.inside > tally.number("min_inside"))
    small = pairs.iou < tally.number("max_iou")
    _tell_pairs(context, tally, pairs, inside & small, "lies within another", None)


def _tell_pairs(
    context: CheckContext, tally: Tally, pairs: ClosePairs, chosen: npt.NDArray[np.bool_], words: str,
    repair: dict[str, Any] | None,
) -> None:  # fmt: skip
    """A finding on the later box of each pair, once."""
    classes = context.annotation_column("class_id")
    at = np.flatnonzero(chosen)
    partner = dict(zip(pairs.second[at].tolist(), at.tolist(), strict=True))
    told = sorted(partner)[:KEPT_PER_CHECK]
    twins = dict(zip(told, context.ann_ids_at([int(pairs.first[partner[row]]) for row in told]), strict=True))

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        pair = partner[row]
        other = int(pairs.first[pair])
        name = context.class_name(classes[other])
        facts = {
            "twin": twins[row],
            "iou": round(float(pairs.iou[pair]), 4),
            "box_xywh_px": _shown(context.boxes_xywh_px[row]),
        }
        reason = (
            f"the box of {context.class_name(classes[row])} {words} {name} (overlap {pairs.iou[pair]:.3f})"
        )
        return reason, {**facts, "repair": repair} if repair else facts

    tally.annotations(sorted(partner), tell)


CHECKS = (
    Check(
        "box-bounds", "Boxes inside the image",
        "A box reaches beyond the image by more than a tolerance.",
        "move or clip the box", "annotations", "warning", box_bounds, {"tolerance_px": 1.0},
        family="structure", scope="sample",
    ),
    Check(
        "degenerate-shapes", "Shapes with an area",
        "A box, polygon or mask has no area, or a box is too thin to show anything.",
        "draw the shape again, or remove the annotation",
        "annotations", "warning", degenerate_shapes, {"min_side_px": 2.0},
        family="structure", scope="sample",
    ),
    Check(
        "duplicate-annotations", "Annotated twice",
        "Two boxes of one class cover the same place on one sample.",
        "remove one of the two", "annotations", "warning", duplicate_annotations, {"min_iou": 0.95},
        family="structure", scope="sample",
    ),
    Check(
        "conflicting-boxes", "Two classes for one thing",
        "Two boxes of different classes cover the same place on one sample.",
        "decide which class is right and remove the other box",
        "annotations", "warning", conflicting_boxes, {"min_iou": 0.9},
        family="structure", scope="sample",
    ),
    Check(
        "nested-boxes", "A box within a box",
        "A box lies almost wholly within a larger box of the same class.",
        "look whether both things are there, and remove the box that shows none",
        "annotations", "info", nested_boxes, {"min_inside": 0.98, "max_iou": 0.9},
        family="structure", scope="sample",
    ),
)  # fmt: skip
