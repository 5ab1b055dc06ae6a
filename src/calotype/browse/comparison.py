"""Compares two states of a dataset: what differs, grouped, and one sample before and after."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from calotype.browse import grid
from calotype.browse.annotation_changes import CHANGES, annotation_changes
from calotype.datasets import rows
from calotype.datasets.differences import changed
from calotype.datasets.model import Sample
from calotype.datasets.snapshot import SampleNotFound, Snapshot

_MAX_GROUPS = 200
_MAX_KEPT, _MAX_LISTS = 8, 16
_MAX_ROWS_KEPT = 1_000_000
_SAMPLE_ORDER = {"added": 0, "removed": 1, "changed": 2, "annotations": 3}
_FIELDS = ("name", "split", "licence", "source", "group", "width_px", "height_px", "media_sha256")


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes of annotations are asked for; empty texts match all. Classes are names."""

    change: str = ""
    class_before: str = ""
    class_after: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether all samples that differ match."""
        return not (self.change or self.class_before or self.class_after)


@dataclass(frozen=True)
class Comparison:
    """Two states, and the rows that differ between them.

    Attributes:
        samples: `sample_id` and `change` (added, removed, changed) of samples that differ themselves.
        annotations: `ANNOTATION_CHANGES` of all label sets, with `label_set`, and class names in `before` and `after`.
    """

    before: Snapshot
    after: Snapshot
    samples: pa.Table
    annotations: pa.Table

    @classmethod
    def of(cls, before: Snapshot, after: Snapshot) -> Comparison:
        """Compare two states of one dataset."""
        parts = []
        for label_set in dict.fromkeys([*before.label_sets, *after.label_sets]):
            part = annotation_changes(before, after, label_set)
            for name, column, state in (
                ("before", "class_before", before),
                ("after", "class_after", after),
            ):
                part = part.append_column(name, _class_names(part[column], state))
            parts.append(part.append_column("label_set", pa.repeat(label_set, len(part)).cast(pa.string())))
        annotations = pa.concat_tables(parts) if parts else _NO_ANNOTATIONS
        return cls(before, after, _changed_samples(before, after), annotations)

    def counts(self) -> dict[str, Any]:
        """Changes of samples and annotations, as `Diff.to_dict` counts them, with groups."""
        by_set = {
            name: _three(_counted(self.annotations.filter(pc.equal(self.annotations["label_set"], name))))
            for name in dict.fromkeys([*self.before.label_sets, *self.after.label_sets])
        }
        samples = _value_counts(self.samples["change"])
        return {
            "samples": {change: samples.get(change, 0) for change in ("added", "removed", "changed")},
            "annotations": _three(_counted(self.annotations)),
            "by_label_set": by_set,
            "groups": self._groups(),
        }

    def page(self, wanted: ChangeFilter, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """The number of samples that match, and a page of them."""
        ids = self.ids(wanted)
        shown = ids[offset : offset + limit]
        part = self.annotations.filter(pc.is_in(self.annotations["sample_id"], pa.array(shown, pa.string())))
        counts: dict[str, dict[str, int]] = {sample_id: dict.fromkeys(CHANGES, 0) for sample_id in shown}
        for sample_id, change in zip(part["sample_id"].to_pylist(), part["change"].to_pylist(), strict=True):
            counts[sample_id][change] += 1
        items = []
        for sample in self._samples(shown):
            kinds = counts[sample.sample_id]
            items.append(
                {
                    "sample_id": sample.sample_id,
                    "name": sample.name,
                    "media": sample.media_sha256,
                    "change": self._own.get(sample.sample_id, "annotations"),
                    "annotations": _three(kinds),
                    "kinds": kinds,
                }
            )
        return len(ids), items

    def ids(self, wanted: ChangeFilter) -> list[str]:
        """Ids of the samples that match: those that differ themselves first, then by id."""
        if wanted not in self._listed:
            if len(self._listed) >= _MAX_LISTS:
                self._listed.clear()
            self._listed[wanted] = self._matching(wanted)
        return self._listed[wanted]

    def position(self, wanted: ChangeFilter, sample_id: str) -> dict[str, Any] | None:
        """Where a sample stands in that list, with its neighbours; None if it is not there."""
        ids = self.ids(wanted)
        if sample_id not in ids:
            return None
        index = ids.index(sample_id)
        return {
            "index": index,
            "total": len(ids),
            "previous": ids[index - 1] if index else None,
            "next": ids[index + 1] if index + 1 < len(ids) else None,
        }

    @cached_property
    def _own(self) -> dict[str, str]:
        """Sample id -> change, for samples that differ themselves."""
        return dict(
            zip(self.samples["sample_id"].to_pylist(), self.samples["change"].to_pylist(), strict=True)
        )

    @cached_property
    def _listed(self) -> dict[ChangeFilter, list[str]]:
        """Lists that were asked for: each page and each sample of one comes as a request of its own."""
        return {}

    def _matching(self, wanted: ChangeFilter) -> list[str]:
        matching = self.annotations
        for column, value in (
            ("change", wanted.change),
            ("before", wanted.class_before),
            ("after", wanted.class_after),
        ):
            if value:
                matching = matching.filter(pc.equal(matching[column], value))
        touched = set(pc.unique(matching["sample_id"]).to_pylist())
        if wanted.is_empty:
            touched |= self._own.keys()
        return sorted(touched, key=lambda id_: (_SAMPLE_ORDER[self._own.get(id_, "annotations")], id_))

    def sample(self, sample_id: str) -> dict[str, Any]:
        """One sample in both states, with what differs. Raises: SampleNotFound."""
        before, after = (_one(state, sample_id) for state in (self.before, self.after))
        newest = after or before
        if newest is None:
            raise SampleNotFound(got=sample_id, dataset=self.after.dataset.name)
        rows_ = self.annotations.filter(pc.equal(self.annotations["sample_id"], sample_id)).to_pylist()
        return {
            "id": newest.sample_id,
            "name": newest.name,
            "before": None if before is None else _state(self.before, before),
            "after": None if after is None else _state(self.after, after),
            "fields": _fields(before, after),
            "changes": [
                {
                    "label_set": row["label_set"],
                    "id": row["ann_id"],
                    "change": row["change"],
                    "moved": row["is_moved"],
                    "iou": row["iou"],
                    "class_before": row["before"],
                    "class_after": row["after"],
                }
                for row in rows_
            ],
        }

    def _groups(self) -> list[dict[str, Any]]:
        grouped = self.annotations.group_by(["change", "before", "after"]).aggregate(
            [("ann_id", "count"), ("sample_id", "count_distinct")]
        )
        groups = [
            {
                "change": row["change"],
                "class_before": row["before"],
                "class_after": row["after"],
                "annotations": row["ann_id_count"],
                "samples": row["sample_id_count_distinct"],
            }
            for row in grouped.to_pylist()
        ]
        groups.sort(
            key=lambda g: (
                -g["annotations"],
                CHANGES.index(g["change"]),
                str(g["class_before"]),
                str(g["class_after"]),
            )
        )
        return groups[:_MAX_GROUPS]

    def _samples(self, ids: list[str]) -> list[Sample]:
        """The samples as they are after, or before for those that were removed, in the order of the ids."""
        by_id = {sample.sample_id: sample for sample in self.after.iter_samples(ids=ids)}
        gone = [sample_id for sample_id in ids if sample_id not in by_id]
        by_id |= {sample.sample_id: sample for sample in self.before.iter_samples(ids=gone)}
        return [by_id[sample_id] for sample_id in ids if sample_id in by_id]


class Comparisons:
    """Keeps the comparisons that were asked for last, because pages and samples of one diff come as many requests."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Comparison] = OrderedDict()
        self._lock = Lock()

    def of(self, before: Snapshot, after: Snapshot) -> Comparison:
        """Compare two states of one dataset."""
        key = (before.state_sha256, after.state_sha256)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        comparison = Comparison.of(before, after)
        with self._lock:
            self._kept[key] = comparison
            while len(self._kept) > _MAX_KEPT or (self._n_rows() > _MAX_ROWS_KEPT and len(self._kept) > 1):
                self._kept.popitem(last=False)
        return comparison

    def _n_rows(self) -> int:
        return sum(len(kept.annotations) + len(kept.samples) for kept in self._kept.values())


