"""Pages of samples for grids, with their annotations. States are kept open between requests."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.browse.caches import Text
from calotype.browse.column_cache import columns_of, ids_of
from calotype.browse.columns import NameIndex
from calotype.browse.matching import matching_rows
from calotype.datasets import rows
from calotype.datasets.model import DEFAULT_LABEL_SET, Annotation, Sample
from calotype.datasets.reading import read
from calotype.datasets.snapshot import SampleNotFound, Snapshot
from calotype.datasets.streaming import rows_with
from calotype.foundation.actor import Actor
from calotype.foundation.errors import Invalid
from calotype.store import Store
from calotype.store.tables.row_lookup import ColumnValues

SORTS = ("name", "-name", "newest", "annotations", "-annotations")
_MAX_STATES = 16
_MAX_CHILDREN = 50
_N_COVER = 8
_READERS = ThreadPoolExecutor(8, "page")
_TEXT_CHARACTERS = 1_000
"""Maximum number of characters of a text that is shown with its annotation; its attributes have all of it."""


class SortUnknown(Invalid):
    """Samples cannot be sorted this way."""

    code = "sort-unknown"
    what = "cannot sort samples by {got!r}"
    fix = "use one of: name, -name, newest, annotations, -annotations"


@dataclass(frozen=True, slots=True)
class Places:
    """Rows of the index in the order of a list; None stands for all of them, ordered by name."""

    rows: npt.NDArray[np.int32] | None

    @property
    def nbytes(self) -> int:
        return 0 if self.rows is None else int(self.rows.nbytes)


@dataclass(frozen=True, slots=True)
class Order:
    """A list of samples: those that match a query, in some order."""

    index: NameIndex
    places: Places

    def __len__(self) -> int:
        return len(self.index) if self.places.rows is None else len(self.places.rows)

    def ids(self, offset: int, limit: int) -> list[str]:
        """Ids of a part of the list."""
        rows = self.places.rows
        if rows is None:
            part = self.index.ids.slice(min(offset, len(self)), limit)
        else:
            part = self.index.ids.take(pa.array(rows[offset : offset + limit]))
        return list(part.to_pylist())

    def within(self, ids: pa.Array) -> Order:
        """The samples of the list that are among these, in the same order."""
        inside = np.zeros(len(self.index), bool)
        known = self.index.rows(ids)
        inside[known[known >= 0]] = True
        rows = np.arange(len(self.index), dtype=np.int32) if self.places.rows is None else self.places.rows
        return Order(self.index, Places(rows[inside[rows]]))

    def position(self, sample_id: str) -> dict[str, Any] | None:
        """Where a sample is in the list, and its neighbours; None if it is not in the list."""
        row = place = self.index.row(sample_id)
        if self.places.rows is not None:
            found = np.flatnonzero(self.places.rows == row)
            place = int(found[0]) if len(found) else -1
        if row < 0 or place < 0:
            return None
        before, after = self.ids(place - 1, 1) if place else [], self.ids(place + 1, 1)
        return {
            "index": place,
            "total": len(self),
            "previous": before[0] if before else None,
            "next": after[0] if after else None,
        }


class Browser:
    """Caches recently used states."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, Snapshot] = OrderedDict()
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

    def order(self, state: Snapshot, *, where: str, sort: str, label_set: str, store: Store) -> Order:
        """The matching samples, in order. Raises: QueryInvalid, QueryFieldUnknown, SortUnknown."""
        columns = columns_of(store)
        if "finding" in where:  # people decide on findings without changing the state
            return Order(columns.index(state), _places(store, state, where, sort, label_set))
        key = ("order", state.state_sha256, where, sort, label_set)
        places = columns.answers.get(key, lambda: _places(store, state, where, sort, label_set))
        return Order(columns.index(state), places)


