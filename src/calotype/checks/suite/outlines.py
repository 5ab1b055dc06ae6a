"""Checks of outlines: shapes with an area, rings that do not cross, rectangles, shapes that fill their box."""

from __future__ import annotations

import numpy as np

from calotype.checks.suite.boxes import rounded, usable_boxes
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally
from calotype.datasets.annotation_columns import KINDS
from calotype.vision import boxes, masks
from calotype.vision.polygon_problems import Polygons
from calotype.vision.shape_patches import mask_problem, rle_of

_MASK = ("mask_rle", "mask_h", "mask_w")
_LARGEST_MASK_PX = 25_000_000


def degenerate_shapes(context: CheckContext, tally: Tally) -> None:
    """Shapes without a usable area, and lines without a length."""
    has_box = usable_boxes(context)
    tally.looked_at = int(has_box.sum())
    box, sides = context.boxes_xywh_px, context.sides_px
    min_side_px = tally.number("min_side_px")
    with np.errstate(invalid="ignore"):
        covers = has_box & context.covers
        flat = covers & (sides <= 0).any(axis=1)
        thin = covers & ~flat & (sides.min(axis=1, initial=np.inf) < min_side_px)

    def describe(row: int) -> Description:
        width, height = sides[row]
        problem = "has no area" if flat[row] else f"is thinner than {min_side_px:g} px"
        facts = {"box_xywh_px": rounded(box[row]), "repair": {"do": "remove-annotation"}}
        return f"the box of {context.class_of(row)} is {width:.6g} x {height:.6g} px and {problem}", facts

    tally.annotations(np.flatnonzero(flat), describe, severity="error", fault="no-area")
    tally.annotations(np.flatnonzero(thin), describe, fault="thin")
    _empty_shapes(context, tally)


def _empty_shapes(context: CheckContext, tally: Tally) -> None:
    empty = {row: why for outlines in context.outlines.values() for row, why in outlines.empty.items()}
    for row, shape in context.shapes("mask", _MASK):
        problem = mask_problem(shape)
        if problem:
            empty[row] = problem

    def describe(row: int) -> Description:
        return empty[row], {"kind": KINDS[context.kinds[row]], "repair": {"do": "remove-annotation"}}

    tally.annotations(sorted(empty), describe, severity="error", fault="empty")


def invalid_polygons(context: CheckContext, tally: Tally) -> None:
    """Rings that cross themselves or have too few points, corners that are not those of a rectangle."""
    outlines = context.outlines.values()
    tally.looked_at = sum(len(of_kind.rows) for of_kind in outlines)
    tally.annotations_by_fault({row: why for of_kind in outlines for row, why in of_kind.invalid.items()})


def shape_mismatch(context: CheckContext, tally: Tally) -> None:
    """Polygons and masks that do not fill their box, masks of another size than their image."""
    mask_rows = context.rows_of_kinds("mask")
    tally.looked_at = sum(len(of_kind.rows) for of_kind in context.outlines.values()) + len(mask_rows)
    mismatches: dict[int, Description] = {}
    for kind, outlines in context.outlines.items():
        mismatches |= _unlike_their_box(context, tally, kind.replace("_", " "), outlines)
    columns = ["mask_w", "mask_h"]
    sizes = context.annotations_with(columns).take(mask_rows).to_pylist() if len(mask_rows) else ()
    widths, heights = context.column("width_px"), context.column("height_px")
    for row, shape in zip(mask_rows.tolist(), sizes, strict=True):
        sample = context.sample_of[row]
        size = [int(shape["mask_w"] or 0), int(shape["mask_h"] or 0)]
        if sample < 0 or size == [widths[sample], heights[sample]]:
            continue
        image = [int(widths[sample]), int(heights[sample])]
        facts = {"fault": "mask-size", "mask_wh_px": size, "image_wh_px": image}
        mismatches[row] = f"the mask is {size[0]}x{size[1]} px, the image {image[0]}x{image[1]}", facts
    tally.annotations_by_fault(mismatches)


