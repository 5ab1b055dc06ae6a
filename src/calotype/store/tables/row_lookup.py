"""Lookup of rows by column values, for reading and for deletion by row id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lance
import pyarrow as pa
import pyarrow.compute as pc

_ROWS_PER_DELETE = 50_000
_KEYS_PER_FILTER = 5_000
_MAX_LOOKUP_KEYS = 20_000
_ROWS_PER_BATCH = 131_072


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """Selects the rows whose `column` has one of `values`."""

    column: str
    values: Sequence[str]


def read_matching(
    dataset: lance.LanceDataset, selection: ColumnValues, columns: list[str], *, with_ids: bool = False
) -> pa.Table:
    """Columns of the selected rows: uses the index for few values, otherwise scans the table."""
    column, values = selection.column, selection.values
    if len(values) <= _MAX_LOOKUP_KEYS:
        tables = [
            dataset.scanner(
                columns=columns,
                filter=in_filter(column, values[start : start + _KEYS_PER_FILTER]),
                with_row_id=with_ids,
                late_materialization=True,  # else pages of all columns are decoded to find the few rows
            ).to_table()
            for start in range(0, max(len(values), 1), _KEYS_PER_FILTER)
        ]
        return pa.concat_tables(tables)
    wanted_values = pa.array(values, pa.string())
    # large batches: the values are hashed again for each
    scanner = dataset.scanner(
        columns=[*dict.fromkeys([*columns, column])], with_row_id=with_ids, batch_size=_ROWS_PER_BATCH
    )
    batches = [_matching(batch, pc.is_in(batch[column], wanted_values)) for batch in scanner.to_batches()]
    return pa.Table.from_batches(batches, scanner.projected_schema)


def _matching(batch: pa.RecordBatch, is_wanted: pa.BooleanArray) -> pa.RecordBatch:
    return batch if is_wanted.true_count == len(batch) else batch.filter(is_wanted)  # a filter copies all


def scan_rows(dataset: lance.LanceDataset, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Columns of all rows in table order, one batch at a time."""
    yield from dataset.scanner(columns=columns, scan_in_order=True, batch_size=_ROWS_PER_BATCH).to_batches()


def take_rows(dataset: lance.LanceDataset, positions: Sequence[int], columns: list[str]) -> pa.Table:
    """Columns of the rows at these positions of the table order, in the order of `positions`."""
    return dataset.take(list(positions), columns=columns)


def row_ids(
    dataset: lance.LanceDataset, selections: Sequence[ColumnValues], *, key: str
) -> tuple[list[int], set[str]]:
    """Sorted unique ids of the rows that match any of the selections, and the columns that were searched.

    Args:
        key: The unique key column. Key values that an earlier selection already matched are not
            looked up again.
    """
    seen_keys: set[str] = set()
    ids: set[int] = set()
    columns: set[str] = set()
    for selection in selections:
        values = (
            [value for value in selection.values if value not in seen_keys]
            if selection.column == key
            else selection.values
        )
        if values:
            rows = read_matching(dataset, ColumnValues(selection.column, values), [key], with_ids=True)
            seen_keys.update(rows[key].to_pylist())
            ids.update(rows["_rowid"].to_pylist())
            columns.add(selection.column)
    return sorted(ids), columns


def delete_filters(dataset: lance.LanceDataset, ids: Sequence[int]) -> Iterator[str]:
    """Filters that delete rows. The ids must come from the version being changed; they survive compaction."""
    if ids and len(ids) == dataset.count_rows():
        yield "true"
        return
    for start in range(0, len(ids), _ROWS_PER_DELETE):
        yield f"_rowid IN ({', '.join(map(str, ids[start : start + _ROWS_PER_DELETE]))})"


def in_filter(column: str, values: Sequence[str]) -> str:
    """A Lance filter for the rows whose column has one of the values."""
    if not values:
        return "false"
    return f"{column} IN ({', '.join(_quoted(value) for value in values)})"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
