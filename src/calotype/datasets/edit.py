"""Edits a branch: stages files outside the lock, publishes in a short transaction, retries if it moved."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from calotype.datasets import fields, refs, repository, rows
from calotype.datasets.change import Change, RowStream
from calotype.datasets.commits import DatasetInfo, Ref
from calotype.datasets.reading import open_ref
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import Conflict
from calotype.foundation.ids import canonical_json
from calotype.store import Store
from calotype.store.tables.row_lookup import ColumnValues, row_ids
from calotype.store.tables.tables import Staged, TableMoved

Plan = Callable[[Snapshot], Change]
Record = Callable[[sa.Connection], None]

MAX_TRIES = 60


class WorkingStateMoved(Conflict):
    """Other writers changed the branch at every attempt."""

    code = "working-state-moved"
    what = "{dataset} changed during each of {tries} attempts to apply this edit"
    fix = "try again when fewer writers are active on the branch; nothing of this edit was applied"


@dataclass(frozen=True, slots=True)
class _TableEdit:
    """The edit of one table: row ids to remove, and new rows that are already staged on disk."""

    table: str
    schema: pa.Schema
    remove: list[int]
    index: list[str]
    staged: Staged | None
    n_put: int = 0


@dataclass(frozen=True, slots=True)
class _StagedEdit:
    """An edit that is ready to be published on `base`, the branch as it was read."""

    info: DatasetInfo
    base: Ref
    tables: list[_TableEdit]
    documents: Mapping[str, str]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Rows written and removed by table, for the journal."""
        return {table.table: {"written": table.n_put, "removed": len(table.remove)} for table in self.tables}


def apply(
    actor: Actor,
    name: str,
    change: Change | Plan,
    *,
    store: Store,
    verb: str = "dataset.edit",
    details: Mapping[str, Any] | None = None,
    record: Record | None = None,
) -> Snapshot:
    """Edit a branch (`name` or `name@branch`) and return its new working state.

    `change` may be a function of the current state. It is called again if another writer changed the branch meanwhile,
    so an edit never overwrites changes that it has not seen. `record` writes rows of the caller's own catalog tables in
    the same transaction.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, WorkingStateMoved.
    """
    facts = {} if details is None else details  # the very mapping: `record` may add to it
    _open(actor, name, store, verb)  # refused before it waits for others
    with refs.turn(store, name):
        for attempt in range(MAX_TRIES):
            info, base, snapshot = _open(actor, name, store, verb)
            planned = change if isinstance(change, Change) else change(snapshot)
            if planned.is_empty and record is None:
                return snapshot
            edits, documents = _stage(store, snapshot, planned)
            branch = None
            with suppress(TableMoved):  # a writer that had lost its lock was still writing: plan again
                staged = _StagedEdit(info, base, edits, documents)
                branch = _publish(actor, staged, store=store, verb=verb, details=facts, record=record)
            if branch is not None:
                with store.catalog.read() as conn:
                    return open_ref(conn, store, info, branch, name=f"{base.name}+")
            wait_before(attempt + 1)
    raise WorkingStateMoved(dataset=name, tries=MAX_TRIES)


def wait_before(attempt: int) -> None:
    """Wait a random time before trying again, up to half a second after many attempts."""
    time.sleep(random.uniform(0, min(0.5, 0.005 * 2 ** min(attempt - 1, 7))))


def current(actor: Actor, name: str, *, store: Store, verb: str) -> Snapshot:
    """The working state that an edit would apply to. Raises the same errors as `apply`."""
    return _open(actor, name, store, verb)[2]


def _open(actor: Actor, name: str, store: Store, verb: str) -> tuple[DatasetInfo, Ref, Snapshot]:
    dataset_name, branch_name = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
        base = refs.branch(conn, info, branch_name)
        refs.require_open(dataset_name, base, verb)
        return info, base, open_ref(conn, store, info, base, name=f"{base.name}+")


def _stage(store: Store, snapshot: Snapshot, change: Change) -> tuple[list[_TableEdit], dict[str, str]]:
    edits = []
    if len(change.put_samples) or change.remove_samples:
        arrow = _arrow(change.put_samples, rows.samples_to_arrow)
        put_ids = [key for key in _ids(arrow, "sample_id") if key not in change.new_samples]
        keys = [ColumnValues("sample_id", change.remove_samples), ColumnValues("sample_id", put_ids)]
        edits.append(_table_edit(store, snapshot, rows.SAMPLES, keys, arrow))
    orphaned = snapshot.label_sets if change.remove_samples else ()
    for label_set in {
        *change.put_annotations,
        *change.remove_annotations,
        *change.remove_annotations_of,
        *orphaned,
    }:
        put = change.put_annotations.get(label_set, ())
        if not isinstance(put, RowStream):
            put = _arrow(put, rows.annotations_to_arrow)
        keys = [
            ColumnValues("sample_id", change.remove_samples),
            ColumnValues("sample_id", change.remove_annotations_of.get(label_set, ())),
            ColumnValues("ann_id", change.remove_annotations.get(label_set, ())),
            ColumnValues("ann_id", [] if isinstance(put, RowStream) else _ids(put, "ann_id")),
        ]
        edits.append(_table_edit(store, snapshot, rows.annotation_table(label_set), keys, put))
    edits += _vectors(store, snapshot, change)
    return [edit for edit in edits if edit.remove or edit.staged], _documents(snapshot, change)


