"""Who requests came from a moment ago, so that a page with many images reads the catalog once.

What this process writes ends the memory at once: a revoked grant, a disabled person. What another process writes is
seen after `MEMO_US`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from calotype.store import Store

T = TypeVar("T")
MEMO_US = 1_000_000
MAX_REMEMBERED = 2_000
_known: WeakKeyDictionary[Any, dict[str, tuple[Any, int, int]]] = WeakKeyDictionary()
"""Catalog -> SHA-256 of a secret -> who has it, the number of writes before it was read, and when that was."""


def recent(store: Store, digest: str, now_us: int, read: Callable[[], T | None]) -> T | None:
    """What `read` returned for this secret a moment ago, or returns now. None is not remembered."""
    catalog = store.catalog
    known = _known.setdefault(catalog, {})
    writes = catalog.writes
    found = known.get(digest)
    if found is not None and found[1] == writes and 0 <= now_us - found[2] < MEMO_US:
        value: T = found[0]
        return value
    fresh = read()
    if len(known) >= MAX_REMEMBERED:
        known.clear()
    if fresh is not None:
        known[digest] = (fresh, writes, now_us)
    return fresh
