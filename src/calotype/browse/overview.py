"""Summarises a dataset: counts by class, split, licence and metadata. For pages and cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Snapshot

_MAX_VALUES = 12
_N_BINS = 24


def overview(snapshot: Snapshot, *, label_set: str | None = None) -> dict[str, Any]:
    """Counts, classes, splits, licences, metadata fields and sizes of a state, as JSON-ready values."""
    label_set_ = label_set or (snapshot.label_sets[0] if snapshot.label_sets else DEFAULT_LABEL_SET)
    samples = snapshot.samples(
        columns=[
            "sample_id",
            "split",
            "licence",
            "source",
            "tags",
            "metadata",
            "width_px",
            "height_px",
            "parent_id",
        ]
    )
    annotations = snapshot.annotations(label_set_, columns=["sample_id", "class_id", "kind"])
    is_labelled = pc.is_in(samples["sample_id"], value_set=_as_array(annotations["sample_id"]))
    return {
        **snapshot.count(),
        "unlabelled": samples.num_rows - int(pc.sum(is_labelled).as_py() or 0),
        "derived": int(pc.sum(pc.not_equal(samples["parent_id"], "")).as_py() or 0),
        "label_sets": [_label_set(snapshot, name) for name in snapshot.label_sets],
        "classes": classes(snapshot, annotations),
        "splits": _splits(samples, annotations),
        "licences": _values(samples["licence"].to_pylist()),
        "sources": _values(samples["source"].to_pylist()),
        "tags": _values(tag for tags in samples["tags"].to_pylist() for tag in tags or ()),
        "fields": fields(snapshot),
        "sizes": _sizes(samples),
    }


def classes(snapshot: Snapshot, annotations: pa.Table) -> list[dict[str, Any]]:
    """Classes with their number of annotations and samples, ordered by id."""
    grouped = annotations.group_by("class_id").aggregate(
        [("sample_id", "count"), ("sample_id", "count_distinct")]
    )
    counts = {
        row["class_id"]: (row["sample_id_count"], row["sample_id_count_distinct"])
        for row in grouped.to_pylist()
    }
    rows = []
    for c in snapshot.ontology.classes:
        n_annotations, n_samples = counts.get(c.id, (0, 0))
        rows.append(
            {
                "id": c.id,
                "name": c.name,
                "supercategory": c.supercategory,
                "keypoints": list(c.keypoints),
                "skeleton": [list(edge) for edge in c.skeleton],
                "annotations": n_annotations,
                "samples": n_samples,
            }
        )
    return rows


def fields(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Metadata fields: type, number of samples without a value, most frequent values, histogram of numbers."""
    values_by_field: dict[str, list[Any]] = {name: [] for name in snapshot.fields}
    n_samples = 0
    for sample in snapshot.iter_samples():
        n_samples += 1
        for name, value in sample.metadata.items():
            values_by_field[name].append(value)
    return [
        _field(name, snapshot.fields[name], values, n_samples) for name, values in values_by_field.items()
    ]


def _field(name: str, kind: str, values: list[Any], n_samples: int) -> dict[str, Any]:
    counts = Counter(values)
    histogram = None
    if kind in ("int", "float") and len(counts) > _MAX_VALUES:
        n, edges = np.histogram(np.asarray(values, dtype=np.float64), bins=_N_BINS)
        histogram = {"edges": edges.tolist(), "counts": n.tolist()}
    top = [{"value": value, "count": count} for value, count in _by_count(counts)[:_MAX_VALUES]]
    missing = n_samples - len(values)
    return {
        "name": name,
        "type": kind,
        "distinct": len(counts),
        "missing": missing,
        "top": top,
        "histogram": histogram,
    }


def _label_set(snapshot: Snapshot, name: str) -> dict[str, Any]:
    kinds = snapshot.annotations(name, columns=["kind"])["kind"].value_counts().to_pylist()
    by_kind = {entry["values"]: entry["counts"] for entry in kinds}
    return {"name": name, "annotations": sum(by_kind.values()), "kinds": by_kind}


def _splits(samples: pa.Table, annotations: pa.Table) -> list[dict[str, Any]]:
    split_of = dict(zip(samples["sample_id"].to_pylist(), samples["split"].to_pylist(), strict=True))
    n_samples = Counter(split_of.values())
    n_annotations: Counter[str] = Counter(split_of.get(i, "") for i in annotations["sample_id"].to_pylist())
    order = {"train": 0, "val": 1, "test": 2, "": 9}
    names = sorted(n_samples, key=lambda name: (order.get(name, 5), name))
    return [{"name": name, "samples": n_samples[name], "annotations": n_annotations[name]} for name in names]


def _values(values: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"value": value, "count": count} for value, count in _by_count(Counter(values))[:50]]


def _by_count(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


def _sizes(samples: pa.Table) -> dict[str, list[int]] | None:
    if samples.num_rows == 0:
        return None
    sizes = np.stack([samples["width_px"].to_numpy(), samples["height_px"].to_numpy()], axis=1)
    return {
        "min": sizes.min(axis=0).tolist(),
        "median": np.median(sizes, axis=0).astype(int).tolist(),
        "max": sizes.max(axis=0).tolist(),
    }


def _as_array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
