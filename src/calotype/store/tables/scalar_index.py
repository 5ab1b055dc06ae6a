"""Indexes on lookup columns. Small tables are scanned; large ones are indexed."""

from __future__ import annotations

from collections.abc import Sequence

import lance

_MIN_INDEX_ROWS = 50_000
_MAX_UNINDEXED_FRAGMENTS = 32


def update_indexes(dataset: lance.LanceDataset, columns: Sequence[str]) -> bool:
    """Create or update the indexes of a large table. Returns whether this created a new version."""
    if not columns or dataset.count_rows() < _MIN_INDEX_ROWS:
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
    many_rows = stats["num_unindexed_rows"] > max(_MIN_INDEX_ROWS, stats["num_indexed_rows"] // 4)
    return bool(many_rows or stats["num_unindexed_fragments"] > _MAX_UNINDEXED_FRAGMENTS)
