"""The check of copies whose labels have drifted from those of their original."""

from __future__ import annotations

import numpy as np

from calotype.analysis.copy_drift import Labels, copy_drift, suspects
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally
from calotype.datasets.row_ids import id_in_copy


def copies_drifted(context: CheckContext, tally: Tally) -> None:
    """Labels of derived samples that differ from those of their original in class or number."""
    parent_of = context.rows_of(context.samples_with(["parent_id"])["parent_id"])
    tally.looked_at = int(np.count_nonzero(parent_of >= 0))
    copies = suspects(parent_of, context.sample_of, context.annotation_column("class_id"))
    if not len(copies):
        return
    rows = np.flatnonzero(np.isin(context.sample_of, [*copies, *parent_of[copies]]))
    labels = _labels(context, rows)
    ids, made_at = context.column("sample_id").tolist(), context.column("created_at_us").astype(np.int64)
    drift = copy_drift(
        copies,
        parent_of,
        ids,
        made_at,
        labels,
        lambda sample, ann: id_in_copy(sample, context.label_set, ann),
    )
    label_of, classes = {int(rows[own]): other for own, other in drift.classes.items()}, labels.classes

    def original(sample: int) -> str:
        return context.name_of(int(parent_of[sample]))

    def other_class(row: int) -> Description:
        now, name = context.class_of(row), context.class_name(int(classes[label_of[row]]))
        facts = {"class": now, "original_class": name, "repair": {"do": "set-class", "class": name}}
        return f"it is {now!r}, and {name!r} on the original {original(int(context.sample_of[row]))}", facts

    def gone(row: int) -> Description:
        facts = {"class": context.class_of(row), "repair": {"do": "remove-annotation"}}
        return f"the original {original(int(context.sample_of[row]))} no longer has this label", facts

    def added(row: int) -> Description:
        n = drift.added[row]
        return f"the original {original(row)} got {n} labels after this copy was made", {"count": n}

    tally.annotations(sorted(label_of), other_class, fault="class")
    tally.annotations(rows[list(drift.gone)], gone, fault="gone")
    tally.samples(sorted(drift.added), added, fault="added")


def _labels(context: CheckContext, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Labels:
    """Some annotations. Those of a recipe have no source and no import, and an id of version 8."""
    columns = ["ann_id", "created_at_us", "import_id", "source_id"]
    table = context.annotations_at(rows, columns)
    ids, made_at = table["ann_id"].to_pylist(), table["created_at_us"].fill_null(0).to_numpy()
    given = zip(table["import_id"].to_pylist(), table["source_id"].to_pylist(), strict=True)
    derived = [ann_id[12] == "8" and not any(of) for ann_id, of in zip(ids, given, strict=True)]
    return Labels(
        ids, context.sample_of[rows], context.annotation_column("class_id")[rows], made_at, np.array(derived)
    )


CHECKS = (
    Check(
        name="copies-drifted",
        title="Copies labelled as their original",
        means="A copy made by a recipe has a label of another class than its original, one too many, or lacks one.",
        fix="give the copy the label of its original, or run the recipe again",
        unit="copies",
        severity="warning",
        family="copies",
        run=copies_drifted,
        source="ids of annotations that recipes copied",
        example="it is 'car', and 'bus' on the original street-7.jpg",
    ),
)
