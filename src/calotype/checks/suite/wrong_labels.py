"""Checks of what labels say: wrong classes, boxes that a model contradicts, annotators who disagree, gold that is
missed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis import label_errors as methods
from calotype.analysis.boxes.errors import BoxErrors
from calotype.analysis.boxes.errors import box_errors as judge
from calotype.analysis.consensus import consensus
from calotype.analysis.grouping import order_by_content, ranked, rows_of_each, sets_of_values
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally
from calotype.checks.suite.predictions import class_probabilities, predictions
from calotype.checks.suite.vectors import Box, vectors_of
from calotype.datasets.annotation_columns import KINDS, corners_of, scores_of
from calotype.vision import boxes

_MIN_LABELS = 40
"""Number of labels below which nothing can be learned from them."""


def _labelled(
    context: CheckContext, tally: Tally
) -> tuple[npt.NDArray[np.int64], list[tuple[int, Box | None]]]:
    """Rows of annotations whose class can be judged by what they show, and where that is.

    Not those of derived samples whose original is here too: they repeat its label, so each would confirm the other.
    """
    classification = context.kinds == KINDS.index("classification")
    box = context.boxes_xywh_px
    with np.errstate(invalid="ignore"):
        large = context.covers & (np.minimum(box[:, 2], box[:, 3]) >= tally.number("min_side_px"))
    original = context.root == np.arange(context.n_samples)
    rows = np.flatnonzero((context.sample_of >= 0) & (classification | large))
    rows = rows[original[context.sample_of[rows]]]
    places: list[tuple[int, Box | None]] = []
    for row in rows.tolist():
        where = None if classification[row] else tuple(float(v) for v in box[row])
        places.append((int(context.sample_of[row]), where))  # type: ignore[arg-type]
    return rows, places


def label_errors(context: CheckContext, tally: Tally) -> None:
    """Labels whose class is likely wrong, by a model's classes where the contract names one, else by how they look."""
    rows, places = _labelled(context, tally)
    if len(rows) < _MIN_LABELS or len(rows) > tally.number("max_labels"):
        return
    by_model = class_probabilities(context, rows)
    vectors, available = (by_model.probs, by_model.available) if by_model else vectors_of(context, places)
    rows, vectors = rows[available], vectors[available]
    classes = context.annotation_column("class_id")[rows].astype(np.int64)
    numbers, n_labels = np.unique(classes, return_counts=True)
    kept = np.isin(classes, numbers[n_labels >= max(2, tally.number("min_per_class"))])
    media, of = context.column("media_sha256"), context.sample_of[rows]
    order = order_by_content(media, of, context.boxes_xywh_px[rows], classes)
    chosen = order[kept[order]]
    rows, classes, vectors = rows[chosen], classes[chosen], vectors[chosen]
    tally.looked_at = len(rows)
    if len(rows) < _MIN_LABELS or len(np.unique(classes)) < 2:
        return
    if by_model:
        errors = methods.label_errors(np.searchsorted(by_model.classes, classes), vectors)
    else:
        errors = methods.label_errors_from_embeddings(classes, vectors)
    suggested = by_model.classes[errors.suggested] if by_model else errors.suggested
    tally.reference["estimate"] = [errors.n_errors, *errors.n_errors_interval]
    model = by_model.name if by_model else ""
    if not errors.reliable:
        return _note_not_judged(tally, errors.why, model or "vectors")
    flagged = errors.flagged & (errors.score >= tally.number("min_probability"))

    def describe(k: int) -> Description:
        given, other = context.class_name(classes[k]), context.class_name(suggested[k])
        repair = {"do": "set-class", "class": other}
        facts = {"given": given, "suggested": other, "probability": round(float(errors.score[k]), 4)}
        facts |= {"by": model or "vectors", "repair": repair}
        seen = f"{model} sees" if model else "it looks like"
        sure = min(errors.score[k], 0.99)
        return f"labelled {given}, {seen} {other} (score {sure:.2f})", facts

    tally.annotations(*ranked(rows, errors.score, flagged, describe))


def _note_not_judged(tally: Tally, why: str, by: str) -> None:
    facts = {"fault": "not-judged", "by": by}
    tally.dataset(f"labels not judged: {why}", facts, severity="info", fault="not-judged")


