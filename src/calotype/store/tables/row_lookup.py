"""Rows found by the values they hold: for reading them, and for removing them by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lance
import pyarrow as pa
import pyarrow.compute as pc

_ROWS_A_DELETE = 50_000
_KEYS_A_FILTER = 5_000
_KEYS_A_LOOKUP = 20_000
_ROWS_A_BATCH = 131_072


@dataclass(frozen=True, slots=True)
class Having:
    """Rows by what they hold: those whose `column` holds one of `values`."""

    column: str
    values: Sequence[str]


def holding(
    dataset: lance.LanceDataset, having: Having, columns: list[str], *, with_ids: bool = False
) -> pa.Table:
    """Columns of the rows that hold some values: by index where they are few, else read through."""
    column, values = having.column, having.values
    if len(values) <= _KEYS_A_LOOKUP:
        parts = [
            dataset.scanner(
                columns=columns,
                filter=matching(column, values[start : start + _KEYS_A_FILTER]),
                with_row_id=with_ids,
            ).to_table()
            for start in range(0, max(len(values), 1), _KEYS_A_FILTER)
        ]
        return pa.concat_tables(parts)
    wanted = pa.array(values, pa.string())
    scanner = dataset.scanner(columns=[*dict.fromkeys([*columns, column])], with_row_id=with_ids)
    kept = [batch.filter(pc.is_in(batch[column], wanted)) for batch in scanner.to_batches()]
    return pa.Table.from_batches(kept, scanner.projected_schema)


def in_order(dataset: lance.LanceDataset, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Columns of all rows, a batch at a time, in the order in which the table holds them."""
    yield from dataset.scanner(columns=columns, scan_in_order=True, batch_size=_ROWS_A_BATCH).to_batches()


def at_places(dataset: lance.LanceDataset, places: Sequence[int], columns: list[str]) -> pa.Table:
    """Columns of the rows at some places of that order, in the order of `places`."""
    return dataset.take(list(places), columns=columns)


def row_ids(dataset: lance.LanceDataset, having: Sequence[Having], *, key: str) -> tuple[list[int], set[str]]:
    """The ids of the rows that hold any of the given values, sorted, each once; and the columns that were searched.

    Args:
        key: The column that tells each row from all others. Values of it that an earlier entry of `having` came upon
            already are not looked up again.
    """
    seen: set[str] = set()
    found: set[int] = set()
    columns: set[str] = set()
    for one in having:
        values = [value for value in one.values if value not in seen] if one.column == key else one.values
        if values:
            rows = holding(dataset, Having(one.column, values), [key], with_ids=True)
            seen.update(rows[key].to_pylist())
            found.update(rows["_rowid"].to_pylist())
            columns.add(one.column)
    return sorted(found), columns


def where_removed(dataset: lance.LanceDataset, ids: Sequence[int]) -> Iterator[str]:
    """Filters that remove rows; the ids are of the very version that is changed, and outlive compactions."""
    if ids and len(ids) == dataset.count_rows():
        yield "true"
        return
    for start in range(0, len(ids), _ROWS_A_DELETE):
        yield f"_rowid IN ({', '.join(map(str, ids[start : start + _ROWS_A_DELETE]))})"


def matching(column: str, values: Sequence[str]) -> str:
    """A Lance filter for rows whose column holds one of the values."""
    if not values:
        return "false"
    return f"{column} IN ({', '.join(_quoted(value) for value in values)})"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
