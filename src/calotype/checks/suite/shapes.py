"""Checks of geometry: boxes inside their image, shapes with an area, no annotation twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Rows, Tally
from calotype.vision import boxes, masks, polygons


def _has_box(context: CheckContext) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(context.boxes_xywh_px).all(axis=1) & (context.sample_of >= 0))


def _shown(box: npt.NDArray[np.float64]) -> list[float]:
    return [round(float(value), 3) for value in box]


def box_bounds(context: CheckContext, tally: Tally) -> None:
    """Boxes that reach beyond their image."""
    rows = np.flatnonzero(_has_box(context))
    tally.looked_at = len(rows)
    sizes = np.stack([context.column("width_px"), context.column("height_px")], axis=1)[
        context.sample_of[rows]
    ]
    box = context.boxes_xywh_px[rows]
    over = boxes.overshoot_px(box, size_wh=sizes)
    outside = boxes.are_outside(box, size_wh=sizes)
    hit = np.flatnonzero(over > tally.number("tolerance_px"))
    order = hit[np.argsort(-over[hit], kind="stable")]
    at = {int(rows[k]): int(k) for k in order}

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        k = at[row]
        width, height = (int(v) for v in sizes[k])
        name = context.class_name(context.annotation_column("class_id")[row])
        how = "lies outside" if outside[k] else f"reaches {over[k]:.1f} px beyond"
        facts = {
            "box_xywh_px": _shown(box[k]),
            "image_wh_px": [width, height],
            "beyond_px": round(float(over[k]), 3),
            "repair": _clipped(box[k], width, height),
        }
        return f"the box of {name} {how} the image of {width}x{height} px", facts

    tally.annotations(rows[order], tell)


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
    kinds = context.annotation_column("kind")
    if not np.isin(kinds, ["polygon", "mask"]).any():
        return
    wanted = ["ann_id", "kind", "rings", "mask_rle", "mask_h", "mask_w"]
    shapes = context.annotations_with(wanted)
    shapes = shapes.filter(pc.is_in(shapes["kind"], value_set=pa.array(["polygon", "mask"])))
    found = pc.index_in(shapes["ann_id"], value_set=context.annotations["ann_id"].combine_chunks())
    told: dict[int, str] = {}
    for batch in shapes.append_column("row", found).to_batches(max_chunksize=10_000):
        for shape in batch.to_pylist():
            reason = _polygon_problem(shape["rings"]) if shape["kind"] == "polygon" else _mask_problem(shape)
            if reason:
                told[int(shape["row"])] = reason

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        return told[row], {"kind": str(kinds[row]), "repair": {"do": "remove-annotation"}}

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
        rle = masks.from_string(
            shape["mask_rle"] or "", (int(shape["mask_h"] or 0), int(shape["mask_w"] or 0))
        )
    except masks.RleInvalid as error:
        return error.message
    return "" if rle.area_px else "no pixel of the mask is set"


def duplicate_annotations(context: CheckContext, tally: Tally) -> None:
    """Two boxes of one class on one sample that cover the same place."""
    classes = context.annotation_column("class_id")
    rows = np.flatnonzero(_has_box(context))
    rows = rows[boxes.areas(context.boxes_xywh_px[rows]) > 0]
    tally.looked_at = len(rows)
    order = rows[np.lexsort((rows, context.boxes_xywh_px[rows, 0], classes[rows], context.sample_of[rows]))]
    twin_of, overlap = _twins(context, order, classes, tally.number("min_iou"))

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        twin = str(context.annotations["ann_id"][twin_of[row]].as_py())
        name = context.class_name(classes[row])
        reason = f"it covers the same place as another {name} (overlap {overlap[row]:.3f})"
        return reason, {
            "twin": twin,
            "iou": round(overlap[row], 4),
            "box_xywh_px": _shown(context.boxes_xywh_px[row]),
            "repair": {"do": "remove-annotation"},
        }

    tally.annotations(sorted(twin_of), tell)


def _twins(
    context: CheckContext, order: Rows, classes: npt.NDArray[Any], min_iou: float
) -> tuple[dict[int, int], dict[int, float]]:  # fmt: skip
    """Compare each box with those after it (by left edge) in its sample and class, all at once."""
    twin_of: dict[int, int] = {}
    overlap: dict[int, float] = {}
    corners = boxes.xywh_to_xyxy(context.boxes_xywh_px[order])
    for step in range(1, len(order)):
        a, b = corners[:-step], corners[step:]
        same = (classes[order[:-step]] == classes[order[step:]]) & (
            context.sample_of[order[:-step]] == context.sample_of[order[step:]]
        )
        near = same & (b[:, 0] <= a[:, 0] + (a[:, 2] - a[:, 0]) * (1 - min_iou) + 1e-9)
        if not near.any():
            break  # sorted by left edge: what is further right only gets further away
        k = np.flatnonzero(near)
        for at, value in zip(k.tolist(), _iou(a[k], b[k]).tolist(), strict=True):
            if value > min_iou:
                first, second = sorted((int(order[at]), int(order[at + step])))
                if second not in twin_of:
                    twin_of[second], overlap[second] = first, float(value)
    return twin_of, overlap


def _iou(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    sides = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    shared = sides[:, 0] * sides[:, 1]
    union = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


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
)  # fmt: skip
