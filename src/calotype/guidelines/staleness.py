"""Which labels were made before a change that touches them, and how long it takes to look at them again.

Works on columns: a million labels are a few arrays, and no row becomes an object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.rows import annotation_table
from calotype.datasets.snapshot import Snapshot
from calotype.guidelines.model import ClassStale, Guideline, Stale
from calotype.vision.ontology import Ontology

SECONDS = {
    "classification": 10.0,
    "caption": 30.0,
    "box": 35.0,
    "rotated_box": 45.0,
    "polygon": 79.0,
    "mask": 79.0,
    "ellipse": 45.0,
    "keypoints": 60.0,
    "polyline": 60.0,
    "point": 10.0,
}
"""Seconds that a label of a kind takes where nobody's time was measured."""
GUIDELINE, SPLIT = "guideline", "split"
_COLUMNS = ["ann_id", "sample_id", "class_id", "kind", "created_at_us"]

Versions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Touched:
    """The newest version that touches a class, wholly or for labels with an attribute; and classes that were split."""

    classes: Mapping[int, int]
    attributes: Mapping[tuple[int, str], int] = field(default_factory=dict)
    split: frozenset[int] = frozenset()

    @property
    def class_ids(self) -> list[int]:
        """Classes that may have stale labels."""
        return sorted({*self.classes, *(class_id for class_id, _ in self.attributes), *self.split})


@dataclass(frozen=True, slots=True)
class StaleLabels:
    """The labels of touched classes as columns, and which of them are stale.

    `table` has ann_id, sample_id, class_id, kind; `by_guideline`, `by_split` and `on_copy` are masks of its rows;
    `active_ms` is the time that was measured for a row, 0 where none was.
    """

    table: pa.Table
    by_guideline: Mask
    by_split: Mask
    on_copy: Mask
    active_ms: Versions

    @property
    def stale(self) -> Mask:
        """Stale labels of original samples."""
        return (self.by_guideline | self.by_split) & ~self.on_copy


def touched_by(published: Sequence[Guideline], ontology: Ontology) -> Touched:
    """What published versions touch, under the ontology as it is now.

    An attribute that its class declares touches all labels of the class; another one those that have it.
    """
    classes: dict[int, int] = {}
    attributes: dict[tuple[int, str], int] = {}
    for guideline in published:
        for touch in guideline.touches:
            class_ = ontology.by_id(touch.class_id)
            if class_ is None:
                continue
            if not touch.attribute or class_.attribute(touch.attribute) is not None:
                classes[class_.id] = max(guideline.version, classes.get(class_.id, 0))
            else:
                key = (class_.id, touch.attribute)
                attributes[key] = max(guideline.version, attributes.get(key, 0))
    return Touched(classes, attributes, frozenset(c.id for c in ontology.classes if c.split_into))


def stale_labels(
    snapshot: Snapshot,
    label_set: str,
    touched: Touched,
    published: Sequence[Guideline],
    records: pa.Table,
) -> StaleLabels:
    """The labels of a label set that a change made stale.

    Args:
        published: The published versions, oldest first.
        records: Under which version labels were made, as `repository.label_records`.
    """
    columns = [*_COLUMNS, *(["attributes"] if touched.attributes else [])]
    if records["edited_by"].null_count < records.num_rows:
        columns.append("author")
    table = snapshot.rows_of(annotation_table(label_set), columns=columns)
    table = table.filter(pc.is_in(table["class_id"], pa.array(touched.class_ids, pa.int32())))
    made, active_ms = _made_under(table, published, records)
    class_ids = table["class_id"].to_numpy()
    needed = np.zeros(len(class_ids), np.int64)
    if touched.classes:
        ids, versions = (np.array(part) for part in zip(*sorted(touched.classes.items()), strict=True))
        place = np.minimum(np.searchsorted(ids, class_ids), len(ids) - 1)
        needed = np.where(ids[place] == class_ids, versions[place], needed)
    for (class_id, name), version in touched.attributes.items():
        rows = (class_ids == class_id) & _has(table["attributes"], name)
        needed[rows] = np.maximum(needed[rows], version)
    by_split = np.isin(class_ids, sorted(touched.split))
    copies = snapshot.samples(columns=["sample_id", "parent_id"])
    derived = copies.filter(pc.greater(pc.utf8_length(pc.fill_null(copies["parent_id"], "")), 0))["sample_id"]
    on_copy = pc.is_in(table["sample_id"], derived.combine_chunks()).to_numpy(zero_copy_only=False)
    return StaleLabels(
        table.select(_COLUMNS[:4]), needed > made, by_split, np.asarray(on_copy, bool), active_ms
    )


