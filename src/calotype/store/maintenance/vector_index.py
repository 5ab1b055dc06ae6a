"""Indexes of vectors: many rows likely to lie near a vector, without reading them all (decision 0014).

An index is a property of files, not of rows: it comes as a stand-in for a pin, as compaction does, so no commit or
branch changes. Rows that it does not cover yet are read through by Lance; rows that are gone are left out. It is
built from parts (Lance: segments): new rows get a part of their own, and too many parts become one.
What it says is a guess; whoever asks reads the vectors themselves and decides by them.
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

LEAST_ROWS = 20_000
"""Up to here a product with all vectors is quick enough."""
BEHIND_ROWS = 5_000
"""So many rows may wait for a part, or a twentieth of the table: reading them through takes some 20 ms."""

_BEHIND_SHARE = 20
_MOST_PARTS = 4
_ROWS_A_CELL = 4_096
_CELLS_LOOKED_AT = 32
_NAME = "nearest-{}"


@dataclass(frozen=True, slots=True)
class Lack:
    """What an index needs: these fragments of a version as a part, in place of some parts; none: no index at all."""

    dataset: lance.LanceDataset
    fragments: tuple[int, ...]
    n_rows: int
    replaces: tuple[Index, ...]


def lack(tables: Tables, table: str, pin: int, column: str, *, anew: bool = False) -> Lack | None:
    """What the index of a column needs at a pin; None when it is good enough, or the table too small for one.

    Args:
        anew: All of it, so that nothing of rows that are gone is left in it.
    Raises: TableDamaged.
    """
    dataset = tables.at(table, pin)
    parts = _parts(dataset, column)
    rows = dataset.count_rows()
    if rows <= LEAST_ROWS:
        return Lack(dataset, (), 0, parts) if parts and anew else None
    counts = {fragment.fragment_id: int(fragment.count_rows()) for fragment in dataset.get_fragments()}
    covered = {number for part in parts for number in part.fragment_ids}
    missing = {number: count for number, count in counts.items() if number not in covered}
    behind = sum(missing.values())
    if not anew and behind <= (max(BEHIND_ROWS, rows // _BEHIND_SHARE) if parts else 0):
        return None
    if anew or len(parts) >= _MOST_PARTS or behind > rows // 2:
        return Lack(dataset, tuple(counts), rows, parts)
    return Lack(dataset, tuple(missing), behind, ())


def supply(
    actor: Actor,
    catalog: Catalog,
    tables: Tables,
    table: str,
    pin: int,
    column: str,
    *,
    subject: str,
    anew: bool = False,
) -> bool:
    """Give the index of a column what it needs at a pin. Built outside the write lock; published in it.

    Returns whether it has all it needs now: False when the files of the pin changed meanwhile.
    Raises: TableDamaged.
    """
    needed = lack(tables, table, pin, column, anew=anew)
    if needed is None:
        return True
    began_ns = time.time_ns() - 1_000_000_000
    made = [_built(needed, column)] if _can_be_built(needed, column) else []
    if not made and not needed.replaces:
        return True  # nothing but zeros waits, and no index could hold them
    with catalog.write(actor, "vectors.index", subject=subject) as tx:
        tables.forget(table)
        if tables.at(table, pin).version != needed.dataset.version:
            tx.abandon()
            return False
        head = table_files.to_head(tables, table, pin)
        operation = LanceOperation.CreateIndex(made, list(needed.replaces))
        done = lance.LanceDataset.commit(head, operation, read_version=head.version, max_retries=0)
        names = ("_indices", "_transactions", "_versions")
        tables.place.flush(table, names, since_ns=began_ns)
        table_files.stand_in(tables, table, pin, int(done.version))
        tx.details({"table": table, "pin": pin, "version": int(done.version), "rows": needed.n_rows})
    return True


def likely(
    tables: Tables,
    table: str,
    pin: int,
    column: str,
    wanted: npt.NDArray[np.float32],
    n: int,
    *,
    columns: Sequence[str],
    where: str | None = None,
) -> pa.Table | None:
    """The `n` rows that seem to lie nearest by cosine, best first, as `columns` and `_distance`; None without an index.

    Vectors of zeros are never among them.

    Args:
        wanted: (D,), of length 1.
        where: Only rows that a Lance filter of our own code finds.
    """
    dataset = tables.at(table, pin)
    parts = _parts(dataset, column)
    if not parts:
        return None
    cells = dataset.count_rows() // _ROWS_A_CELL + len(parts)
    query = {
        "column": column,
        "q": wanted,
        "k": n,
        "metric": "cosine",
        # what matches a filter may lie far off, and half of the cells cost little more than a tenth
        "nprobes": max(_CELLS_LOOKED_AT, cells // 2 if where is None else cells),
    }
    scanner = dataset.scanner(columns=[*columns, "_distance"], nearest=query, filter=where, prefilter=True)
    return scanner.to_table()


def covered(tables: Tables, table: str, pin: int, column: str) -> int:
    """Rows that the index of a column covers at a pin; 0 without one."""
    name = _NAME.format(column)
    found = [one for one in tables.at(table, pin).describe_indices() if one.name == name]
    return sum(int(one.num_rows_indexed) for one in found)


def _parts(dataset: lance.LanceDataset, column: str) -> tuple[Index, ...]:
    name = _NAME.format(column)
    return tuple(
        Index(
            str(part.uuid),
            name,
            list(one.fields),
            part.dataset_version_at_last_update,
            part.fragment_ids,
            part.index_version,
        )
        for one in dataset.describe_indices()
        if one.name == name
        for part in one.segments
    )


def _cells(needed: Lack) -> int:
    return max(1, needed.n_rows // _ROWS_A_CELL)


def _can_be_built(needed: Lack, column: str) -> bool:
    """Whether each cell can have a vector to begin with: those of zeros do not count."""
    if not needed.fragments:
        return False
    wanted = {*needed.fragments}
    fragments = [one for one in needed.dataset.get_fragments() if one.fragment_id in wanted]
    found = 0
    for batch in needed.dataset.scanner(columns=[column], fragments=fragments).to_batches():
        numbers = batch[column].flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
        found += int(np.count_nonzero(numbers.any(axis=1)))
        if found >= _cells(needed):
            return True
    return False


def _built(needed: Lack, column: str) -> Any:
    """A part over some fragments, on disk and in no version yet. Codes of some bits a number; 8 where RaBitQ cannot."""
    dim = needed.dataset.schema.field(column).type.list_size
    return needed.dataset.create_index_uncommitted(
        column,
        "IVF_RQ" if dim % 8 == 0 else "IVF_SQ",
        name=_NAME.format(column),
        metric="cosine",
        replace=True,
        num_partitions=_cells(needed),
        fragment_ids=list(needed.fragments),
    )
