"""DuckDB for joins and queries: one database in memory for the process, a cursor of its own for each question.

Opening a database costs more than most questions. A cursor sees only the tables that were registered on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_OPENING = Lock()


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor without access to files or networks; two threads at most."""
    with _OPENING:
        cursor = _database().cursor()
    try:
        yield cursor
    finally:
        cursor.close()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    import duckdb  # heavy, and many commands ask no such question

    settings: dict[str, Any] = {"enable_external_access": "false", "threads": 2}
    return duckdb.connect(":memory:", config=settings)
