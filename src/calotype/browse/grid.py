"""Pages of samples for grids: ordered, cut, with their annotations; states are kept open between requests."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.commits import Diff
from calotype.datasets.model import DEFAULT_LABEL_SET, Annotation, Sample
from calotype.datasets.reading import read
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.errors import Invalid
from calotype.store import Store

SORTS = ("name", "-name", "newest", "annotations", "-annotations")
_KEPT = 16
_TOUCHED = 200


class SortUnknown(Invalid):
    """Not an order that samples can have."""

    code = "sort-unknown"
    what = "samples cannot be sorted by {got!r}"
    fix = "use one of: name, -name, newest, annotations, -annotations"


class Browser:
    """Keeps the last few states open, and the order of the last few queries on each."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, Snapshot] = OrderedDict()
        self._orders: OrderedDict[tuple[str, str, str, str], list[str]] = OrderedDict()
        self._lock = Lock()

    def state(self, actor: Actor, name: str, *, store: Store) -> Snapshot:
        """The state at `name@ref`; the same object for the same rows, so that what it read is kept."""
        fresh = read(actor, name, store=store)
        with self._lock:
            kept = self._states.setdefault(fresh.state_sha256 + fresh.name, fresh)
            self._states.move_to_end(fresh.state_sha256 + fresh.name)
            while len(self._states) > _KEPT:
                self._states.popitem(last=False)
        kept.commit_id = fresh.commit_id
        return kept

    def order(self, state: Snapshot, *, where: str, sort: str, label_set: str) -> list[str]:
        """Ids of all samples that match, in order. Raises: QueryInvalid, QueryFieldUnknown, SortUnknown."""
        key = (state.state_sha256, where, sort, label_set)
        with self._lock:
            if key in self._orders:
                return self._orders[key]
        ids = _sorted(state, state.ids(where or None, label_set=label_set), sort, label_set)
        with self._lock:
            self._orders[key] = ids
            while len(self._orders) > 4 * _KEPT:
                self._orders.popitem(last=False)
        return ids


def _sorted(state: Snapshot, ids: list[str], sort: str, label_set: str) -> list[str]:
    if sort not in SORTS:
        raise SortUnknown(got=sort[:80])
    if sort == "name":
        return ids
    if sort == "-name":
        return ids[::-1]
    if sort == "newest":
        return sorted(ids, reverse=True)  # ids of samples begin with the time of their birth
    counts = state.annotations(label_set, columns=["sample_id"])["sample_id"].value_counts().to_pylist()
    n = {entry["values"]: entry["counts"] for entry in counts}
    sign = -1 if sort.startswith("-") else 1
    return sorted(ids, key=lambda sample_id: sign * n.get(sample_id, 0))


def page(state: Snapshot, ids: list[str], *, label_set: str = DEFAULT_LABEL_SET) -> list[dict[str, Any]]:
    """Rows of a grid for these samples, in this order."""
    annotations = state.annotations_of(ids, label_set)
    names = {c.id: c.name for c in state.ontology.classes}
    return [
        {**cell(sample), "annotations": [drawn(a, names) for a in annotations[sample.sample_id]]}
        for sample in state.iter_samples(ids=ids)
    ]


def cell(sample: Sample) -> dict[str, Any]:
    """What a grid cell needs of a sample."""
    return {
        "id": sample.sample_id,
        "name": sample.name,
        "media": sample.media_sha256,
        "width": sample.width_px,
        "height": sample.height_px,
        "split": sample.split,
        "group": sample.group,
        "tags": list(sample.tags),
        "parent": sample.parent_id or None,
    }


def drawn(a: Annotation, names: dict[int, str]) -> dict[str, Any]:
    """What a canvas needs of an annotation; pixels of the upright image."""
    mask = {"size": list(a.mask_size_hw), "counts": a.mask_rle} if a.mask_size_hw else None
    return {
        "id": a.ann_id,
        "kind": str(a.kind),
        "class": names.get(a.class_id, f"#{a.class_id}"),
        "class_id": a.class_id,
        "bbox": list(a.bbox_xywh_px) if a.bbox_xywh_px else None,
        "rings": [list(ring) for ring in a.rings_px],
        "keypoints": list(a.keypoints_xyv),
        "mask": mask,
        "score": a.score,
        "iscrowd": a.iscrowd,
    }


def detail(state: Snapshot, sample: Sample) -> dict[str, Any]:
    """All of one sample: its facts, its annotations in every label set, what was derived from it."""
    names = {c.id: c.name for c in state.ontology.classes}
    sets = {}
    for label_set in state.label_sets:
        found = state.annotations_of([sample.sample_id], label_set)[sample.sample_id]
        sets[label_set] = [
            {
                **drawn(a, names),
                "attributes": dict(a.attributes),
                "author": a.author,
                "area": a.area_px,
                "source_id": a.source_id,
            }
            for a in found
        ]
    return {
        **cell(sample),
        "mime": sample.mime,
        "bytes": sample.n_bytes,
        "source": sample.source,
        "licence": sample.licence,
        "metadata": dict(sample.metadata),
        "names": list(sample.names),
        "recipe": sample.recipe,
        "created_at_us": sample.created_at_us,
        "label_sets": sets,
        "children": _children(state, sample.sample_id),
    }


def _children(state: Snapshot, sample_id: str) -> list[dict[str, Any]]:
    derived: pa.Table = state.samples(columns=["sample_id", "name", "media_sha256", "parent_id"])
    mine = derived.filter(pc.equal(derived["parent_id"], sample_id)).to_pylist()
    return [{"id": row["sample_id"], "name": row["name"], "media": row["media_sha256"]} for row in mine[:50]]


def changes(before: Snapshot, after: Snapshot, found: Diff) -> list[dict[str, Any]]:
    """The first samples that a difference touches, each with what became of it and of its annotations."""
    touched: dict[str, dict[str, Any]] = {}
    for word in ("added", "removed", "changed"):
        for sample_id in getattr(found.samples, word)[:_TOUCHED]:
            touched[sample_id] = {"change": word, "annotations": _none()}
    for label_set, delta in found.annotations.items():
        for word, state in (("added", after), ("removed", before), ("changed", after)):
            wanted = set(getattr(delta, word))
            if not wanted:
                continue
            table = state.annotations(label_set, columns=["ann_id", "sample_id"])
            pairs = zip(table["ann_id"].to_pylist(), table["sample_id"].to_pylist(), strict=True)
            for sample_id in (sample_id for ann_id, sample_id in pairs if ann_id in wanted):
                entry = touched.setdefault(sample_id, {"change": "annotations", "annotations": _none()})
                entry["annotations"][word] += 1
    items = []
    for state in (after, before):
        names = [sample_id for sample_id in list(touched)[:_TOUCHED] if sample_id in touched]
        for sample in state.iter_samples(ids=names):
            entry = touched.pop(sample.sample_id)
            items.append(
                {"sample_id": sample.sample_id, "name": sample.name, "media": sample.media_sha256, **entry}
            )
    return items[:_TOUCHED]


def _none() -> dict[str, int]:
    return {"added": 0, "removed": 0, "changed": 0}