def summary(labels: StaleLabels, ontology: Ontology, label_set: str, version: int) -> Stale:
    """Counts and hours of stale labels, by class with the most labels first."""
    stale = labels.stale
    class_ids = labels.table["class_id"].to_numpy()
    n_by_class = {int(i): int((class_ids[stale] == i).sum()) for i in np.unique(class_ids[stale])}
    by_class = {}
    for class_id in sorted(n_by_class, key=lambda i: (-n_by_class[i], i)):
        class_ = ontology.by_id(class_id)
        assert class_ is not None  # only classes of the ontology are touched
        by_class[class_.name] = _of_class(labels, class_ids == class_id)
    are_measured = {one.measured for one in by_class.values()}
    basis = {frozenset({True}): "measured", frozenset({True, False}): "both"}.get(
        frozenset(are_measured), "default"
    )
    samples = pc.count_distinct(labels.table["sample_id"].filter(pa.array(stale))).as_py()
    copies = int(((labels.by_guideline | labels.by_split) & labels.on_copy).sum())
    hours = round(sum(one.hours for one in by_class.values()), 4)
    return Stale(int(stale.sum()), samples, hours, by_class, copies, basis, label_set, version)


def sample_ids(labels: StaleLabels, class_ids: Sequence[int] | None = None) -> list[str]:
    """Ids of the samples with stale labels, of some classes or of all; sorted."""
    stale = labels.stale
    if class_ids is not None:
        stale = stale & np.isin(labels.table["class_id"].to_numpy(), list(class_ids))
    return sorted(labels.table["sample_id"].filter(pa.array(stale)).unique().to_pylist())


def has_attribute(snapshot: Snapshot, class_id: int, name: str) -> bool:
    """Whether any label of a class has an attribute, in any label set."""
    for label_set in snapshot.label_sets:
        table = snapshot.rows_of(annotation_table(label_set), columns=["class_id", "attributes"])
        texts = table.filter(pc.equal(table["class_id"], class_id))["attributes"]
        if _has(texts, name).any():
            return True
    return False


def _of_class(labels: StaleLabels, of_class: Mask) -> ClassStale:
    stale = labels.stale & of_class
    n = int(stale.sum())
    measured = labels.active_ms[of_class & (labels.active_ms > 0)]
    if len(measured):
        seconds = float(np.median(measured)) / 1000 * n
    else:
        kinds = labels.table["kind"].filter(pa.array(stale)).value_counts().to_pylist()
        seconds = sum(SECONDS[entry["values"]] * entry["counts"] for entry in kinds)
    reasons = [(GUIDELINE, labels.by_guideline), (SPLIT, labels.by_split)]
    return ClassStale(
        n,
        pc.count_distinct(labels.table["sample_id"].filter(pa.array(stale))).as_py(),
        round(seconds / 3600, 4),
        round(seconds / n, 2),
        bool(len(measured)),
        tuple(reason for reason, mask in reasons if (mask & stale).any()),
    )


def _made_under(
    table: pa.Table, published: Sequence[Guideline], records: pa.Table
) -> tuple[Versions, Versions]:
    """(N,) the version that each label was made under, and its measured time in milliseconds.

    A record says it, unless the row was created again after it, or an edit by hand that it is about was undone; else it
    is the newest version when the row was made.
    """
    created = table["created_at_us"].fill_null(0).to_numpy()
    times = np.array([guideline.published_at_us or 0 for guideline in published], np.int64)
    numbers = np.array([0, *(guideline.version for guideline in published)], np.int64)
    made = numbers[np.searchsorted(np.maximum.accumulate(times), created, side="right")]
    active = np.zeros(len(created), np.int64)
    if records.num_rows:
        place = pc.fill_null(pc.index_in(table["ann_id"], records["ann_id"].combine_chunks()), -1).to_numpy()
        rows = np.flatnonzero(place >= 0)
        version, at_us, active_ms = (
            records[name].to_numpy()[place[rows]] for name in ("version", "at_us", "active_ms")
        )
        active[rows] = active_ms
        holds = created[rows] <= at_us
        if "author" in table.column_names:
            edited_by = records["edited_by"].take(pa.array(place[rows]))
            same = pc.equal(table["author"].take(pa.array(rows)), edited_by)
            holds &= pc.fill_null(same, False).to_numpy() | pc.is_null(edited_by).to_numpy()
        made[rows] = np.where(holds, version, made[rows])
    return made, active


def _has(texts: pa.ChunkedArray, name: str) -> Mask:
    """(N,) whether the JSON texts of attributes have a key; each distinct text is parsed once."""
    is_plain = name.isascii() and name.replace("_", "").isalnum()
    likely = texts.filter(pc.match_substring(texts, name)) if is_plain else texts
    having = [text for text in likely.unique().to_pylist() if text and name in msgspec.json.decode(text)]
    mask = pc.fill_null(pc.is_in(texts, pa.array(having, pa.string())), False)
    return np.asarray(mask.to_numpy(), bool)
