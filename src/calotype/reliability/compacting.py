"""Compaction: the same rows in fewer files, behind the same pin (decision 0011)."""

from __future__ import annotations

from calotype.datasets import rows
from calotype.foundation.actor import Actor
from calotype.foundation.progress import Progress
from calotype.reliability import repository
from calotype.reliability.model import Compacted
from calotype.store import Store
from calotype.store.maintenance import table_files, vector_index

_TRIES = 3
_MANY_PARTS = 100
_DELETED_SHARE = 0.01
_DELETED_ROWS = 1_000


def compact(actor: Actor, store: Store, *, always: bool, progress: Progress) -> list[Compacted]:
    """Index and compact what the branches work on, where it is worth it. Old versions stay until the sweep.

    Indexes of vectors come last: a compaction leaves them behind with the old files.
    """
    with store.catalog.read() as conn:
        names = repository.dataset_names(conn)
        pinned = sorted(
            {
                (ref.dataset_id, f"{ref.dataset_id}/{table}", pin)
                for ref in repository.refs(conn)
                if ref.kind == "branch" and ref.dataset_id in names
                for table, pin in ref.pins.items()
            }
        )
    done = []
    for at, (dataset_id, table, pin) in enumerate(pinned):
        before = table_files.shape(store.tables, table, pin)
        if before.n_parts and ((always and (before.n_parts > 1 or before.n_deleted)) or _worth(before)):
            done += _compact(actor, store, names[dataset_id], table, pin, before)
        if rows.is_vector_table(table.removeprefix(f"{dataset_id}/")):
            vector_index.supply(
                actor, store.catalog, store.tables, table, pin, rows.VECTOR, subject=names[dataset_id]
            )
        progress("compacting", at + 1, len(pinned))
    return done


def _worth(shape: table_files.Shape) -> bool:
    deleted = shape.n_deleted > max(_DELETED_ROWS, _DELETED_SHARE * shape.n_rows)
    return shape.n_parts > _MANY_PARTS or deleted


def _compact(
    actor: Actor, store: Store, dataset: str, table: str, pin: int, before: table_files.Shape
) -> list[Compacted]:
    """To the head (locked), write files (unlocked), make the version (locked), compare, stand in (locked)."""
    for _ in range(_TRIES):
        with store.catalog.bookkeeping():
            head = table_files.prepare(store.tables, table, pin)
        staged = table_files.stage_compaction(head)
        if not staged:
            return []
        with store.catalog.bookkeeping():
            version = table_files.publish_compaction(store.tables, table, head, staged)
        if version is None:  # somebody wrote to the table; what was staged is left to the sweep
            continue
        if not table_files.same_rows(store.tables, table, int(store.tables.at(table, pin).version), version):
            return [
                Compacted(dataset, table, pin, before.n_parts, before.n_parts, "rows differ; kept as it was")
            ]
        with store.catalog.write(actor, "workspace.compact", subject=dataset) as tx:
            table_files.stand_in(store.tables, table, pin, version)
            tx.details({"table": table, "pin": pin, "version": version})
        after = table_files.shape(store.tables, table, pin)
        return [Compacted(dataset, table, pin, before.n_parts, after.n_parts, "")]
    return [Compacted(dataset, table, pin, before.n_parts, before.n_parts, "busy; try again later")]
