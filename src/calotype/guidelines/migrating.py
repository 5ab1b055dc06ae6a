"""Carries a planned migration to the labels of all label sets: counts first, then the edit. Columns, never rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.change import Change, RowStream
from calotype.datasets.rows import ANNOTATION_SCHEMA, annotation_table
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import annotation_batches
from calotype.foundation.ids import canonical_json
from calotype.guidelines.model import ClassOutcome, Count, Migrated, MigrationInvalid
from calotype.guidelines.planning import ATTRIBUTES, SPLIT, Plan, Step
from calotype.store import Store
from calotype.vision.ontology import Attribute

_COLUMNS = ["ann_id", "sample_id", "class_id", "kind", "attributes"]


@dataclass
class Part:
    """What a migration does to one label set. `texts` map old JSON texts of attributes to new ones, by class id."""

    label_set: str
    table: pa.Table
    texts: dict[int, dict[str, str]] = field(default_factory=dict)
    written: pa.Array = None
    deleted: pa.Array = None

    def of_class(self, class_id: int) -> pa.Table:
        """The labels of a class."""
        return self.table.filter(pc.equal(self.table["class_id"], class_id))

    def ids(self, mask: pa.Array) -> list[str]:
        """Ids of the labels that a mask selects."""
        return list(self.table["ann_id"].filter(mask).to_pylist())


def parts_of(snapshot: Snapshot, plan: Plan) -> list[Part]:
    """What the migration does to each label set. Raises: MigrationInvalid."""
    if not plan.class_ids and not plan.rewrites and not plan.steps:
        return []
    parts = []
    for label_set in snapshot.label_sets:
        table = snapshot.rows_of(annotation_table(label_set), columns=_COLUMNS)
        part = Part(label_set, table)
        for class_id in plan.rewrites:
            part.texts[class_id] = _rewritten_texts(part, class_id, plan)
        gone = [class_id for class_id, to in plan.class_ids.items() if to is None]
        part.deleted = _is_one_of(table["class_id"], gone)
        part.written = _is_written(table["class_id"], table["attributes"], plan, part.texts)
        parts.append(part)
    return parts


def change_of(store: Store, snapshot: Snapshot, plan: Plan, parts: list[Part]) -> Change:
    """The edit: rows that get another class or attributes are streamed, so memory stays small."""
    put: dict[str, RowStream] = {}
    removed: dict[str, list[str]] = {}
    for part in parts:
        n_written = _n(part.written)
        if n_written:
            put[part.label_set] = RowStream(_Written(store, snapshot, plan, part), n_written)
        if n_written or _n(part.deleted):
            removed[part.label_set] = part.ids(pc.or_(part.written, part.deleted))
    return Change(put_annotations=put, remove_annotations=removed, ontology=plan.ontology)


def report(plan: Plan, parts: list[Part], *, applied: bool) -> Migrated:
    """The counts of a migration. Raises: MigrationInvalid, where keypoints would not fit their new class."""
    classes = tuple(_outcome(step, parts, plan) for step in plan.steps)
    touched = [part.table["sample_id"].filter(pc.or_(part.written, part.deleted)) for part in parts]
    samples = pc.count_distinct(pa.chunked_array([c for ids in touched for c in ids.chunks], pa.string()))
    to_sort = sum(one.labels for one in classes if one.action == SPLIT)
    written, deleted = (sum(_n(mask) for mask in masks) for masks in _masks(parts))
    return Migrated(applied, classes, tuple(plan.new_classes), written, deleted, samples.as_py(), to_sort)


def _masks(parts: list[Part]) -> tuple[list[Any], list[Any]]:
    return [part.written for part in parts], [part.deleted for part in parts]


def _outcome(step: Step, parts: list[Part], plan: Plan) -> ClassOutcome:
    by_set, notes = {}, list(step.notes)
    rows = {part.label_set: part.of_class(step.old.id) for part in parts}
    for part in parts:
        table = rows[part.label_set]
        if step.action == ATTRIBUTES:
            ids = [i for i in plan.rewrites if plan.class_ids.get(i, i) == step.old.id]
            changed = [
                _is_rewritten(part.table["class_id"], part.table["attributes"], {i: part.texts[i]})
                for i in ids
            ]
            table = part.table.filter(_any(changed, part.table.num_rows))
        if table.num_rows:
            n_samples = pc.count_distinct(table["sample_id"]).as_py()
            by_set[part.label_set] = Count(table.num_rows, n_samples)
    if step.fits is not None:
        notes += _misfits(step, list(rows.values()))
    for name in step.drops:
        n_with = sum(_n_with(table, name) for table in rows.values())
        notes.append(f"{n_with:,} labels keep a value of {name}")
    return ClassOutcome(step.old.name, step.action, tuple(step.to), by_set, tuple(notes))


def _misfits(step: Step, tables: list[pa.Table]) -> Iterator[str]:
    """What of labels that move does not fit the class that they move to. Raises: MigrationInvalid, for keypoints."""
    old, to = step.old, step.fits
    assert to is not None
    kinds: dict[str, int] = {}
    for table in tables:
        for entry in table["kind"].value_counts().to_pylist():
            kinds[entry["values"]] = kinds.get(entry["values"], 0) + entry["counts"]
    if kinds.get("keypoints") and (old.keypoints, old.skeleton) != (to.keypoints, to.skeleton):
        detail = (
            f"{kinds['keypoints']:,} keypoint labels of {old.name!r} follow another skeleton than {to.name!r}"
        )
        raise MigrationInvalid(detail=detail, hint="relabel them first, or keep the classes apart")
    for kind, n in sorted(kinds.items()):
        if to.tools and kind not in to.tools:
            yield f"{n:,} labels are of kind {kind}, which {to.name} does not allow"
    for one in to.attributes:
        n_lacking, n_other = _n_not_fitting(tables, one)
        if one.required and n_lacking:
            yield f"{n_lacking:,} labels lack {one.name}, which {to.name} requires"
        if n_other:
            yield f"{n_other:,} labels have a value of {one.name} that {to.name} does not allow"


def _n_not_fitting(tables: list[pa.Table], one: Attribute) -> tuple[int, int]:
    """Numbers of labels without an attribute, and with a value that it does not allow."""
    lacking = other = 0
    for table in tables:
        for entry in table["attributes"].value_counts().to_pylist():
            value = _values(entry["values"]).get(one.name)
            lacking += entry["counts"] * (value is None)
            other += entry["counts"] * (value is not None and not one.allows(value))
    return lacking, other


def _n_with(table: pa.Table, name: str) -> int:
    counts = table["attributes"].value_counts().to_pylist()
    return sum(entry["counts"] for entry in counts if name in _values(entry["values"]))


def _rewritten_texts(part: Part, class_id: int, plan: Plan) -> dict[str, str]:
    """Old text -> new text of the attributes of a class, for those that change."""
    changed = {}
    for text in part.of_class(class_id)["attributes"].unique().to_pylist():
        old = _values(text)
        new = old
        for rewrite in plan.rewrites[class_id]:
            new = rewrite(new)
        if new != old:
            changed[text or ""] = canonical_json(new) if new else ""
    return changed


def _values(text: str | None) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.json.decode(text) if text else {}
    return value


def _is_written(class_ids: Any, attributes: Any, plan: Plan, texts: Mapping[int, Mapping[str, str]]) -> Any:
    """Rows that get another class or other attributes."""
    moved = _is_one_of(class_ids, [class_id for class_id, to in plan.class_ids.items() if to is not None])
    return pc.or_(moved, _is_rewritten(class_ids, attributes, texts)) if texts else moved


def _is_rewritten(class_ids: Any, attributes: Any, texts: Mapping[int, Mapping[str, str]]) -> Any:
    plain = pc.fill_null(attributes, "")
    masks = [
        pc.and_(pc.equal(class_ids, class_id), pc.is_in(plain, pa.array(list(changed), pa.string())))
        for class_id, changed in texts.items()
        if changed
    ]
    return _any(masks, len(class_ids))


def _any(masks: list[Any], n: int) -> Any:
    combined = pa.repeat(pa.scalar(False), n)
    for mask in masks:
        combined = pc.or_(combined, mask)
    return combined


def _is_one_of(class_ids: Any, ids: list[int]) -> Any:
    return pc.is_in(class_ids, value_set=pa.array(ids, pa.int32()))


def _n(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)


@dataclass(frozen=True)
class _Written:
    """The rows of a label set that are written, batch by batch."""

    store: Store
    snapshot: Snapshot
    plan: Plan
    part: Part

    def __call__(self) -> Iterator[pa.RecordBatch]:
        moved = {old: to for old, to in self.plan.class_ids.items() if to is not None}
        for batch in annotation_batches(
            self.store, self.snapshot, self.part.label_set, ANNOTATION_SCHEMA.names
        ):
            kept = batch.filter(
                _is_written(batch["class_id"], batch["attributes"], self.plan, self.part.texts)
            )
            if kept.num_rows:
                yield self._rewritten(kept, moved)

    def _rewritten(self, batch: pa.RecordBatch, moved: Mapping[int, int]) -> pa.RecordBatch:
        old, texts = batch["class_id"], pc.fill_null(batch["attributes"], "")
        place = pc.index_in(old, value_set=pa.array(list(moved), pa.int32()))
        columns = {name: batch[name] for name in ANNOTATION_SCHEMA.names}
        columns["class_id"] = pc.coalesce(pa.array(list(moved.values()), pa.int32()).take(place), old)
        for class_id, changed in self.part.texts.items():
            known, new = pa.array(list(changed), pa.string()), pa.array(list(changed.values()), pa.string())
            replaced = pc.coalesce(new.take(pc.index_in(texts, value_set=known)), texts)
            texts = pc.if_else(pc.equal(old, class_id), replaced, texts)
        columns["attributes"] = texts
        columns["import_id"] = pa.repeat(pa.scalar("", pa.string()), batch.num_rows)
        arrays = [columns[field.name].cast(field.type) for field in ANNOTATION_SCHEMA]
        return pa.RecordBatch.from_arrays(arrays, schema=ANNOTATION_SCHEMA)
