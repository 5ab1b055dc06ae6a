"""Vector indexes: find candidates near a vector without reading the whole table (decision 0014).

An index belongs to files, not to rows: like a compaction it is published as a stand-in for a pin, so no commit or
branch changes. Lance scans rows that are not indexed yet, and leaves out deleted rows. An index consists of segments:
new rows get their own segment, and too many segments are merged.
Results are approximate; callers read the vectors of the candidates and rank them exactly.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lance
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from lance.dataset import Index, LanceOperation

from calotype.foundation.actor import Actor
from calotype.store.catalog.catalog import Catalog
from calotype.store.maintenance import table_files
from calotype.store.tables.tables import Tables

MIN_ROWS = 20_000
"""Smaller tables are searched by comparing all vectors."""
MAX_UNINDEXED_ROWS = 5_000
"""Rows that may remain unindexed (or 1/20 of the table): scanning them takes about 20 ms."""

_MAX_UNINDEXED_SHARE = 20
_MAX_SEGMENTS = 4
_ROWS_PER_CELL = 4_096
_MIN_PROBED_CELLS = 32
_NAME = "nearest-{}"


@dataclass(frozen=True, slots=True)
class IndexGap:
    """An index to build: the fragments of its new segment, and the segments it replaces; no fragments: drop it."""

    dataset: lance.LanceDataset
    fragments: tuple[int, ...]
    n_rows: int
    replaces: tuple[Index, ...]


def find_gap(tables: Tables, table: str, pin: int, column: str, *, rebuild: bool = False) -> IndexGap | None:
    """What is missing from the index of a column at a pin; None if it is good enough or the table too small.

    Args:
        rebuild: Index all rows again, so that no data of deleted rows remains.
    Raises: TableDamaged.
    """
    dataset = tables.at(table, pin)
    segments = _segments(dataset, column)
    rows = dataset.count_rows()
    if rows <= MIN_ROWS:
        return IndexGap(dataset, (), 0, segments) if segments and rebuild else None
    counts = {fragment.fragment_id: int(fragment.count_rows()) for fragment in dataset.get_fragments()}
    covered = {number for segment in segments for number in segment.fragment_ids}
    unindexed = {number: count for number, count in counts.items() if number not in covered}
    n_unindexed = sum(unindexed.values())
    if not rebuild and n_unindexed <= (
        max(MAX_UNINDEXED_ROWS, rows // _MAX_UNINDEXED_SHARE) if segments else 0
    ):
        return None
    if rebuild or len(segments) >= _MAX_SEGMENTS or n_unindexed > rows // 2:
        return IndexGap(dataset, tuple(counts), rows, segments)
    return IndexGap(dataset, tuple(unindexed), n_unindexed, ())


def update_index(
    actor: Actor,
    catalog: Catalog,
    tables: Tables,
    table: str,
    pin: int,
    column: str,
    *,
    subject: str,
    rebuild: bool = False,
) -> bool:
    """Update the index of a column at a pin. Builds outside the write lock and publishes inside it.

    Returns whether the index is now complete; False if the files of the pin changed meanwhile.
    Raises: TableDamaged.
    """
    gap = find_gap(tables, table, pin, column, rebuild=rebuild)
    if gap is None:
        return True
    began_ns = time.time_ns() - 1_000_000_000
    segments = [_build_segment(gap, column)] if _can_be_built(gap, column) else []
    if not segments and not gap.replaces:
        return True  # only zero vectors are unindexed, and an index cannot contain them
    with catalog.write(actor, "vectors.index", subject=subject) as tx:
        tables.forget(table)
        if tables.at(table, pin).version != gap.dataset.version:
            tx.abandon()
            return False
        head = table_files.restore_to_head(tables, table, pin)
        operation = LanceOperation.CreateIndex(segments, list(gap.replaces))
        committed = lance.LanceDataset.commit(head, operation, read_version=head.version, max_retries=0)
        names = ("_indices", "_transactions", "_versions")
        tables.storage.flush(table, names, since_ns=began_ns)
        table_files.set_stand_in(tables, table, pin, int(committed.version))
        tx.details({"table": table, "pin": pin, "version": int(committed.version), "rows": gap.n_rows})
    return True


def nearest_candidates(
    tables: Tables,
    table: str,
    pin: int,
    column: str,
    vector: npt.NDArray[np.float32],
    k: int,
    *,
    columns: Sequence[str],
    where: str | None = None,
) -> pa.Table | None:
    """The approximate `k` nearest rows by cosine, best first, as `columns` and `_distance`; None without an index.

    Zero vectors are excluded.

    Args:
        vector: (D,), unit length.
        where: A Lance filter from our own code.
    """
    dataset = tables.at(table, pin)
    segments = _segments(dataset, column)
    if not segments:
        return None
    cells = dataset.count_rows() // _ROWS_PER_CELL + len(segments)
    query = {
        "column": column,
        "q": vector,
        "k": k,
        "metric": "cosine",
        # rows that match a filter may be far away, and probing half of the cells costs little more than a tenth
        "nprobes": max(_MIN_PROBED_CELLS, cells // 2 if where is None else cells),
    }
    scanner = dataset.scanner(columns=[*columns, "_distance"], nearest=query, filter=where, prefilter=True)
    return scanner.to_table()


def n_indexed_rows(tables: Tables, table: str, pin: int, column: str) -> int:
    """Number of rows that the index of a column covers at a pin; 0 without an index."""
    name = _NAME.format(column)
    indexes = [index for index in tables.at(table, pin).describe_indices() if index.name == name]
    return sum(int(index.num_rows_indexed) for index in indexes)


def _segments(dataset: lance.LanceDataset, column: str) -> tuple[Index, ...]:
    name = _NAME.format(column)
    return tuple(
        Index(
            str(segment.uuid),
            name,
            list(index.fields),
            segment.dataset_version_at_last_update,
            segment.fragment_ids,
            segment.index_version,
        )
        for index in dataset.describe_indices()
        if index.name == name
        for segment in index.segments
    )


def _cells(gap: IndexGap) -> int:
    return max(1, gap.n_rows // _ROWS_PER_CELL)


def _can_be_built(gap: IndexGap, column: str) -> bool:
    """Whether there is a non-zero vector for the centre of every cell."""
    if not gap.fragments:
        return False
    fragment_ids = {*gap.fragments}
    fragments = [fragment for fragment in gap.dataset.get_fragments() if fragment.fragment_id in fragment_ids]
    n_nonzero = 0
    for batch in gap.dataset.scanner(columns=[column], fragments=fragments).to_batches():
        numbers = batch[column].flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
        n_nonzero += int(np.count_nonzero(numbers.any(axis=1)))
        if n_nonzero >= _cells(gap):
            return True
    return False


def _build_segment(gap: IndexGap, column: str) -> Any:
    """A segment for some fragments, on disk and in no version yet. A few bits per number; 8 if RaBitQ cannot."""
    dim = gap.dataset.schema.field(column).type.list_size
    return gap.dataset.create_index_uncommitted(
        column,
        "IVF_RQ" if dim % 8 == 0 else "IVF_SQ",
        name=_NAME.format(column),
        metric="cosine",
        replace=True,
        num_partitions=_cells(gap),
        fragment_ids=list(gap.fragments),
    )
