"""A merge of whole states: rows that only one side touched pass by column, the few that both touched go by the rules.

A table that only theirs changed is taken as it is: its pin moves, no row is written.
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
from calotype.versions.model import Choose, Outcome, Row, RowEdit, Side, Texts
from calotype.vision.ontology import Ontology


@dataclass(frozen=True, slots=True)
class Merging:
    """What a merge would do to the target.

    `change` edits its rows, `whole` are tables taken from the source as they are (table -> pin), `documents` the texts
    that come out different from the target's (None: gone).
    """

    change: Change
    whole: Mapping[str, int]
    documents: Mapping[str, str | None]
    outcome: Outcome
    counts: Mapping[str, Any]


def plan(base: Snapshot, ours: Snapshot, theirs: Snapshot, choose: Choose = None) -> Merging:
    """Plan the merge of `theirs` into `ours`, which both come from `base`.

    Raises: ResolutionInvalid.
    """
    label_sets = dict.fromkeys([*base.label_sets, *ours.label_sets, *theirs.label_sets])
    tables = {rows.SAMPLES: "", **{rows.annotation_table(name): name for name in label_sets}}
    work = _Tables(base, ours, theirs, list(tables))
    sides = [Side(_texts(one), work.edits(at), work.classes(at)) for at, one in enumerate((ours, theirs))]
    outcome = merge(_texts(base), sides[0], sides[1], choose)
    moved = _Moved(work, outcome)
    whole = {table: theirs.pins[table] for table in tables if moved.is_whole(table)}
    whole |= _vectors(base, ours, theirs)
    parts = {table: moved.of(table) for table in tables}
    written = {table: part for table, part in parts.items() if table not in whole}
    change = Change(
        put_samples=written[rows.SAMPLES].put if rows.SAMPLES in written else (),
        remove_samples=written[rows.SAMPLES].remove if rows.SAMPLES in written else (),
        put_annotations={tables[t]: p.put for t, p in written.items() if tables[t] and p.put.num_rows},
        remove_annotations={tables[t]: p.remove for t, p in written.items() if tables[t] and p.remove},
        fields=outcome.texts.fields,
    )
    return Merging(change, whole, _documents(ours, outcome.texts), outcome, _counts(parts, outcome))


def _vectors(base: Snapshot, ours: Snapshot, theirs: Snapshot) -> dict[str, int]:
    """Vectors of models that only theirs has put since; where both did, ours stay: they can be computed again."""
    return {
        table: pin
        for table, pin in theirs.pins.items()
        if rows.is_of_vectors(table) and ours.pins.get(table) == base.pins.get(table) != pin
    }


@dataclass(frozen=True, slots=True)
class _Part:
    put: pa.Table
    remove: list[str]


@dataclass
class _Tables:
    """What both sides changed, table by table, and which of it needs a look at single rows."""

    base: Snapshot
    ours: Snapshot
    theirs: Snapshot
    names: list[str]
    changes: list[dict[str, RowChange]] = field(init=False)

    def __post_init__(self) -> None:
        self.changes = [{}, {}]
        for table in self.names:
            alike = self.ours.pins.get(table) == self.theirs.pins.get(table)
            for at, side in enumerate((self.ours, self.theirs)):
                self.changes[at][table] = changed(self.base, self.base if alike else side, table)

    def keys(self, at: int, table: str) -> pa.Array:
        """Ids of the rows that a side changed."""
        change, key = self.changes[at][table], rows.key_of(table)
        return _joined(change.before[key], change.after[key]).unique()

    def removed(self, at: int, table: str) -> pa.Array:
        """Ids of the rows that a side removed."""
        change, key = self.changes[at][table], rows.key_of(table)
        return _less(change.before[key].combine_chunks(), change.after[key])

    def classes(self, at: int) -> frozenset[int]:
        """Class ids of the annotations that a side added or edited."""
        tables = [self.changes[at][name].after for name in self.names if name != rows.SAMPLES]
        return frozenset(key for table in tables for key in table["class_id"].unique().to_pylist())

    @cached_property
    def special(self) -> pa.Array:
        """Samples that count as one with their annotations: removed by one side and touched by the other, or added
        by both."""
        found: list[str] = []
        for remover, keeper in ((0, 1), (1, 0)):
            touched = [self.keys(keeper, rows.SAMPLES)]
            touched += [self.changes[keeper][n].after["sample_id"] for n in self.names if n != rows.SAMPLES]
            removed = self.removed(remover, rows.SAMPLES)
            found += removed.filter(pc.is_in(removed, _joined(*touched))).to_pylist()
        twins = self._same_names()
        return pa.array([*found, *twins], pa.string()).unique()

    @cached_property
    def looked_at(self) -> dict[str, pa.Array]:
        """Table -> ids of the rows that go by the rules."""
        found = {}
        for table in self.names:
            both = self.keys(0, table)
            both = both.filter(pc.is_in(both, self.keys(1, table)))
            of_special = [
                self._where(at, table, "parent_id" if table == rows.SAMPLES else "sample_id", self.special)
                for at in (0, 1)
            ]
            found[table] = _joined(
                both, *of_special, *(self._more_samples() if table == rows.SAMPLES else ())
            ).unique()
        return found

    def edits(self, at: int) -> dict[str, dict[str, RowEdit]]:
        """The rows of a side that go by the rules."""
        found = {}
        for table, keys in self.looked_at.items():
            change, key = self.changes[at][table], rows.key_of(table)
            before = {row[key]: row for row in _only(change.before, key, keys).to_pylist()}
            after = {row[key]: row for row in _only(change.after, key, keys).to_pylist()}
            found[table] = {k: RowEdit(before.get(k), after.get(k)) for k in sorted({*before, *after})}
        return found

    def _more_samples(self) -> list[pa.Array]:
        """Special samples, those that may meet their names, and all where the type of a field is at stake."""
        types = self.theirs.fields.items()
        if any(self.ours.fields.get(name, kind) != kind for name, kind in types):
            return [self.keys(0, rows.SAMPLES), self.keys(1, rows.SAMPLES), self.special]
        before = [_only(self.changes[at][rows.SAMPLES].before, "sample_id", self.special) for at in (0, 1)]
        names = _joined(*(found["name"] for found in before))
        return [self.special, *(self._where(at, rows.SAMPLES, "name", names) for at in (0, 1))]

    def _where(self, at: int, table: str, column: str, values: pa.Array) -> pa.Array:
        """Ids of the changed rows of a side that have one of the values."""
        change = self.changes[at][table]
        return _joined(
            *(_only(found, column, values)[rows.key_of(table)] for found in (change.before, change.after))
        )

    def _same_names(self) -> list[str]:
        """Samples that one side gave a name which another sample of the other side has got."""
        ours, theirs = (self.changes[at][rows.SAMPLES].after.select(["name", "sample_id"]) for at in (0, 1))
        ours = ours.filter(pc.is_in(ours["name"], _joined(theirs["name"])))
        theirs = theirs.filter(pc.is_in(theirs["name"], _joined(ours["name"])))
        mine = dict(zip(ours["name"].to_pylist(), ours["sample_id"].to_pylist(), strict=True))
        pairs = [
            (mine[name], other)
            for name, other in zip(*(theirs[n].to_pylist() for n in ("name", "sample_id")), strict=True)
        ]
        return [key for pair in pairs if pair[0] != pair[1] for key in pair]


@dataclass
class _Moved:
    """What changes on the target, from what the rules said and what passes them by."""

    work: _Tables
    outcome: Outcome

    def is_whole(self, table: str) -> bool:
        """Whether theirs can be taken as it is."""
        work = self.work
        pins = [one.pins.get(table) for one in (work.base, work.ours, work.theirs)]
        if pins[2] is None or pins[0] != pins[1] or pins[1] == pins[2]:
            return False
        if len(work.looked_at[table]) or self.outcome.rows.get(table):
            return False
        return table == rows.SAMPLES or not self._renumbered(table)

    def of(self, table: str) -> _Part:
        """Rows to put and ids to remove in a table of the target."""
        work, key = self.work, rows.key_of(table)
        looked_at = work.looked_at[table]
        after = work.changes[1][table].after
        passing = after.filter(pc.invert(pc.is_in(after[key], looked_at)))
        remove = _less(work.removed(1, table), looked_at).to_pylist()
        present = self._on_target(table)
        decided: list[Row] = []
        for row_id, row in self.outcome.rows.get(table, {}).items():
            if row is not None and row != present.get(row_id):
                decided.append(row)
            elif row is None and present.get(row_id) is not None:
                remove.append(row_id)
        schema = rows.schema_of(table)
        put = pa.concat_tables(
            [self._numbered(table, passing).cast(schema), pa.Table.from_pylist(decided, schema)]
        )
        return _Part(put, sorted(remove))

    def _on_target(self, table: str) -> dict[str, Row | None]:
        found = {key: edit.before for key, edit in self.work.edits(1)[table].items()}
        return found | {key: edit.after for key, edit in self.work.edits(0)[table].items()}

    def _renumbered(self, table: str) -> bool:
        found = self.work.changes[1][table].after["class_id"].unique().to_pylist()
        return bool(self.outcome.class_map.keys() & set(found))

    def _numbered(self, table: str, passing: pa.Table) -> pa.Table:
        """With the class numbers that theirs got."""
        numbers = self.outcome.class_map
        if table == rows.SAMPLES or not numbers or passing.num_rows == 0:
            return passing
        old = passing["class_id"]
        at = pc.index_in(old, pa.array(list(numbers), pa.int32()))
        new = pc.if_else(
            pc.is_valid(at), pa.array(list(numbers.values()), pa.int32()).take(at.combine_chunks()), old
        )
        return passing.set_column(passing.schema.get_field_index("class_id"), "class_id", new)


def _texts(state: Snapshot) -> Texts:
    return Texts(
        ontology=state.ontology.to_json() if "ontology" in state.documents else {},
        fields=state.fields,
        contract=state.contract_text,
        info=canonical_json(state.info) if "info" in state.documents else None,
        label_sets=frozenset(state.label_sets),
    )


def _documents(ours: Snapshot, texts: Texts) -> dict[str, str | None]:
    """Kind -> body of the documents that differ from those of ours."""
    found: dict[str, str | None] = {}
    if texts.ontology and Ontology.from_json(texts.ontology) != ours.ontology:
        found["ontology"] = canonical_json(Ontology.from_json(texts.ontology).to_json())
    if dict(texts.fields) != ours.fields:
        found["fields"] = canonical_json(dict(texts.fields))
    if texts.contract != ours.contract_text:
        found["contract"] = texts.contract
    if (json.loads(texts.info) if texts.info else {}) != ours.info:
        found["info"] = texts.info
    if texts.label_sets != frozenset(ours.label_sets):
        found["label_sets"] = json.dumps(sorted(texts.label_sets))
    return found


def _counts(parts: Mapping[str, _Part], outcome: Outcome) -> dict[str, Any]:
    annotations = [part for table, part in parts.items() if table != rows.SAMPLES]
    return {
        "samples": {"put": parts[rows.SAMPLES].put.num_rows, "removed": len(parts[rows.SAMPLES].remove)},
        "annotations": {
            "put": sum(part.put.num_rows for part in annotations),
            "removed": sum(len(part.remove) for part in annotations),
        },
        "conflicts": len(outcome.clashes),
        "open": len(outcome.open),
    }


def _only(table: pa.Table, key: str, keys: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table[key], keys))


def _less(keys: pa.Array, others: Any) -> pa.Array:
    return keys.filter(pc.invert(pc.is_in(keys, _joined(others))))


def _joined(*parts: Any) -> pa.Array:
    """Chunked or plain string arrays as one plain array."""
    chunks = [c for part in parts for c in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])]
    return (
        pa.concat_arrays([chunk.cast(pa.string()) for chunk in chunks])
        if chunks
        else pa.array([], pa.string())
    )
