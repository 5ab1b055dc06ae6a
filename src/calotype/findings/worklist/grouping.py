"""What the findings of a run are grouped by: columns of theirs, classes of annotations, fields of samples."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.query.compile import SAMPLE_FIELDS
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.errors import Invalid

COLUMNS = {"check": "check_name", "fault": "fault"}
"""What is grouped by -> the column of a run."""
MAX_GROUPS = 500
_ROWS = ("split", "source", "licence", "group", "mime", "recipe")
_FIELD = "field:"

Value = str | int | float | bool | None
Counted = tuple[Value, int, int, tuple[int, ...]]
"""Value, number of findings, number of pending ones, and numbers by severity."""


class FindingGroupUnknown(Invalid):
    """Findings cannot be grouped by this."""

    code = "finding-group-unknown"
    what = "findings cannot be grouped by {got!r}"
    fix = "{hint}"


def values(state: Snapshot, findings: pa.Table, by: str) -> pa.Array:
    """The class of each finding's annotation (`class`), or a field of its sample (`field:NAME`), as text or number.

    Raises: FindingGroupUnknown.
    """
    if by == "class":
        return classes(state, findings)
    if by.startswith(_FIELD):
        return _fields(state, findings, by.removeprefix(_FIELD))
    raise FindingGroupUnknown(got=by[:80], hint="use check, class, fault or field:NAME")


def classes(state: Snapshot, findings: pa.Table) -> pa.Array:
    """The class of the annotation of each finding; null where it has none."""
    return places(state, findings)["class"].combine_chunks()


def places(state: Snapshot, findings: pa.Table) -> pa.Table:
    """`class` and `box` of the annotation of each finding; null where it has none. Boxes are x, y, w, h in pixels."""
    names = np.full(findings.num_rows, None, object)
    boxes = np.full(findings.num_rows, None, object)
    name_of = {class_.id: class_.name for class_ in state.ontology.classes}
    label_sets = findings["label_set"].combine_chunks()
    for label_set in pc.unique(label_sets).drop_null().to_pylist():
        if label_set not in state.label_sets:
            continue
        rows = np.flatnonzero(pc.fill_null(pc.equal(label_sets, label_set), False).to_numpy(False))
        of_set = findings.take(pa.array(rows))
        ids = pc.unique(of_set["sample_id"]).drop_null().to_pylist()
        table = state.annotations(
            label_set, sample_ids=ids, columns=["ann_id", "class_id", "x", "y", "w", "h"]
        )
        ann_ids = of_set["annotation_id"].combine_chunks()
        table = table.take(pc.index_in(ann_ids, value_set=table["ann_id"].combine_chunks()))
        names[rows] = [name_of.get(class_id) for class_id in table["class_id"].to_pylist()]
        columns = (table[name].to_pylist() for name in ("x", "y", "w", "h"))
        for row, box in zip(rows, zip(*columns, strict=True), strict=True):
            boxes[row] = None if None in box else list(box)
    return pa.table({"class": pa.array(names, pa.string()), "box": pa.array(boxes, pa.list_(pa.float64()))})


def _fields(state: Snapshot, findings: pa.Table, name: str) -> pa.Array:
    """A field of the sample of each finding, in the type that the dataset declares for it."""
    known = sorted({*state.fields, *_ROWS})
    if name not in known:
        raise FindingGroupUnknown(got=f"{_FIELD}{name}"[:80], hint=f"fields: {', '.join(known[:40])}")
    ids = pc.unique(findings["sample_id"]).drop_null().to_pylist()
    column = name if name not in state.fields else "metadata"
    table = state.samples(ids=ids, columns=["sample_id", column])
    read = table[column].to_pylist()
    if column == "metadata":
        read = [(json.loads(text) if text else {}).get(name) for text in read]
    by_id = dict(zip(table["sample_id"].to_pylist(), read, strict=True))
    kind = state.fields.get(name, SAMPLE_FIELDS.get(name, ("", "str"))[1])
    sql_type = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}.get(kind, pa.string())
    of_rows = [by_id.get(sample_id) for sample_id in findings["sample_id"].to_pylist()]
    return pa.array([_as(kind, value) for value in of_rows], sql_type)


def _as(kind: str, value: Any) -> Value:
    """A value of metadata in the declared type; null where it is empty or of another type."""
    if value is None or value == "":
        return None
    if kind == "str":
        return str(value)
    if kind == "bool":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "int" else float(value)


def groups(
    values_: pa.ChunkedArray, severity: np.ndarray, pending: np.ndarray, *, by_severity: bool
) -> tuple[list[Counted], np.ndarray]:
    """The groups, and the rank of each row's group: largest first (those with the worst findings first if asked), no
    value last.

    Raises: FindingGroupUnknown, if there are more than `MAX_GROUPS`.
    """
    coded = pc.dictionary_encode(values_.combine_chunks(), null_encoding="encode")
    codes, names = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    if len(names) > MAX_GROUPS:
        hint = f"it has {len(names)} values; filter with `where`, or group by a field with fewer"
        raise FindingGroupUnknown(got="this field", hint=hint)
    columns = [np.bincount(codes[severity == rank], minlength=len(names)) for rank in range(3)]
    numbers = np.stack(columns, axis=1)
    n_pending = np.bincount(codes[pending], minlength=len(names))
    names = [None if name == "" else name for name in names]

    def order(code: int) -> tuple[Any, ...]:
        worst = int(np.argmax(numbers[code] > 0)) if by_severity else 0
        return names[code] is None, worst, -int(numbers[code].sum()), str(names[code])

    ordered = sorted(range(len(names)), key=order)
    ranks = np.empty(len(names), np.int64)
    ranks[ordered] = np.arange(len(names))
    counted = [
        (names[code], int(numbers[code].sum()), int(n_pending[code]), tuple(numbers[code].tolist()))
        for code in ordered
    ]
    return counted, ranks[codes] if len(names) else codes
