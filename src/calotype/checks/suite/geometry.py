"""Checks of what is drawn: rings that cross themselves, shapes off their box, islands, keypoints, tracks, odd boxes."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow.compute as pc

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Tally, Tell
from calotype.checks.suite.drawn import drawn, rle_of
from calotype.vision import masks, polygons

_DRAWN = (
    "kind",
    "x",
    "y",
    "w",
    "h",
    "rings",
    "mask_rle",
    "mask_h",
    "mask_w",
    "keypoints",
    "class_id",
    "sample_id",
)
_LARGEST_MASK = 25_000_000
Judge = Callable[[dict[str, Any]], tuple[str, dict[str, Any]] | None]


def _judge(context: CheckContext, tally: Tally, kinds: tuple[str, ...], judge: Judge) -> None:
    told: dict[int, tuple[str, dict[str, Any]]] = {}
    for row, shape in drawn(context, kinds, _DRAWN):
        tally.looked_at += 1
        said = judge(shape)
        if said is not None:
            told[row] = said
    for fault in dict.fromkeys(str(facts["fault"]) for _, facts in told.values()):
        rows = sorted(row for row, (_, facts) in told.items() if facts["fault"] == fault)
        tally.annotations(rows, told.__getitem__)


def invalid_polygons(context: CheckContext, tally: Tally) -> None:
    """Rings that cross themselves, or have too few points."""

    def judge(shape: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        for ring in shape["rings"] or ():
            problem = polygons.ring_problem(ring)
            if problem:
                return f"a ring of the polygon is not valid: {problem}", {"fault": "points"}
            if polygons.crosses_itself(ring):
                return f"a ring of {len(ring) // 2} points crosses itself", {"fault": "crosses-itself"}
        return None

    _judge(context, tally, ("polygon",), judge)


def shape_mismatch(context: CheckContext, tally: Tally) -> None:
    """Polygons and masks that do not fill their box, masks of another size than their image."""
    limit = tally.number("max_gap_px")
    widths, heights = context.column("width_px"), context.column("height_px")
    rows_of = dict(zip(context.samples["sample_id"].to_pylist(), range(context.n_samples), strict=True))

    def judge(shape: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        row = rows_of.get(shape["sample_id"], -1)
        if shape["kind"] == "mask":
            size = [int(shape["mask_w"] or 0), int(shape["mask_h"] or 0)]
            if row >= 0 and size != [int(widths[row]), int(heights[row])]:
                image = [int(widths[row]), int(heights[row])]
                return (
                    f"the mask is {size[0]}x{size[1]} px, the image {image[0]}x{image[1]}",
                    {"fault": "mask-size", "mask_wh_px": size, "image_wh_px": image},
                )
            return None
        if shape["x"] is None or not shape["rings"]:
            return None
        x, y, w, h = polygons.rings_bbox_xywh(shape["rings"])
        own = (shape["x"], shape["y"], shape["x"] + shape["w"], shape["y"] + shape["h"])
        gap = max(abs(a - b) for a, b in zip(own, (x, y, x + w, y + h), strict=True))
        if gap <= max(limit, tally.number("max_share") * max(w, h, shape["w"], shape["h"])):
            return None
        facts = {
            "fault": "box",
            "gap_px": round(gap, 2),
            "rings_xywh_px": [round(v, 2) for v in (x, y, w, h)],
        }
        return f"the polygon and its box are {gap:.1f} px apart", facts

    _judge(context, tally, ("polygon", "mask"), judge)


def mask_islands(context: CheckContext, tally: Tally) -> None:
    """Specks of masks: parts that are tiny beside the largest."""
    share, most = tally.number("max_share"), tally.number("max_px")

    def judge(shape: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        size = (int(shape["mask_h"] or 0), int(shape["mask_w"] or 0))
        if not 0 < size[0] * size[1] <= _LARGEST_MASK:
            return None
        try:
            mask = masks.decode(rle_of(shape))
        except masks.RleInvalid:
            return None
        from scipy import ndimage  # heavy, and only for masks

        labelled, n = ndimage.label(mask)
        if n < 2:
            return None
        areas = np.bincount(labelled.ravel())[1:]
        specks = areas[(areas < share * areas.max()) & (areas <= most)]
        if not len(specks):
            return None
        facts = {"fault": "islands", "parts": int(n), "specks": len(specks), "smallest_px": int(specks.min())}
        return (
            f"{len(specks)} of the mask's {n} parts are specks, the smallest of {int(specks.min())} px",
            facts,
        )

    _judge(context, tally, ("mask",), judge)


def keypoints(context: CheckContext, tally: Tally) -> None:
    """Keypoints outside their box, visible ones at the corner of the image, and left and right swapped."""
    slack = tally.number("slack")
    names = {c.id: tuple(c.keypoints) for c in context.snapshot.ontology.classes}

    def judge(shape: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        points = np.asarray(shape["keypoints"] or [], np.float64)
        if points.size % 3 or not points.size:
            return f"it has {points.size} numbers, not three a point", {"fault": "count"}
        points = points.reshape(-1, 3)
        asked = names.get(shape["class_id"], ())
        if asked and len(asked) != len(points):
            return f"it has {len(points)} points, its class {len(asked)}", {"fault": "count"}
        seen = points[:, 2] > 0
        if (seen & (points[:, 0] == 0) & (points[:, 1] == 0)).any():
            return "a visible point lies at 0, 0", {"fault": "at-zero"}
        pad = slack * max(shape["w"], shape["h"])
        low = np.asarray([shape["x"] - pad, shape["y"] - pad])
        high = np.asarray([shape["x"] + shape["w"] + pad, shape["y"] + shape["h"] + pad])
        out = seen & ((points[:, :2] < low) | (points[:, :2] > high)).any(axis=1)
        if out.any():
            return f"{int(out.sum())} visible points lie outside the box", {"fault": "outside-box"}
        return _swapped(points, asked)

    _judge(context, tally, ("keypoints",), judge)


_STIFF = ("eye", "ear", "shoulder", "hip")
"""Pairs that keep their sides; knees and ankles cross in walking."""


def _swapped(points: np.ndarray[Any, Any], names: tuple[str, ...]) -> tuple[str, dict[str, Any]] | None:
    """Pairs of left and right that disagree with the others on which side is which."""
    place = {name: at for at, name in enumerate(names)}
    sides, pairs = [], []
    for name, left in place.items():
        stiff = "left" in name and any(part in name for part in _STIFF)
        right = place.get(name.replace("left", "right"), -1) if stiff else -1
        if right >= 0 and points[left, 2] > 0 and points[right, 2] > 0:
            sides.append(points[left, 0] - points[right, 0])
            pairs.append((left, right))
    turned = np.sign(sides)
    if len(pairs) < 3 or abs(turned.sum()) == len(pairs) or (abs(turned.sum()) < len(pairs) - 2):
        return None
    odd = [pair for pair, sign in zip(pairs, turned, strict=True) if sign == -np.sign(turned.sum())]
    if len(odd) != 1:
        return None
    left, right = odd[0]
    mended = points.copy()
    mended[[left, right]] = mended[[right, left]]
    facts = {
        "fault": "swapped", "points": [names[left], names[right]],
        "repair": {"do": "set-keypoints", "keypoints_xyv": mended.ravel().tolist()},
    }  # fmt: skip
    return f"{names[left]} and {names[right]} look swapped: all other pairs face the other way", facts


def track_jumps(context: CheckContext, tally: Tally) -> None:
    """Boxes of one track that jump from frame to frame, or change their class. Tracks are the attribute `track_id`,
    frames the metadata field `frame` within one group."""
    texts = context.annotations_with(["attributes"])["attributes"]
    tracked = np.flatnonzero(pc.fill_null(pc.match_substring(texts, '"track_id"'), False).to_numpy())
    tally.looked_at = len(tracked)
    if not len(tracked):
        return
    frames = [json.loads(text or "{}").get("frame") for text in context.column("metadata").tolist()]
    groups = context.column("group")
    of_track: dict[tuple[str, Any], list[tuple[float, int]]] = {}
    for row in tracked.tolist():
        sample = int(context.sample_of[row])
        frame = frames[sample] if sample >= 0 else None
        if isinstance(frame, int | float):
            track = json.loads(texts[row].as_py())["track_id"]
            of_track.setdefault((str(groups[sample]), str(track)), []).append((float(frame), row))
    told: dict[int, tuple[str, dict[str, Any]]] = {}
    for places in of_track.values():
        told.update(_jumps(context, sorted(places), tally.number("max_jump")))
    tally.annotations(sorted(told), told.__getitem__)


def _jumps(
    context: CheckContext, places: list[tuple[float, int]], most: float
) -> dict[int, tuple[str, dict[str, Any]]]:  # fmt: skip
    told: dict[int, tuple[str, dict[str, Any]]] = {}
    classes = context.annotation_column("class_id")
    for (frame, row), (later, following) in pairwise(places):
        a, b = context.boxes_xywh_px[row], context.boxes_xywh_px[following]
        size = max(float(np.sqrt(max(a[2] * a[3], 1))), 1.0) * max(1.0, later - frame)
        moved = float(np.hypot(*(a[:2] + a[2:] / 2 - b[:2] - b[2:] / 2))) / size
        if classes[row] != classes[following]:
            names = [context.class_name(classes[one]) for one in (row, following)]
            told[following] = (
                f"the track changes from {names[0]} to {names[1]}",
                {"fault": "class", "classes": names},
            )
        elif moved > most:
            told[following] = (
                f"the track jumps by {moved:.1f} of its size a frame", {"fault": "jump", "sizes": round(moved, 3)},
            )  # fmt: skip
    return told


def box_outliers(context: CheckContext, tally: Tally) -> None:
    """Boxes of an unusual size or shape for their class. What is usual is kept from the last whole run."""
    box, classes = context.boxes_xywh_px, context.annotation_column("class_id").astype(np.int64)
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((box[:, 2] > 0) & (box[:, 3] > 0) & (context.sample_of >= 0))
    tally.looked_at = len(rows)
    figures = {
        "area": np.log(box[rows, 2]) + np.log(box[rows, 3]),
        "aspect": np.log(box[rows, 2] / box[rows, 3]),
    }
    if not tally.reference:
        least = int(tally.number("min_boxes"))
        tally.reference.update(
            {name: _usual(values, classes[rows], least) for name, values in figures.items()}
        )
    for name, values in figures.items():
        known = tally.reference[name]
        numbers = np.asarray([int(key) for key in known], np.int64)
        place = np.searchsorted(np.sort(numbers), classes[rows]).clip(0, max(0, len(numbers) - 1))
        if not len(numbers):
            continue
        middle, spread = np.asarray([known[str(number)] for number in np.sort(numbers)]).T
        z = np.where(np.sort(numbers)[place] == classes[rows], (values - middle[place]) / spread[place], 0)
        hit = np.flatnonzero(np.abs(z) > tally.number("max_deviations"))
        hit = hit[np.argsort(-np.abs(z[hit]), kind="stable")]
        factor = np.exp(values[hit] - middle[place[hit]])
        tally.annotations(
            rows[hit],
            _odd(context, name, dict(zip(rows[hit].tolist(), zip(z[hit], factor, strict=True), strict=True))),
        )


def _odd(context: CheckContext, name: str, figures: dict[int, tuple[float, float]]) -> Tell:
    def tell(row: int) -> tuple[str, dict[str, Any]]:
        z, factor = (float(value) for value in figures[row])
        cls = context.class_name(context.annotation_column("class_id")[row])
        size = [round(float(v), 2) for v in context.boxes_xywh_px[row]]
        facts = {"fault": name, "box_xywh_px": size, "deviations": round(z, 2)}
        return f"its {name} is {factor:.3g} times the usual of {cls} ({abs(z):.1f} deviations)", facts

    return tell


def _usual(values: np.ndarray[Any, Any], classes: np.ndarray[Any, Any], least: int) -> dict[str, list[float]]:
    """Class id -> median and robust deviation, of classes with enough values."""
    found = {}
    order = np.argsort(classes, kind="stable")
    numbers, starts = np.unique(classes[order], return_index=True)
    for number, part in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True) if len(order) else ():
        if len(part) >= least:
            middle = float(np.median(values[part]))
            spread = 1.4826 * float(np.median(np.abs(values[part] - middle)))
            found[str(number)] = [middle, max(spread, 0.05)]
    return found


CHECKS = (
    Check(
        "invalid-polygons", "Polygons that are none",
        "A ring crosses itself, has fewer than three points, or points that are no numbers.",
        "draw the outline again", "polygons", "warning", invalid_polygons, family="structure", scope="sample",
    ),
    Check(
        "shape-mismatch", "Shape and box agree",
        "A polygon does not fill its box, or a mask has another size than its image.",
        "take the box anew from the shape, or look which of the two is right",
        "polygons and masks", "warning", shape_mismatch,
        {"max_gap_px": 3.0, "max_share": 0.15}, family="structure", scope="sample",
    ),
    Check(
        "mask-islands", "Specks of masks",
        "A mask has parts that are tiny beside its largest.",
        "remove the specks", "masks", "info", mask_islands, {"max_share": 0.01, "max_px": 50.0},
        family="structure", scope="sample",
    ),
    Check(
        "keypoints", "Keypoints in place",
        "Visible keypoints lie outside their box or at 0, 0, left and right are swapped, or their number is wrong.",
        "move the point, or swap the two sides", "keypoint annotations", "warning", keypoints, {"slack": 0.25},
        family="structure", scope="sample",
    ),
    Check(
        "track-jumps", "Steady tracks",
        "A track jumps between frames by more than its size, or changes its class.",
        "look at the frames before and after; split the track where two things share it",
        "tracked annotations", "warning", track_jumps, {"max_jump": 1.5}, family="tracks", scope="dataset",
    ),
    Check(
        "box-outliers", "Unusual boxes",
        "A box is far larger, smaller, wider or narrower than boxes of its class usually are.",
        "look whether the box and its class are right", "annotations", "info", box_outliers,
        {"max_deviations": 5.0, "min_boxes": 30}, family="structure", scope="sample",
    ),
)  # fmt: skip
