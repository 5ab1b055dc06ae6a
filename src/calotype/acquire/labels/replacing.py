"""What an import changes in a label set that has annotations already.

The rows of the file replace those that the same source gave before: an annotation is recognised by its id in the file,
or where the format has none by its image and content. What people changed since is kept. Their edits carry no
`import_id`, which distinguishes them from rows that are as their source gave them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.acquire.job import ImportJob
from calotype.datasets import refs, repository, rows
from calotype.datasets.differences import equal_ids
from calotype.datasets.service import log
from calotype.datasets.snapshot import Snapshot
from calotype.datasets.streaming import rows_with
from calotype.store.tables.row_lookup import ColumnValues

_FEW_ROWS = 1_000
_COMPARED = ["class_id", *(column.name for column in rows.DRAWN_FIELDS)]
_DERIVED = "8"
"""Version of the ids that imports derive (UUIDv8); those of annotations that people drew are random."""
_VERSION_AT = 12

Mask = npt.NDArray[np.bool_]


@dataclass
class Replaced:
    """Rows to write and ids to remove, and how many rows were added, changed, unchanged, removed and kept."""

    put: pa.Table
    remove: list[str] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    kept_samples: list[str] = field(default_factory=list)
    """The sample of each annotation that people changed or removed since and that is kept as it is now."""

    @property
    def removed(self) -> int:
        """Number of annotations that the source no longer has."""
        return len(self.remove)

    @property
    def kept(self) -> int:
        """Number of annotations that are kept as people left them."""
        return len(self.kept_samples)


def replaced(job: ImportJob, snapshot: Snapshot, label_set: str, new: pa.Table) -> Replaced:
    """Compare the rows of a file with those of the label set."""
    table = rows.annotation_table(label_set)
    earlier = _earlier_rows(job, snapshot, table) if _was_imported(job) else None
    old = _present(job, snapshot, table, new["ann_id"].combine_chunks(), earlier)
    same = equal_ids(old, new, "ann_id", _COMPARED)
    is_old, is_same = (_is_in(new["ann_id"], ids) for ids in (old["ann_id"], same))
    by_people = pc.equal(pc.fill_null(old["import_id"], ""), "")
    edited = old.filter(pc.and_(by_people, pc.invert(pc.is_in(old["ann_id"], _values(same)))))
    is_edited = _is_in(new["ann_id"], edited["ann_id"])
    result = Replaced(new, kept_samples=edited["sample_id"].to_pylist(), unchanged=int(is_same.sum()))
    result.changed = int((is_old & ~is_same & ~is_edited).sum())
    withheld = np.zeros(new.num_rows, bool)
    if earlier is not None:
        withheld = _withhold(job, snapshot, table, new, earlier, result)
    withheld &= ~is_old
    result.added = int((~is_old & ~withheld).sum())
    result.put = new.filter(pa.array(~is_same & ~is_edited & ~withheld))
    return result


def _was_imported(job: ImportJob) -> bool:
    with job.store.catalog.read() as conn:
        return repository.import_of(conn, job.import_id) is not None


def _earlier_rows(job: ImportJob, snapshot: Snapshot, table: str) -> pa.Table:
    """Rows that this import gave and that are unchanged, and those of derived ids that people changed."""
    columns = ["ann_id", "sample_id", "import_id"]
    present = snapshot.rows_of(table, columns=columns)
    import_id = pc.fill_null(present["import_id"], "")
    derived = pc.equal(pc.utf8_slice_codeunits(present["ann_id"], _VERSION_AT, _VERSION_AT + 1), _DERIVED)
    mine = pc.equal(import_id, job.import_id)
    return present.filter(pc.or_(mine, pc.and_(pc.equal(import_id, ""), derived)))


def _present(
    job: ImportJob, snapshot: Snapshot, table: str, new_ids: pa.Array, earlier: pa.Table | None
) -> pa.Table:
    """The rows that have the ids of the file."""
    if len(new_ids) <= _FEW_ROWS and earlier is None:
        selection = ColumnValues("ann_id", new_ids.to_pylist())
        return rows_with(job.store, snapshot, table, selection, rows.ANNOTATION_SCHEMA.names)
    old = snapshot.rows_of(table)
    return old.filter(pc.is_in(old["ann_id"], value_set=new_ids))


def _withhold(
    job: ImportJob, snapshot: Snapshot, table: str, new: pa.Table, earlier: pa.Table, result: Replaced
) -> Mask:
    """Which rows of the file are left out because people decided otherwise; fills what is removed and kept.

    A row that the source gave and that people removed stays removed. Where a format has no ids, the file's correction
    of an annotation is a new one; so an image on which people changed what the file corrects is kept as it is.
    """
    gone = earlier.filter(pc.invert(pc.is_in(earlier["ann_id"], value_set=_values(new["ann_id"]))))
    is_mine = pc.equal(pc.fill_null(gone["import_id"], ""), job.import_id)
    conflicting = gone.filter(pc.invert(is_mine))["sample_id"]
    in_conflict = _is_in(new["sample_id"], conflicting)
    has_no_id = pc.equal(pc.fill_null(new["source_id"], ""), "").to_numpy()
    stays = pc.and_(is_mine, pc.is_in(gone["sample_id"], value_set=_values(conflicting)))
    by_content = bool(has_no_id.any())
    to_remove = pc.and_not(is_mine, stays) if by_content else is_mine
    result.remove = gone.filter(to_remove)["ann_id"].to_pylist()
    result.kept_samples += conflicting.to_pylist()
    taken_out = _removed_by_people(job, snapshot, table, new["ann_id"])
    is_taken_out = _is_in(new["ann_id"], taken_out)
    result.kept_samples += new.filter(pa.array(is_taken_out))["sample_id"].to_pylist()
    withheld: Mask = is_taken_out | (in_conflict & has_no_id)
    return withheld


def _removed_by_people(job: ImportJob, snapshot: Snapshot, table: str, new_ids: pa.ChunkedArray) -> pa.Array:
    """Ids that this import gave by the first commit after it, and that are gone from the branch."""
    with job.store.catalog.read() as conn:
        earlier = repository.import_of(conn, job.import_id)
    finished_us = (earlier or {}).get("finished_at_us") or 0
    dataset, branch = refs.split_name(job.name)
    of_branch = f"{dataset}@{branch}" if branch else dataset
    after = [c for c in log(job.actor, of_branch, store=job.store) if c.created_at_us >= finished_us]
    if not after or table not in after[-1].pins:
        return pa.array([], pa.string())
    given = _rows_at(job, snapshot, table, after[-1].pins[table])
    given = given.filter(pc.equal(pc.fill_null(given["import_id"], ""), job.import_id))
    present = snapshot.rows_of(table, columns=["ann_id"])["ann_id"]
    gone = pc.and_not(
        pc.is_in(given["ann_id"], value_set=_values(new_ids)),
        pc.is_in(given["ann_id"], value_set=_values(present)),
    )
    return _values(given.filter(gone)["ann_id"])


def _rows_at(job: ImportJob, snapshot: Snapshot, table: str, pin: int) -> pa.Table:
    dataset = job.store.tables.at(f"{snapshot.dataset.id}/{table}", pin)
    return dataset.to_table(columns=["ann_id", "import_id"])


def _values(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _is_in(column: pa.ChunkedArray, values: pa.ChunkedArray | pa.Array) -> Mask:
    mask: Mask = pc.is_in(column, value_set=_values(values)).to_numpy()
    return mask


def sample_names(snapshot: Snapshot, sample_ids: Sequence[str], most: int) -> list[str]:
    """The names of some of these samples."""
    ids = list(dict.fromkeys(sample_ids))[:most]
    return [sample.name for sample in snapshot.iter_samples(ids=ids)]
