"""Putting annotations as an Arrow table: predictions and corrections by the million, checked by columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire.labels import put_shapes as shapes
from calotype.acquire.labels.model import RowsInvalid
from calotype.datasets import refs, rows
from calotype.datasets.change import Change, RowStream
from calotype.datasets.edit import apply
from calotype.datasets.model import DEFAULT_LABEL_SET, WHOLE_IMAGE, Kind
from calotype.datasets.row_ids import NewIds
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import rows_with
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.store.tables.row_lookup import ColumnValues

Replace = Literal["samples"] | None

_TEXTS = ("mask_rle", "attributes", "extra", "source_id", "import_id")
"""Left null in new rows that have none: writing columns of empty texts takes most of the time."""
_BATCH_ROWS = 262_144
_FEW_SAMPLES = 1_000
_DRAWN_ROWS = 8_192
_MADE_HERE = ("author", "import_id", "created_at_us")
_GIVEN = (*(name for name in rows.ANNOTATION_SCHEMA.names if name not in _MADE_HERE), "class")


@verb
def put_annotations(
    actor: Actor,
    name: str,
    table: pa.Table,
    *,
    store: Store,
    label_set: str = DEFAULT_LABEL_SET,
    replace: Replace = None,
) -> int:
    """Put boxes, or classes of whole images, into a label set of a branch, as one edit.

    With a column `kind` also every other kind: `rings` for polygons, polylines, points, rotated boxes and ellipses
    (four corners), `mask_rle` with `mask_h` and `mask_w`, `keypoints`; a caption has its `text` in `attributes`.
    Shapes of rings without a box get the box around them.

    Args:
        table: Columns `sample_id` (32 hexadecimal digits), `class_id` (int) or `class` (name), for boxes `x`, `y`, `w`,
            `h` (pixels of the upright image, left-top corner and size), and where wanted `score` in [0, 1], `iscrowd`,
            `area_px`, `attributes` (JSON text), `ann_id` (an annotation to replace; without it all rows are new).
            Rows that were read with `annotations()` may be put back as they are; their author and time are set to
            this edit's.
        replace: "samples" removes the annotations that the samples of the table have in this label set.
    Returns: The number of rows put.
    Raises: NotPermitted, DatasetNotFound, RowsInvalid (says which row and why; nothing is written).
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    table = table.drop_columns([column for column in _MADE_HERE if column in table.column_names])
    unknown = sorted(set(table.column_names) - set(_GIVEN))
    if unknown:
        raise RowsInvalid(where=f"column {unknown[0]}", detail=f"it is not one of {', '.join(_GIVEN)}")
    table = shapes.completed(_typed(table))
    _check_boxes(table)
    _check_texts(table)
    _check_drawings(table)

    def plan(snapshot: Snapshot) -> Change:
        known = _check_samples(table, snapshot, store)
        classes = _class_ids(table, snapshot)
        make = _batches(table, classes, actor.name)
        put: Any = RowStream(make, table.num_rows)
        if "ann_id" in table.column_names:
            put = pa.Table.from_batches(list(make()), rows.ANNOTATION_SCHEMA)
        gone = {label_set: known.to_pylist()} if replace == "samples" else {}
        return Change(put_annotations={label_set: put}, remove_annotations_of=gone)

    apply(
        actor,
        name,
        plan,
        store=store,
        verb="annotations.put",
        details={"label_set": label_set, "annotations": table.num_rows, "replace": replace or ""},
    )
    return int(table.num_rows)


def _typed(table: pa.Table) -> pa.Table:
    """The table with the types of the model, and no row without a sample."""
    types = {field.name: field.type for field in rows.ANNOTATION_SCHEMA} | {"class": pa.string()}
    for at, name in enumerate(table.column_names):
        try:
            column = table[name].cast(types[name])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise RowsInvalid(where=f"column {name}", detail=str(error).splitlines()[0]) from error
        table = table.set_column(at, pa.field(name, types[name]), column)
    for name in {"sample_id", "ann_id"} & set(table.column_names):
        _refuse(table[name].is_null().to_numpy(), f"it has no {name}")
    return table


def _check_boxes(table: pa.Table) -> None:
    if "sample_id" not in table.column_names:
        raise RowsInvalid(where="the table", detail="it has no column sample_id")
    given = [side for side in "xywh" if side in table.column_names]
    if given and len(given) < 4:
        raise RowsInvalid(where="the table", detail="a box needs x, y, w and h")
    bad = np.zeros(table.num_rows, bool)
    for side in given:
        numbers = _numbers(table, side)
        bad |= ~np.isfinite(numbers) | ((numbers <= 0) if side in "wh" else False)
    if given and "kind" in table.column_names:
        bad &= ~(shapes.is_kind(table, WHOLE_IMAGE) & table["x"].is_null().to_numpy())
        negative = np.logical_or(*(_numbers(table, side) < 0 for side in "wh"))
        finite = np.logical_and.reduce([np.isfinite(_numbers(table, side)) for side in given])
        bad &= ~(shapes.is_kind(table, shapes.FLAT) & finite & ~negative)
    _refuse(bad, "its box is not finite or has no area")
    if "score" in table.column_names:
        scores = _numbers(table, "score")
        _refuse((scores < 0) | (scores > 1), "its score is outside 0 to 1")


