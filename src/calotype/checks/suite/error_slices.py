"""Where a model's errors concentrate: slices by condition, class, size and split."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from calotype.analysis.metadata_values import fields_of
from calotype.analysis.slice_columns import (
    OTHER,
    SliceColumn,
    column_of,
    explained,
    most_conditions,
    same_labels,
    texts_column,
)
from calotype.checks.suite.annotation_columns import KINDS
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Rows, Tally
from calotype.checks.suite.predictions import corners_of, predictions, scores_of
from calotype.vision import boxes

_MOST_CLASSES = 300
_MOST_COLUMNS = 30
_SIZES = ("small", "medium", "large")
_SIZE_EDGES_PX2 = (32.0**2, 96.0**2)
"""COCO's: areas below 32 x 32 are small, from 96 x 96 px on large."""


def error_slices(context: CheckContext, tally: Tally) -> None:
    """Conditions under which a model errs more often than elsewhere, among labels that it was asked about."""
    judged = _judged(context, tally)
    if judged is None:
        return
    rows, wrong = judged
    tally.looked_at = len(rows)
    tally.reference["error_rate"] = round(float(wrong.mean()), 4) if len(rows) else None
    if len(rows) < 2 * tally.number("min_n") or not wrong.any():
        return
    from calotype.analysis.model_errors import cluster_p_value  # heavy to load
    from calotype.analysis.slices import find_slices

    columns = _columns(context, rows)
    pictures = context.sample_of[rows]
    codes = {name: column.codes for name, column in columns.items()}
    told: list[tuple[npt.NDArray[np.bool_], dict[str, Any]]] = []
    stratum = np.zeros(len(rows), np.int64)
    for one in find_slices(codes, wrong, most_conditions(len(columns), len(rows)), most_values=_MOST_CLASSES):
        inside = np.ones(len(rows), bool)
        for name, code in one.conditions.items():
            inside &= codes[name] == code
        rest = (int(wrong.sum()) - one.n_errors) / max(1, len(rows) - one.n)
        if one.n < tally.number("min_n") or one.error_rate < tally.number("times") * rest:
            continue
        sure = max(one.q_value, cluster_p_value(wrong, inside, pictures))
        values = {name: columns[name].values[int(one.conditions[name])] for name in sorted(one.conditions)}
        if sure > tally.number("max_q") or OTHER in values.values():
            continue
        twin = same_labels(inside, [labels for labels, _ in told])
        if twin >= 0:
            told[twin][1]["same_as"].append(dict(values))
            continue
        if told and explained(inside, wrong, stratum):
            continue
        ranges = {n: list(columns[n].ranges[v]) for n, v in values.items() if v in columns[n].ranges}
        facts = {
            "conditions": values, "n": one.n, "n_errors": one.n_errors, "error_rate": round(one.error_rate, 4),
            "interval": [round(v, 4) for v in one.interval], "q_value": float(f"{sure:.3g}"),
            "usual_rate": round(rest, 4), "ranges": ranges, "same_as": [],
        }  # fmt: skip
        told.append((inside, facts))
        _, stratum = np.unique(2 * stratum + inside, return_inverse=True)
        _tell(context, tally, facts)


def _tell(context: CheckContext, tally: Tally, facts: dict[str, Any]) -> None:
    about = " and ".join(f"{name} is {value}" for name, value in facts["conditions"].items())
    how = f"{facts['error_rate']:.0%} of {facts['n']} labels, elsewhere on {facts['usual_rate']:.0%}"
    tally.dataset(
        f"where {about}, the model is wrong on {how}", facts,
        label_set=context.label_set, fault="slice", about=about,
    )  # fmt: skip


