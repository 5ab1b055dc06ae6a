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
        self._sizes: dict[tuple[Any, ...], int] = {}
        self._versions: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        self._total = 0
        self._lock = Lock()

    def get(self, key: tuple[Any, ...], create: Callable[[], pa.Table]) -> pa.Table:
        """The cached table for this key (what it is, the table, the version, ...), created if necessary."""
        with self._lock:
            cached = self._tables.get(key)
            if cached is not None:
                self._tables.move_to_end(key)
                return cached
        created = create()
        n_bytes = created.nbytes
        if n_bytes <= self._largest:
            with self._lock:
                self._remove(key)
                self._tables[key], self._sizes[key] = created, n_bytes
                self._total += n_bytes
                versions = self._versions.setdefault((key[:2], key[3:]), [])
                versions.append(key)
                for old in sorted(versions, key=list(self._tables).index)[:-_VERSIONS]:
                    self._remove(old)
                while self._total > self._room:
                    self._remove(next(iter(self._tables)))
        return created

    def _remove(self, key: tuple[Any, ...]) -> None:
        if key in self._tables:
            del self._tables[key]
            self._total -= self._sizes.pop(key)
            group = (key[:2], key[3:])
            self._versions[group].remove(key)
            if not self._versions[group]:
                del self._versions[group]
