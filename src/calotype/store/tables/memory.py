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
_LARGE_ROWS, _LARGE_BYTES = 32_768, 16_000_000
_M_ARENA_MAX, _ARENAS = -8, 2


def releasing_memory(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same batches, and release freed memory every few hundred thousand rows."""
    n_rows = 0
    for batch in batches:
        yield batch
        n_rows += batch.num_rows
        if n_rows >= _ROWS_BETWEEN:
            n_rows = 0
            release_memory()


def in_large_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches: each costs the writer as much as some thousand rows."""
    waiting: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for batch in batches:
        waiting.append(batch)
        n_rows, n_bytes = n_rows + batch.num_rows, n_bytes + batch.nbytes
        if n_rows >= _LARGE_ROWS or n_bytes >= _LARGE_BYTES:
            yield pa.concat_batches(waiting)
            waiting, n_rows, n_bytes = [], 0, 0
    if waiting:
        yield pa.concat_batches(waiting)


def release_memory() -> None:
    """Release freed memory to the operating system, where the allocators support it."""
    pa.default_memory_pool().release_unused()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def share_freed_memory() -> None:
    """Let many threads share few arenas, for a process that answers requests in dozens of threads for a long time.

    The GNU C library gives threads arenas of their own, up to eight for each core, and none reuses what another freed.
    Call it before the threads start.
    """
    set_option = _c_function("mallopt", ctypes.c_int, ctypes.c_int)
    if set_option is not None:
        set_option(_M_ARENA_MAX, _ARENAS)


def _malloc_trim() -> ctypes._FuncPointer | None:
    return _c_function("malloc_trim", ctypes.c_size_t)


@cache
def _c_function(name: str, *arguments: type[ctypes._SimpleCData[int]]) -> ctypes._FuncPointer | None:
    """A function of the GNU C library that returns an int; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function.argtypes, function.restype = list(arguments), ctypes.c_int
    return function
