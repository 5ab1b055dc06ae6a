"""Lance tables behind our own wrapper: append, delete by key, read at a pin. Nothing else of Lance shows.

One table has one linear history of Lance versions. A *pin* is a version number; readers open pins, never "latest".
A writer whose pin is not the table's head restores its pin first: the head belongs to another branch or to a writer
that died before its catalog transaction ended. Both cases are the same step (decision 0003).
Rows are found by our own keys, never by Lance row ids or positions (`take` by position collapses after deletions).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import lance
import pyarrow as pa
from lance.fragment import write_fragments

from calotype.foundation.errors import External
from calotype.store.durable import fsync_newer, fsync_path

_KEYS_A_DELETE = 5_000
_OPEN_TABLES = 64


class TableDamaged(External):
    """A pinned version cannot be opened."""

    code = "table-damaged"
    what = "table {table} cannot be read at version {version}: {detail}"
    fix = "run `calotype verify`; restore the workspace from a backup if it is confirmed"


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows written to disk and not yet part of any version."""

    fragments: tuple[Any, ...]
    n_rows: int


class Tables:
    """All tables under one folder, named like `samples` or `ann/ground_truth` below a dataset's id."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self._open: OrderedDict[tuple[str, int], lance.LanceDataset] = OrderedDict()
        self._lock = Lock()

    def stage(self, table: str, rows: pa.Table | Iterable[pa.RecordBatch], *, schema: pa.Schema) -> Staged:
        """Write rows as fragments outside of any lock; they cost disk and nothing else until published."""
        if isinstance(rows, pa.Table):
            rows = rows.cast(schema).to_batches()
        reader = pa.RecordBatchReader.from_batches(schema, rows)
        uri = self._uri(table)
        if not (uri / "_versions").is_dir():
            self._create_empty(uri, schema)
        began_ns = time.time_ns() - 1_000_000_000
        fragments = write_fragments(reader, str(uri), schema=schema, mode="append")
        fsync_newer(uri / "data", since_ns=began_ns)
        return Staged(tuple(fragments), sum(fragment.physical_rows for fragment in fragments))

    def publish(
        self, table: str, *, pin: int | None, schema: pa.Schema, key: str, delete: Sequence[str] = (),
        staged: Staged | None = None,
    ) -> int:  # fmt: skip
        """Make the version that follows `pin`: its rows, less the deleted keys, plus the staged rows.

        Call only inside the catalog's write transaction, which makes it the only writer.

        Returns: The new pin.
        """
        began_ns = time.time_ns() - 1_000_000_000
        uri = self._uri(table)
        dataset = self._at_head(uri, pin, schema)
        for start in range(0, len(delete), _KEYS_A_DELETE):
            keys = ", ".join(_quoted(value) for value in delete[start : start + _KEYS_A_DELETE])
            dataset.delete(f"{key} IN ({keys})")
        if staged is not None and staged.fragments:
            operation = lance.LanceOperation.Append(list(staged.fragments))
            dataset = lance.LanceDataset.commit(dataset, operation, read_version=dataset.version)
        for folder in ("_versions", "_transactions", "_deletions"):
            fsync_newer(uri / folder, since_ns=began_ns)
        fsync_path(uri)
        return int(dataset.version)

    def read(
        self, table: str, pin: int, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> pa.Table:  # fmt: skip
        """Rows of a pinned version. `where` is a Lance filter written by our own code, never by a user."""
        return self.at(table, pin).to_table(
            columns=list(columns) if columns is not None else None, filter=where
        )

    def count(self, table: str, pin: int) -> int:
        """Number of rows at a pin."""
        return int(self.at(table, pin).count_rows())

    def at(self, table: str, pin: int) -> lance.LanceDataset:
        """The Lance dataset of a pinned version (kept open; versions never change).

        Raises: TableDamaged.
        """
        with self._lock:
            found = self._open.get((table, pin))
            if found is not None:
                self._open.move_to_end((table, pin))
                return found
        try:
            dataset = lance.dataset(str(self._uri(table)), version=pin)
        except (OSError, ValueError) as error:
            raise TableDamaged(table=table, version=pin, detail=str(error)[:300]) from error
        with self._lock:
            self._open[table, pin] = dataset
            while len(self._open) > _OPEN_TABLES:
                self._open.popitem(last=False)
        return dataset

    def tag(self, table: str, pin: int, name: str) -> None:
        """Keep a version from being cleaned up."""
        tags = self.at(table, pin).tags
        if name not in tags.list():
            tags.create(name, pin)

    def _at_head(self, uri: Path, pin: int | None, schema: pa.Schema) -> lance.LanceDataset:
        if pin is None:
            uri.parent.mkdir(parents=True, exist_ok=True)
            return lance.write_dataset(
                schema.empty_table(), str(uri), mode="overwrite", enable_stable_row_ids=True
            )
        dataset = lance.dataset(str(uri))
        if dataset.version != pin:
            dataset = lance.dataset(str(uri), version=pin)
            dataset.restore()  # type: ignore[no-untyped-call]
        return dataset

    def _create_empty(self, uri: Path, schema: pa.Schema) -> None:
        uri.parent.mkdir(parents=True, exist_ok=True)
        # two writers may both come here: each makes an empty version, and neither is pinned
        lance.write_dataset(schema.empty_table(), str(uri), mode="overwrite", enable_stable_row_ids=True)

    def _uri(self, table: str) -> Path:
        return self._root / f"{table}.lance"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
