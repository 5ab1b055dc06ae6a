"""Checks of classes: known ones only, enough of each, and no sample left without annotations."""

from __future__ import annotations

from typing import Any

import numpy as np

from calotype.analysis.coverage import balance
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Tally


def unknown_classes(context: CheckContext, tally: Tally) -> None:
    """Annotations whose class is in no list."""
    class_ids = context.annotation_column("class_id").astype(np.int64)
    tally.looked_at = len(class_ids)
    known = {c.id: c.name for c in context.snapshot.ontology.classes}
    asked = set(context.contract.class_names)
    used = np.unique(class_ids).tolist()
    no_class = np.isin(class_ids, [i for i in used if i not in known])
    not_asked = np.isin(class_ids, [i for i in used if i in known and asked and known[i] not in asked])

    def lacks_ontology(row: int) -> tuple[str, dict[str, Any]]:
        number = int(class_ids[row])
        return f"its class id {number} is not in the ontology", {"class_id": number}

    def lacks_contract(row: int) -> tuple[str, dict[str, Any]]:
        name = known[int(class_ids[row])]
        return f"its class {name!r} is not one of the contract's {len(asked)} classes", {"class": name}

    tally.annotations(np.flatnonzero(no_class), lacks_ontology, fault="not-in-ontology")
    tally.annotations(np.flatnonzero(not_asked), lacks_contract, fault="not-in-contract")


def class_counts(context: CheckContext) -> dict[str, tuple[int, int]]:
    """Class name -> (annotations, samples that carry it), for the ontology's and the contract's classes."""
    class_ids = context.annotation_column("class_id").astype(np.int64)
    numbers, place, counts = np.unique(class_ids, return_inverse=True, return_counts=True)
    annotations = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    carries = np.zeros((len(numbers), context.n_samples + 1), bool)
    carries[place, context.sample_of] = True  # -1, an annotation of no sample, is the last column
    carried = {number: int(row.sum()) for number, row in zip(numbers.tolist(), carries, strict=True)}
    found = {
        c.name: (annotations.get(c.id, 0), carried.get(c.id, 0)) for c in context.snapshot.ontology.classes
    }
    return {**dict.fromkeys(context.contract.class_names, (0, 0)), **found}


def class_balance(context: CheckContext, tally: Tally) -> None:
    """Classes with too little data, and how uneven the classes are."""
    counts = class_counts(context)
    tally.looked_at = len(counts)
    specs = {spec.name: spec for spec in context.contract.classes}
    for name, (n_annotations, n_samples) in counts.items():
        spec = specs.get(name)
        facts = {"class": name, "annotations": n_annotations, "samples": n_samples}
        if spec is None:
            if not n_annotations and not specs:
                tally.dataset(
                    f"class {name!r} has no annotation", facts, severity="info",
                    label_set=context.label_set, fault="unused", about=name,
                )  # fmt: skip
            continue
        if n_annotations < spec.min_annotations:
            asked = spec.min_annotations
            reason = f"class {name!r} has {n_annotations} annotations, the contract asks for {asked}"
            tally.dataset(reason, facts, severity="error", label_set=context.label_set,
                          fault="few-annotations", about=name)  # fmt: skip
        if n_samples < spec.min_samples:
            reason = f"class {name!r} is on {n_samples} samples, the contract asks for {spec.min_samples}"
            tally.dataset(reason, facts, severity="error", label_set=context.label_set,
                          fault="few-samples", about=name)  # fmt: skip
    _imbalance(counts, context, tally)


def _imbalance(counts: dict[str, tuple[int, int]], context: CheckContext, tally: Tally) -> None:
    used = {name: n for name, (n, _) in counts.items() if n}
    even = balance(used)
    worth = {name: round(value, 1) for name, value in even.effective_number.items()}
    tally.reference.update(effective_classes=round(even.effective_classes, 3), effective_number=worth)
    if len(used) < 2:
        return
    most, least = max(used, key=lambda c: used[c]), min(used, key=lambda c: used[c])
    ratio = used[most] / used[least]
    if ratio > tally.number("max_ratio"):
        reason = (
            f"{most!r} has {used[most]} annotations and {least!r} {used[least]}: {ratio:.0f} times as many"
        )
        tally.dataset(
            reason, {"most": most, "least": least, "ratio": round(ratio, 2)},
            label_set=context.label_set, fault="imbalance", about=least,
        )  # fmt: skip


def n_labelled(context: CheckContext) -> int:
    """How many samples carry an annotation of the label set under test."""
    return int(np.count_nonzero(np.bincount(context.sample_of[context.sample_of >= 0])))


def unlabelled(context: CheckContext, tally: Tally) -> None:
    """Samples without any annotation of the label set, derived ones too."""
    tally.looked_at = context.n_samples
    counts = np.bincount(context.sample_of[context.sample_of >= 0], minlength=context.n_samples)
    derived = context.column("parent_id") != ""

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        kind = "derived sample" if derived[row] else "sample"
        return f"the {kind} has no annotation in {context.label_set}", {"derived": bool(derived[row])}

    tally.samples(np.flatnonzero(counts == 0), tell)


CHECKS = (
    Check(
        "unknown-classes", "Known classes",
        "An annotation's class is in the ontology and, where the contract lists classes, in the contract.",
        "give the annotation a class of the contract, or add the class to the contract",
        "annotations", "error", unknown_classes,
        family="structure", scope="sample",
    ),
    Check(
        "class-balance", "Enough of each class",
        "Each class of the contract has its minimum of data, and no class outweighs another too far.",
        "collect or label more of the rare classes", "classes", "info", class_balance,
        {"max_ratio": 20.0},
        family="balance", scope="dataset",
    ),
    Check(
        "unlabelled", "Samples without annotations",
        "A sample has no annotation in the label set under test.",
        "label the sample, or remove it when it should not be here; an empty scene may be right as it is",
        "samples", "warning", unlabelled,
        family="process", scope="sample",
    ),
)  # fmt: skip