def box_errors(context: CheckContext, tally: Tally) -> None:
    """Boxes that a model's predictions contradict: missing, moved, of another class."""
    table = predictions(context, ["sample_id", "kind", "class_id", "x", "y", "w", "h", "score"])
    if table is None:
        return
    seen_of = context.rows_of(table["sample_id"])
    seen = [corners_of(table), table["class_id"].to_numpy(), scores_of(table)]
    with np.errstate(invalid="ignore"):
        has_area = context.covers & (context.boxes_xywh_px[:, 2:] > 0).all(axis=1)
    rows = np.flatnonzero((context.sample_of >= 0) & has_area)
    rows = rows[np.argsort(context.sample_of[rows], kind="stable")]
    seen_rows = np.flatnonzero((seen_of >= 0) & np.isfinite(seen[0]).all(axis=1))
    seen_rows = seen_rows[np.argsort(seen_of[seen_rows], kind="stable")]
    samples = np.unique(np.concatenate([context.sample_of[rows], seen_of[seen_rows]]))
    classes = context.annotation_column("class_id")
    corners = boxes.xywh_to_xyxy(context.boxes_xywh_px)
    labelled = [(corners[part], classes[part]) for part in rows_of_each(samples, context.sample_of, rows)]
    predicted = [tuple(values[part] for values in seen) for part in rows_of_each(samples, seen_of, seen_rows)]
    tally.looked_at = len(rows)
    errors = judge(labelled, predicted)
    _add_moved(context, tally, rows, errors)
    _add_swapped(context, tally, rows, errors)
    _add_missing(context, tally, (seen_of[seen_rows], seen[0][seen_rows], seen[1][seen_rows]), errors)


def _add_moved(context: CheckContext, tally: Tally, rows: npt.NDArray[Any], errors: BoxErrors) -> None:
    def describe(k: int) -> Description:
        box = boxes.xyxy_to_xywh(errors.suggested_box_xyxy_px[k])[0].round(3).tolist()
        facts = {
            "fault": "moved",
            "suggested_box_xywh_px": box,
            "probability": round(float(errors.box_moved[k]), 4),
            "repair": {"do": "set-box", "box_xywh_px": box},
        }
        return f"the model sees this {context.class_of(rows[k])} at another place", facts

    flagged = errors.box_moved >= tally.number("min_probability")
    tally.annotations(*ranked(rows, errors.box_moved, flagged, describe))


def _add_swapped(context: CheckContext, tally: Tally, rows: npt.NDArray[Any], errors: BoxErrors) -> None:
    def describe(k: int) -> Description:
        other = context.class_name(int(errors.suggested_class[k]))
        facts = {
            "fault": "swapped",
            "suggested": other,
            "probability": round(float(errors.box_swapped[k]), 4),
            "repair": {"do": "set-class", "class": other},
        }
        return f"labelled {context.class_of(rows[k])}, the model sees {other}", facts

    flagged = errors.box_swapped >= tally.number("min_probability")
    tally.annotations(*ranked(rows, errors.box_swapped, flagged, describe))


def _add_missing(
    context: CheckContext,
    tally: Tally,
    seen: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]],
    errors: BoxErrors,
) -> None:
    """A finding for each sample with a missing box: the likeliest; `seen` are samples, corners and classes."""
    of, corners, classes = seen
    scores = errors.candidate_missing

    def describe(k: int) -> Description:
        box, name = boxes.xyxy_to_xywh(corners[k])[0].round(3).tolist(), context.class_name(int(classes[k]))
        facts = {
            "fault": "missing",
            "class": name,
            "box_xywh_px": box,
            "probability": round(float(scores[k]), 4),
            "repair": {"do": "add-box", "class": name, "box_xywh_px": box},
        }
        return f"the model sees a {name} that has no box", facts

    flagged = scores >= tally.number("min_probability")
    order = np.lexsort((-scores, of))
    best = np.zeros(len(scores), bool)
    best[order[np.unique(of[order], return_index=True)[1]]] = True
    tally.samples(*ranked(of, scores, flagged & best, describe))


