"""DuckDB for joins and queries: one in-memory database for the process, and a new cursor for each query.

Opening a database takes longer than most queries. A cursor sees only the tables that were registered on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from calotype.foundation.os_errors import of_a_query

if TYPE_CHECKING:
    import duckdb

_OPENING = Lock()


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor without access to files or the network, limited to two threads.

    Raises: StorageFailed where the disk fails while a registered table is read.
    """
    with _OPENING:
        cursor = _database().cursor()
    import duckdb

    try:
        yield cursor
    except duckdb.Error as error:
        if (ours := of_a_query(error)) is not None:
            raise ours from error
        raise
    finally:
        cursor.close()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    import duckdb  # heavy, and many commands ask no such question

    settings: dict[str, Any] = {"enable_external_access": "false", "threads": 2}
    return duckdb.connect(":memory:", config=settings)
