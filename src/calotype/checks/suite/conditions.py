"""Checks of what is covered and how fresh it is: combinations of conditions, drift, outliers, age, reviews,
guidelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from calotype.analysis.metadata_values import fields_of, newest_date_us
from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Tally
from calotype.checks.suite.vectors import vectors_of
from calotype.datasets import refs
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.clock import now_us

_DAY_US = 86_400_000_000
_TOLD = 200


def combinations(context: CheckContext, tally: Tally) -> None:
    """Combinations of operating conditions that too few samples show: of one, two or three at a time."""
    from calotype.analysis.coverage import combined

    contract = context.contract
    allowed = {
        name: contract.metadata[name].values or ()
        for name in contract.conditions
        if contract.metadata[name].values
    }
    if not allowed:
        return
    rows = list(fields_of(context.column("metadata").tolist()))
    columns = {name: [values.get(name) for values in rows] for name in allowed}
    asked = contract.combinations
    for ways in range(1, (asked.ways if asked else 2) + 1):
        found = combined(columns, allowed, ways, asked.min_samples if asked else 1)
        tally.looked_at += found.n_combinations
        tally.reference[f"{ways}-way"] = [found.n_combinations, found.n_holes, round(found.fraction, 6)]
        short = asked is not None and ways == asked.ways and found.fraction < asked.min_fraction
        for values, n in found.holes[:_TOLD]:
            where = ", ".join(f"{name} {value}" for name, value in values.items())
            level = "error" if short else "info"
            facts = {"values": dict(values), "samples": n, "ways": ways}
            tally.dataset(
                f"{n} samples show {where}", facts, severity=level, fault=f"{ways}-way", about=where
            )


def drift(context: CheckContext, tally: Tally) -> None:
    """Metadata fields, classes and images that are distributed otherwise than in the reference."""
    from calotype.analysis.drift import field_shift
    from calotype.analysis.intervals import q_values

    before = reference_of(context)
    if before is None:
        return
    now, then = _distributions(context.snapshot, context), _distributions(before, context)
    names = [name for name in now if now[name] and then.get(name)]
    shifts = {name: field_shift(now[name], then[name]) for name in names}
    tally.looked_at = len(names)
    limit = context.contract.reference.max_shift if context.contract.reference else 0.2
    told = q_values([shifts[name].p_value for name in names]).tolist() if names else []
    for name, q in zip(names, told, strict=True):
        shift = shifts[name]
        if shift.distance > limit and q < 0.05:
            facts = {
                "distance": round(shift.distance, 4),
                "q_value": float(q),
                "n_reference": shift.n_reference,
            }
            reason = f"{name} is distributed otherwise than in the reference (distance {shift.distance:.2f})"
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
    found: dict[str, list[Any]] = {}
    for values in fields_of(state.samples(columns=["metadata"])["metadata"].to_pylist()):
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    names = {c.id: c.name for c in state.ontology.classes}
    classes = state.annotations(context.label_set, columns=["class_id"])["class_id"].to_pylist()
    return {**found, "class": [names.get(number, str(number)) for number in classes]}


def outliers(context: CheckContext, tally: Tally) -> None:
    """Images unlike all others: rare cases, or such as do not belong."""
    n = context.n_samples
    if n < tally.number("min_samples") or n > tally.number("max_samples"):
        return
    from calotype.analysis.drift import outliers as far

    vectors, had = vectors_of(context, [(row, None) for row in range(n)])
    rows = np.flatnonzero(had)
    tally.looked_at = len(rows)
    if len(rows) < tally.number("min_samples"):
        return
    score = far(vectors[rows])
    spread = 1.4826 * float(np.median(np.abs(score - np.median(score))))
    z = (score - np.median(score)) / max(spread, 0.02)
    hit = np.flatnonzero(z > tally.number("max_deviations"))
    hit = hit[np.argsort(-z[hit], kind="stable")]
    at = {int(rows[k]): int(k) for k in hit}

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        k = at[row]
        facts = {"distance": round(float(score[k]), 3), "deviations": round(float(z[k]), 2)}
        return f"the image is unlike all others ({score[k]:.1f} times the usual distance)", facts

    tally.samples(rows[hit], tell)


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
    return newest_date_us(context.column("metadata").tolist(), field)


def unreviewed(context: CheckContext, tally: Tally) -> None:
    """Annotations that say of themselves that nobody reviewed them, and those that a model made."""
    tally.looked_at = context.n_annotations
    table = context.annotations_with(["attributes", "score"])
    says = pc.fill_null(pc.match_substring_regex(table["attributes"], '"reviewed": ?false'), False)
    scored = pc.and_(pc.is_valid(table["score"]), pc.invert(pc.fill_null(
        pc.match_substring_regex(table["attributes"], '"reviewed": ?true'), False)))  # fmt: skip
    marked = np.flatnonzero(says.to_numpy())
    tally.annotations(marked, lambda _: ("nobody has reviewed it yet", {}), fault="marked")
    by_model = np.setdiff1d(np.flatnonzero(scored.to_numpy()), marked)
    tally.annotations(
        by_model, lambda _: ("a model made it, and nobody has reviewed it", {}), fault="by-model"
    )


def old_guideline(context: CheckContext, tally: Tally) -> None:
    """Annotations that were made under another version of the guideline than holds now."""
    asked = context.contract.guideline
    if asked is None:
        return
    tally.looked_at = context.n_annotations
    texts = context.annotations_with(["attributes"])["attributes"].to_pylist()
    versions = [values.get("guideline_version") for values in fields_of(texts)]
    old = np.asarray([str(version) != asked.version for version in versions], bool)

    def tell(row: int) -> tuple[str, dict[str, Any]]:
        given = versions[row]
        said = "under no stated guideline" if given is None else f"under guideline {given}"
        return f"it was made {said}, {asked.version} holds now", {"version": given}

    tally.annotations(np.flatnonzero(old), tell)


CHECKS = (
    Check(
        "combinations", "Combinations of conditions",
        "Values of operating conditions occur together on enough samples: each alone, in pairs, in threes.",
        "collect samples that show the combination, or narrow the allowed values", "combinations", "info",
        combinations, family="coverage",
        source="NIST IR 7878, combinatorial coverage measurement", example="0 samples show light night, weather snow",
    ),
    Check(
        "drift", "Drift against a reference",
        "Fields and classes are distributed as in the reference that the contract names.",
        "see what changed at the source; take a new reference when the change is meant", "fields", "warning", drift,
        family="drift", steady=False, source="Jensen-Shannon distance; chi-square, Benjamini and Hochberg",
        example="light is distributed otherwise than in the reference (distance 0.41)",
    ),
    Check(
        "outliers", "Outliers and rare cases",
        "The image is far from all others by its vector: rare, or it does not belong.",
        "keep and collect more like it, or remove it", "samples", "info", outliers,
        {"max_deviations": 6.0, "min_samples": 50, "max_samples": 200_000}, family="drift", cost="vectors",
        source="distance to the 10th neighbour, S. Ramaswamy et al., 2000",
        example="the image is unlike all others (3.1 times the usual distance)",
    ),
    Check(
        "freshness", "Fresh samples",
        "The newest sample is no older than the contract allows.",
        "add newer samples", "samples", "error", freshness, family="process", steady=False,
        source="the contract's `freshness`", example="the newest sample is 41.0 days old, the contract allows 30",
    ),
    Check(
        "unreviewed", "Unreviewed labels",
        "Annotations that a model made, or that are marked as not reviewed.",
        "review them, or set the attribute `reviewed`", "annotations", "info", unreviewed, family="process",
        scope="sample", source="the attribute `reviewed`, and scores", example="nobody has reviewed it yet",
    ),
    Check(
        "old-guideline", "Old guideline",
        "Annotations made under another guideline than holds now.",
        "have them looked at under the present one", "annotations", "info", old_guideline, family="process",
        scope="sample", source="the attribute `guideline_version`", 
        example="it was made under guideline 2, 3 holds now",
    ),
)  # fmt: skip
