"""Counts of a dataset one row at a time, to hold the counts by columns against: slow, short and obvious."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from calotype.datasets.model import Annotation, Sample
from calotype.datasets.snapshot import Snapshot


def count_rows(state: Snapshot, main: str, where: str | None = None) -> dict[str, Any]:
    """What `overview` answers, without `approximate`; histograms only over all samples."""
    ids = state.ids(where, label_set=main)
    samples = list(state.iter_samples(ids=ids))
    by_set = {
        name: [a for of_sample in state.annotations_of(ids, name).values() for a in of_sample]
        for name in state.label_sets
    }
    of_main = by_set.get(main, [])
    return {
        "samples": len(samples),
        "annotations": sum(map(len, by_set.values())),
        "unlabelled": len(set(ids) - {a.sample_id for a in of_main}),
        "derived": sum(sample.parent_id != "" for sample in samples),
        "label_sets": [
            {"name": name, "annotations": len(rows), "kinds": dict(Counter(str(a.kind) for a in rows))}
            for name, rows in by_set.items()
        ],
        "classes": _classes(state, of_main),
        "splits": _splits(samples, of_main),
        "licences": _listed((sample.licence for sample in samples), 50),
        "sources": _listed((sample.source for sample in samples), 50),
        "tags": _listed((tag for sample in samples for tag in sample.tags), 50),
        "fields": [_field(name, kind, samples) for name, kind in state.fields.items()],
        "sizes": _sizes(samples),
    }


def _classes(state: Snapshot, annotations: Sequence[Annotation]) -> list[dict[str, Any]]:
    return [
        {
            "id": c.id,
            "name": c.name,
            "supercategory": c.supercategory,
            "keypoints": list(c.keypoints),
            "skeleton": [list(edge) for edge in c.skeleton],
            "annotations": sum(a.class_id == c.id for a in annotations),
            "samples": len({a.sample_id for a in annotations if a.class_id == c.id}),
        }
        for c in state.ontology.classes
    ]


def _splits(samples: Sequence[Sample], annotations: Sequence[Annotation]) -> list[dict[str, Any]]:
    split_of = {sample.sample_id: sample.split for sample in samples}
    order = {"train": 0, "val": 1, "test": 2, "": 9}
    return [
        {
            "name": name,
            "samples": sum(split == name for split in split_of.values()),
            "annotations": sum(split_of[a.sample_id] == name for a in annotations),
        }
        for name in sorted(set(split_of.values()), key=lambda name: (order.get(name, 5), name))
    ]


def _listed(values: Iterable[Any], limit: int) -> list[dict[str, Any]]:
    counts = sorted(Counter(values).items(), key=lambda item: (-item[1], str(item[0])))
    return [{"value": value, "count": count} for value, count in counts[:limit]]


def _field(name: str, kind: str, samples: Sequence[Sample]) -> dict[str, Any]:
    values: list[Any] = [sample.metadata[name] for sample in samples if name in sample.metadata]
    histogram = None
    if kind in ("int", "float") and len(set(values)) > 12:
        counts, edges = np.histogram(np.asarray(values, np.float64), bins=24)
        histogram = {"edges": edges.tolist(), "counts": counts.tolist()}
    return {
        "name": name,
        "type": kind,
        "distinct": len(set(values)),
        "missing": len(samples) - len(values),
        "top": _listed(values, 12),
        "histogram": histogram,
    }


def _sizes(samples: Sequence[Sample]) -> dict[str, list[int]] | None:
    if not samples:
        return None
    sizes = np.array([(sample.width_px, sample.height_px) for sample in samples])
    return {
        "min": sizes.min(axis=0).tolist(),
        "median": np.median(sizes, axis=0).astype(int).tolist(),
        "max": sizes.max(axis=0).tolist(),
    }
