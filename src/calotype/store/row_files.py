"""Which rows differ between two versions of a Lance table, told from its files.

Our writers only ever append files and mark rows as deleted; a file's rows never change. Two versions that hold the same
file therefore differ in it by their deletion vectors alone, on whichever branch they were made. After a compaction
the files differ and their rows are read whole: slower, and just as right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import numpy as np
import numpy.typing as npt
import pyarrow as pa

_OFFSET_BITS = np.uint64(0xFFFFFFFF)


def rows_only_in(here: lance.LanceDataset, there: lance.LanceDataset) -> pa.Table:
    """The rows of one version that the other does not have, with all columns."""
    return _only_in(here, _by_files(here), there, _by_files(there))


def _by_files(dataset: lance.LanceDataset) -> dict[tuple[str, ...], Any]:
    return {
        tuple(file.path for file in fragment.data_files()): fragment for fragment in dataset.get_fragments()
    }


def _only_in(
    here: lance.LanceDataset, files: dict[tuple[str, ...], Any], there: lance.LanceDataset,
    others: dict[tuple[str, ...], Any],
) -> pa.Table:  # fmt: skip
    own = [fragment for name, fragment in files.items() if name not in others]
    found = [here.scanner(fragments=own).to_table()] if own else []
    for name, fragment in files.items():
        other = others.get(name)
        if other is None or fragment.deletion_file() == other.deletion_file():
            continue
        gone = np.setdiff1d(_deleted(there, other), _deleted(here, fragment), assume_unique=True)
        if gone.size:
            # Lance counts positions among the rows that are left
            positions = gone - np.searchsorted(_deleted(here, fragment), gone)
            found.append(fragment.take(positions.tolist()))
    return pa.concat_tables(found) if found else here.schema.empty_table()


def _deleted(dataset: lance.LanceDataset, fragment: Any) -> npt.NDArray[np.int64]:
    """Sorted offsets of the deleted rows of a fragment."""
    name = fragment.deletion_file()
    if name is None:
        return np.empty(0, np.int64)
    short = Path(dataset.uri) / name
    if short.suffix == ".arrow" and short.is_file():  # few deletions: a list of offsets, on a local disk
        listed = pa.ipc.open_file(short).read_all().column(0).to_numpy()
        return np.sort(listed.astype(np.int64))
    scanner = dataset.scanner(columns=[], with_row_address=True, fragments=[fragment])
    live = scanner.to_table()["_rowaddr"].to_numpy() & _OFFSET_BITS
    kept = np.zeros(fragment.physical_rows, bool)
    kept[live] = True
    return np.flatnonzero(~kept)
