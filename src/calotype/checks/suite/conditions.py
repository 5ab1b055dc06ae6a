"""Checks of what is covered and how fresh it is: combinations of conditions, drift, outliers, age, reviews,
guidelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from calotype.analysis.coverage import combined
from calotype.analysis.drift import field_shift
from calotype.analysis.drift import outliers as distances
from calotype.analysis.grouping import ranked
from calotype.analysis.intervals import q_values
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Description, Tally
from calotype.checks.suite.vectors import vectors_of
from calotype.datasets import refs
from calotype.datasets.fields import newest_date_us, parsed
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.clock import now_us

_DAY_US = 86_400_000_000
_MAX_HOLES = 200
"""Maximum number of missing combinations that become findings, of each number of conditions."""


def combinations(context: CheckContext, tally: Tally) -> None:
    """Combinations of operating conditions that too few samples show: of one, two or three at a time."""
    contract = context.contract
    allowed = {
        name: contract.metadata[name].values or ()
        for name in contract.conditions
        if contract.metadata[name].values
    }
    if not allowed:
        return
    rows = list(parsed(context.column("metadata").tolist()))
    columns = {name: [values.get(name) for values in rows] for name in allowed}
    asked = contract.combinations
    for ways in range(1, (asked.ways if asked else 2) + 1):
        covered = combined(columns, allowed, ways, asked.min_samples if asked else 1)
        tally.looked_at += covered.n_combinations
        tally.reference[f"{ways}-way"] = [covered.n_combinations, covered.n_holes, round(covered.fraction, 6)]
        short = asked is not None and ways == asked.ways and covered.fraction < asked.min_fraction
        for values, n in covered.holes[:_MAX_HOLES]:
            where = ", ".join(f"{name} {value}" for name, value in values.items())
            level = "error" if short else "info"
            facts = {"values": dict(values), "samples": n, "ways": ways}
            reason = f"{n} samples show {where}"
            tally.dataset(reason, facts, severity=level, fault=f"{ways}-way", about=where)


def drift(context: CheckContext, tally: Tally) -> None:
    """Metadata fields, classes and images whose distribution differs from the reference."""
    before = reference_of(context)
    if before is None:
        return
    now, then = _distributions(context.snapshot, context), _distributions(before, context)
    names = [name for name in now if now[name] and then.get(name)]
    shifts = {name: field_shift(now[name], then[name]) for name in names}
    tally.looked_at = len(names)
    limit = context.contract.reference.max_shift if context.contract.reference else 0.2
    adjusted = q_values([shifts[name].p_value for name in names]).tolist() if names else []
    for name, q in zip(names, adjusted, strict=True):
        shift = shifts[name]
        if shift.distance > limit and q < 0.05:
            facts = {
                "distance": round(shift.distance, 4),
                "q_value": float(q),
                "n_reference": shift.n_reference,
            }
            reason = f"the distribution of {name} differs from the reference (distance {shift.distance:.2f})"
            tally.dataset(reason, facts, fault="field", about=name)


def reference_of(context: CheckContext) -> Snapshot | None:
    """The state that the contract takes as reference; None where it names none."""
    asked = context.contract.reference
    if asked is None:
        return None
    with context.store.catalog.read() as conn:
        info = context.snapshot.dataset
        return open_ref(conn, context.store, info, refs.resolve(conn, info, asked.ref), name=asked.ref)


def _distributions(state: Snapshot, context: CheckContext) -> dict[str, list[Any]]:
    """Field -> values, and the classes of annotations under `class`."""
    values_of: dict[str, list[Any]] = {}
    for values in parsed(state.samples(columns=["metadata"])["metadata"].to_pylist()):
        for name, value in values.items():
            values_of.setdefault(name, []).append(value)
    names = {c.id: c.name for c in state.ontology.classes}
    classes = state.annotations(context.label_set, columns=["class_id"])["class_id"].to_pylist()
    return {**values_of, "class": [names.get(number, str(number)) for number in classes]}


def outliers(context: CheckContext, tally: Tally) -> None:
    """Images unlike all others: rare cases, or images that do not belong."""
    n = context.n_samples
    if n < tally.number("min_samples") or n > tally.number("max_samples"):
        return
    vectors, available = vectors_of(context, [(row, None) for row in range(n)])
    rows = np.flatnonzero(available)
    tally.looked_at = len(rows)
    if len(rows) < tally.number("min_samples"):
        return
    score = distances(vectors[rows])
    spread = 1.4826 * float(np.median(np.abs(score - np.median(score))))
    z = (score - np.median(score)) / max(spread, 0.02)

    def describe(k: int) -> Description:
        facts = {"distance": round(float(score[k]), 3), "deviations": round(float(z[k]), 2)}
        return f"the image is unlike all others ({score[k]:.1f} times the usual distance)", facts

    tally.samples(*ranked(rows, z, z > tally.number("max_deviations"), describe))


def freshness(context: CheckContext, tally: Tally) -> None:
    """Whether the newest samples are young enough."""
    asked = context.contract.freshness
    if asked is None:
        return
    tally.looked_at = context.n_samples
    newest = newest_us(context, asked.field)
    if newest is None:
        tally.dataset(f"no sample has a date in {asked.field!r}", {"field": asked.field}, fault="undated")
        return
    age = (now_us() - newest) / _DAY_US
    if age > asked.max_age_days:
        reason = f"the newest sample is {age:.1f} days old, the contract allows {asked.max_age_days:g}"
        tally.dataset(reason, {"age_days": round(age, 2)}, fault="old")


def newest_us(context: CheckContext, field: str) -> int | None:
    """When the newest sample was `added`, or its date in a metadata field, in microseconds since 1970."""
    if field == "added":
        newest = pc.max(context.samples_with(["created_at_us"])["created_at_us"]).as_py()
        return int(newest) if newest else None
    return newest_date_us(values.get(field) for values in parsed(context.column("metadata").tolist()))


def unreviewed(context: CheckContext, tally: Tally) -> None:
    """Annotations that are marked as not reviewed, and those of a model that nobody reviewed."""
    tally.looked_at = context.n_annotations
    table = context.annotations_with(["attributes", "score"])
    says = pc.fill_null(pc.match_substring_regex(table["attributes"], '"reviewed": ?false'), False)
    scored = pc.and_(
        pc.is_valid(table["score"]),
        pc.invert(pc.fill_null(pc.match_substring_regex(table["attributes"], '"reviewed": ?true'), False)),
    )
    marked = np.flatnonzero(says.to_numpy())
    tally.annotations(marked, lambda _: ("not reviewed yet", {}), fault="marked")
    by_model = np.setdiff1d(np.flatnonzero(scored.to_numpy()), marked)
    tally.annotations(by_model, lambda _: ("predicted by a model and not reviewed", {}), fault="by-model")


def old_guideline(context: CheckContext, tally: Tally) -> None:
    """Annotations that were made under another version of the guideline than the present one."""
    asked = context.contract.guideline
    if asked is None:
        return
    tally.looked_at = context.n_annotations
    texts = context.annotations_with(["attributes"])["attributes"].to_pylist()
    versions = [values.get("guideline_version") for values in parsed(texts)]
    old = np.asarray([str(version) != asked.version for version in versions], bool)

    def describe(row: int) -> Description:
        given = versions[row]
        stated = "without a stated guideline" if given is None else f"under guideline {given}"
        return f"labelled {stated}; the present one is {asked.version}", {"version": given}

    tally.annotations(np.flatnonzero(old), describe)


CHECKS = (
    Check(
        name="combinations",
        title="Combinations of conditions",
        means=(
            "Values of operating conditions occur together on enough samples: each alone, in pairs, in "
            "threes."
        ),
        fix="collect samples that show the combination, or narrow the allowed values",
        unit="combinations",
        severity="info",
        family="coverage",
        run=combinations,
        source="NIST IR 7878, combinatorial coverage measurement",
        example="0 samples show light night, weather snow",
    ),
    Check(
        name="drift",
        title="Drift against a reference",
        means="Fields and classes are distributed as in the reference of the contract.",
        fix="see what changed at the source; set a new reference when the change is intended",
        unit="fields",
        severity="warning",
        family="drift",
        run=drift,
        source="Jensen-Shannon distance; chi-square, Benjamini and Hochberg",
        example="the distribution of light differs from the reference (distance 0.41)",
        steady=False,
    ),
    Check(
        name="outliers",
        title="Outliers and rare cases",
        means="The image is far from all others by its vector: rare, or it does not belong.",
        fix="keep and collect more like it, or remove it",
        unit="samples",
        severity="info",
        family="drift",
        cost="vectors",
        run=outliers,
        parameters={"max_deviations": 6.0, "min_samples": 50, "max_samples": 200_000},
        source="distance to the 10th neighbour, S. Ramaswamy et al., 2000",
        example="the image is unlike all others (3.1 times the usual distance)",
    ),
    Check(
        name="freshness",
        title="Fresh samples",
        means="The newest sample is not older than the contract allows.",
        fix="add newer samples",
        unit="samples",
        severity="error",
        family="process",
        run=freshness,
        source="the contract's `freshness`",
        example="the newest sample is 41.0 days old, the contract allows 30",
        steady=False,
    ),
    Check(
        name="unreviewed",
        title="Unreviewed labels",
        means="Annotations that a model predicted, or that are marked as not reviewed, and nobody reviewed since.",
        fix="review them, or set the attribute `reviewed`",
        unit="annotations",
        severity="info",
        family="process",
        scope="sample",
        run=unreviewed,
        source="the attribute `reviewed`, and scores",
        example="not reviewed yet",
    ),
    Check(
        name="old-guideline",
        title="Old guideline",
        means="Annotations made under another guideline than the present one.",
        fix="review them under the present guideline",
        unit="annotations",
        severity="info",
        family="process",
        scope="sample",
        run=old_guideline,
        source="the attribute `guideline_version`",
        example="labelled under guideline 2; the present one is 3",
    ),
)