def _check_drawings(table: pa.Table) -> None:
    """Check kinds and shapes; boxes are checked by columns."""
    if "kind" not in table.column_names:
        drawn = sorted({"rings", "mask_rle", "keypoints"} & set(table.column_names))
        if drawn:
            raise RowsInvalid(where=f"column {drawn[0]}", detail="rows with shapes need a column kind")
        return
    _refuse(~shapes.is_kind(table, Kind), f"its kind is not one of {', '.join(Kind)}")
    if "x" not in table.column_names:
        _refuse(~shapes.is_kind(table, WHOLE_IMAGE), "its kind needs a box around it")
    others = np.flatnonzero(~shapes.is_kind(table, [Kind.BOX, Kind.CLASSIFICATION]))
    for start in range(0, len(others), _DRAWN_ROWS):
        places = others[start : start + _DRAWN_ROWS]
        part = table.take(places)
        columns = {name: part[name].combine_chunks() for name in part.column_names if name != "class"}
        columns.setdefault("ann_id", part["sample_id"].combine_chunks())
        columns.setdefault("class_id", pa.repeat(0, len(places)))
        whole = _whole_row(columns, len(places))
        for at, place in enumerate(places):
            shapes.check(pa.Table.from_batches([whole.slice(at, 1)]), int(place))


def _check_texts(table: pa.Table) -> None:
    """Check that attributes and extra keys are JSON objects."""
    for name in ("attributes", "extra"):
        for text in pc.unique(table[name]).to_pylist() if name in table.column_names else ():
            try:
                good = not text or isinstance(msgspec.json.decode(text), dict)
            except msgspec.DecodeError:
                good = False
            if not good:
                row = pc.index(table[name], text).as_py()
                raise RowsInvalid(where=f"row {row}", detail=f"its {name} are not a JSON object")


def _check_samples(table: pa.Table, snapshot: Snapshot, store: Store) -> pa.Array:
    """The distinct samples of the table, all of which the dataset has."""
    named = pc.unique(table["sample_id"])
    if len(named) <= _FEW_SAMPLES:
        selection = ColumnValues("sample_id", named.to_pylist())
        found = rows_with(store, snapshot, rows.SAMPLES, selection, ["sample_id"])
    else:
        found = snapshot.rows_of(rows.SAMPLES, columns=["sample_id"])
    present = found["sample_id"].combine_chunks()
    known = present.filter(pc.is_in(present, value_set=named))
    if len(known) < len(named):
        first = named.filter(pc.invert(pc.is_in(named, value_set=known)))[0].as_py()
        row = pc.index(table["sample_id"], first).as_py()
        raise RowsInvalid(where=f"row {row}", detail=f"{snapshot.dataset.name} has no sample {first!r}")
    return named


def _class_ids(table: pa.Table, snapshot: Snapshot) -> pa.Array:
    if "class" in table.column_names:
        names = list(snapshot.ontology.names)
        positions = pc.index_in(table["class"].combine_chunks(), value_set=pa.array(names, pa.string()))
        _refuse(positions.is_null().to_numpy(zero_copy_only=False), "its class is not in the ontology")
        ids = pa.array([declared.id for declared in snapshot.ontology.classes], pa.int32())
        return ids.take(positions)
    if "class_id" not in table.column_names:
        raise RowsInvalid(where="the table", detail="it has neither a column class nor class_id")
    given = table["class_id"].combine_chunks().cast(pa.int32())
    known = pa.array([declared.id for declared in snapshot.ontology.classes], pa.int32())
    unknown = pc.invert(pc.is_in(given, value_set=known)).to_numpy(zero_copy_only=False)
    _refuse(unknown, "its class is not in the ontology")
    return given


def _batches(table: pa.Table, classes: pa.Array, author: str) -> Callable[[], Iterator[pa.RecordBatch]]:
    """Rows of the schema, some at a time; called again, the same rows with the same ids."""
    ids = None if "ann_id" in table.column_names else NewIds()
    at_us = now_us()

    def make() -> Iterator[pa.RecordBatch]:
        for start in range(0, table.num_rows, _BATCH_ROWS):
            part = table.slice(start, _BATCH_ROWS)
            n = part.num_rows
            columns = {name: part[name].combine_chunks() for name in part.column_names if name != "class"}
            columns["class_id"] = classes.slice(start, n)
            if ids is not None:
                columns["ann_id"] = ids.part(start, n)
            if "kind" not in columns:
                columns["kind"] = pa.repeat("box" if "x" in columns else "classification", n)
            if "area_px" not in columns and "x" in columns:
                columns["area_px"] = shapes.areas(columns)
            if ids is not None:
                columns = {name: pa.nulls(n, pa.string()) for name in _TEXTS if name not in columns} | columns
            columns["author"] = pa.repeat(author, n)
            columns["created_at_us"] = pa.repeat(at_us, n)
            yield _whole_row(columns, n)

    return make


def _whole_row(columns: dict[str, pa.Array], n: int) -> pa.RecordBatch:
    arrays = []
    for field in rows.ANNOTATION_SCHEMA:
        if field.name in columns:
            arrays.append(columns[field.name].cast(field.type))
        elif field.name == "iscrowd":
            arrays.append(pa.repeat(False, n))
        else:
            arrays.append(pa.repeat("", n) if field.type == pa.string() else pa.nulls(n, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=rows.ANNOTATION_SCHEMA)


def _numbers(table: pa.Table, name: str) -> Any:
    return table[name].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False)


def _refuse(bad: Any, detail: str) -> None:
    if bad.any():
        raise RowsInvalid(
            where=f"row {int(np.argmax(bad))}", detail=f"{detail} ({int(bad.sum())} rows in all)"
        )