def _judged(context: CheckContext, tally: Tally) -> tuple[Rows, npt.NDArray[np.bool_]] | None:
    """Rows of labels that the model was asked about, and whether it is wrong; None without predictions."""
    table = predictions(context, ["sample_id", "kind", "class_id", "x", "y", "w", "h", "score"])
    if table is None:
        return None
    from calotype.analysis.model_errors import found_boxes, named_classes  # heavy to load

    of = context.rows_of(table["sample_id"])
    classes, scores, corners = (
        table["class_id"].to_numpy().astype(np.int64),
        scores_of(table),
        corners_of(table),
    )
    whole = pc.equal(table["kind"], "classification").to_numpy()
    asked = _asked(context, of)
    own, ours = context.sample_of, context.annotation_column("class_id").astype(np.int64)
    crowd = context.annotations_with(["iscrowd"])["iscrowd"].fill_null(False).to_numpy()
    known = (own >= 0) & asked[own] & ~crowd
    tags = np.flatnonzero(known & (context.kinds == KINDS.index("classification")))
    told = np.flatnonzero(whole & (of >= 0))
    tags = tags[np.isin(own[tags], of[told])]
    right = named_classes(own[tags], ours[tags], of[told], classes[told], scores[told])
    with np.errstate(invalid="ignore"):
        things = np.flatnonzero(known & (context.boxes_xywh_px[:, 2:] > 0).all(axis=1))
        drawn = np.isfinite(corners).all(axis=1) & (scores >= tally.number("min_score")) & (of >= 0)
    seen = np.flatnonzero(drawn)
    if not np.isfinite(corners[of >= 0]).all(axis=1).any():
        things = things[:0]
    width = int(max(ours.max(initial=0), classes.max(initial=0))) + 1
    hit = found_boxes(
        boxes.xywh_to_xyxy(context.boxes_xywh_px[things]), own[things] * width + ours[things],
        corners[seen], of[seen] * width + classes[seen], min_iou=tally.number("min_iou"),
    )  # fmt: skip
    return np.concatenate([tags, things]), np.concatenate([~right, ~hit])


def _asked(context: CheckContext, of: Rows) -> npt.NDArray[np.bool_]:
    """(n_samples,) whether the model was asked: not where a whole split has no prediction."""
    splits = context.column("split").astype(str)
    seen = np.unique(splits[np.unique(of[of >= 0])])
    return np.asarray(np.isin(splits, seen), bool)


def _columns(context: CheckContext, rows: Rows) -> dict[str, SliceColumn]:
    """What labels are sliced by: class, size of the box, split, and the metadata of their samples."""
    of = context.sample_of[rows]
    classes, place = np.unique(context.annotation_column("class_id")[rows], return_inverse=True)
    names = [context.class_name(number) for number in classes.tolist()]
    found = {"class": texts_column([names[k] for k in place.tolist()], _MOST_CLASSES)}
    with np.errstate(invalid="ignore"):
        area = context.boxes_xywh_px[rows, 2:].prod(axis=1)
    size = np.where(np.isfinite(area), np.searchsorted(_SIZE_EDGES_PX2, area, side="right"), len(_SIZES))
    found["box size"] = SliceColumn(size.astype(np.int64), (*_SIZES, "the whole image"), {})
    used = np.zeros(context.n_samples, bool)
    used[of] = True
    samples = np.flatnonzero(used)
    position = np.cumsum(used) - 1
    found["split"] = texts_column([str(v) if v else None for v in context.column("split")[samples].tolist()])
    held = list(fields_of(context.column("metadata")[samples].tolist()))
    counts = Counter(name for values in held for name in values)
    wanted = [name for name in context.contract.metadata if counts[name]]
    wanted += [name for name, _ in counts.most_common() if name not in wanted]
    for name in wanted[:_MOST_COLUMNS]:
        own = name if name not in found else f"{name} (metadata)"
        found[own] = column_of([values.get(name) for values in held])
    return {
        name: column if name in ("class", "box size") else
        SliceColumn(column.codes[position[of]], column.values, column.ranges) for name, column in found.items()
    }  # fmt: skip


CHECKS = (
    Check(
        "error-slices", "Where the model errs",
        "A model is wrong more often under some conditions, of a class, a size or a split, than elsewhere. A label is "
        "wrong when the predicted class differs, or no box of its class overlaps it.",
        "look at the labels of the slice; collect more such samples where the labels are right", "labels", "info",
        error_slices, {"max_q": 0.05, "min_n": 30, "times": 1.5, "min_iou": 0.5, "min_score": 0.25},
        family="labels", cost="predictions",
        source="exhaustive search as Y. Chung et al., Slice Finder, 2019; Benjamini and Hochberg; errors of one "
        "picture count together (W. Cochran, 1977)",
        example="where light is night, the model is wrong on 41% of 120 labels, elsewhere on 8%",
    ),
)  # fmt: skip
