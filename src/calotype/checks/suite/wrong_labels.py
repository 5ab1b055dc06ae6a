"""Checks of what labels say: wrong classes, boxes that a model contradicts, annotators who disagree, gold that is
missed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.analysis.grouping import rows_of_each, sets_of_values
from calotype.checks.suite.annotation_columns import KINDS
from calotype.checks.suite.boxes import rounded
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Tally
from calotype.checks.suite.predictions import class_probabilities, corners_of, predictions, scores_of
from calotype.checks.suite.vectors import Box, vectors_of
from calotype.vision import boxes

_FEWEST = 40
"""Labels below which nothing can be learned from them."""


def _labelled(
    context: CheckContext, tally: Tally
) -> tuple[npt.NDArray[np.int64], list[tuple[int, Box | None]]]:
    """Rows of annotations whose class can be judged by what they show, and where that is."""
    classification = context.kinds == KINDS.index("classification")
    box = context.boxes_xywh_px
    with np.errstate(invalid="ignore"):
        large = np.minimum(box[:, 2], box[:, 3]) >= tally.number("min_side_px")
    rows = np.flatnonzero((context.sample_of >= 0) & (classification | large))
    places: list[tuple[int, Box | None]] = []
    for row in rows.tolist():
        where = None if classification[row] else tuple(float(v) for v in box[row])
        places.append((int(context.sample_of[row]), where))  # type: ignore[arg-type]
    return rows, places


def label_errors(context: CheckContext, tally: Tally) -> None:
    """Labels whose class is likely wrong, by a model's classes where the contract names one, else by how they look."""
    rows, places = _labelled(context, tally)
    if len(rows) < _FEWEST or len(rows) > tally.number("max_labels"):
        return
    by_model = class_probabilities(context, rows)
    vectors, had = (by_model.probs, by_model.had) if by_model else vectors_of(context, places)
    rows = rows[had]
    classes = context.annotation_column("class_id")[rows].astype(np.int64)
    kinds, n_of = np.unique(classes, return_counts=True)
    kept = np.isin(classes, kinds[n_of >= max(2, tally.number("min_per_class"))])
    rows, classes = rows[kept], classes[kept]
    tally.looked_at = len(rows)
    if len(rows) < _FEWEST or len(np.unique(classes)) < 2:
        return
    from calotype.analysis import label_errors as methods

    if by_model:
        found = methods.label_errors(np.searchsorted(by_model.classes, classes), vectors[had][kept])
        suggested = by_model.classes[found.suggested]
    else:
        found = methods.label_errors_from_embeddings(classes, vectors[had][kept])
        suggested = found.suggested
    tally.reference["estimate"] = [found.n_errors, *found.n_errors_interval]
    flagged = np.flatnonzero(found.flagged & (found.score >= tally.number("min_probability")))
    flagged = flagged[np.argsort(-found.score[flagged], kind="stable")]
    at = {int(rows[k]): int(k) for k in flagged}
    seen = f"{by_model.name} sees" if by_model else "it looks like"

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        k = at[row]
        given, other = context.class_name(classes[k]), context.class_name(suggested[k])
        facts = {
            "given": given, "suggested": other, "probability": round(float(found.score[k]), 4),
            "by": by_model.name if by_model else "vectors", "repair": {"do": "set-class", "class": other},
        }  # fmt: skip
        likely = min(found.score[k], 0.99)
        return f"labelled {given}, {seen} {other} (wrong with probability {likely:.2f})", facts

    tally.annotations(rows[flagged], tell)


def box_errors(context: CheckContext, tally: Tally) -> None:
    """Boxes that a model's predictions contradict: missing, moved, of another class."""
    table = predictions(context, ["sample_id", "class_id", "x", "y", "w", "h", "score"])
    if table is None:
        return
    from calotype.analysis.boxes.errors import box_errors as judged  # heavy to load

    seen_of = context.rows_of(table["sample_id"])
    seen = [corners_of(table), table["class_id"].to_numpy(), scores_of(table)]
    with np.errstate(invalid="ignore"):
        given_rows = np.flatnonzero((context.sample_of >= 0) & (context.boxes_xywh_px[:, 2:] > 0).all(axis=1))
    given_rows = given_rows[np.argsort(context.sample_of[given_rows], kind="stable")]
    seen_rows = np.flatnonzero((seen_of >= 0) & np.isfinite(seen[0]).all(axis=1))
    seen_rows = seen_rows[np.argsort(seen_of[seen_rows], kind="stable")]
    samples = np.unique(np.concatenate([context.sample_of[given_rows], seen_of[seen_rows]]))
    classes = context.annotation_column("class_id")
    corners = boxes.xywh_to_xyxy(context.boxes_xywh_px)
    truth = [(corners[r], classes[r]) for r in rows_of_each(samples, context.sample_of, given_rows)]
    predicted = [tuple(one[r] for one in seen) for r in rows_of_each(samples, seen_of, seen_rows)]
    tally.looked_at = len(given_rows)
    found = judged(truth, predicted)
    limit = tally.number("min_probability")
    _tell_moved(context, tally, given_rows, found, limit)
    _tell_swapped(context, tally, given_rows, found, limit)
    _tell_missing(context, tally, (seen_of, seen_rows, seen[0], seen[1]), found.candidate_missing, limit)


