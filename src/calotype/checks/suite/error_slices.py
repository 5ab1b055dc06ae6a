"""Where a model's errors concentrate: slices by condition, class, size and split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from calotype.analysis.model_errors import cluster_p_value, named_classes, overlapped_boxes
from calotype.analysis.slice_columns import (
    MAX_CLASSES,
    OTHER,
    SliceColumn,
    column_of_sizes,
    column_of_texts,
    column_of_values,
    is_explained,
    max_conditions,
)
from calotype.analysis.slices import find_slices
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Rows, Tally
from calotype.checks.suite.predictions import predictions
from calotype.datasets.annotation_columns import KINDS, corners_of, scores_of
from calotype.datasets.fields import parsed
from calotype.vision import boxes

_MAX_COLUMNS = 30


def error_slices(context: CheckContext, tally: Tally) -> None:
    """Conditions under which a model is wrong more often than elsewhere, among labels that it was asked about."""
    judged = _judged(context, tally)
    if judged is None:
        return
    rows, wrong = judged
    tally.looked_at = len(rows)
    tally.reference["error_rate"] = round(float(wrong.mean()), 4) if len(rows) else None
    if len(rows) < 2 * tally.number("min_n") or not wrong.any():
        return
    for facts in _slices(_columns(context, rows), wrong, context.sample_of[rows], tally):
        about = " and ".join(f"{name} is {value}" for name, value in facts["conditions"].items())
        share = f"{facts['error_rate']:.0%} of {facts['n']} labels, elsewhere on {facts['usual_rate']:.0%}"
        reason = f"where {about}, the model is wrong on {share}"
        tally.dataset(reason, facts, label_set=context.label_set, fault="slice", about=about)


def _slices(
    columns: Mapping[str, SliceColumn], wrong: npt.NDArray[np.bool_], samples: Rows, tally: Tally
) -> list[dict[str, Any]]:
    """Facts of the slices to report: worse than the rest, sure, and not explained by slices before them."""
    codes = {name: column.codes for name, column in columns.items()}
    reported: list[tuple[npt.NDArray[np.bool_], dict[str, Any]]] = []
    stratum = np.zeros(len(wrong), np.int64)
    n_ways = max_conditions(len(columns), len(wrong))
    for part in find_slices(codes, wrong, n_ways, most_values=MAX_CLASSES, max_q=tally.number("max_q")):
        inside = np.ones(len(wrong), bool)
        for name, code in part.conditions.items():
            inside &= codes[name] == code
        rest = (int(wrong.sum()) - part.n_errors) / max(1, len(wrong) - part.n)
        if part.n < tally.number("min_n") or part.error_rate < tally.number("times") * rest:
            continue
        q_value = max(part.q_value, cluster_p_value(wrong, inside, samples))
        values, *others = (_in_words(names, columns) for names in (part.conditions, *part.same_as))
        if q_value > tally.number("max_q") or OTHER in values.values():
            continue
        if reported and is_explained(inside, wrong, stratum):
            continue
        facts = {
            "conditions": values,
            "n": part.n,
            "n_errors": part.n_errors,
            "error_rate": round(part.error_rate, 4),
            "interval": [round(v, 4) for v in part.interval],
            "q_value": float(f"{q_value:.3g}"),
            "usual_rate": round(rest, 4),
            "ranges": {n: list(columns[n].ranges[v]) for n, v in values.items() if v in columns[n].ranges},
            "same_as": [same for same in others if OTHER not in same.values()],
        }
        reported.append((inside, facts))
        _, stratum = np.unique(2 * stratum + inside, return_inverse=True)
    return [facts for _, facts in reported]


def _in_words(conditions: Mapping[str, Any], columns: Mapping[str, SliceColumn]) -> dict[str, str]:
    return {name: columns[name].values[int(conditions[name])] for name in sorted(conditions)}


def _judged(context: CheckContext, tally: Tally) -> tuple[Rows, npt.NDArray[np.bool_]] | None:
    """Rows of labels that the model was asked about, and whether it is wrong; None without predictions."""
    table = predictions(context, ["sample_id", "kind", "class_id", "x", "y", "w", "h", "score"])
    if table is None:
        return None
    predicted_of = context.rows_of(table["sample_id"])
    predicted = table["class_id"].to_numpy().astype(np.int64)
    scores, corners = scores_of(table), corners_of(table)
    of, classes = context.sample_of, context.annotation_column("class_id").astype(np.int64)
    crowd = context.annotations_with(["iscrowd"])["iscrowd"].fill_null(False).to_numpy()
    judged = (of >= 0) & _asked(context, predicted_of)[of] & ~crowd
    tags = np.flatnonzero(judged & (context.kinds == KINDS.index("classification")))
    whole = np.flatnonzero(pc.equal(table["kind"], "classification").to_numpy() & (predicted_of >= 0))
    tags = tags[np.isin(of[tags], predicted_of[whole])]
    right = named_classes(of[tags], classes[tags], predicted_of[whole], predicted[whole], scores[whole])
    with np.errstate(invalid="ignore"):
        things = np.flatnonzero(judged & context.covers & (context.boxes_xywh_px[:, 2:] > 0).all(axis=1))
    has_box = np.isfinite(corners).all(axis=1) & (predicted_of >= 0)
    if not has_box.any():
        things = things[:0]
    seen = np.flatnonzero(has_box & (scores >= tally.number("min_score")))
    width = int(max(classes.max(initial=0), predicted.max(initial=0))) + 1
    overlapped = overlapped_boxes(
        boxes.xywh_to_xyxy(context.boxes_xywh_px[things]),
        of[things] * width + classes[things],
        corners[seen],
        predicted_of[seen] * width + predicted[seen],
        min_iou=tally.number("min_iou"),
    )
    return np.concatenate([tags, things]), np.concatenate([~right, ~overlapped])


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
    with np.errstate(invalid="ignore"):
        areas = context.boxes_xywh_px[rows, 2:].prod(axis=1)
    of_labels = {
        "class": column_of_texts([names[k] for k in place.tolist()], MAX_CLASSES),
        "box size": column_of_sizes(areas),
    }
    used = np.zeros(context.n_samples, bool)
    used[of] = True
    samples = np.flatnonzero(used)
    position = np.cumsum(used) - 1
    splits = context.column("split")[samples].tolist()
    of_samples = {"split": column_of_texts([str(split) if split else None for split in splits])}
    metadata = list(parsed(context.column("metadata")[samples].tolist()))
    counts = Counter(name for values in metadata for name in values)
    wanted = [name for name in context.contract.metadata if counts[name]]
    wanted += [name for name, _ in counts.most_common() if name not in wanted]
    for name in wanted[:_MAX_COLUMNS]:
        title = f"{name} (metadata)" if name in of_labels or name in of_samples else name
        of_samples[title] = column_of_values([values.get(name) for values in metadata])
    return of_labels | {name: column.take(position[of]) for name, column in of_samples.items()}


CHECKS = (
    Check(
        name="error-slices",
        title="Where the model is wrong",
        means=(
            "A model is wrong more often under some conditions, of a class, a size or a split, than "
            "elsewhere. A label is wrong when the predicted class differs, or no box of its class "
            "overlaps it."
        ),
        fix="look at the labels of the slice; collect more such samples where the labels are right",
        unit="labels",
        severity="info",
        family="labels",
        cost="predictions",
        version=2,
        run=error_slices,
        parameters={"max_q": 0.05, "min_n": 30, "times": 1.5, "min_iou": 0.5, "min_score": 0.25},
        source=(
            "exhaustive search as Y. Chung et al., Slice Finder, 2019; exact tests, Bonferroni's bound over all; "
            "errors of one image count together (W. Cochran, 1977)"
        ),
        example="where light is night, the model is wrong on 41% of 120 labels, elsewhere on 8%",
    ),
)