def _vectors(store: Store, snapshot: Snapshot, change: Change) -> list[_TableEdit]:
    edits = []
    for model in sorted({*change.put_vectors, *change.remove_vectors_of}):
        arrow = change.put_vectors.get(model, rows.vector_schema(1).empty_table())
        keys = [
            ColumnValues("sample_id", change.remove_vectors_of.get(model, ())),
            ColumnValues("sample_id", _ids(arrow, "sample_id")),
        ]
        table = rows.vector_table(model)
        edits.append(_table_edit(store, snapshot, table, keys, arrow, schema=arrow.schema))
    return edits


def _table_edit(
    store: Store,
    snapshot: Snapshot,
    table: str,
    removed: list[ColumnValues],
    put: pa.Table | RowStream,
    *,
    schema: pa.Schema | None = None,
) -> _TableEdit:
    name = f"{snapshot.dataset.id}/{table}"
    remove: list[int] = []
    looked_up: set[str] = set()
    if table in snapshot.pins:
        remove, looked_up = row_ids(
            store.tables.at(name, snapshot.pins[table]), removed, key=rows.key_of(table)
        )
    schema = schema or rows.schema_of(table)
    staged, n_put = None, 0
    if len(put):
        batches = put.batches() if isinstance(put, RowStream) else put
        staged = store.tables.stage(name, batches, schema=schema)
        n_put = staged.n_rows
    index = {"sample_id", *looked_up}
    return _TableEdit(table, schema, remove, sorted(index), staged, n_put)


def _field_types(snapshot: Snapshot, change: Change) -> dict[str, str]:
    known_types = snapshot.fields if change.fields is None else change.fields
    if isinstance(change.put_samples, pa.Table):
        distinct = change.put_samples["metadata"].unique().drop_null().to_pylist()
        return fields.learn(known_types, (("", json.loads(text)) for text in distinct if text))
    return fields.learn(known_types, ((sample.name, sample.metadata) for sample in change.put_samples))


def _arrow(values: Any, convert: Callable[[Any], pa.Table]) -> pa.Table:
    return values if isinstance(values, pa.Table) else convert(values)


def _ids(arrow: pa.Table, key: str) -> list[str]:
    return list(arrow[key].to_pylist())


def _documents(snapshot: Snapshot, change: Change) -> dict[str, str]:
    """Kind -> body of the documents that a change replaces."""
    bodies: dict[str, str] = {}
    if change.ontology is not None and change.ontology != snapshot.ontology:
        bodies["ontology"] = canonical_json(change.ontology.to_json())
    if change.contract is not None:
        bodies["contract"] = change.contract
    if change.info is not None:
        bodies["info"] = change.info
    field_types = _field_types(snapshot, change)
    if field_types != snapshot.fields:
        bodies["fields"] = canonical_json(field_types)
    names = {*snapshot.label_sets, *(name for name, put in change.put_annotations.items() if len(put))}
    if names != set(snapshot.label_sets):
        bodies["label_sets"] = json.dumps(sorted(names))
    return bodies


def _publish(
    actor: Actor,
    edit: _StagedEdit,
    *,
    store: Store,
    verb: str,
    details: Mapping[str, Any],
    record: Record | None,
) -> Ref | None:
    """Publish a staged edit; None if the branch moved since it was read."""
    base = edit.base
    with store.catalog.write(actor, verb, subject=edit.info.name) as tx:
        current = repository.ref(tx.conn, base.dataset_id, base.name)
        if current is None or current.sequence != base.sequence:
            tx.abandon()
            return None
        pins = dict(base.pins)
        for table in edit.tables:
            pins[table.table] = store.tables.publish(
                f"{edit.info.id}/{table.table}",
                pin=base.pins.get(table.table),
                schema=table.schema,
                remove=table.remove,
                staged=table.staged,
                index=table.index,
            )
        hashes = {kind: repository.put_document(tx.conn, kind, body) for kind, body in edit.documents.items()}
        moved = replace(base, pins=pins, documents={**base.documents, **hashes}, sequence=base.sequence + 1)
        if edit.tables or hashes:
            repository.move_ref(tx.conn, base, moved)
        else:
            moved = base
        if moved != base:
            repository.add_edit(tx.conn, actor, base, moved, verb=verb, details=details, counts=edit.counts)
        if record is not None:
            record(tx.conn)
        tx.details({"branch": base.name, **details})
        return moved
