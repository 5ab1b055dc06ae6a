"""A wrapper around Lance tables: append, delete by key, read at a pin. No other module exposes Lance.

A table has one linear history of Lance versions. A *pin* is a version number; readers open pins, never the latest
version. If a writer's pin is not the head of the table, the writer restores the pin first: the head belongs to another
branch or to a writer that died before its catalog transaction committed (decision 0003).
A pin may have a *stand-in*: a later version with the same rows in fewer files, marked by a Lance tag `pin-<n>`
(decision 0011). The pins in commits never change.
Rows are found by our own keys, never by Lance row ids or positions (deletions shift the positions of `take`).
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
from calotype.store.files.bucket import BucketLocation
from calotype.store.tables.locations import open_table_storage
from calotype.store.tables.memory import releasing_memory
from calotype.store.tables.row_diff import RowAddress, contains_rows, find_with_addresses, rows_only_in
from calotype.store.tables.row_lookup import ColumnValues, delete_filters, in_filter, read_matching
from calotype.store.tables.scalar_index import update_indexes
from calotype.store.tables.small_files import STEPS, merge_small_files
from calotype.store.tables.version_cache import TableCache

AddressedRow = tuple[dict[str, Any], RowAddress]

_LANCE_CACHE_BYTES = 256_000_000
_SMALL_CACHE_BYTES = 256_000_000
LARGE_CACHE_BYTES = 448_000_000
"""Memory limit for large tables: the vectors of 200,000 samples, 512 numbers each."""
_CREATE_TRIES = 20
_OPEN_TABLES = 64
_OPEN_S = 3_600.0
"""Handles are reopened after an hour, to pick up a stand-in of another process before the original is removed."""


class TableDamaged(External):
    """A pinned version cannot be opened."""

    code = "table-damaged"
    what = "table {table} cannot be read at version {version}: {detail}"
    fix = "run `calotype verify`; if it reports damage, restore the workspace from a backup"


class TableMoved(Conflict):
    """Another process wrote to the table during this write."""

    code = "table-moved"
    what = "another process changed table {table} during this write"
    fix = "run the command again; no commit contains any part of this write"


class RestageNeeded(Exception):
    """Raised by a stream of rows that turns out to be staged with wrong assumptions; the caller stages it again."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows written to disk that do not belong to a version yet."""

    fragments: tuple[Any, ...]
    n_rows: int


