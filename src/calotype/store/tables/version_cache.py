"""Tables kept in memory: what was made of versions that never change, and gives way when the room is full."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import pyarrow as pa

_VERSIONS = 2
"""Of one table; a long import makes many, and looks at each but once."""


class Kept:
    """Arrow tables by key, the least used of which goes first. Thread-safe.

    Args:
        room: Bytes in all.
        largest: Bytes of one table; larger ones are made anew each time.
    """

    def __init__(self, room: int, largest: int) -> None:
        self._room = room
        self._largest = largest
        self._tables: OrderedDict[tuple[Any, ...], pa.Table] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[Any, ...], make: Callable[[], pa.Table]) -> pa.Table:
        """What was made before under this key (what it is, the table, the version, ...), or is made now."""
        with self._lock:
            found = self._tables.get(key)
            if found is not None:
                self._tables.move_to_end(key)
                return found
        made = make()
        if made.nbytes <= self._largest:
            with self._lock:
                self._tables[key] = made
                same = [one for one in self._tables if one[:2] == key[:2] and one[3:] == key[3:]]
                for old in same[:-_VERSIONS]:
                    del self._tables[old]
                while sum(table.nbytes for table in self._tables.values()) > self._room:
                    self._tables.popitem(last=False)
        return made
