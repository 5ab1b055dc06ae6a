"""Release freed memory to the operating system during long streams.

Arrow and the C library keep freed memory per thread; while millions of rows are streamed this grows to a multiple of
the memory in use.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator
from functools import cache

import pyarrow as pa

_ROWS_BETWEEN = 400_000


def releasing_memory(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same batches, and release freed memory every few hundred thousand rows."""
    n_rows = 0
    for batch in batches:
        yield batch
        n_rows += batch.num_rows
        if n_rows >= _ROWS_BETWEEN:
            n_rows = 0
            release_memory()


def release_memory() -> None:
    """Release freed memory to the operating system, where the allocators support it."""
    pa.default_memory_pool().release_unused()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> ctypes._FuncPointer | None:
    """malloc_trim of the GNU C library; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if function is not None:
        function.argtypes, function.restype = [ctypes.c_size_t], ctypes.c_int
    return function