def _unlike_their_box(
    context: CheckContext, tally: Tally, kind: str, outlines: Polygons
) -> dict[int, Description]:
    """Shapes that are farther from their box than is usual for a box drawn by hand."""
    rows, bounds = outlines.rows, outlines.bounds_xyxy
    corners = boxes.xywh_to_xyxy(context.boxes_xywh_px[rows])
    gaps_px, longest_px = boxes.side_gaps_px(corners, bounds)
    with np.errstate(invalid="ignore"):
        allowed_px = np.maximum(tally.number("max_gap_px"), tally.number("max_share") * longest_px)
        apart = np.flatnonzero(gaps_px > allowed_px)
    mismatches: dict[int, Description] = {}
    for place in apart.tolist():
        ring_box = [round(value, 2) for value in boxes.xyxy_to_xywh(bounds[place])[0].tolist()]
        gap_px = float(gaps_px[place])
        facts = {"fault": "box", "gap_px": round(gap_px, 2), "rings_xywh_px": ring_box}
        mismatches[int(rows[place])] = f"the {kind} and its box are {gap_px:.1f} px apart", facts
    return mismatches


def mask_islands(context: CheckContext, tally: Tally) -> None:
    """Specks of masks: parts that are tiny beside the largest."""
    tally.looked_at = len(context.rows_of_kinds("mask"))
    islands: dict[int, Description] = {}
    for row, shape in context.shapes("mask", _MASK):
        if not 0 < int(shape["mask_h"] or 0) * int(shape["mask_w"] or 0) <= _LARGEST_MASK_PX:
            continue
        try:
            parts_px = masks.areas_of_parts(masks.decode(rle_of(shape)))
        except masks.RleInvalid:
            continue
        share_px = tally.number("max_share") * parts_px.max(initial=0)
        specks = parts_px[(parts_px < share_px) & (parts_px <= tally.number("max_px"))]
        if len(specks):
            smallest, n = int(specks.min()), len(parts_px)
            facts = {"fault": "islands", "parts": n, "specks": len(specks), "smallest_px": smallest}
            reason = f"{len(specks)} of the mask's {n} parts are specks, the smallest of {smallest} px"
            islands[row] = reason, facts
    tally.annotations_by_fault(islands)


CHECKS = (
    Check(
        name="degenerate-shapes",
        title="Shapes with an area",
        means="A shape has no area, a line no length, or a box is too thin to show anything.",
        fix="draw the shape again, or remove the annotation",
        unit="annotations",
        severity="warning",
        family="structure",
        scope="sample",
        run=degenerate_shapes,
        parameters={"min_side_px": 2.0},
        source="area and sides",
        example="the box of car is 0 x 9 px and has no area",
    ),
    Check(
        name="invalid-polygons",
        title="Invalid polygons",
        means=(
            "A ring crosses itself, has fewer than three points, or coordinates that are not finite; the corners of "
            "a rotated box or an ellipse are not those of a rectangle."
        ),
        fix="draw the outline again",
        unit="shapes of points",
        severity="warning",
        family="structure",
        scope="sample",
        run=invalid_polygons,
        source="segments that cross, sweep by pairs",
        example="a ring of 7 points crosses itself",
    ),
    Check(
        name="shape-mismatch",
        title="Shape and box agree",
        means="A shape does not fill its box, or a mask differs in size from its image.",
        fix="compute the box from the shape again, or decide which of the two is right",
        unit="shapes of points and masks",
        severity="warning",
        family="structure",
        scope="sample",
        run=shape_mismatch,
        parameters={"max_gap_px": 3.0, "max_share": 0.15},
        source="extent of rings, size of masks",
        example="the polygon and its box are 14.0 px apart",
    ),
    Check(
        name="mask-islands",
        title="Specks of masks",
        means="A mask has parts that are tiny beside its largest.",
        fix="remove the specks",
        unit="masks",
        severity="info",
        family="structure",
        scope="sample",
        run=mask_islands,
        parameters={"max_share": 0.01, "max_px": 50.0},
        source="connected parts, 4 neighbours",
        example="2 of the mask's 3 parts are specks, the smallest of 4 px",
    ),
)
