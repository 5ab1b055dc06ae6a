"""Merges the files of many small edits, so that a table edited ten thousand times is read like one edited once.

Works in tiers: small files become middle ones, those become larger ones, and so each row is rewritten a few times only.
Files of more rows are left to `gc`, which works outside the lock.
"""

from __future__ import annotations

from typing import Any

import lance
from lance.optimize import Compaction

_TIERS = (2_048, 65_536)
"""Files of fewer rows belong to a tier. A file of a higher tier is not rewritten for the sake of smaller ones."""
_MAX_SMALL_FILES = 32
STEPS = 2
"""Versions that a merge creates: one reserves numbers for the new files, one replaces the old ones."""


def merge_small_files(dataset: lance.LanceDataset) -> list[Any]:
    """Merge neighbouring small files if there are many.

    Returns: The new files; if there are any, `STEPS` versions were created.

    Row ids and the order of rows stay the same. Tables with an index of vectors are left alone: it refers to the files.
    """
    smaller = 0
    for rows in _TIERS:
        small = int(dataset.stats.dataset_stats(max_rows_per_group=rows)["num_small_files"])
        n_of_tier, smaller = small - smaller, small
        if n_of_tier <= _MAX_SMALL_FILES:
            continue
        if any(index.index_type.startswith("IVF") for index in dataset.describe_indices()):
            return []
        options: Any = {"target_rows_per_fragment": rows, "materialize_deletions": False}
        tasks = Compaction.plan(dataset, options).tasks
        if tasks:
            known = _files(dataset)
            Compaction.commit(dataset, [task.execute(dataset) for task in tasks])
            return [file for path, file in _files(dataset).items() if path not in known]
    return []


def _files(dataset: lance.LanceDataset) -> dict[str, Any]:
    return {file.path: file for fragment in dataset.get_fragments() for file in fragment.data_files()}
