"""Keeps the columns of states in memory, within a limit. A state is derived from a known one that differs little.

Pinned versions never change, so nothing is ever invalidated: a new state has new keys, and old ones are evicted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from threading import Lock
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary, ref

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calotype.browse.caches import ByteCache
from calotype.browse.column_reading import LABEL_COLUMNS, SAMPLE_COLUMNS, label_columns, sample_columns
from calotype.browse.columns import LabelColumns, NameIndex, SampleColumns
from calotype.datasets import rows
from calotype.datasets.snapshot import Snapshot
from calotype.store import Store
from calotype.store.tables.memory import release_memory
from calotype.store.tables.row_lookup import ColumnValues, read_matching
from calotype.store.tables.tables import Tables

MAX_BYTES = 400_000_000
"""Memory for the columns of all states: two states of a million samples with six million annotations."""
_ANSWER_BYTES = 96_000_000
"""Memory for counts and orders of samples; an order of a million samples has 4 MB."""
SMALL_ROWS = 200_000
"""Samples and annotations of a dataset whose columns are read while somebody waits."""
_MAX_CHANGED_ROWS = 20_000
"""More changed rows than this are not looked up one by one; the whole table is read."""
_ROWS_PER_BATCH = 65_536
_LARGE_ROWS = 1_000_000
C = TypeVar("C", NameIndex, SampleColumns, LabelColumns)
Key = tuple[Any, ...]


class ColumnCache:
    """The columns of states of one workspace, and answers made from them, computed once. Thread-safe."""

    def __init__(self, tables: Tables, max_bytes: int = MAX_BYTES) -> None:
        self._tables_of = ref(tables)  # the tables are the key of this cache, so it must not keep them
        self.columns: ByteCache[Key, Any] = ByteCache(max_bytes)
        self.answers: ByteCache[Key, Any] = ByteCache(_ANSWER_BYTES)

    def index(self, state: Snapshot) -> NameIndex:
        """The ids and names of the samples, in the order of names."""
        key = self._key("index", state, rows.SAMPLES)
        return self._get(key, lambda: self._derived_index(state, key) or self._read_index(state))

    def samples(self, state: Snapshot) -> SampleColumns:
        """The columns of the samples."""
        key = (*self._key("samples", state, rows.SAMPLES), state.documents.get("fields"))

        def create() -> SampleColumns:
            return self._derived_samples(state, key) or sample_columns(
                self.index(state), self._scan(state, rows.SAMPLES, SAMPLE_COLUMNS), state.fields
            )

        return self._get(key, create)

    def labels(self, state: Snapshot, label_set: str) -> LabelColumns:
        """The columns of the annotations of a label set."""
        table = rows.annotation_table(label_set)
        key = (*self._key("labels", state, table), state.pins.get(rows.SAMPLES))

        def create() -> LabelColumns:
            return self._derived_labels(state, table, key) or label_columns(
                self.index(state), self._scan(state, table, LABEL_COLUMNS)
            )

        return self._get(key, create)

    def is_at_hand(self, state: Snapshot) -> bool:
        """Whether the columns take little time: the dataset is small, or they or those of another state are known."""
        if self.n_rows(state) <= SMALL_ROWS:
            return True
        key = self._key("samples", state, rows.SAMPLES)
        return any(known[:3] == key[:3] for known, _ in self.columns.items())

    def n_rows(self, state: Snapshot) -> int:
        """Number of samples and annotations of a state."""
        return sum(state.count().values())

    def drawn(
        self, state: Snapshot, n: int, also: Mapping[str, Collection[str]]
    ) -> tuple[NameIndex, dict[str, pa.Table]]:
        """`n` samples drawn by chance: their index, and the rows of each table by its name.

        Args:
            also: Table -> columns to read beside those that counts are made from.
        """
        known: NameIndex | None = self.columns.peek(self._key("index", state, rows.SAMPLES))
        ids = known.ids if known is not None else _column(self._scan(state, rows.SAMPLES, ["sample_id"]))
        places = np.random.default_rng(len(ids)).choice(len(ids), min(n, len(ids)), replace=False)
        chosen = ids.take(pa.array(np.sort(places)))
        names = {rows.SAMPLES: SAMPLE_COLUMNS}
        names |= {rows.annotation_table(label_set): LABEL_COLUMNS for label_set in state.label_sets}
        drawn = {
            table: self._rows_with(state, table, chosen, [*dict.fromkeys([*columns, *also.get(table, ())])])
            for table, columns in names.items()
        }
        return NameIndex.of(drawn[rows.SAMPLES]), drawn

    @property
    def _tables(self) -> Tables:
        tables = self._tables_of()
        assert tables is not None, "somebody holds the store while its columns are read"
        return tables

    def _get(self, key: Key, create: Callable[[], C]) -> C:
        columns: C = self.columns.get(key, create)
        return columns

    def _key(self, kind: str, state: Snapshot, table: str) -> Key:
        return kind, state.dataset.id, table, state.pins.get(table)

    def _read_index(self, state: Snapshot) -> NameIndex:
        table = pa.Table.from_batches(
            self._scan(state, rows.SAMPLES, ["sample_id", "name"]),
            rows.SAMPLE_SCHEMA.empty_table().select(["sample_id", "name"]).schema,
        )
        return NameIndex.of(table)

    def _derived_index(self, state: Snapshot, key: Key) -> NameIndex | None:
        for known, value in self._relatives(key):
            changed = self._changed_keys(state, rows.SAMPLES, known[3])
            if changed is not None:
                removed, added = changed
                names = self._rows_with(state, rows.SAMPLES, added, ["sample_id", "name"])
                return cast(NameIndex, value).updated(removed, names)
        return None

    def _derived_samples(self, state: Snapshot, key: Key) -> SampleColumns | None:
        for known, value in self._relatives(key):
            changed = self._changed_keys(state, rows.SAMPLES, known[3])
            if changed is not None:
                table = self._rows_with(state, rows.SAMPLES, changed[1], SAMPLE_COLUMNS)
                some = sample_columns(NameIndex.of(table), table.to_batches(), state.fields)
                return cast(SampleColumns, value).updated(self.index(state), some)
        return None

    def _derived_labels(self, state: Snapshot, table: str, key: Key) -> LabelColumns | None:
        for known, value in self._relatives(key):
            before: NameIndex | None = self.columns.peek(("index", *key[1:2], rows.SAMPLES, known[4]))
            if before is None:
                continue
            after = self.index(state)
            if known[3] == key[3]:
                touched = pa.array([], pa.string())
            else:
                changed = self._changed_keys(state, table, known[3])
                if changed is None:
                    continue
                touched = pc.unique(pa.chunked_array(changed))
            if ((before.rows(touched) < 0) & (after.rows(touched) < 0)).any():
                continue  # annotations without a sample look alike here
            current = self._rows_with(state, table, touched, LABEL_COLUMNS)
            some = label_columns(after, current.to_batches())
            return cast(LabelColumns, value).updated(before, after, touched, some)
        return None

    def _relatives(self, key: Key) -> Iterator[tuple[Key, Any]]:
        """The columns of other versions of the same table, those used last first."""
        if key[3] is not None:
            for known, value in self.columns.items():
                if known[:3] == key[:3] and known[3] is not None:
                    yield known, value

    def _changed_keys(self, state: Snapshot, table: str, other: int) -> tuple[pa.Array, pa.Array] | None:
        """Ids of the samples of rows that only the other version has, and that only this one has; None if many."""
        full, pin = f"{state.dataset.id}/{table}", state.pins[table]
        if pin == other:
            return pa.array([], pa.string()), pa.array([], pa.string())
        added = self._tables.only_in(full, pin, other, columns=["sample_id"])
        if added.num_rows > _MAX_CHANGED_ROWS:
            return None
        removed = self._tables.only_in(full, other, pin, columns=["sample_id"])
        if removed.num_rows > _MAX_CHANGED_ROWS:
            return None
        gone, new = (side["sample_id"].combine_chunks() for side in (removed, added))
        return gone, new

    def _rows_with(self, state: Snapshot, table: str, ids: pa.Array, columns: list[str]) -> pa.Table:
        if table not in state.pins or len(ids) == 0:
            return rows.schema_of(table).empty_table().select(columns)
        dataset = self._tables.at(f"{state.dataset.id}/{table}", state.pins[table])
        return read_matching(dataset, ColumnValues("sample_id", ids.to_pylist()), columns).select(columns)

    def _scan(self, state: Snapshot, table: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        if table not in state.pins:
            return
        dataset = self._tables.at(f"{state.dataset.id}/{table}", state.pins[table])
        scanner = dataset.scanner(
            columns=columns, batch_size=_ROWS_PER_BATCH, batch_readahead=1, fragment_readahead=1
        )
        n_rows = 0
        for batch in scanner.to_batches():
            n_rows += batch.num_rows
            yield batch
        if n_rows >= _LARGE_ROWS:
            release_memory()


def _column(batches: Iterator[pa.RecordBatch]) -> pa.Array:
    return pa.chunked_array([batch.column(0) for batch in batches], pa.string()).combine_chunks()


_CACHES: WeakKeyDictionary[Tables, ColumnCache] = WeakKeyDictionary()
_CREATING = Lock()


def columns_of(store: Store) -> ColumnCache:
    """The columns of the states of a workspace; they go when the store goes."""
    with _CREATING:
        cache = _CACHES.get(store.tables)
        if cache is None:
            cache = _CACHES[store.tables] = ColumnCache(store.tables)
        return cache


def ids_of(index: NameIndex, places: np.ndarray[Any, Any]) -> list[str]:
    """Ids of the samples in these rows."""
    ids: list[str] = index.ids.take(pa.array(places)).to_pylist()
    return ids
