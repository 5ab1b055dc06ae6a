"""Plans the merge of two whole states of a dataset.

Rows that one side changed are copied as Arrow columns; only rows that both sides changed are merged one by one.
A table that only theirs changed is adopted as it is: the target gets its pin, and no row is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.change import Change
from calotype.datasets.differences import RowChange, changed
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.ids import canonical_json
from calotype.versions.merge_rules import merge
from calotype.versions.model import Choices, DecodedDocuments, MergeResult, Row, RowEdit, Side
from calotype.vision.ontology import Ontology


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge would do to the target.

    `change` edits its rows; `adopted` are tables taken from the source as they are (table -> pin); `documents` are the
    new bodies of documents that differ from those of the target (None: removed).
    """

    change: Change
    adopted: Mapping[str, int]
    documents: Mapping[str, str | None]
    result: MergeResult
    counts: Mapping[str, Any]


def plan(base: Snapshot, ours: Snapshot, theirs: Snapshot, choices: Choices = None) -> MergePlan:
    """Plan the merge of `theirs` into `ours`, with `base` as their common ancestor.

    Raises: ResolutionInvalid.
    """
    label_sets = dict.fromkeys([*base.label_sets, *ours.label_sets, *theirs.label_sets])
    tables = {rows.SAMPLES: "", **{rows.annotation_table(name): name for name in label_sets}}
    changes = _SideChanges(base, ours, theirs, list(tables))
    sides = [
        Side(_decoded_documents(state), changes.edits(position), changes.classes(position))
        for position, state in enumerate((ours, theirs))
    ]
    result = merge(_decoded_documents(base), sides[0], sides[1], choices)
    edits = _TargetEdits(changes, result)
    adopted = {table: theirs.pins[table] for table in tables if edits.is_adopted(table)}
    adopted |= _vectors(base, ours, theirs)
    table_edits = {table: edits.of(table) for table in tables}
    written = {table: table_edit for table, table_edit in table_edits.items() if table not in adopted}
    change = Change(
        put_samples=written[rows.SAMPLES].put if rows.SAMPLES in written else (),
        remove_samples=written[rows.SAMPLES].remove if rows.SAMPLES in written else (),
        put_annotations={tables[t]: p.put for t, p in written.items() if tables[t] and p.put.num_rows},
        remove_annotations={tables[t]: p.remove for t, p in written.items() if tables[t] and p.remove},
        fields=result.documents.fields,
    )
    return MergePlan(
        change, adopted, _changed_documents(ours, result.documents), result, _counts(table_edits, result)
    )


def _vectors(base: Snapshot, ours: Snapshot, theirs: Snapshot) -> dict[str, int]:
    """Tables of vectors that only theirs changed. If both did, ours is kept: vectors can be recomputed."""
    return {
        table: pin
        for table, pin in theirs.pins.items()
        if rows.is_vector_table(table) and ours.pins.get(table) == base.pins.get(table) != pin
    }


@dataclass(frozen=True, slots=True)
class _TableEdit:
    put: pa.Table
    remove: list[str]