def _tell_moved(
    context: CheckContext, tally: Tally, rows: npt.NDArray[Any], found: Any, limit: float
) -> None:  # fmt: skip
    hit = np.flatnonzero(found.box_moved >= limit)
    at = {int(rows[k]): int(k) for k in hit}

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        k = at[row]
        better = rounded(boxes.xyxy_to_xywh(found.suggested_box_xyxy_px[k])[0])
        name = context.class_name(context.annotation_column("class_id")[row])
        facts = {
            "fault": "moved",
            "suggested_box_xywh_px": better,
            "probability": round(float(found.box_moved[k]), 4),
        }
        return f"the model sees this {name} at another place", {
            **facts, "repair": {"do": "set-box", "box_xywh_px": better},
        }  # fmt: skip

    tally.annotations(sorted(at, key=lambda row: -found.box_moved[at[row]]), tell)


def _tell_swapped(
    context: CheckContext, tally: Tally, rows: npt.NDArray[Any], found: Any, limit: float
) -> None:  # fmt: skip
    hit = np.flatnonzero(found.box_swapped >= limit)
    at = {int(rows[k]): int(k) for k in hit}

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        k = at[row]
        given = context.class_name(context.annotation_column("class_id")[row])
        other = context.class_name(int(found.suggested_class[k]))
        facts = {"fault": "swapped", "suggested": other, "probability": round(float(found.box_swapped[k]), 4)}
        return f"labelled {given}, the model sees {other}", {
            **facts,
            "repair": {"do": "set-class", "class": other},
        }

    tally.annotations(sorted(at, key=lambda row: -found.box_swapped[at[row]]), tell)


def _tell_missing(
    context: CheckContext, tally: Tally, seen: tuple[Any, Any, Any, Any], scores: npt.NDArray[Any], limit: float
) -> None:  # fmt: skip
    of, rows, corners, classes = seen
    best: dict[int, int] = {}
    for k in np.flatnonzero(scores >= limit).tolist():
        sample = int(of[rows[k]])
        if sample not in best or scores[k] > scores[best[sample]]:
            best[sample] = k

    def tell(sample: int) -> tuple[str, dict[str, Any]]:
        k = best[sample]
        box, name = rounded(boxes.xyxy_to_xywh(corners[rows[k]])[0]), context.class_name(int(classes[rows[k]]))
        facts = {
            "fault": "missing",
            "class": name,
            "box_xywh_px": box,
            "probability": round(float(scores[k]), 4),
        }
        return f"the model sees a {name} that has no box", {
            **facts, "repair": {"do": "add-box", "class": name, "box_xywh_px": box},
        }  # fmt: skip

    tally.samples(sorted(best, key=lambda sample: -scores[best[sample]]), tell)


def annotators(context: CheckContext, tally: Tally) -> None:
    """Samples on whose class several annotators do not agree well enough to trust the majority."""
    from calotype.analysis.consensus import consensus  # heavy to load

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
    found = consensus(item, who, given)
    quality = {people[k]: round(v, 4) for k, v in found.annotator_quality.items()}
    tally.reference["annotators"] = quality
    unsure = np.flatnonzero((votes > 1) & (found.confidence < tally.number("min_confidence")))
    at = {int(samples[k]): int(k) for k in unsure}

    def tell(sample: int) -> tuple[str, dict[str, Any]]:
        k = at[sample]
        name = context.class_name(int(numbers[found.label[k]]))
        share = float((given[item == k] == found.label[k]).mean())
        facts = {
            "consensus": name,
            "confidence": round(float(found.confidence[k]), 4),
            "agree": round(share, 3),
        }
        return f"{votes[k]} annotators, {share:.0%} say {name}: trusted by {found.confidence[k]:.2f}", facts

    tally.samples(sorted(at, key=lambda sample: found.confidence[at[sample]]), tell)


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

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        names = [sorted(context.class_name(c) for c in side.get(row, ())) for side in (given, right)]
        return f"it says {', '.join(names[0]) or 'nothing'}, gold {', '.join(names[1])}", {
            "given": names[0], "gold": names[1],
        }  # fmt: skip

    tally.samples(sorted(wrong), tell)
    share = 1 - len(wrong) / max(1, len(right))
    if right and share < asked.min_agreement:
        reason = f"{share:.1%} of {len(right)} samples agree with gold, the contract asks for {asked.min_agreement:.0%}"
        tally.dataset(reason, {"agreement": round(share, 4)}, severity="error", fault="agreement")


CHECKS = (
    Check(
        "label-errors", "Wrong classes",
        "What a label marks looks like another class, judged without the label itself; or a model that the contract "
        "names, and that did not learn these labels, sees another class in the whole image.",
        "look at it beside others of the suggested class, and correct the class", "labels", "warning", label_errors,
        {"min_side_px": 8.0, "max_labels": 200_000, "min_per_class": 10, "min_probability": 0.8}, family="labels",
        cost="vectors", version=3,
    ),
    Check(
        "box-errors", "Boxes that a model contradicts",
        "By a model's predictions a box is missing, moved, or of another class. Weak models serve too.",
        "look at the place; take the suggestion where it is right", "annotations", "warning", box_errors,
        {"min_probability": 0.3}, family="labels", cost="predictions", version=2,
    ),
    Check(
        "annotators", "Annotators who disagree",
        "Several annotators gave a sample classes that leave the right one in doubt.",
        "ask one more annotator, or rule on the case", "samples", "warning", annotators, {"min_confidence": 0.7},
        family="annotators",
    ),
    Check(
        "gold", "Agreement with gold",
        "Where the right answer is known, the label set gives it.",
        "correct the label, and look at what its annotator did elsewhere", "samples", "warning", gold,
        family="annotators",
    ),
)  # fmt: skip
