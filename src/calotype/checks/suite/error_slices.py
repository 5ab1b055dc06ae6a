"""Where a model's errors concentrate: slices by condition, class, size and split."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from calotype.checks.suite.annotation_columns import KINDS
from calotype.checks.suite.check import Check
from calotype.checks.suite.conditions import fields_of
from calotype.checks.suite.context import CheckContext, Rows, Tally
from calotype.checks.suite.predictions import corners_of, predictions, scores_of
from calotype.vision import boxes

_MOST_VALUES = 32
_MOST_CLASSES = 300
_MOST_COLUMNS = 30
_MOST_WORK = 2e8
"""Labels times sets of columns that are counted; beyond, fewer conditions are combined."""
_FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")
_SIZES = ("small", "medium", "large")
_SIZE_EDGES_PX2 = (32.0**2, 96.0**2)
"""COCO's: areas below 32 x 32 are small, from 96 x 96 px on large."""
_OTHER = "(other)"
_SAME = 0.9
_WORSE = 1.25
"""Times as many errors as other slices explain, from which on one is told beside them."""
_NONE = "(none)"


@dataclass(frozen=True, slots=True)
class _Column:
    """A value of each label as a place in `values`, which are words that stay the same when data are added."""

    codes: npt.NDArray[np.int64]
    values: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]


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
    for one in find_slices(codes, wrong, _ways(len(columns), len(rows)), most_values=_MOST_CLASSES):
        inside = np.ones(len(rows), bool)
        for name, code in one.conditions.items():
            inside &= codes[name] == code
        rest = (int(wrong.sum()) - one.n_errors) / max(1, len(rows) - one.n)
        if one.n < tally.number("min_n") or one.error_rate < tally.number("times") * rest:
            continue
        sure = max(one.q_value, cluster_p_value(wrong, inside, pictures))
        values = {name: columns[name].values[int(one.conditions[name])] for name in sorted(one.conditions)}
        if sure > tally.number("max_q") or _OTHER in values.values() or _again(inside, values, told):
            continue
        if told and _explained(inside, wrong, stratum):
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


def _again(
    inside: npt.NDArray[np.bool_], values: Mapping[str, str], told: Sequence[tuple[npt.NDArray[np.bool_], Any]]
) -> bool:  # fmt: skip
    """Whether nearly these very labels were told under other conditions, which then say so."""
    for other, facts in told:
        if (inside & other).sum() >= _SAME * (inside | other).sum():
            facts["same_as"].append(dict(values))
            return True
    return False


def _explained(
    inside: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_], stratum: npt.NDArray[np.int64]
) -> bool:  # fmt: skip
    """Whether the slices that were told lead one to expect about as many errors in this one.

    Args:
        inside: (N,) which labels are in the slice.
        wrong: (N,).
        stratum: (N,) a number for the told slices that a label is in.
    """
    rate = np.bincount(stratum, weights=wrong) / np.bincount(stratum)
    return bool(wrong[inside].sum() < _WORSE * rate[stratum[inside]].sum())


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


def _columns(context: CheckContext, rows: Rows) -> dict[str, _Column]:
    """What labels are sliced by: class, size of the box, split, and the metadata of their samples."""
    of = context.sample_of[rows]
    classes, place = np.unique(context.annotation_column("class_id")[rows], return_inverse=True)
    names = [context.class_name(number) for number in classes.tolist()]
    found = {"class": _of_texts([names[k] for k in place.tolist()], _MOST_CLASSES)}
    with np.errstate(invalid="ignore"):
        area = context.boxes_xywh_px[rows, 2:].prod(axis=1)
    size = np.where(np.isfinite(area), np.searchsorted(_SIZE_EDGES_PX2, area, side="right"), len(_SIZES))
    found["box size"] = _Column(size.astype(np.int64), (*_SIZES, "the whole image"), {})
    used = np.zeros(context.n_samples, bool)
    used[of] = True
    samples = np.flatnonzero(used)
    position = np.cumsum(used) - 1
    found["split"] = _of_texts([str(v) if v else None for v in context.column("split")[samples].tolist()])
    held = list(fields_of(context.column("metadata")[samples].tolist()))
    counts = Counter(name for values in held for name in values)
    wanted = [name for name in context.contract.metadata if counts[name]]
    wanted += [name for name, _ in counts.most_common() if name not in wanted]
    for name in wanted[:_MOST_COLUMNS]:
        own = name if name not in found else f"{name} (metadata)"
        found[own] = _column([values.get(name) for values in held])
    return {
        name: column if name in ("class", "box size") else
        _Column(column.codes[position[of]], column.values, column.ranges) for name, column in found.items()
    }  # fmt: skip


def _column(values: Sequence[Any]) -> _Column:
    """Many different numbers by fifths, anything else by its words."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    others = any(v is not None and (isinstance(v, bool) or not isinstance(v, int | float)) for v in values)
    if others or len(set(numbers)) <= _MOST_VALUES:
        return _of_texts([None if v is None else _word(v) for v in values])
    array = np.asarray([np.nan if v is None else v for v in values], np.float64)
    given = np.isfinite(array)
    edges = np.quantile(array[given], [0.2, 0.4, 0.6, 0.8])
    codes = np.where(given, np.searchsorted(edges, array, side="right"), len(_FIFTHS)).astype(np.int64)
    parts = {name: array[given & (codes == k)] for k, name in enumerate(_FIFTHS)}
    ranges = {name: (float(part.min()), float(part.max())) for name, part in parts.items() if len(part)}
    return _Column(codes, (*_FIFTHS, _NONE), ranges)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:100]


def _of_texts(texts: Sequence[str | None], most: int = _MOST_VALUES) -> _Column:
    """Each text a value; of very many the most frequent."""
    counts = Counter(texts)
    kept = [text for text, _ in counts.most_common(most - 1 if len(counts) > most else None)]
    place = {text: k for k, text in enumerate(kept)}
    codes = np.asarray([place.get(text, len(kept)) for text in texts], np.int64)
    return _Column(codes, (*(_NONE if text is None else text for text in kept), _OTHER), {})


def _ways(n_columns: int, n_rows: int) -> int:
    """How many conditions are combined, so that the work stays within bounds."""
    fits = [
        k for k in (1, 2, 3) if sum(comb(n_columns, size) for size in range(1, k + 1)) * n_rows <= _MOST_WORK
    ]
    return max(fits, default=1)


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