def _places(store: Store, state: Snapshot, where: str, sort: str, label_set: str) -> Places:
    if sort not in SORTS:
        raise SortUnknown(got=sort[:80])
    columns = columns_of(store)
    rows = matching_rows(store, columns, state, where, label_set) if where else None
    if sort == "name":
        return Places(rows)
    index = columns.index(state)
    if rows is None:
        rows = np.arange(len(index), dtype=np.int32)
    if sort == "-name":
        return Places(np.ascontiguousarray(rows[::-1]))
    if sort == "newest":  # ids of samples begin with their creation time
        ids = index.ids.take(pa.array(rows))
        return Places(rows[pc.array_sort_indices(ids, order="descending").to_numpy()])
    n = columns.labels(state, label_set).per_sample(len(index))[rows]
    return Places(rows[np.argsort(-n if sort.startswith("-") else n, kind="stable")])


def page(
    state: Snapshot,
    ids: list[str],
    *,
    label_set: str = DEFAULT_LABEL_SET,
    flagged: Collection[str] = frozenset(),
) -> list[dict[str, Any]]:
    """Grid rows for these samples, in this order. `flagged` annotations have an open finding."""
    reading = _READERS.submit(
        state.annotations_of, ids, label_set
    )  # both reads take as long, outside of the GIL
    samples = list(state.iter_samples(ids=ids))
    annotations = reading.result()
    names = {c.id: c.name for c in state.ontology.classes}
    return [
        {
            **cell(sample),
            "annotations": [to_draw(a, names) for a in annotations[sample.sample_id]],
            "flagged": [a.ann_id for a in annotations[sample.sample_id] if a.ann_id in flagged],
        }
        for sample in samples
    ]


def sample(store: Store, state: Snapshot, id_or_name: str) -> Sample:
    """One sample by id, or by its name. Raises: SampleNotFound."""
    samples = list(state.iter_samples(ids=[id_or_name]))
    if not samples:
        index = columns_of(store).index(state)
        row = index.row_of_name(id_or_name)
        if row < 0:
            raise SampleNotFound(got=id_or_name, dataset=state.dataset.name)
        samples = list(state.iter_samples(ids=ids_of(index, np.array([row]))))
    return samples[0]


def cover(store: Store, state: Snapshot) -> list[str]:
    """Media of up to eight samples, evenly spread over the names."""
    columns = columns_of(store)

    def choose() -> Text:
        index = columns.index(state)
        places = np.arange(0, len(index), max(1, len(index) // _N_COVER))[:_N_COVER]
        table = state.samples(ids=ids_of(index, places), columns=["media_sha256"])
        return Text(json.dumps(table["media_sha256"].to_pylist()))

    key = ("cover", state.dataset.id, state.pins.get(rows.SAMPLES))
    return list(json.loads(columns.answers.get(key, choose).text))


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
        "author": a.author,
        "text": None if a.attributes.get("text") is None else str(a.attributes["text"])[:_TEXT_CHARACTERS],
    }


def detail(store: Store, state: Snapshot, sample: Sample) -> dict[str, Any]:
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
        "children": _children(store, state, sample.sample_id),
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
                "area": a.area_px,
                "source_id": a.source_id,
            }
            for a in annotations
        ]
    return label_sets


def _children(store: Store, state: Snapshot, sample_id: str) -> list[dict[str, Any]]:
    columns = columns_of(store)
    names = ["sample_id", "name", "media_sha256"]
    if columns.is_at_hand(state):
        samples = columns.samples(state)
        children = ids_of(samples.index, samples.children(sample_id)[:_MAX_CHILDREN])
        table = state.samples(ids=children, columns=names)
    else:
        selection = ColumnValues("parent_id", [sample_id])
        table = rows_with(store, state, rows.SAMPLES, selection, names)
        table = table.sort_by([("name", "ascending"), ("sample_id", "ascending")]).slice(0, _MAX_CHILDREN)
    return [
        {"id": row["sample_id"], "name": row["name"], "media": row["media_sha256"]}
        for row in table.to_pylist()
    ]
