"""Compaction: the same rows in fewer files, for the same pin (decision 0011)."""

from __future__ import annotations

from calotype.datasets import rows
from calotype.foundation.actor import Actor
from calotype.foundation.progress import Progress
from calotype.reliability import repository
from calotype.reliability.model import CompactionResult
from calotype.store import Store
from calotype.store.maintenance import table_files, vector_index

_TRIES = 3
_MAX_FRAGMENTS = 100
_DELETED_SHARE = 0.01
_DELETED_ROWS = 1_000


def compact(actor: Actor, store: Store, *, always: bool, progress: Progress) -> list[CompactionResult]:
    """Index and compact the tables that branches use, where it is worthwhile. A later sweep removes old versions.

    Vector indexes are updated last, because compaction drops them.
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
    results = []
    for index, (dataset_id, table, pin) in enumerate(pinned):
        before = table_files.table_stats(store.tables, table, pin)
        if before.n_fragments and (
            (always and (before.n_fragments > 1 or before.n_deleted)) or _is_worthwhile(before)
        ):
            results += _compact_table(actor, store, names[dataset_id], table, pin, before)
        if rows.is_vector_table(table.removeprefix(f"{dataset_id}/")):
            vector_index.update_index(
                actor, store.catalog, store.tables, table, pin, rows.VECTOR, subject=names[dataset_id]
            )
        progress("compacting", index + 1, len(pinned))
    return results


def _is_worthwhile(shape: table_files.TableStats) -> bool:
    deleted = shape.n_deleted > max(_DELETED_ROWS, _DELETED_SHARE * shape.n_rows)
    return shape.n_fragments > _MAX_FRAGMENTS or deleted


def _compact_table(
    actor: Actor, store: Store, dataset: str, table: str, pin: int, before: table_files.TableStats
) -> list[CompactionResult]:
    """Restore to head (locked), write files (unlocked), publish (locked), compare, set the stand-in (locked)."""
    for _ in range(_TRIES):
        with store.catalog.bookkeeping():
            head = table_files.prepare_compaction(store.tables, table, pin)
        staged = table_files.stage_compaction(head)
        if not staged:
            return []
        with store.catalog.bookkeeping():
            version = table_files.publish_compaction(store.tables, table, head, staged)
        if version is None:  # the table has changed; a sweep removes the staged files
            continue
        if not table_files.same_rows(store.tables, table, int(store.tables.at(table, pin).version), version):
            return [
                CompactionResult(
                    dataset, table, pin, before.n_fragments, before.n_fragments, "rows differ; left unchanged"
                )
            ]
        with store.catalog.write(actor, "workspace.compact", subject=dataset) as tx:
            table_files.set_stand_in(store.tables, table, pin, version)
            tx.details({"table": table, "pin": pin, "version": version})
        after = table_files.table_stats(store.tables, table, pin)
        return [CompactionResult(dataset, table, pin, before.n_fragments, after.n_fragments, "")]
    return [
        CompactionResult(dataset, table, pin, before.n_fragments, before.n_fragments, "busy; try again later")
    ]
