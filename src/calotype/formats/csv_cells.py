"""CSV files with cells longer than the standard library reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager

MAX_CELL = 100_000_000


@contextmanager
def long_cells() -> Iterator[None]:
    """Cells of up to 100 million characters inside this block. The limit holds for the whole process: it is reset."""
    limit = csv.field_size_limit(MAX_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