def _changed_samples(before: Snapshot, after: Snapshot) -> pa.Table:
    change = changed(before, after, rows.SAMPLES)
    old, new = (side["sample_id"].combine_chunks() for side in (change.before, change.after))
    both = pc.is_in(new, value_set=old)
    parts = {
        "added": new.filter(pc.invert(both)),
        "removed": old.filter(pc.invert(pc.is_in(old, value_set=new))),
        "changed": new.filter(both),
    }
    return pa.table(
        {
            "sample_id": pa.concat_arrays([ids.cast(pa.string()) for ids in parts.values()]),
            "change": pa.array(
                [change for change, ids in parts.items() for _ in range(len(ids))], pa.string()
            ),
        }
    )


def _class_names(ids: pa.ChunkedArray, state: Snapshot) -> pa.Array:
    """The names of classes by id; null for null."""
    names = {c.id: c.name for c in state.ontology.classes}
    distinct = pc.unique(ids).drop_null()
    texts = pa.array([names.get(id_, f"#{id_}") for id_ in distinct.to_pylist()], pa.string())
    return texts.take(pc.index_in(ids, value_set=distinct).combine_chunks())


_NO_ANNOTATIONS = pa.table(
    {
        "ann_id": pa.array([], pa.string()),
        "sample_id": pa.array([], pa.string()),
        "change": pa.array([], pa.string()),
        "before": pa.array([], pa.string()),
        "after": pa.array([], pa.string()),
        "label_set": pa.array([], pa.string()),
    }
)


def _value_counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in column.value_counts().to_pylist()}


def _counted(annotations: pa.Table) -> dict[str, int]:
    counts = _value_counts(annotations["change"])
    return {change: counts.get(change, 0) for change in CHANGES}


def _three(kinds: Mapping[str, int]) -> dict[str, int]:
    """Added, removed and changed; everything that is in both states has changed."""
    changed_ = kinds["reclassified"] + kinds["moved"] + kinds["edited"]
    return {"added": kinds["added"], "removed": kinds["removed"], "changed": changed_}


def _one(state: Snapshot, sample_id: str) -> Sample | None:
    return next(iter(state.iter_samples(ids=[sample_id])), None)


def _state(state: Snapshot, sample: Sample) -> dict[str, Any]:
    return {
        "media": sample.media_sha256,
        "width": sample.width_px,
        "height": sample.height_px,
        "label_sets": grid.label_sets_of(state, sample),
    }


def _fields(before: Sample | None, after: Sample | None) -> list[dict[str, Any]]:
    """The fields of a sample whose values differ, as texts; none where a side is missing."""
    if before is None or after is None:
        return []
    sides = []
    for sample in (before, after):
        values = {name: getattr(sample, name) for name in _FIELDS} | {"tags": ", ".join(sample.tags)}
        sides.append(values | {f"metadata.{name}": value for name, value in sample.metadata.items()})
    old, new = sides
    return [
        {"field": name, "before": _text(old.get(name)), "after": _text(new.get(name))}
        for name in sorted({**old, **new})
        if old.get(name) != new.get(name)
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