def annotators(context: CheckContext, tally: Tally) -> None:
    """Samples on whose class several annotators do not agree well enough to trust the majority."""
    authors = np.asarray(context.annotations_with(["author"])["author"].fill_null("").to_pylist(), dtype=str)
    chosen = (context.kinds == KINDS.index("classification")) & (context.sample_of >= 0) & (authors != "")
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return
    samples, item = np.unique(context.sample_of[rows], return_inverse=True)
    people, who = np.unique(authors[rows], return_inverse=True)
    numbers, given = np.unique(context.annotation_column("class_id")[rows], return_inverse=True)
    votes = np.bincount(item)
    tally.looked_at = int((votes > 1).sum())
    if not tally.looked_at:
        return
    agreed = consensus(item, who, given)
    quality = {people[k]: round(v, 4) for k, v in agreed.annotator_quality.items()}
    tally.reference["annotators"] = quality

    def describe(k: int) -> Description:
        name = context.class_name(int(numbers[agreed.label[k]]))
        share = float((given[item == k] == agreed.label[k]).mean())
        confidence = float(agreed.confidence[k])
        facts = {"consensus": name, "confidence": round(confidence, 4), "agree": round(share, 3)}
        return f"{votes[k]} annotators, {share:.0%} say {name}: confidence {confidence:.2f}", facts

    unsure = (votes > 1) & (agreed.confidence < tally.number("min_confidence"))
    tally.samples(*ranked(samples, -agreed.confidence, unsure, describe))


def gold(context: CheckContext, tally: Tally) -> None:
    """Samples whose classes differ from the answers that are known."""
    asked = context.contract.gold
    if asked is None or asked.label_set not in context.snapshot.label_sets:
        return
    known = context.snapshot.annotations(asked.label_set, columns=["sample_id", "class_id"])
    of = context.rows_of(known["sample_id"])
    right = sets_of_values(of, known["class_id"].to_numpy())
    given = sets_of_values(context.sample_of, context.annotation_column("class_id"))
    tally.looked_at = len(right)
    wrong = {row for row, classes in right.items() if given.get(row, frozenset()) != classes}

    def describe(row: int) -> tuple[str, dict[str, Any]]:
        names = [sorted(context.class_name(c) for c in side.get(row, ())) for side in (given, right)]
        return f"labelled {', '.join(names[0]) or 'nothing'}, gold is {', '.join(names[1])}", {
            "given": names[0],
            "gold": names[1],
        }

    tally.samples(sorted(wrong), describe)
    share = 1 - len(wrong) / max(1, len(right))
    if right and share < asked.min_agreement:
        reason = f"{share:.1%} of {len(right)} samples agree with gold, the contract requires {asked.min_agreement:.0%}"
        tally.dataset(reason, {"agreement": round(share, 4)}, severity="error", fault="agreement")


CHECKS = (
    Check(
        name="label-errors",
        title="Wrong classes",
        means=(
            "What a label marks looks like another class, judged without the label itself; or a model "
            "that the contract names, and that did not learn these labels, sees another class in the "
            "whole image. Labels of derived samples are judged on their originals. Where model or vectors are too "
            "weak to judge, one note says so."
        ),
        fix="compare it with others of the suggested class, and correct the class",
        unit="labels",
        severity="warning",
        family="labels",
        cost="vectors",
        run=label_errors,
        parameters={"min_side_px": 8.0, "max_labels": 200_000, "min_per_class": 10, "min_probability": 0.9},
        source=(
            "label quality scores (J. Kuan and J. Mueller, 2022); confusions as in confident learning "
            "(C. Northcutt et al., 2021), predictions unmixed; cut at the expected number"
        ),
        example="labelled bus, it looks like truck (score 0.91)",
        version=4,
    ),
    Check(
        name="box-errors",
        title="Boxes that a model contradicts",
        means="By a model's predictions a box is missing, moved, or of another class. Weak models are enough.",
        fix="look at the place; use the suggestion if it is right",
        unit="annotations",
        severity="warning",
        family="labels",
        cost="predictions",
        run=box_errors,
        parameters={"min_probability": 0.3},
        source="ObjectLab's kinds (U. Tkachenko et al., 2023), learned from errors planted in the labels",
        example="the model sees a person that has no box",
        version=2,
    ),
    Check(
        name="annotators",
        title="Annotators who disagree",
        means="Several annotators disagree on the class of a sample, and the right one is uncertain.",
        fix="ask another annotator, or decide",
        unit="samples",
        severity="warning",
        family="annotators",
        run=annotators,
        parameters={"min_confidence": 0.7},
        source="A. Dawid and A. Skene, 1979, one skill per annotator; difficulty as in J. Whitehill et al., 2009",
        example="3 annotators, 67% say cat: confidence 0.58",
    ),
    Check(
        name="gold",
        title="Agreement with gold",
        means="The label set gives the right answer where it is known.",
        fix="correct the label, and review other labels of its annotator",
        unit="samples",
        severity="warning",
        family="annotators",
        run=gold,
        source="the contract's `gold`",
        example="labelled cat, gold is dog",
    ),
)
