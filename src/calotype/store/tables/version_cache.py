"""In-memory cache of tables derived from immutable versions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import pyarrow as pa

_VERSIONS = 2
"""Versions cached per table; a long import creates many and reads each only once."""


class TableCache:
    """LRU cache of Arrow tables. Thread-safe.

    Args:
        max_bytes: Total size.
        max_table_bytes: Size of one table; larger ones are not cached.
    """

    def __init__(self, max_bytes: int, max_table_bytes: int) -> None:
        self._room = max_bytes
        self._largest = max_table_bytes
        self._tables: OrderedDict[tuple[Any, ...], pa.Table] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[Any, ...], create: Callable[[], pa.Table]) -> pa.Table:
        """The cached table for this key (what it is, the table, the version, ...), created if necessary."""
        with self._lock:
            cached = self._tables.get(key)
            if cached is not None:
                self._tables.move_to_end(key)
                return cached
        created = create()
        if created.nbytes <= self._largest:
            with self._lock:
                self._tables[key] = created
                siblings = [other for other in self._tables if other[:2] == key[:2] and other[3:] == key[3:]]
                for old in siblings[:-_VERSIONS]:
                    del self._tables[old]
                while sum(table.nbytes for table in self._tables.values()) > self._room:
                    self._tables.popitem(last=False)
        return created
