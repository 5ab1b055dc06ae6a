"""Counts samples and annotations by class, split, tag, licence, source and metadata, from columns. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.browse.columns import Coded, LabelColumns, Rows, SampleColumns
from calotype.vision.ontology import Ontology

Selected = npt.NDArray[np.bool_] | None
MAX_VALUES = 12
"""Most frequent values that are listed of a metadata field."""
_MAX_NAMES = 50
_N_BINS = 24
_MANY_TIES = 10_000
_SPLIT_ORDER = {"train": 0, "val": 1, "test": 2, "": 9}


@dataclass(frozen=True, slots=True)
class Counted:
    """The columns of a state that are counted: its samples, and the label sets by name.

    Attributes:
        main: The label set whose classes and splits are counted.
        field_types: Metadata field -> type.
    """

    samples: SampleColumns
    label_sets: Mapping[str, LabelColumns]
    main: str
    ontology: Ontology
    field_types: Mapping[str, str]


def facets(counted: Counted, selected: Selected = None) -> dict[str, Any]:
    """Counts over the selected samples, or over all, as JSON-ready values.

    Histograms have the same edges for any selection, so that they can be drawn over one another.
    """
    samples, main = counted.samples, counted.label_sets.get(counted.main)
    n_samples = len(samples.index) if selected is None else int(selected.sum())
    label_sets = [_label_set(name, columns, selected) for name, columns in counted.label_sets.items()]
    per_sample = (
        main.per_sample(len(samples.index)) if main is not None else np.zeros(len(samples.index), int)
    )
    unlabelled = per_sample == 0
    return {
        "samples": n_samples,
        "annotations": sum(entry["annotations"] for entry in label_sets),
        "unlabelled": _number(unlabelled, selected),
        "derived": _number(samples.is_derived, selected),
        "label_sets": label_sets,
        "classes": _classes(counted.ontology, main, selected),
        "splits": _splits(samples.plain["split"], main, selected),
        "licences": _names(samples.plain["licence"], selected),
        "sources": _names(samples.plain["source"], selected),
        "tags": _listed(samples.tags.tags.values, samples.tags.counts(selected), _MAX_NAMES),
        "fields": [
            _field(name, kind, samples.fields[name], n_samples, selected)
            for name, kind in counted.field_types.items()
        ],
        "sizes": _sizes(samples.sizes_wh if selected is None else samples.sizes_wh[selected]),
    }


def _number(flags: npt.NDArray[np.bool_], selected: Selected) -> int:
    return int(flags.sum() if selected is None else (flags & selected).sum())


def _in(columns: LabelColumns, selected: Selected) -> Selected:
    """(N,) annotations of the selected samples."""
    if selected is None:
        return None
    return np.append(selected, False)[columns.sample]  # the last one is for annotations without a sample


def _label_set(name: str, columns: LabelColumns, selected: Selected) -> dict[str, Any]:
    counts = columns.kinds.counts(_in(columns, selected)).tolist()
    kinds = {kind: n for kind, n in zip(columns.kinds.values.to_pylist(), counts, strict=True) if n}
    return {"name": name, "annotations": sum(kinds.values()), "kinds": kinds}


def _classes(ontology: Ontology, columns: LabelColumns | None, selected: Selected) -> list[dict[str, Any]]:
    by_class: dict[int, tuple[int, int]] = {}
    if columns is not None:
        within = _in(columns, selected)
        first = columns.is_first if within is None else columns.is_first & within
        figures = zip(
            columns.classes.values.to_pylist(),
            columns.classes.counts(within).tolist(),
            columns.classes.counts(first).tolist(),
            strict=True,
        )
        by_class = {class_id: (n_annotations, n_samples) for class_id, n_annotations, n_samples in figures}
    return [
        {
            "id": c.id,
            "name": c.name,
            "supercategory": c.supercategory,
            "keypoints": list(c.keypoints),
            "skeleton": [list(edge) for edge in c.skeleton],
            "annotations": by_class.get(c.id, (0, 0))[0],
            "samples": by_class.get(c.id, (0, 0))[1],
        }
        for c in ontology.classes
    ]


def _splits(split: Coded, columns: LabelColumns | None, selected: Selected) -> list[dict[str, Any]]:
    names = [name or "" for name in split.values.to_pylist()]
    codes = split.codes
    if "" not in names:  # of samples without a split, and of annotations without a sample
        names.append("")
    codes = np.where(codes < 0, names.index(""), codes)
    n_samples = np.bincount(codes if selected is None else codes[selected], minlength=len(names))
    n_annotations = np.zeros(len(names), np.int64)
    if columns is not None:
        owner = columns.sample if selected is None else columns.sample[_in(columns, selected)]
        n_annotations = np.bincount(np.append(codes, names.index(""))[owner], minlength=len(names))
    found = [place for place in range(len(names)) if n_samples[place]]
    found.sort(key=lambda place: (_SPLIT_ORDER.get(names[place], 5), names[place]))
    return [
        {"name": names[place], "samples": int(n_samples[place]), "annotations": int(n_annotations[place])}
        for place in found
    ]


def _names(column: Coded, selected: Selected) -> list[dict[str, Any]]:
    counts = column.counts(selected)
    n_none = (len(column) if selected is None else int(selected.sum())) - int(counts.sum())
    return _listed(column.values, counts, _MAX_NAMES, n_none)


def _listed(values: pa.Array, counts: Rows, limit: int, n_none: int = 0) -> list[dict[str, Any]]:
    """The most frequent values; those that are equally frequent in the order of their text."""
    used = np.flatnonzero(counts)
    if len(used) > limit:
        least = np.partition(counts[used], len(used) - limit)[len(used) - limit]
        often, ties = used[counts[used] > least], used[counts[used] == least]
        used = np.concatenate([often, _first_of_many(values, ties, limit - len(often))])
    rows = list(zip(values.take(pa.array(used)).to_pylist(), counts[used].tolist(), strict=True))
    if n_none:
        rows.append((None, n_none))
    rows.sort(key=lambda row: (-row[1], str(row[0])))
    return [{"value": value, "count": count} for value, count in rows[:limit]]


def _first_of_many(values: pa.Array, ties: Rows, n: int) -> Rows:
    """Those of equally frequent values that come first; many numbers in the order of numbers, not of their text."""
    if len(ties) <= _MANY_TIES:
        texts = [str(value) for value in values.take(pa.array(ties)).to_pylist()]
        return ties[sorted(range(len(ties)), key=texts.__getitem__)[:n]]
    candidates = pa.table({"value": values.take(pa.array(ties))})
    first = pc.select_k_unstable(candidates, k=n, sort_keys=[("value", "ascending")])
    return ties[np.asarray(first, np.int64)]


def _field(name: str, kind: str, column: Coded, n_samples: int, selected: Selected) -> dict[str, Any]:
    everywhere = column.counts()
    counts = everywhere if selected is None else column.counts(selected)
    is_number = kind in ("int", "float") and np.count_nonzero(everywhere) > MAX_VALUES
    return {
        "name": name,
        "type": kind,
        "distinct": int(np.count_nonzero(counts)),
        "missing": n_samples - int(counts.sum()),
        "top": _listed(column.values, counts, MAX_VALUES),
        "histogram": _histogram(column, everywhere, counts) if is_number else None,
    }


def _histogram(column: Coded, everywhere: Rows, counts: Rows) -> dict[str, Any] | None:
    """The distribution of the counted values, with edges from the least to the greatest value of all."""
    values = column.values.to_numpy(zero_copy_only=False).astype(np.float64)
    used = values[everywhere > 0]
    if not np.isfinite(used).all():
        return None
    edges = np.histogram_bin_edges(used, bins=_N_BINS)
    weights, _ = np.histogram(values, bins=_N_BINS, range=(used.min(), used.max()), weights=counts)
    return {"edges": edges.tolist(), "counts": np.rint(weights).astype(np.int64).tolist()}


def _sizes(sizes_wh: npt.NDArray[np.int32]) -> dict[str, list[int]] | None:
    if len(sizes_wh) == 0:
        return None
    return {
        "min": sizes_wh.min(axis=0).tolist(),
        "median": np.median(sizes_wh, axis=0).astype(int).tolist(),
        "max": sizes_wh.max(axis=0).tolist(),
    }
