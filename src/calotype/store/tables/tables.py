"""Lance tables behind our own wrapper: append, delete by key, read at a pin. Nothing else of Lance shows.

One table has one linear history of Lance versions. A *pin* is a version number; readers open pins, never "latest".
A writer whose pin is not the table's head restores its pin first: the head belongs to another branch or to a writer
that died before its catalog transaction ended. Both cases are the same step (decision 0003).
A pin may have a *stand-in*: a later Lance version with the same rows in fewer files, told by a Lance tag `pin-<n>`
(decision 0011). Pins in commits never change.
Rows are found by our own keys, never by Lance row ids or positions (`take` by position collapses after deletions).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import lance
import pyarrow as pa
from lance.fragment import write_fragments

from calotype.foundation.errors import CalotypeError, Conflict, External
from calotype.store.files.bucket import BucketPlace
from calotype.store.tables.locations import tables_place
from calotype.store.tables.memory import giving_back
from calotype.store.tables.row_diff import Place, rows_only_in, rows_with_places, still_there
from calotype.store.tables.row_lookup import Having, holding, matching, where_removed
from calotype.store.tables.scalar_index import keep_indexed
from calotype.store.tables.version_cache import Kept

Placed = tuple[dict[str, Any], Place]

_CACHE_BYTES = 256_000_000
_KEPT_BYTES = 256_000_000
LARGE_BYTES = 448_000_000
"""What large tables may take together: the vectors of 200,000 samples, 512 numbers each."""
_CREATE_TRIES = 20
_OPEN_TABLES = 64
_OPEN_S = 3_600.0
"""Opened again after an hour, so that a stand-in made by another process is seen before the original is cleaned up."""


class TableDamaged(External):
    """A pinned version cannot be opened."""

    code = "table-damaged"
    what = "table {table} cannot be read at version {version}: {detail}"
    fix = "run `calotype verify`; restore the workspace from a backup if it is confirmed"


class TableMoved(Conflict):
    """Somebody wrote to the table while this writer held the lock, or after it lost it."""

    code = "table-moved"
    what = "table {table} was changed by another process in the middle of this write"
    fix = "run the command again; nothing of this write is part of any commit"


class StageAgain(Exception):
    """Raised by a stream of rows whose end shows what its start should have known; its caller stages it anew."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows written to disk and not yet part of any version."""

    fragments: tuple[Any, ...]
    n_rows: int


