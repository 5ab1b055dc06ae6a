"""The card of a release: its contents, its purpose and how it was tested.

A card depends only on the commit, the spec, the verdict of the gates and the release before; it is stored with its
release.
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
from calotype.release.model import Exported, ReleaseSpec, Since, losses_dict
from calotype.release.terms import terms

_MAX_VALUES = 12
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
    """What a release contains.

    Attributes:
        columns: Columns of the samples as lists, in order of name.
        annotations: `sample_id`, `class_id` and `kind` of the annotations of its label set.
        split_of: Sample id -> split; empty for samples in no split.
    """

    columns: Mapping[str, list[Any]]
    annotations: pa.Table
    split_of: Mapping[str, str]

    @classmethod
    def read(cls, snapshot: Snapshot, ids: Sequence[str], label_set: str) -> Contents:
        """Read the samples with these ids and their annotations."""
        table = snapshot.samples(ids=ids, columns=_COLUMNS)
        columns = {name: table[name].to_pylist() for name in _COLUMNS}
        splits = (split or "" for split in columns["split"])
        return cls(
            columns,
            snapshot.annotations(label_set, sample_ids=ids, columns=["sample_id", "class_id", "kind"]),
            dict(zip(columns["sample_id"], splits, strict=True)),
        )

    @property
    def splits(self) -> list[str]:
        """Names of the splits: train, val, test, then others by name, then no split."""
        return sorted(set(self.split_of.values()), key=lambda name: (_SPLIT_ORDER.get(name, 5), name))


def create_card(
    snapshot: Snapshot,
    commit: Commit,
    version: str,
    spec: ReleaseSpec,
    ids: Sequence[str],
    verdict: Verdict,
    released_us: int,
    since: Since | None,
) -> dict[str, Any]:
    """The card as plain values, without exports (see `with_exports`).

    Args:
        released_us: Time of the release in microseconds since 1970.
        since: What differs from the release before; None for the first one.
    """
    contents = Contents.read(snapshot, ids, spec.label_set)
    conditions = terms(snapshot, ids, spec.purpose, released_us)
    if since is not None and since.same:
        conditions["warnings"].append(since.warning)
    conditions["warnings"] += verdict.left_out
    return {
        "dataset": snapshot.dataset.name,
        "description": snapshot.dataset.description,
        "version": version,
        "commit": commit.id,
        "date": iso(commit.created_at_us),
        "author": commit.author,
        **_intent(snapshot),
        **conditions,
        "label_set": spec.label_set,
        "samples": len(ids),
        **_statistics(snapshot, contents),
        "split_by": {"fractions": spec.split and dict(spec.split), "by": spec.by, "seed": spec.seed},
        "pool": {"where": spec.where, "selected": None if spec.pool is None else len(spec.pool)},
        **({"since": since.to_dict()} if since is not None else {}),
        "gates": [gate.to_card() for gate in verdict.gates],
        "findings": dict(sorted(verdict.findings.items())),
        "objectives": [dict(objective) for objective in verdict.objectives],
        "standing": dict(verdict.standing),
        "exports": [],
    }


def _statistics(snapshot: Snapshot, contents: Contents) -> dict[str, Any]:
    """Counts and distributions over the samples and annotations of a release."""
    columns, annotations = contents.columns, contents.annotations
    return {
        "derived": sum(1 for parent in columns["parent_id"] if parent),
        "annotations": annotations.num_rows,
        "kinds": _value_counts(annotations["kind"].to_pylist()),
        "splits": _splits(contents),
        "classes": _classes(snapshot, contents),
        "sizes": _sizes(columns),
        "conditions": _conditions(snapshot, columns["metadata"]),
        "licences": _value_counts(columns["licence"]),
        "sources": _value_counts(columns["source"]),
        "recipes": _value_counts(recipe for recipe in columns["recipe"] if recipe),
    }


def with_exports(card: Mapping[str, Any], exports: Iterable[Exported]) -> dict[str, Any]:
    """The card with the exports: what was written in each format, and what the format cannot represent."""
    rows = [
        {
            "format": export.format,
            "samples": export.samples,
            "annotations": export.annotations,
            "losses": [losses_dict(loss) for loss in export.losses],
            "reopened": export.reopened.to_dict() if export.reopened else None,
        }
        for export in exports
    ]
    return {**card, "exports": rows}


def _intent(snapshot: Snapshot) -> dict[str, str]:
    """Name, intent and owner from the contract; empty strings without a contract."""
    contract = yaml.safe_load(snapshot.contract_text) if snapshot.contract_text else None
    task = contract.get("task") if isinstance(contract, dict) else None
    fields = task if isinstance(task, dict) else {}
    values = {
        "contract": fields.get("name"),
        "intent": fields.get("intent"),
        "owner": fields.get("owner"),
    }
    return {key: value.strip() if isinstance(value, str) else "" for key, value in values.items()}


def _splits(contents: Contents) -> list[dict[str, Any]]:
    n_samples = Counter(contents.split_of.values())
    sample_ids = contents.annotations["sample_id"].to_pylist()
    n_annotations = Counter(contents.split_of[sample_id] for sample_id in sample_ids)
    return [
        {"name": name, "samples": n_samples[name], "annotations": n_annotations[name]}
        for name in contents.splits
    ]


def _classes(snapshot: Snapshot, contents: Contents) -> list[dict[str, Any]]:
    n_annotations: Counter[tuple[int, str]] = Counter()
    samples_with: dict[int, set[str]] = {}
    sample_ids = contents.annotations["sample_id"].to_pylist()
    class_ids = contents.annotations["class_id"].to_pylist()
    for sample_id, class_id in zip(sample_ids, class_ids, strict=True):
        n_annotations[class_id, contents.split_of[sample_id]] += 1
        samples_with.setdefault(class_id, set()).add(sample_id)
    return [
        {
            "id": c.id,
            "name": c.name,
            "annotations": sum(n_annotations[c.id, split] for split in contents.splits),
            "samples": len(samples_with.get(c.id, ())),
            "by_split": {split: n_annotations[c.id, split] for split in contents.splits},
        }
        for c in snapshot.ontology.classes
    ]


def _conditions(snapshot: Snapshot, metadata: Sequence[str | None]) -> list[dict[str, Any]]:
    """The distribution of each metadata field: its most frequent values, or the range of a number."""
    values: dict[str, list[Any]] = {name: [] for name in sorted(snapshot.fields)}
    for text in metadata:
        for name, value in (json.loads(text) if text else {}).items():
            values[name].append(value)
    conditions = []
    for name, present in values.items():
        is_number = snapshot.fields[name] in ("int", "float")
        row: dict[str, Any] = {
            "field": name,
            "missing": len(metadata) - len(present),
            "distinct": len(set(present)),
        }
        if is_number and present and row["distinct"] > _MAX_VALUES:
            ordered = sorted(present)
            row["range"] = {"min": ordered[0], "median": ordered[len(ordered) // 2], "max": ordered[-1]}
        else:
            row["values"] = _value_counts(present)[:_MAX_VALUES]
        conditions.append(row)
    return conditions


def _sizes(rows: Mapping[str, list[Any]]) -> dict[str, list[int]]:
    widths, heights = rows["width_px"], rows["height_px"]
    return {"min": [min(widths), min(heights)], "max": [max(widths), max(heights)]} if widths else {}


def _value_counts(values: Iterable[Any]) -> list[dict[str, Any]]:
    counts = Counter("" if value is None else value for value in values)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [{"value": value, "count": count} for value, count in ordered]
