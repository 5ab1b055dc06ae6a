"""Giving memory back to the system while a long stream runs.

Arrow's and the C library's allocators keep what was freed, each thread its own; beside a stream of millions of rows
that grows to a multiple of what is in use.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator
from functools import cache

import pyarrow as pa

_ROWS_BETWEEN = 400_000


def giving_back(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches; memory that was freed meanwhile is given back every some hundred thousand rows."""
    passed = 0
    for batch in batches:
        yield batch
        passed += batch.num_rows
        if passed >= _ROWS_BETWEEN:
            passed = 0
            give_back()


def give_back() -> None:
    """Hand freed memory back to the system, where its allocators can be asked to."""
    pa.default_memory_pool().release_unused()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> ctypes._FuncPointer | None:
    """The function of the GNU C library; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if found is not None:
        found.argtypes, found.restype = [ctypes.c_size_t], ctypes.c_int
    return found
