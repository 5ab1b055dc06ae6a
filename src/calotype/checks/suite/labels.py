"""Checks of classes: known ones only, enough of each, and no sample left without annotations."""

from __future__ import annotations

from functools import partial

import numpy as np

from calotype.analysis.coverage import balance, counts_by_class
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally


def unknown_classes(context: CheckContext, tally: Tally) -> None:
    """Annotations whose class is not in the ontology, or not in the contract."""
    class_ids = context.annotation_column("class_id").astype(np.int64)
    tally.looked_at = len(class_ids)
    known = {c.id: c.name for c in context.snapshot.ontology.classes}
    asked = set(context.contract.class_names)
    used = np.unique(class_ids).tolist()
    no_class = np.isin(class_ids, [i for i in used if i not in known])
    not_asked = np.isin(class_ids, [i for i in used if i in known and asked and known[i] not in asked])

    def lacks_ontology(row: int) -> Description:
        number = int(class_ids[row])
        return f"its class id {number} is not in the ontology", {"class_id": number}

    def lacks_contract(row: int) -> Description:
        name = known[int(class_ids[row])]
        return f"its class {name!r} is not one of the contract's {len(asked)} classes", {"class": name}

    tally.annotations(np.flatnonzero(no_class), lacks_ontology, fault="not-in-ontology")
    tally.annotations(np.flatnonzero(not_asked), lacks_contract, fault="not-in-contract")


def class_counts(context: CheckContext) -> dict[str, tuple[int, int]]:
    """Class name -> (annotations, samples that carry it), for the ontology's and the contract's classes."""
    class_ids = context.annotation_column("class_id").astype(np.int64)
    counts = counts_by_class(class_ids, context.sample_of, context.n_samples)
    of_ontology = {c.name: counts.get(c.id, (0, 0)) for c in context.snapshot.ontology.classes}
    return {**dict.fromkeys(context.contract.class_names, (0, 0)), **of_ontology}


def class_balance(context: CheckContext, tally: Tally) -> None:
    """Classes with too little data, and how uneven the classes are."""
    counts = class_counts(context)
    tally.looked_at = len(counts)
    specs = {spec.name: spec for spec in context.contract.classes}
    for name, (n_annotations, n_samples) in counts.items():
        spec = specs.get(name)
        facts = {"class": name, "annotations": n_annotations, "samples": n_samples}
        add = partial(tally.dataset, facts=facts, label_set=context.label_set, about=name)
        if spec is None:
            if not n_annotations and not specs:
                add(f"class {name!r} has no annotation", severity="info", fault="unused")
            continue
        if n_annotations < spec.min_annotations:
            reason = f"class {name!r} has {n_annotations} annotations, the contract requires {spec.min_annotations}"
            add(reason, severity="error", fault="few-annotations")
        if n_samples < spec.min_samples:
            reason = f"class {name!r} is on {n_samples} samples, the contract requires {spec.min_samples}"
            add(reason, severity="error", fault="few-samples")
    _add_imbalance(counts, context, tally)


def _add_imbalance(counts: dict[str, tuple[int, int]], context: CheckContext, tally: Tally) -> None:
    used = {name: n for name, (n, _) in counts.items() if n}
    even = balance(used)
    worth = {name: round(value, 1) for name, value in even.effective_number.items()}
    tally.reference.update(effective_classes=round(even.effective_classes, 3), effective_number=worth)
    if len(used) < 2:
        return
    most, least = max(used, key=lambda c: used[c]), min(used, key=lambda c: used[c])
    ratio = used[most] / used[least]
    if ratio > tally.number("max_ratio"):
        reason = f"{most!r} has {used[most]} annotations, {least!r} {used[least]}: {ratio:.0f} times as many"
        facts = {"most": most, "least": least, "ratio": round(ratio, 2)}
        tally.dataset(reason, facts, label_set=context.label_set, fault="imbalance", about=least)


def n_labelled(context: CheckContext) -> int:
    """Number of samples with an annotation of the label set under test."""
    return int(np.count_nonzero(np.bincount(context.sample_of[context.sample_of >= 0])))


def unlabelled(context: CheckContext, tally: Tally) -> None:
    """Samples without any annotation of the label set, derived ones too."""
    tally.looked_at = context.n_samples
    counts = np.bincount(context.sample_of[context.sample_of >= 0], minlength=context.n_samples)
    derived = context.column("parent_id") != ""

    def describe(row: int) -> Description:
        kind = "derived sample" if derived[row] else "sample"
        return f"the {kind} has no annotation in {context.label_set}", {"derived": bool(derived[row])}

    tally.samples(np.flatnonzero(counts == 0), describe)


CHECKS = (
    Check(
        name="unknown-classes",
        title="Known classes",
        means=(
            "An annotation's class is in the ontology and, where the contract lists classes, in the contract."
        ),
        fix="give the annotation a class of the contract, or add the class to the contract",
        unit="annotations",
        severity="error",
        family="structure",
        scope="sample",
        run=unknown_classes,
        source="ontology and contract",
        example="its class 'vann' is not one of the contract's 8 classes",
    ),
    Check(
        name="class-balance",
        title="Enough of each class",
        means="Each class of the contract has its minimum of data, and no class has far more data than another.",
        fix="collect or label more of the rare classes",
        unit="classes",
        severity="info",
        family="balance",
        run=class_balance,
        parameters={"max_ratio": 20.0},
        source="the contract; effective number of samples, Y. Cui et al., 2019",
        example="class 'dog' has 3 annotations, the contract requires 50",
    ),
    Check(
        name="unlabelled",
        title="Samples without annotations",
        means="A sample has no annotation in the label set under test.",
        fix="label the sample, or remove it if it does not belong here; an empty scene may be correct",
        unit="samples",
        severity="warning",
        family="process",
        scope="sample",
        run=unlabelled,
        source="the label set under test",
        example="the sample has no annotation in ground_truth",
    ),
)
