"""Indexes on the columns by which rows are looked up. Small tables are scanned; large ones stay indexed."""

from __future__ import annotations

from collections.abc import Sequence

import lance

_ROWS_WORTH_AN_INDEX = 50_000
_FRAGMENTS_BEHIND = 32


def keep_indexed(dataset: lance.LanceDataset, columns: Sequence[str]) -> bool:
    """Make or bring up to date the indexes of a large table. Returns whether it made a new version."""
    if not columns or dataset.count_rows() < _ROWS_WORTH_AN_INDEX:
        return False
    indexed = {index.field_names[0]: index for index in dataset.describe_indices()}
    missing = [column for column in columns if column not in indexed]
    for column in missing:
        dataset.create_scalar_index(column, "BTREE")
    behind = [column for column in columns if column in indexed and _is_behind(dataset, indexed[column].name)]
    if behind:
        dataset.optimize.optimize_indices(index_names=[indexed[column].name for column in behind])
    return bool(missing or behind)


def _is_behind(dataset: lance.LanceDataset, name: str) -> bool:
    stats = dataset.stats.index_stats(name)
    many_rows = stats["num_unindexed_rows"] > max(_ROWS_WORTH_AN_INDEX, stats["num_indexed_rows"] // 4)
    return bool(many_rows or stats["num_unindexed_fragments"] > _FRAGMENTS_BEHIND)