class Tables:
    """All tables below a folder or bucket prefix, named `samples` or `ann/ground_truth` below a dataset id."""

    def __init__(self, root: Path | BucketLocation) -> None:
        self.storage = open_table_storage(root)
        self._open: OrderedDict[tuple[str, int], tuple[float, lance.LanceDataset]] = OrderedDict()
        self._cache = TableCache(_SMALL_CACHE_BYTES, _SMALL_CACHE_BYTES // 4)
        self._large_cache = TableCache(LARGE_CACHE_BYTES, LARGE_CACHE_BYTES)
        self._lock = Lock()
        self._session = lance.Session(  # type: ignore[attr-defined]
            index_cache_size_bytes=_LANCE_CACHE_BYTES, metadata_cache_size_bytes=_LANCE_CACHE_BYTES
        )

    def stage(self, table: str, rows: pa.Table | Iterable[pa.RecordBatch], *, schema: pa.Schema) -> Staged:
        """Write rows as fragments, outside any lock; nothing refers to them until they are published.

        An iterable of batches is written as a stream, so a table may be larger than memory.
        """
        if isinstance(rows, pa.Table):
            rows = rows.cast(schema).to_batches()
        failures: list[Exception] = []
        reader = pa.RecordBatchReader.from_batches(schema, _record_failures(releasing_memory(rows), failures))
        self._ensure_created(table, schema)
        try:
            fragments = write_fragments(
                reader,
                self.storage.uri(table),
                schema=schema,
                mode="append",
                storage_options=self.storage.options,
            )
        except OSError:
            if failures:  # Lance reports them as text only
                raise failures[0] from None
            raise
        self._flush_data(table, [file for fragment in fragments for file in fragment.files])
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
        """Create the version that follows `pin`: its rows, minus the removed rows, plus the staged rows.

        Requires the catalog's write transaction, which makes the caller the only writer. If another version
        appears meanwhile (from a writer that lost its lock), nothing is published.

        Args:
            remove: Row ids returned by `row_lookup.row_ids` at this pin.
            index: Columns to index for lookup; applies to large tables only.
        Returns: The new pin.
        Raises: TableMoved.
        """
        began_ns = time.time_ns() - 1_000_000_000
        dataset, first = self._at_head(table, pin, schema)
        for where in delete_filters(dataset, remove):
            dataset = self._step(table, dataset, _delete(where))
        if staged is not None and staged.fragments:
            dataset = self._step(table, dataset, _append(staged))
        self._merge_small_files(table, dataset)
        if update_indexes(dataset, index):
            dataset = self._dataset(table)
            self.storage.flush(table, ("_indices",), since_ns=began_ns)
        names = ("_versions", "_transactions", "_deletions")
        self.storage.flush(table, names, since_ns=began_ns, is_new=pin is None, version=first)
        self._remember(table, int(dataset.version), dataset)
        return int(dataset.version)

    def existing_values(self, table: str, pin: int, column: str, values: Sequence[str]) -> list[str]:
        """The subset of the values that a column contains at a pin."""
        existing: list[str] = read_matching(self.at(table, pin), ColumnValues(column, values), [column])[
            column
        ].to_pylist()
        return existing

    def only_in(self, table: str, pin: int, other: int, *, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows that one version contains and another does not, whatever their history.

        Compares files: a file in both versions has the same rows in both, minus each version's deletions.
        Only new files and newly deleted rows are read. A row that was replaced by an equal row is included.
        """
        names = None if columns is None else list(columns)
        return rows_only_in(self.at(table, pin), self.at(table, other), names)

    def rows_with_addresses(
        self, table: str, pin: int, column: str, values: Sequence[str]
    ) -> dict[str, AddressedRow]:
        """The rows whose column has one of the values, with their addresses, by that value."""
        matches, addresses = find_with_addresses(self.at(table, pin), in_filter(column, values))
        return {
            row[column]: (row, address) for row, address in zip(matches.to_pylist(), addresses, strict=True)
        }

    def contains_rows(self, table: str, pin: int, addresses: Sequence[RowAddress]) -> list[bool]:
        """Whether a version contains the rows at addresses of another version. Fast: reads no rows.

        False is inconclusive: the row may be gone, changed, or rewritten unchanged to another file.
        """
        return contains_rows(self.at(table, pin), addresses)

    def read(
        self, table: str, pin: int, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> pa.Table:
        """Rows of a pinned version. `where` is a Lance filter from our own code, never from a user."""
        return self.at(table, pin).to_table(
            columns=list(columns) if columns is not None else None, filter=where
        )

    def count(self, table: str, pin: int, *, where: str | None = None) -> int:
        """Number of rows at a pin, optionally of those that match a Lance filter from our own code."""
        return int(self.at(table, pin).count_rows(filter=where))

    def columns(self, table: str, pin: int, names: Sequence[str]) -> pa.Table:
        """Whole columns of a pinned version, cached in memory; versions never change."""
        return self.cached(
            ("columns", table, pin, *names), lambda: self.at(table, pin).to_table(columns=list(names))
        )

    def cached(
        self, key: tuple[Any, ...], create: Callable[[], pa.Table], *, large: bool = False
    ) -> pa.Table:
        """A cached value derived from a version, created if necessary; the least recently used are evicted.

        Args:
            key: What it is, the table, the pin, and anything else that identifies it.
            large: Use the cache for the few tables of several hundred megabytes.
        """
        return (self._large_cache if large else self._cache).get(key, create)

    def at(self, table: str, pin: int) -> lance.LanceDataset:
        """The Lance dataset of a pinned version, from a cache of open handles that threads share: only for reading.

        Raises: TableDamaged.
        """
        with self._lock:
            cached = self._open.get((table, pin))
            if cached is not None and time.monotonic() - cached[0] < _OPEN_S:
                self._open.move_to_end((table, pin))
                return cached[1]
        dataset = self._open_pin(table, pin)
        self._remember(table, pin, dataset)
        return dataset

    def _remember(self, table: str, pin: int, dataset: lance.LanceDataset) -> None:
        with self._lock:
            self._open[table, pin] = (time.monotonic(), dataset)
            while len(self._open) > _OPEN_TABLES:
                self._open.popitem(last=False)

    def forget(self, table: str) -> None:
        """Close the cached handles of a table, because its files were restored or moved."""
        with self._lock:
            for key in [key for key in self._open if key[0] == table]:
                del self._open[key]

    def tag(self, table: str, pin: int, name: str) -> None:
        """Protect a version from clean-up."""
        if self.storage.read_tag(table, name) is None:  # missing, or damaged by a crash
            self.storage.delete_tag(table, name)
            version = int(self.at(table, pin).version)
            dataset = self._dataset(table, version)  # a shared handle cannot be read while it creates a tag
            dataset.tags.create(name, version)

    def version(self, table: str, version: int | None = None) -> lance.LanceDataset:
        """A Lance version itself, uncached and without stand-ins; the head by default. For maintenance.

        Raises: TableDamaged.
        """
        if version is None:
            self.storage.recover_head(table)
        return self._open_dataset(table, version or 0, lambda: self._dataset(table, version))

    def folder(self, table: str) -> Path:
        """The folder of a table on a local disk."""
        return Path(self.storage.uri(table))

    def _at_head(self, table: str, pin: int | None, schema: pa.Schema) -> tuple[lance.LanceDataset, int]:
        """The head with the rows of a pin, and the earliest version that this or what follows is derived from."""
        self.storage.recover_head(table)
        if pin is None:
            return self._create_empty(table, schema), 0
        dataset = self._dataset(table)
        if dataset.version == pin:
            return dataset, pin
        version = self._resolve_version(table, pin)
        if version != dataset.version:
            dataset = self._dataset(table, version)
            dataset.restore()  # type: ignore[no-untyped-call]
        return dataset, version

    def _resolve_version(self, table: str, pin: int) -> int:
        """The Lance version to read a pin from: the version itself, or its stand-in."""
        version = self.storage.read_tag(table, f"pin-{pin}")
        return pin if version is None else version

    def _open_pin(self, table: str, pin: int) -> lance.LanceDataset:
        return self._open_dataset(table, pin, lambda: self._dataset(table, self._resolve_version(table, pin)))

    def _open_dataset(
        self, table: str, version: int, call: Callable[[], lance.LanceDataset]
    ) -> lance.LanceDataset:
        try:
            return call()
        except (OSError, ValueError) as error:
            unreached = self.storage.failure(error)
            if unreached is not None:
                raise unreached from error
            raise TableDamaged(table=table, version=version, detail=str(error)[:300]) from error

    def _step(
        self,
        table: str,
        dataset: lance.LanceDataset,
        change: Callable[[lance.LanceDataset], lance.LanceDataset],
    ) -> lance.LanceDataset:
        """One Lance commit, which must create the next version."""
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

    def _merge_small_files(self, table: str, dataset: lance.LanceDataset) -> None:
        """Merge small files if there are many. Raises: TableMoved."""
        before = int(dataset.version)
        try:
            files = merge_small_files(dataset)
        except OSError as error:
            if "conflict" in str(error).lower():
                raise TableMoved(table=table) from error
            raise
        if int(dataset.version) != before + (STEPS if files else 0):
            raise TableMoved(table=table)
        if files:
            self._flush_data(table, files)

    def _flush_data(self, table: str, files: Sequence[Any]) -> None:
        """Make new data files durable. Raises: StorageFailed if one was not written whole."""
        names = [f"data/{file.path}" for file in files]
        sizes = {f"data/{file.path}": file.file_size_bytes for file in files if file.file_size_bytes}
        self.storage.flush(table, names, since_ns=0, sizes=sizes)

    def _ensure_created(self, table: str, schema: pa.Schema) -> None:
        """Create the table unless it exists. Several writers may do so at once; none of their versions is pinned."""
        for _ in range(_CREATE_TRIES):
            if self.storage.recover_head(table):
                return
            with suppress(TableMoved):
                self._create_empty(table, schema)

    def _create_empty(self, table: str, schema: pa.Schema) -> lance.LanceDataset:
        """Write a new, empty version. Raises: TableMoved (another writer created one at the same moment)."""
        self.storage.prepare(table)
        try:
            return self._write_empty(table, schema)
        except OSError as error:
            if "already exists" in str(error) or "conflict" in str(error).lower():
                raise TableMoved(table=table) from error
            raise

    def _write_empty(self, table: str, schema: pa.Schema) -> lance.LanceDataset:
        return lance.write_dataset(
            schema.empty_table(),
            self.storage.uri(table),
            mode="overwrite",
            enable_stable_row_ids=True,
            storage_options=self.storage.options,
        )

    def _dataset(self, table: str, version: int | None = None) -> lance.LanceDataset:
        uri, options = self.storage.uri(table), self.storage.options
        return lance.dataset(uri, version=version, session=self._session, storage_options=options)


def _record_failures(rows: Iterable[pa.RecordBatch], failures: list[Exception]) -> Iterator[pa.RecordBatch]:
    try:
        yield from rows
    except (
        CalotypeError,
        RestageNeeded,
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
        dataset.delete(where, conflict_retries=0)  # a retry would apply a stale plan to unknown rows
        return dataset

    return step


def _append(staged: Staged) -> Callable[[lance.LanceDataset], lance.LanceDataset]:
    operation = lance.LanceOperation.Append(list(staged.fragments))
    return lambda dataset: lance.LanceDataset.commit(
        dataset, operation, read_version=dataset.version, max_retries=0
    )
