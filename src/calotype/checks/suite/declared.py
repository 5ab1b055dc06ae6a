"""Checks of what is declared about samples: licence, metadata fields, coverage of conditions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import numpy as np

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Describe, Description, Tally
from calotype.contracts.model import Coverage, MetadataSpec
from calotype.datasets.query import QueryInvalid
from calotype.datasets.query.compile import QueryFieldUnknown


def licence(context: CheckContext, tally: Tally) -> None:
    """Samples without a licence, or under one that the contract does not allow."""
    tally.looked_at = context.n_samples
    licences = context.column("licence").astype(str)
    allowed = context.contract.licences
    empty = np.isin(licences, ["", "None"])
    without: Description = ("the sample has no licence", {"licence": ""})
    tally.samples(np.flatnonzero(empty), lambda _: without, fault="missing")
    if allowed:

        def describe(row: int) -> Description:
            given = str(licences[row])
            reason = f"its licence {given!r} is not one of the contract's: {', '.join(allowed)}"
            return reason, {"licence": given, "allowed": list(allowed)}

        refused = ~empty & ~np.isin(licences, list(allowed))
        tally.samples(np.flatnonzero(refused), describe, severity="error", fault="not-allowed")


def metadata(context: CheckContext, tally: Tally) -> None:
    """Samples whose metadata is missing, of another type or out of range."""
    tally.looked_at = context.n_samples
    specs = context.contract.metadata
    if not specs:
        return
    problems_of: dict[int, list[tuple[str, str]]] = {}
    known: dict[str | None, list[tuple[str, str]]] = {}
    for row, text in enumerate(context.column("metadata").tolist()):
        if text not in known and len(known) < 100_000:
            known[text] = list(_problems(specs, text))
        problems = known[text] if text in known else list(_problems(specs, text))
        if problems:
            problems_of[row] = problems
    for name in specs:
        wrong = {row: why for row, all_of in problems_of.items() for field, why in all_of if field == name}
        tally.samples(sorted(wrong), _describe_field(wrong, name), about=name)


def _describe_field(wrong: Mapping[int, str], name: str) -> Describe:
    return lambda row: (wrong[row], {"field": name})


def _problems(specs: Mapping[str, MetadataSpec], text: str | None) -> Iterator[tuple[str, str]]:
    values = json.loads(text) if text else {}
    for name, spec in specs.items():
        if name not in values:
            if spec.required:
                yield name, f"the metadata field {name!r} is missing"
            continue
        problem = spec.problem_of(values[name])
        if problem:
            yield name, f"the metadata field {name!r} {problem}"


def covered(context: CheckContext, line: Coverage, class_name: str = "") -> tuple[int, str]:
    """Number of samples that match a coverage line, or of annotations of a class on them; and why it is unknown."""
    where = context.contract.query_of(line)
    try:
        if class_name:
            return context.snapshot.by_class(where, label_set=context.label_set).get(class_name, 0), ""
        return len(context.snapshot.ids(where, label_set=context.label_set)), ""
    except (QueryFieldUnknown, QueryInvalid) as error:
        return 0, error.message


def demands(line: Coverage) -> list[tuple[str, int, str]]:
    """What a coverage line requires: class (empty: any), the number, and of what."""
    samples = [("", line.min_samples, "samples")] if line.min_samples is not None else []
    return samples + [(name, asked.min_annotations, "annotations") for name, asked in line.classes.items()]


def coverage(context: CheckContext, tally: Tally) -> None:
    """Conditions that too few samples meet, or too few annotations of a class."""
    for line in context.contract.coverage:
        for class_name, asked, unit in demands(line):
            tally.looked_at += 1
            n_matching, why = covered(context, line, class_name)
            if n_matching < asked:
                of = f"annotations of {class_name!r}" if class_name else "samples"
                reason = f"{n_matching} {of} match {line.title!r}, the contract requires {asked}"
                where = context.contract.query_of(line)
                facts = {"where": where, unit: n_matching, f"min_{unit}": asked}
                tally.dataset(f"{reason} ({why})" if why else reason, facts, about=f"{where}|{class_name}")


CHECKS = (
    Check(
        name="licence",
        title="Licences",
        means="Each sample has a licence, and one that the contract allows.",
        fix="ask the source for the licence, or remove the sample",
        unit="samples",
        severity="warning",
        family="declared",
        scope="sample",
        run=licence,
        source="the contract",
        example="the sample has no licence",
    ),
    Check(
        name="metadata",
        title="Metadata",
        means="Each sample has the metadata that the contract requires, of its type and in its range.",
        fix="fill in the field at the source and import again",
        unit="samples",
        severity="error",
        family="declared",
        scope="sample",
        run=metadata,
        source="the contract",
        example="the metadata field 'light' is 'dusk', allowed are 'day', 'night'",
    ),
    Check(
        name="coverage",
        title="Coverage of conditions",
        means="Each condition that the contract names is met by enough samples.",
        fix="collect samples that meet the condition",
        unit="conditions",
        severity="error",
        family="coverage",
        run=coverage,
        source="the contract",
        example="12 samples match 'night', the contract requires 100",
    ),
)