class Tables:
    """All tables under one folder or bucket prefix, named like `samples` or `ann/ground_truth` below a dataset's id."""

    def __init__(self, root: Path | BucketPlace) -> None:
        self.place = tables_place(root)
        self._open: OrderedDict[tuple[str, int], tuple[float, lance.LanceDataset]] = OrderedDict()
        self._kept = Kept(_KEPT_BYTES, _KEPT_BYTES // 4)
        self._large = Kept(LARGE_BYTES, LARGE_BYTES)
        self._lock = Lock()
        self._session = lance.Session(  # type: ignore[attr-defined]
            index_cache_size_bytes=_CACHE_BYTES, metadata_cache_size_bytes=_CACHE_BYTES
        )

    def stage(self, table: str, rows: pa.Table | Iterable[pa.RecordBatch], *, schema: pa.Schema) -> Staged:
        """Write rows as fragments outside of any lock; they cost disk and nothing else until published.

        An iterable of batches is written as it comes, so that a table may be larger than the memory.
        """
        if isinstance(rows, pa.Table):
            rows = rows.cast(schema).to_batches()
        failures: list[Exception] = []
        reader = pa.RecordBatchReader.from_batches(schema, _remembering(giving_back(rows), failures))
        self._ensure_created(table, schema)
        began_ns = time.time_ns() - 1_000_000_000
        try:
            fragments = write_fragments(
                reader,
                self.place.uri(table),
                schema=schema,
                mode="append",
                storage_options=self.place.options,
            )
        except OSError:
            if failures:  # Lance tells of it as text only
                raise failures[0] from None
            raise
        self.place.flush(table, ("data",), since_ns=began_ns)
        return Staged(tuple(fragments), sum(fragment.physical_rows for fragment in fragments))

    def publish(
        self,
        table: str,
        *,
        pin: int | None,
        schema: pa.Schema,
        remove: Sequence[int] = (),
        staged: Staged | None = None,
        index: Sequence[str] = (),
    ) -> int:
        """Make the version that follows `pin`: its rows, less the removed ones, plus the staged rows.

        Call only inside the catalog's write transaction, which makes it the only writer. A foreign version that
        appears in between (a writer that lost its lock) is noticed, and nothing is published.

        Args:
            remove: Row ids that `row_lookup.row_ids` found at this pin.
            index: Columns that are looked up by value; a large table gets an index on each.
        Returns: The new pin.
        Raises: TableMoved.
        """
        began_ns = time.time_ns() - 1_000_000_000
        dataset = self._at_head(table, pin, schema)
        for where in where_removed(dataset, remove):
            dataset = self._step(table, dataset, _delete(where))
        if staged is not None and staged.fragments:
            dataset = self._step(table, dataset, _append(staged))
        if keep_indexed(dataset, index):
            dataset = self._dataset(table)
            self.place.flush(table, ("_indices",), since_ns=began_ns)
        names = ("_versions", "_transactions", "_deletions")
        self.place.flush(table, names, since_ns=began_ns, is_new=pin is None)
        return int(dataset.version)

    def present(self, table: str, pin: int, column: str, values: Sequence[str]) -> list[str]:
        """Those of the values that stand in a column at a pin."""
        found: list[str] = holding(self.at(table, pin), Having(column, values), [column])[column].to_pylist()
        return found

    def only_in(self, table: str, pin: int, other: int, *, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows that a version holds and another does not, whatever the history between them.

        Told from the files: a file that both versions hold has the same rows in both, less those each has deleted.
        So only new files and newly deleted rows are read. A row that was replaced by its like is among them.
        """
        wanted = None if columns is None else list(columns)
        return rows_only_in(self.at(table, pin), self.at(table, other), wanted)

    def with_places(self, table: str, pin: int, column: str, values: Sequence[str]) -> dict[str, Placed]:
        """The rows whose column holds one of the values, and where they lie, by that value."""
        found, places = rows_with_places(self.at(table, pin), matching(column, values))
        return {row[column]: (row, place) for row, place in zip(found.to_pylist(), places, strict=True)}

    def still_there(self, table: str, pin: int, places: Sequence[Place]) -> list[bool]:
        """Whether a version has the very rows that lie at places of another version. Quick: no row is read.

        False says little: the row may be gone, changed, or written anew to another file as it was.
        """
        return still_there(self.at(table, pin), places)

    def read(
        self, table: str, pin: int, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> pa.Table:
        """Rows of a pinned version. `where` is a Lance filter written by our own code, never by a user."""
        return self.at(table, pin).to_table(
            columns=list(columns) if columns is not None else None, filter=where
        )

    def count(self, table: str, pin: int, *, where: str | None = None) -> int:
        """Number of rows at a pin, or of those that a Lance filter of our own code finds."""
        return int(self.at(table, pin).count_rows(filter=where))

    def columns(self, table: str, pin: int, names: Sequence[str]) -> pa.Table:
        """Whole columns of a pinned version, kept in memory while there is room: versions never change."""
        return self.kept(
            ("columns", table, pin, *names), lambda: self.at(table, pin).to_table(columns=list(names))
        )

    def kept(self, key: tuple[Any, ...], make: Callable[[], pa.Table], *, large: bool = False) -> pa.Table:
        """What was made of a version before, or now; the least used gives way when the room is full.

        Args:
            key: What it is, the table, the pin, and whatever else tells it from others.
            large: It is one of the few that are worth hundreds of megabytes.
        """
        return (self._large if large else self._kept).get(key, make)

    def at(self, table: str, pin: int) -> lance.LanceDataset:
        """The Lance dataset of a pinned version (kept open; versions never change).

        Raises: TableDamaged.
        """
        with self._lock:
            found = self._open.get((table, pin))
            if found is not None and time.monotonic() - found[0] < _OPEN_S:
                self._open.move_to_end((table, pin))
                return found[1]
        dataset = self._told(table, pin, lambda: self._dataset(table, self._standing_for(table, pin)))
        with self._lock:
            self._open[table, pin] = (time.monotonic(), dataset)
            while len(self._open) > _OPEN_TABLES:
                self._open.popitem(last=False)
        return dataset

    def forget(self, table: str) -> None:
        """Close what is kept open of a table: its files were put back or moved."""
        with self._lock:
            for key in [key for key in self._open if key[0] == table]:
                del self._open[key]

    def tag(self, table: str, pin: int, name: str) -> None:
        """Keep a version from being cleaned up."""
        dataset = self.at(table, pin)
        if self.place.tagged(table, name) is None:  # not there, or torn by a crash
            self.place.untag(table, name)
            dataset.tags.create(name, dataset.version)

    def version(self, table: str, version: int | None = None) -> lance.LanceDataset:
        """A Lance version as it is, without stand-ins and not kept open; the head without a number. For upkeep.

        Raises: TableDamaged.
        """
        if version is None:
            self.place.whole_head(table)
        return self._told(table, version or 0, lambda: self._dataset(table, version))

    def folder(self, table: str) -> Path:
        """Where the files of a table lie on the disk."""
        return Path(self.place.uri(table))

    def _at_head(self, table: str, pin: int | None, schema: pa.Schema) -> lance.LanceDataset:
        self.place.whole_head(table)
        if pin is None:
            return self._create_empty(table, schema)
        dataset = self._dataset(table)
        wanted = self._standing_for(table, pin)
        if wanted != dataset.version:
            dataset = self._dataset(table, wanted)
            dataset.restore()  # type: ignore[no-untyped-call]
        return dataset

    def _standing_for(self, table: str, pin: int) -> int:
        """The Lance version that holds the rows of a pin: itself, unless a tag names a stand-in."""
        version = self.place.tagged(table, f"pin-{pin}")
        return pin if version is None else version

    def _told(self, table: str, version: int, call: Callable[[], lance.LanceDataset]) -> lance.LanceDataset:
        try:
            return call()
        except (OSError, ValueError) as error:
            unreached = self.place.failure(error)
            if unreached is not None:
                raise unreached from error
            raise TableDamaged(table=table, version=version, detail=str(error)[:300]) from error

    def _step(
        self,
        table: str,
        dataset: lance.LanceDataset,
        change: Callable[[lance.LanceDataset], lance.LanceDataset],
    ) -> lance.LanceDataset:
        """One Lance commit that must be the very next version."""
        expected = int(dataset.version) + 1
        try:
            changed = change(dataset)
        except OSError as error:
            if "conflict" in str(error).lower():
                raise TableMoved(table=table) from error
            raise
        if int(changed.version) != expected:
            raise TableMoved(table=table)
        return changed

    def _ensure_created(self, table: str, schema: pa.Schema) -> None:
        """The table has a version, made here or by another writer at the same moment; none of them is pinned."""
        for _ in range(_CREATE_TRIES):
            if self.place.whole_head(table):
                return
            with suppress(TableMoved):
                self._create_empty(table, schema)

    def _create_empty(self, table: str, schema: pa.Schema) -> lance.LanceDataset:
        """A new, empty version. Raises: TableMoved (another writer makes one at the same moment)."""
        self.place.prepare(table)
        try:
            return self._write_empty(table, schema)
        except OSError as error:
            if "already exists" in str(error) or "conflict" in str(error).lower():
                raise TableMoved(table=table) from error
            raise

    def _write_empty(self, table: str, schema: pa.Schema) -> lance.LanceDataset:
        return lance.write_dataset(
            schema.empty_table(),
            self.place.uri(table),
            mode="overwrite",
            enable_stable_row_ids=True,
            storage_options=self.place.options,
        )

    def _dataset(self, table: str, version: int | None = None) -> lance.LanceDataset:
        uri, options = self.place.uri(table), self.place.options
        return lance.dataset(uri, version=version, session=self._session, storage_options=options)


def _remembering(rows: Iterable[pa.RecordBatch], failures: list[Exception]) -> Iterator[pa.RecordBatch]:
    try:
        yield from rows
    except (
        CalotypeError,
        StageAgain,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        pa.ArrowException,
    ) as error:
        failures.append(error)
        raise


def _delete(where: str) -> Callable[[lance.LanceDataset], lance.LanceDataset]:
    def step(dataset: lance.LanceDataset) -> lance.LanceDataset:
        dataset.delete(where, conflict_retries=0)  # retries would apply a stale plan to rows we have not seen
        return dataset

    return step


def _append(staged: Staged) -> Callable[[lance.LanceDataset], lance.LanceDataset]:
    operation = lance.LanceOperation.Append(list(staged.fragments))
    return lambda dataset: lance.LanceDataset.commit(
        dataset, operation, read_version=dataset.version, max_retries=0
    )
