"""Checks of boxes: inside their image, not drawn twice, of a usual size, steady along a track."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.analysis.robust import deviations_of, middle_and_spread
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import (
    KEPT_PER_CHECK,
    CheckContext,
    Describe,
    Description,
    Rows,
    Tally,
)
from calotype.datasets.annotation_columns import KINDS
from calotype.datasets.fields import parsed, tracks_of
from calotype.datasets.model import CORNERED, RINGED
from calotype.vision import boxes

_ROWS = 500_000


def usable_boxes(context: CheckContext) -> npt.NDArray[np.bool_]:
    """(N,) annotations with a box, on a sample of the state."""
    return np.asarray(np.isfinite(context.boxes_xywh_px).all(axis=1) & (context.sample_of >= 0))


def rounded(box: npt.NDArray[np.float64]) -> list[float]:
    """A box as findings show it."""
    return [round(float(value), 3) for value in box]


def box_bounds(context: CheckContext, tally: Tally) -> None:
    """Boxes that reach beyond their image; of rotated ones the centre, as around a thing cut off they always do."""
    rows = np.flatnonzero(usable_boxes(context))
    tally.looked_at = len(rows)
    beyond_px = np.zeros(len(context.kinds))
    turned = context.are_kinds(*CORNERED)
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        judged = boxes.with_centres(context.boxes_xywh_px[part], turned[part])
        beyond_px[part] = boxes.overshoot_px(judged, size_wh=_image_sizes(context, part))
    rows = np.flatnonzero(beyond_px > tally.number("tolerance_px"))
    rows = rows[np.argsort(-beyond_px[rows], kind="stable")]

    def describe(row: int) -> Description:
        width, height = (int(side) for side in _image_sizes(context, np.asarray([row]))[0])
        box, kind = context.boxes_xywh_px[row], KINDS[context.kinds[row]]
        outside = boxes.are_outside(box, size_wh=(width, height))[0]
        how = "lies outside" if outside else f"reaches {beyond_px[row]:.1f} px beyond"
        has_shape = kind in ("polygon", "mask") or (kind in RINGED and not outside)
        part = "box" if kind not in RINGED or kind == "polygon" else kind.replace("_", " ")
        facts = {
            "box_xywh_px": rounded(box),
            "image_wh_px": [width, height],
            "beyond_px": round(float(beyond_px[row]), 3),
            "repair": {"do": "box-of-shape"} if has_shape else _clipped(box, (width, height)),
        }
        whose = (
            f"the {'centre of the ' if turned[row] and not outside else ''}{part} of {context.class_of(row)}"
        )
        return f"{whose} {how} the image of {width}x{height} px", facts

    tally.annotations(rows, describe)


def _image_sizes(context: CheckContext, rows: Rows) -> npt.NDArray[Any]:
    """(N, 2) width and height of the images of some annotations."""
    samples = context.sample_of[rows]
    return np.stack([context.column("width_px")[samples], context.column("height_px")[samples]], axis=1)


def _clipped(box_xywh_px: npt.NDArray[np.float64], size_wh: tuple[int, int]) -> dict[str, Any]:
    """The repair of a box that reaches beyond its image: clip it, or remove it where nothing would be left."""
    inside = boxes.xyxy_to_xywh(boxes.clip(boxes.xywh_to_xyxy(box_xywh_px), size_wh=size_wh))[0]
    if min(inside[2:]) < 1:
        return {"do": "remove-annotation"}
    return {"do": "set-box", "box_xywh_px": [round(float(value), 4) for value in inside]}


def duplicate_annotations(context: CheckContext, tally: Tally) -> None:
    """Two boxes of one class on one sample that cover the same place."""
    pairs, same = context.close_pairs, _same_class(context)
    chosen = same & (pairs.iou > tally.number("min_iou"))
    _add_pairs(context, tally, chosen, "covers the same place as another", {"do": "remove-annotation"})


def conflicting_boxes(context: CheckContext, tally: Tally) -> None:
    """Two boxes of different classes on one sample that cover the same place."""
    pairs, same = context.close_pairs, _same_class(context)
    _add_pairs(context, tally, ~same & (pairs.iou > tally.number("min_iou")), "covers the same place as a")


def nested_boxes(context: CheckContext, tally: Tally) -> None:
    """A box that lies within a larger one of its class."""
    pairs, same = context.close_pairs, _same_class(context)
    inside = (pairs.inside > tally.number("min_inside")) & (pairs.iou < tally.number("max_iou"))
    _add_pairs(context, tally, same & inside, "lies within another")


def _same_class(context: CheckContext) -> npt.NDArray[np.bool_]:
    classes, pairs = context.annotation_column("class_id"), context.close_pairs
    return np.asarray(classes[pairs.first] == classes[pairs.second])


def _add_pairs(
    context: CheckContext,
    tally: Tally,
    chosen: npt.NDArray[np.bool_],
    words: str,
    repair: dict[str, Any] | None = None,
) -> None:
    """A finding on the later box of each chosen pair, once."""
    tally.looked_at = int((usable_boxes(context) & context.covers).sum())
    pairs = context.close_pairs
    places = np.flatnonzero(chosen)
    pair_of = dict(zip(pairs.second[places].tolist(), places.tolist(), strict=True))
    kept = sorted(pair_of)[:KEPT_PER_CHECK]
    twin_rows = [int(pairs.first[pair_of[row]]) for row in kept]
    twin_ids = context.annotations_at(twin_rows, ["ann_id"])["ann_id"].to_pylist()
    twins = dict(zip(kept, twin_ids, strict=True))

    def describe(row: int) -> Description:
        pair = pair_of[row]
        iou, other = float(pairs.iou[pair]), context.class_of(int(pairs.first[pair]))
        facts = {
            "twin": twins[row],
            "iou": round(iou, 4),
            "box_xywh_px": rounded(context.boxes_xywh_px[row]),
            **({"repair": repair} if repair else {}),
        }
        return f"the box of {context.class_of(row)} {words} {other} (overlap {iou:.3f})", facts

    tally.annotations(sorted(pair_of), describe)


def box_outliers(context: CheckContext, tally: Tally) -> None:
    """Boxes of an unusual size or shape for their class. The last whole run says what is usual."""
    sides, classes = context.sides_px, context.annotation_column("class_id").astype(np.int64)
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((sides > 0).all(axis=1) & context.covers & (context.sample_of >= 0))
    tally.looked_at = len(rows)
    width, height = np.log(sides[rows]).T
    figures = {"area": width + height, "aspect": width - height}
    if not tally.reference:
        min_boxes = int(tally.number("min_boxes"))
        for name, values in figures.items():
            tally.reference[name] = middle_and_spread(values, classes[rows], min_boxes=min_boxes)
    for name, values in figures.items():
        deviations, off = deviations_of(values, classes[rows], tally.reference[name])
        odd = np.flatnonzero(np.abs(deviations) > tally.number("max_deviations"))
        odd = odd[np.argsort(-np.abs(deviations[odd]), kind="stable")]
        tally.annotations(rows[odd], _odd_box(context, name, rows[odd], deviations[odd], np.exp(off[odd])))


def _odd_box(
    context: CheckContext,
    name: str,
    rows: Rows,
    deviations: npt.NDArray[np.float64],
    times: npt.NDArray[np.float64],
) -> Describe:
    figures = dict(zip(rows.tolist(), zip(deviations.tolist(), times.tolist(), strict=True), strict=True))

    def describe(row: int) -> Description:
        z, factor = figures[row]
        box = [round(float(value), 2) for value in context.boxes_xywh_px[row]]
        facts = {"fault": name, "box_xywh_px": box, "deviations": round(z, 2)}
        usual = f"the usual of {context.class_of(row)}"
        return f"its {name} is {factor:.3g} times {usual} ({abs(z):.1f} deviations)", facts

    return describe


def track_jumps(context: CheckContext, tally: Tally) -> None:
    """Boxes of one track that jump from frame to frame, or change their class.

    Tracks are the attribute `track_id`, frames the metadata field `frame`, within one `video` and group.
    """
    texts = context.annotations_with(["attributes"])["attributes"]
    tracked = np.flatnonzero(pc.fill_null(pc.match_substring(texts, '"track_id"'), False).to_numpy())
    tally.looked_at = len(tracked)
    if not len(tracked):
        return
    attributes = dict(zip(tracked.tolist(), texts.take(pa.array(tracked)).to_pylist(), strict=True))
    metadata = list(parsed(context.column("metadata").tolist()))
    tracks = tracks_of(attributes, context.sample_of, metadata, context.column("group"))
    problems: dict[int, Description] = {}
    for places in tracks:
        problems.update(_track_problems(context, places, tally.number("max_jump")))
    tally.annotations(sorted(problems), problems.__getitem__)


def _track_problems(
    context: CheckContext, places: list[tuple[float, int]], max_jump: float
) -> dict[int, Description]:
    """Row -> what is wrong there on one track; `places` are frames and rows, in order."""
    problems: dict[int, Description] = {}
    frames, rows = np.asarray([frame for frame, _ in places]), [row for _, row in places]
    box = np.where(context.are_kinds("point")[rows, None], np.nan, context.boxes_xywh_px[rows])
    jumps = boxes.jumps_in_sizes(box, frames).tolist()  # NaN for points, which have no size to compare with
    for (row, next_row), jump in zip(pairwise(rows), jumps, strict=True):
        names = [context.class_of(row), context.class_of(next_row)]
        if context.annotation_column("class_id")[row] != context.annotation_column("class_id")[next_row]:
            facts: dict[str, Any] = {"fault": "class", "classes": names}
            problems[next_row] = f"the track changes from {names[0]} to {names[1]}", facts
        elif jump > max_jump:
            facts = {"fault": "jump", "sizes": round(jump, 3)}
            problems[next_row] = f"the track jumps by {jump:.1f} of its size a frame", facts
    return problems


CHECKS = (
    Check(
        name="box-bounds",
        title="Boxes inside the image",
        means=(
            "A box or a shape reaches beyond the image by more than a tolerance, or the centre of a rotated box or "
            "an ellipse lies beyond it."
        ),
        fix="move or clip the box",
        unit="annotations",
        severity="warning",
        family="structure",
        scope="sample",
        run=box_bounds,
        parameters={"tolerance_px": 1.0},
        source="boxes are continuous pixels (decision 0008)",
        example="the box of car reaches 9.0 px beyond the image of 640x480 px",
    ),
    Check(
        name="duplicate-annotations",
        title="Annotated twice",
        means="Two boxes of one class cover the same place on one sample.",
        fix="remove one of the two",
        unit="annotations",
        severity="warning",
        family="structure",
        scope="sample",
        run=duplicate_annotations,
        parameters={"min_iou": 0.95},
        source="intersection over union",
        example="the box of car covers the same place as another car (overlap 0.981)",
    ),
    Check(
        name="conflicting-boxes",
        title="Two classes for one object",
        means="Two boxes of different classes cover the same place on one sample.",
        fix="decide which class is right and remove the other box",
        unit="annotations",
        severity="warning",
        family="structure",
        scope="sample",
        run=conflicting_boxes,
        parameters={"min_iou": 0.9},
        source="intersection over union",
        example="the box of bus covers the same place as a truck (overlap 0.942)",
    ),
    Check(
        name="nested-boxes",
        title="A box within a box",
        means="A box lies almost entirely within a larger box of the same class.",
        fix="check whether there are two objects, and remove the box that shows none",
        unit="annotations",
        severity="info",
        family="structure",
        scope="sample",
        run=nested_boxes,
        parameters={"min_inside": 0.98, "max_iou": 0.9},
        source="share of the smaller box",
        example="the box of car lies within another car (overlap 0.310)",
    ),
    Check(
        name="track-jumps",
        title="Steady tracks",
        means="A track jumps between frames by more than its size, or changes its class.",
        fix="look at the frames before and after; split the track if two objects share it",
        unit="tracked annotations",
        severity="warning",
        family="tracks",
        run=track_jumps,
        parameters={"max_jump": 1.5},
        source="distance of centres over size",
        example="the track jumps by 3.2 of its size a frame",
    ),
    Check(
        name="box-outliers",
        title="Unusual boxes",
        means="A box is far larger, smaller, wider or narrower than boxes of its class usually are.",
        fix="check whether the box and its class are right",
        unit="annotations",
        severity="info",
        family="structure",
        scope="sample",
        run=box_outliers,
        parameters={"max_deviations": 5.0, "min_boxes": 30},
        source="median and median deviation of log area and log aspect",
        example="its area is 0.002 times the usual of car (6.1 deviations)",
    ),
)