@dataclass
class _SideChanges:
    """The changes of both sides by table, and the rows that must be merged one by one. Side 0 is ours, 1 is theirs."""

    base: Snapshot
    ours: Snapshot
    theirs: Snapshot
    names: list[str]
    by_side: list[dict[str, RowChange]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_side = [{}, {}]
        for table in self.names:
            equal = self.ours.pins.get(table) == self.theirs.pins.get(table)
            for position, side in enumerate((self.ours, self.theirs)):
                self.by_side[position][table] = changed(self.base, self.base if equal else side, table)

    def keys(self, side: int, table: str) -> pa.Array:
        """Ids of the rows that a side changed."""
        change, key = self.by_side[side][table], rows.key_of(table)
        return _concat(change.before[key], change.after[key]).unique()

    def removed(self, side: int, table: str) -> pa.Array:
        """Ids of the rows that a side removed."""
        change, key = self.by_side[side][table], rows.key_of(table)
        return _difference(change.before[key].combine_chunks(), change.after[key])

    def classes(self, side: int) -> frozenset[int]:
        """Class ids of the annotations that a side added or edited."""
        tables = [self.by_side[side][name].after for name in self.names if name != rows.SAMPLES]
        return frozenset(key for table in tables for key in table["class_id"].unique().to_pylist())

    @cached_property
    def linked_samples(self) -> pa.Array:
        """Samples that are merged as one unit with their annotations.

        They were removed by one side and edited by the other, or both sides added one under the same name.
        """
        sample_ids: list[str] = []
        for remover, keeper in ((0, 1), (1, 0)):
            touched = [self.keys(keeper, rows.SAMPLES)]
            touched += [self.by_side[keeper][n].after["sample_id"] for n in self.names if n != rows.SAMPLES]
            removed = self.removed(remover, rows.SAMPLES)
            sample_ids += removed.filter(pc.is_in(removed, _concat(*touched))).to_pylist()
        same_names = self._same_names()
        return pa.array([*sample_ids, *same_names], pa.string()).unique()

    @cached_property
    def row_level_ids(self) -> dict[str, pa.Array]:
        """Table -> ids of the rows that must be merged one by one."""
        ids = {}
        for table in self.names:
            both = self.keys(0, table)
            both = both.filter(pc.is_in(both, self.keys(1, table)))
            linked = [
                self._ids_where(
                    side, table, "parent_id" if table == rows.SAMPLES else "sample_id", self.linked_samples
                )
                for side in (0, 1)
            ]
            ids[table] = _concat(
                both, *linked, *(self._more_row_level_samples() if table == rows.SAMPLES else ())
            ).unique()
        return ids

    def edits(self, side: int) -> dict[str, dict[str, RowEdit]]:
        """The edits of a side to rows that must be merged one by one."""
        edits = {}
        for table, keys in self.row_level_ids.items():
            change, key = self.by_side[side][table], rows.key_of(table)
            before = {row[key]: row for row in _rows_with(change.before, key, keys).to_pylist()}
            after = {row[key]: row for row in _rows_with(change.after, key, keys).to_pylist()}
            edits[table] = {k: RowEdit(before.get(k), after.get(k)) for k in sorted({*before, *after})}
        return edits

    def _more_row_level_samples(self) -> list[pa.Array]:
        """Linked samples and those that share a name with one; all changed samples if the type of a field differs."""
        types = self.theirs.fields.items()
        if any(self.ours.fields.get(name, kind) != kind for name, kind in types):
            return [self.keys(0, rows.SAMPLES), self.keys(1, rows.SAMPLES), self.linked_samples]
        before = [
            _rows_with(self.by_side[side][rows.SAMPLES].before, "sample_id", self.linked_samples)
            for side in (0, 1)
        ]
        names = _concat(*(changed_rows["name"] for changed_rows in before))
        return [self.linked_samples, *(self._ids_where(side, rows.SAMPLES, "name", names) for side in (0, 1))]

    def _ids_where(self, side: int, table: str, column: str, values: pa.Array) -> pa.Array:
        """Ids of changed rows of a side whose column has one of the values."""
        change = self.by_side[side][table]
        return _concat(
            *(
                _rows_with(state, column, values)[rows.key_of(table)]
                for state in (change.before, change.after)
            )
        )

    def _same_names(self) -> list[str]:
        """Samples that have the same name as a different sample changed by the other side."""
        ours, theirs = (
            self.by_side[side][rows.SAMPLES].after.select(["name", "sample_id"]) for side in (0, 1)
        )
        ours = ours.filter(pc.is_in(ours["name"], _concat(theirs["name"])))
        theirs = theirs.filter(pc.is_in(theirs["name"], _concat(ours["name"])))
        mine = dict(zip(ours["name"].to_pylist(), ours["sample_id"].to_pylist(), strict=True))
        pairs = [
            (mine[name], other)
            for name, other in zip(*(theirs[n].to_pylist() for n in ("name", "sample_id")), strict=True)
        ]
        return [key for pair in pairs if pair[0] != pair[1] for key in pair]


@dataclass
class _TargetEdits:
    """The edits of the target: the rows merged one by one, and the other changes of theirs."""

    side_changes: _SideChanges
    result: MergeResult

    def is_adopted(self, table: str) -> bool:
        """Whether the table of theirs can be adopted as it is."""
        side_changes = self.side_changes
        pins = [
            state.pins.get(table) for state in (side_changes.base, side_changes.ours, side_changes.theirs)
        ]
        if pins[2] is None or pins[0] != pins[1] or pins[1] == pins[2]:
            return False
        if len(side_changes.row_level_ids[table]) or self.result.rows.get(table):
            return False
        return table == rows.SAMPLES or not self._uses_new_class_ids(table)

    def of(self, table: str) -> _TableEdit:
        """Rows to write and ids to remove in a table of the target."""
        side_changes, key = self.side_changes, rows.key_of(table)
        row_level = side_changes.row_level_ids[table]
        after = side_changes.by_side[1][table].after
        unconflicted = after.filter(pc.invert(pc.is_in(after[key], row_level)))
        remove = _difference(side_changes.removed(1, table), row_level).to_pylist()
        present = self._on_target(table)
        merged_rows: list[Row] = []
        for row_id, row in self.result.rows.get(table, {}).items():
            if row is not None and row != present.get(row_id):
                merged_rows.append(row)
            elif row is None and present.get(row_id) is not None:
                remove.append(row_id)
        schema = rows.schema_of(table)
        put = pa.concat_tables(
            [
                self._with_class_ids(table, unconflicted).cast(schema),
                pa.Table.from_pylist(merged_rows, schema),
            ]
        )
        return _TableEdit(put, sorted(remove))

    def _on_target(self, table: str) -> dict[str, Row | None]:
        present = {key: edit.before for key, edit in self.side_changes.edits(1)[table].items()}
        return present | {key: edit.after for key, edit in self.side_changes.edits(0)[table].items()}

    def _uses_new_class_ids(self, table: str) -> bool:
        class_ids = self.side_changes.by_side[1][table].after["class_id"].unique().to_pylist()
        return bool(self.result.class_map.keys() & set(class_ids))

    def _with_class_ids(self, table: str, unconflicted: pa.Table) -> pa.Table:
        """The rows with new class ids."""
        class_map = self.result.class_map
        if table == rows.SAMPLES or not class_map or unconflicted.num_rows == 0:
            return unconflicted
        old = unconflicted["class_id"]
        position = pc.index_in(old, pa.array(list(class_map), pa.int32()))
        new = pc.if_else(
            pc.is_valid(position),
            pa.array(list(class_map.values()), pa.int32()).take(position.combine_chunks()),
            old,
        )
        return unconflicted.set_column(unconflicted.schema.get_field_index("class_id"), "class_id", new)


def _decoded_documents(state: Snapshot) -> DecodedDocuments:
    return DecodedDocuments(
        ontology=state.ontology.to_json() if "ontology" in state.documents else {},
        fields=state.fields,
        contract=state.contract_text,
        info=canonical_json(state.info) if "info" in state.documents else None,
        label_sets=frozenset(state.label_sets),
    )


def _changed_documents(ours: Snapshot, documents: DecodedDocuments) -> dict[str, str | None]:
    """Kind -> body of the documents that differ from those of ours."""
    different: dict[str, str | None] = {}
    if documents.ontology and Ontology.from_json(documents.ontology) != ours.ontology:
        different["ontology"] = canonical_json(Ontology.from_json(documents.ontology).to_json())
    if dict(documents.fields) != ours.fields:
        different["fields"] = canonical_json(dict(documents.fields))
    if documents.contract != ours.contract_text:
        different["contract"] = documents.contract
    if (json.loads(documents.info) if documents.info else {}) != ours.info:
        different["info"] = documents.info
    if documents.label_sets != frozenset(ours.label_sets):
        different["label_sets"] = json.dumps(sorted(documents.label_sets))
    return different


def _counts(table_edits: Mapping[str, _TableEdit], result: MergeResult) -> dict[str, Any]:
    annotations = [table_edit for table, table_edit in table_edits.items() if table != rows.SAMPLES]
    return {
        "samples": {
            "put": table_edits[rows.SAMPLES].put.num_rows,
            "removed": len(table_edits[rows.SAMPLES].remove),
        },
        "annotations": {
            "put": sum(table_edit.put.num_rows for table_edit in annotations),
            "removed": sum(len(table_edit.remove) for table_edit in annotations),
        },
        "conflicts": len(result.conflicts),
        "open": len(result.open),
    }


def _rows_with(table: pa.Table, key: str, keys: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table[key], keys))


def _difference(keys: pa.Array, others: Any) -> pa.Array:
    return keys.filter(pc.invert(pc.is_in(keys, _concat(others))))


def _concat(*parts: Any) -> pa.Array:
    """Concatenate chunked or plain arrays of strings into one plain array."""
    chunks = [c for part in parts for c in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])]
    return (
        pa.concat_arrays([chunk.cast(pa.string()) for chunk in chunks])
        if chunks
        else pa.array([], pa.string())
    )
