"""Pages of samples for grids, with their annotations. States are kept open between requests."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.model import DEFAULT_LABEL_SET, Annotation, Sample
from calotype.datasets.reading import read
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.errors import Invalid
from calotype.store import Store

SORTS = ("name", "-name", "newest", "annotations", "-annotations")
_MAX_STATES = 16
_TEXT_CHARACTERS = 1_000
"""Maximum number of characters of a text that is shown with its annotation; its attributes have all of it."""


class SortUnknown(Invalid):
    """Samples cannot be sorted this way."""

    code = "sort-unknown"
    what = "cannot sort samples by {got!r}"
    fix = "use one of: name, -name, newest, annotations, -annotations"


class Browser:
    """Caches recently used states and the results of recent queries on them."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, Snapshot] = OrderedDict()
        self._orders: OrderedDict[tuple[str, str, str, str], list[str]] = OrderedDict()
        self._lock = Lock()

    def state(self, actor: Actor, name: str, *, store: Store) -> Snapshot:
        """The state at `name@ref`. The same rows give the same object, which keeps what it has read."""
        fresh = read(actor, name, store=store)
        with self._lock:
            state = self._states.setdefault(fresh.state_sha256 + fresh.name, fresh)
            self._states.move_to_end(fresh.state_sha256 + fresh.name)
            while len(self._states) > _MAX_STATES:
                self._states.popitem(last=False)
        state.commit_id = fresh.commit_id
        return state

    def order(self, state: Snapshot, *, where: str, sort: str, label_set: str) -> list[str]:
        """Ids of all matching samples, in order. Raises: QueryInvalid, QueryFieldUnknown, SortUnknown."""
        key = (state.state_sha256, where, sort, label_set)
        with self._lock:
            if key in self._orders:
                return self._orders[key]
        ids = _sorted(state, state.ids(where or None, label_set=label_set), sort, label_set)
        if "finding" in where:  # people decide on findings without changing the state
            return ids
        with self._lock:
            self._orders[key] = ids
            while len(self._orders) > 4 * _MAX_STATES:
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
        return sorted(ids, reverse=True)  # ids of samples begin with their creation time
    counts = state.annotations(label_set, columns=["sample_id"])["sample_id"].value_counts().to_pylist()
    n = {entry["values"]: entry["counts"] for entry in counts}
    sign = -1 if sort.startswith("-") else 1
    return sorted(ids, key=lambda sample_id: sign * n.get(sample_id, 0))


def page(state: Snapshot, ids: list[str], *, label_set: str = DEFAULT_LABEL_SET) -> list[dict[str, Any]]:
    """Grid rows for these samples, in this order."""
    annotations = state.annotations_of(ids, label_set)
    names = {c.id: c.name for c in state.ontology.classes}
    return [
        {
            **cell(sample),
            "annotations": [to_draw(annotation, names) for annotation in annotations[sample.sample_id]],
        }
        for sample in state.iter_samples(ids=ids)
    ]


def cell(sample: Sample) -> dict[str, Any]:
    """The fields of a sample that a grid cell shows."""
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


def to_draw(a: Annotation, names: dict[int, str]) -> dict[str, Any]:
    """The fields of an annotation that a canvas draws, in pixels of the upright image."""
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
        "text": None if a.attributes.get("text") is None else str(a.attributes["text"])[:_TEXT_CHARACTERS],
    }


def detail(state: Snapshot, sample: Sample) -> dict[str, Any]:
    """One sample with its annotations in all label sets and the samples derived from it."""
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
        "label_sets": label_sets_of(state, sample),
        "children": _children(state, sample.sample_id),
    }


def label_sets_of(state: Snapshot, sample: Sample) -> dict[str, list[dict[str, Any]]]:
    """The annotations of a sample in all label sets, with their attributes and origin."""
    names = {c.id: c.name for c in state.ontology.classes}
    label_sets = {}
    for label_set in state.label_sets:
        annotations = state.annotations_of([sample.sample_id], label_set)[sample.sample_id]
        label_sets[label_set] = [
            {
                **to_draw(a, names),
                "attributes": dict(a.attributes),
                "author": a.author,
                "area": a.area_px,
                "source_id": a.source_id,
            }
            for a in annotations
        ]
    return label_sets


def _children(state: Snapshot, sample_id: str) -> list[dict[str, Any]]:
    samples: pa.Table = state.samples(columns=["sample_id", "name", "media_sha256", "parent_id"])
    children = samples.filter(pc.equal(samples["parent_id"], sample_id)).to_pylist()
    return [
        {"id": row["sample_id"], "name": row["name"], "media": row["media_sha256"]} for row in children[:50]
    ]
