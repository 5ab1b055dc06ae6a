"""The card of a release: what is in it, for whom, tested how. Facts of the commit only, so it comes out
the same again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import yaml

from calotype.datasets.commits import Commit
from calotype.datasets.snapshot import Snapshot
from calotype.findings.gatekeeping import Verdict
from calotype.foundation.clock import iso
from calotype.release.model import Exported, Spec, losses_dict
from calotype.release.terms import terms

_TOP = 12
_SPLIT_ORDER = {"train": 0, "val": 1, "test": 2, "": 9}
_COLUMNS = [
    "sample_id",
    "name",
    "split",
    "licence",
    "source",
    "metadata",
    "width_px",
    "height_px",
    "parent_id",
    "recipe",
]


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows of a release: sample columns as lists in order of name, and the annotations of its label set."""

    samples: Mapping[str, list[Any]]
    annotations: pa.Table


def contents(snapshot: Snapshot, ids: Sequence[str], label_set: str) -> Contents:
    """What the card is made of."""
    table = snapshot.samples(ids=ids, columns=_COLUMNS)
    rows = {name: table[name].to_pylist() for name in _COLUMNS}
    return Contents(
        rows, snapshot.annotations(label_set, sample_ids=ids, columns=["sample_id", "class_id", "kind"])
    )


def facts(
    snapshot: Snapshot,
    commit: Commit,
    version: str,
    spec: Spec,
    ids: Sequence[str],
    verdict: Verdict,
    at_us: int,
) -> dict[str, Any]:
    """The card as plain values, less what the exports lost (`with_exports`); `at_us` is when it is released."""
    held = contents(snapshot, ids, spec.label_set)
    rows = held.samples
    split_of = dict(zip(rows["sample_id"], (split or "" for split in rows["split"]), strict=True))
    names = sorted(set(split_of.values()), key=lambda name: (_SPLIT_ORDER.get(name, 5), name))
    per_split = Counter(split_of[sample_id] for sample_id in held.annotations["sample_id"].to_pylist())
    n_samples = Counter(split_of.values())
    return {
        "dataset": snapshot.dataset.name,
        "description": snapshot.dataset.description,
        "version": version,
        "commit": commit.id,
        "date": iso(commit.created_at_us),
        "author": commit.author,
        **_intent(snapshot),
        **terms(snapshot, ids, spec.purpose, at_us),
        "label_set": spec.label_set,
        "samples": len(ids),
        "derived": sum(1 for parent in rows["parent_id"] if parent),
        "annotations": held.annotations.num_rows,
        "kinds": _counted(held.annotations["kind"].to_pylist()),
        "splits": [
            {"name": name, "samples": n_samples[name], "annotations": per_split[name]} for name in names
        ],
        "split_by": {"fractions": spec.split and dict(spec.split), "by": spec.by, "seed": spec.seed},
        "pool": {"where": spec.where, "selected": None if spec.pool is None else len(spec.pool)},
        "classes": _classes(snapshot, held, split_of, names),
        "sizes": _sizes(rows),
        "conditions": _conditions(snapshot, rows["metadata"]),
        "licences": _counted(rows["licence"]),
        "sources": _counted(rows["source"]),
        "recipes": _counted(recipe for recipe in rows["recipe"] if recipe),
        "gates": [gate.to_card() for gate in verdict.gates],
        "findings": dict(sorted(verdict.findings.items())),
        "objectives": [dict(one) for one in verdict.objectives],
        "standing": dict(verdict.standing),
        "exports": [],
    }


def with_exports(card: Mapping[str, Any], exports: Iterable[Exported]) -> dict[str, Any]:
    """The card with what was written in each format and what the format could not hold."""
    rows = [
        {
            "format": one.format,
            "samples": one.samples,
            "annotations": one.annotations,
            "losses": [losses_dict(loss) for loss in one.losses],
        }
        for one in exports
    ]
    return {**card, "exports": rows}


def _intent(snapshot: Snapshot) -> dict[str, str]:
    """What the contract says the dataset is for, and who answers for it; empty without a contract."""
    said = yaml.safe_load(snapshot.contract_text) if snapshot.contract_text else None
    task = said.get("task") if isinstance(said, dict) else None
    contract = task if isinstance(task, dict) else {}
    words = {
        "contract": contract.get("name"),
        "intent": contract.get("intent"),
        "owner": contract.get("owner"),
    }
    return {key: value.strip() if isinstance(value, str) else "" for key, value in words.items()}


def _classes(
    snapshot: Snapshot, held: Contents, split_of: Mapping[str, str], names: Sequence[str]
) -> list[dict[str, Any]]:
    found: Counter[tuple[int, str]] = Counter()
    on: dict[int, set[str]] = {}
    pairs = zip(
        held.annotations["sample_id"].to_pylist(), held.annotations["class_id"].to_pylist(), strict=True
    )
    for sample_id, class_id in pairs:
        found[class_id, split_of[sample_id]] += 1
        on.setdefault(class_id, set()).add(sample_id)
    return [
        {
            "id": c.id,
            "name": c.name,
            "annotations": sum(found[c.id, name] for name in names),
            "samples": len(on.get(c.id, ())),
            "by_split": {name: found[c.id, name] for name in names},
        }
        for c in snapshot.ontology.classes
    ]


def _conditions(snapshot: Snapshot, metadata: Sequence[str | None]) -> list[dict[str, Any]]:
    """The spread of each metadata field: its most frequent values, and the range where it is a number."""
    values: dict[str, list[Any]] = {name: [] for name in sorted(snapshot.fields)}
    for text in metadata:
        for name, value in (json.loads(text) if text else {}).items():
            values[name].append(value)
    found = []
    for name, seen in values.items():
        numbers = snapshot.fields[name] in ("int", "float")
        row: dict[str, Any] = {
            "field": name,
            "missing": len(metadata) - len(seen),
            "distinct": len(set(seen)),
        }
        if numbers and seen and row["distinct"] > _TOP:
            ordered = sorted(seen)
            row["range"] = {"min": ordered[0], "median": ordered[len(ordered) // 2], "max": ordered[-1]}
        else:
            row["values"] = _counted(seen)[:_TOP]
        found.append(row)
    return found


def _sizes(rows: Mapping[str, list[Any]]) -> dict[str, list[int]]:
    widths, heights = rows["width_px"], rows["height_px"]
    return {"min": [min(widths), min(heights)], "max": [max(widths), max(heights)]} if widths else {}


def _counted(values: Iterable[Any]) -> list[dict[str, Any]]:
    counts = Counter("" if value is None else value for value in values)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [{"value": value, "count": count} for value, count in ordered]
