"""Indexes on lookup columns. Small tables are scanned; large ones are indexed."""

from __future__ import annotations

from collections.abc import Sequence

import lance

_MIN_INDEX_ROWS = 50_000
_MAX_UNINDEXED_FRAGMENTS = 32
_MAX_PARTS = 8
"""Parts of an index that are searched one after another; more are merged into one."""


def update_indexes(dataset: lance.LanceDataset, columns: Sequence[str]) -> bool:
    """Create or update the indexes of a large table. Returns whether this created a new version."""
    if not columns or dataset.count_rows() < _MIN_INDEX_ROWS:
        return False
    indexed = {index.field_names[0]: index for index in dataset.describe_indices()}
    missing = [column for column in columns if column not in indexed]
    for column in missing:
        dataset.create_scalar_index(column, "BTREE")
    behind = [column for column in columns if column in indexed and _is_behind(dataset, indexed[column].name)]
    for column in behind:
        name = indexed[column].name
        n_parts = dataset.stats.index_stats(name)["num_indices"]
        n_merged = n_parts if n_parts >= _MAX_PARTS else 0  # a new part costs only the rows that no part has
        dataset.optimize.optimize_indices(index_names=[name], num_indices_to_merge=n_merged)
    return bool(missing or behind)


def _is_behind(dataset: lance.LanceDataset, name: str) -> bool:
    stats = dataset.stats.index_stats(name)
    many_rows = stats["num_unindexed_rows"] > _MIN_INDEX_ROWS  # every lookup reads them all
    return bool(many_rows or stats["num_unindexed_fragments"] > _MAX_UNINDEXED_FRAGMENTS)
