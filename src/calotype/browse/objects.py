"""Pages of objects for a grid of crops: the annotations with a place in their image, of the samples of a list.

Objects are in the order of the list, those of one sample in the order of their ids, or in an order of their own
(`object_order`). Columns count them for each sample, so that any page is found without reading the annotations of the
pages before it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.browse.column_cache import columns_of, ids_of
from calotype.browse.grid import Order, cell, to_draw
from calotype.browse.object_order import WITHOUT_PLACE, ranking, rows_at
from calotype.datasets import rows
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import rows_with
from calotype.store import Store
from calotype.store.tables.row_lookup import ColumnValues
from calotype.vision.ontology import ClassUnknown

_READ_AT_ONCE = 5_000
"""Annotations that are read with their shapes before those of the page are chosen."""
_CHOSEN_BY = ["ann_id", "sample_id", "class_id", "kind"]


@dataclass(frozen=True, slots=True)
class PerSample:
    """Numbers of N samples, in the order of their index."""

    n: npt.NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        return int(self.n.nbytes)


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of a list of samples.

    Attributes:
        class_id: Only of this class; None for all.
        rows: (N,) rows of the samples that have objects, in the order of the list.
        ends: (N,) number of objects up to and with each of these samples.
        ranked: Rows of the objects in their table, in an order of their own; None for the order of the samples.
    """

    order: Order
    label_set: str
    class_id: int | None
    rows: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]
    ranked: npt.NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0


def objects(store: Store, state: Snapshot, order: Order, *, label_set: str, class_name: str = "") -> Objects:
    """The objects of a list of samples, of one class or of all.

    Raises: ClassUnknown.
    """
    one = state.ontology.by_name(class_name) if class_name else None
    if class_name and one is None:
        known = ", ".join(state.ontology.names[:40]) or "none"
        raise ClassUnknown(got=class_name[:80], hint=f"use one of its classes: {known}")
    class_id = one.id if one else None
    in_list = order.places.rows
    n = _per_sample(store, state, label_set, class_id)
    in_order = n if in_list is None else n[in_list]
    places = np.flatnonzero(in_order)
    found = places.astype(np.int32) if in_list is None else in_list[places]
    return Objects(order, label_set, class_id, found, np.cumsum(in_order[places], dtype=np.int64))


def ranked(store: Store, state: Snapshot, listed: Objects, sort: str) -> Objects:
    """The same objects, sorted by a value of their own (one of `object_order.SORTS`)."""
    all_ = ranking(store, state, listed.label_set, listed.class_id, sort)
    is_listed = np.zeros(len(listed.order.index), bool)
    is_listed[listed.rows] = True
    return replace(listed, ranked=all_.offset[is_listed[all_.sample]])


def ids(store: Store, state: Snapshot, listed: Objects, offset: int, limit: int) -> list[str]:
    """Ids of a part of the objects."""
    if listed.ranked is None:
        keys = _keys(state, listed, offset, limit)
    else:
        keys = rows_at(store, state, listed.label_set, listed.ranked[offset : offset + limit], ["ann_id"])
    found: list[str] = keys["ann_id"].to_pylist()
    return found


def part(store: Store, state: Snapshot, listed: Objects, offset: int, limit: int) -> pa.Table:
    """The rows of a part of the objects: read whole where few are read for it, else by the ids of its annotations."""
    if offset >= len(listed):
        return rows.ANNOTATION_SCHEMA.empty_table()
    if listed.ranked is not None:
        wanted = listed.ranked[offset : offset + limit]
        return rows_at(store, state, listed.label_set, wanted, rows.ANNOTATION_SCHEMA.names)
    samples, skip = _span(listed, offset, limit)
    n_read = _per_sample(store, state, listed.label_set, None)[samples].sum()
    if n_read <= _READ_AT_ONCE:
        table = state.annotations(listed.label_set, sample_ids=ids_of(listed.order.index, samples))
        return _chosen(table, listed, samples).slice(skip, limit)
    keys = _keys(state, listed, offset, limit)["ann_id"]
    name = rows.annotation_table(listed.label_set)
    columns = rows.ANNOTATION_SCHEMA.names
    table = rows_with(store, state, name, ColumnValues("ann_id", keys.to_pylist()), columns)
    return table.take(pc.index_in(keys, value_set=table["ann_id"].combine_chunks()))


def page(state: Snapshot, table: pa.Table, *, flagged: Collection[str] = frozenset()) -> list[dict[str, Any]]:
    """Objects as JSON-ready values, each with its sample. `flagged` annotations have an open finding."""
    names = {c.id: c.name for c in state.ontology.classes}
    annotations = rows.annotations_from_arrow(table)
    wanted = [*dict.fromkeys(annotation.sample_id for annotation in annotations)]
    samples = {sample.sample_id: cell(sample) for sample in state.iter_samples(ids=wanted)}
    return [
        {**to_draw(a, names), "flagged": a.ann_id in flagged, "sample": samples[a.sample_id]}
        for a in annotations
    ]


def _per_sample(store: Store, state: Snapshot, label_set: str, class_id: int | None) -> npt.NDArray[np.int32]:
    """Number of objects of each sample of a state."""
    columns = columns_of(store)

    def count() -> PerSample:
        labels = columns.labels(state, label_set)
        is_place = np.array([kind not in WITHOUT_PLACE for kind in labels.kinds.values.to_pylist()], bool)
        is_object = labels.sample >= 0
        if len(is_place):
            is_object &= is_place[labels.kinds.codes]
        if class_id is not None:
            is_object &= labels.classes.codes == pc.index(labels.classes.values, class_id).as_py()
        n = np.bincount(labels.sample[is_object], minlength=len(columns.index(state)))
        return PerSample(n.astype(np.int32))

    key = ("objects", state.state_sha256, label_set, class_id)
    known: PerSample = columns.answers.get(key, count)
    return known.n


def _keys(state: Snapshot, listed: Objects, offset: int, limit: int) -> pa.Table:
    """What a part of the objects is chosen by."""
    samples, skip = _span(listed, offset, limit)
    wanted = ids_of(listed.order.index, samples)
    table = state.annotations(listed.label_set, sample_ids=wanted, columns=_CHOSEN_BY)
    return _chosen(table, listed, samples).slice(skip, limit)


def _span(listed: Objects, offset: int, limit: int) -> tuple[npt.NDArray[np.int32], int]:
    """The rows of the samples that have a part of the objects, and how many of the first one come before it."""
    first = int(np.searchsorted(listed.ends, offset, "right"))
    last = int(np.searchsorted(listed.ends, offset + limit, "left"))
    before = int(listed.ends[first - 1]) if first else 0
    return listed.rows[first : last + 1], offset - before


def _chosen(table: pa.Table, listed: Objects, samples: npt.NDArray[np.int32]) -> pa.Table:
    """The objects among the annotations of some samples, in the order of these samples and of ids."""
    is_object = pc.invert(pc.is_in(table["kind"], value_set=pa.array(sorted(WITHOUT_PLACE))))
    if listed.class_id is not None:
        is_object = pc.and_(is_object, pc.equal(table["class_id"], listed.class_id))
    found = table.filter(is_object)
    of_samples = listed.order.index.ids.take(pa.array(samples))
    place = pc.index_in(found["sample_id"], value_set=of_samples)
    by = pa.table({"place": place, "ann_id": found["ann_id"]})
    return found.take(pc.sort_indices(by, sort_keys=[("place", "ascending"), ("ann_id", "ascending")]))
