"""The cache of tables derived from versions: bounded in bytes, two versions of each, no slower with many entries."""

from __future__ import annotations

import pyarrow as pa

from calotype.store.tables.version_cache import TableCache


def table(n_rows):
    return pa.table({"x": pa.array(range(n_rows), pa.int64())})


def noted(made, name, n_rows):
    """Make a table, and note that it was made."""

    def make():
        made.append(name)
        return table(n_rows)

    return make


def test_the_two_versions_that_were_used_last_are_kept():
    cache = TableCache(1_000_000, 1_000_000)
    for version in (1, 2, 3):
        cache.get(("columns", "shop", version, "x"), lambda: table(1))
    made: list[object] = []
    for version in (2, 3, 1):
        cache.get(("columns", "shop", version, "x"), noted(made, version, 1))
    assert made == [1]


def test_the_least_recently_used_make_room():
    cache = TableCache(3 * table(100).nbytes, table(100).nbytes)
    for name in ("a", "b", "c"):
        cache.get(("columns", name, 1), lambda: table(100))
    cache.get(("columns", "a", 1), lambda: table(0))
    cache.get(("columns", "d", 1), lambda: table(100))
    made: list[object] = []
    for name in ("a", "c", "d", "b"):
        cache.get(("columns", name, 1), noted(made, name, 100))
    assert made == ["b"]
    assert cache.get(("columns", "large", 1), lambda: table(101)).num_rows == 101
    assert cache.get(("columns", "large", 1), lambda: table(7)).num_rows == 7, "too large to be kept"


def test_the_size_is_counted_and_not_added_up_again():
    cache = TableCache(10_000_000, 1_000_000)
    for number in range(50):
        cache.get(("columns", "shop", number, str(number % 7)), lambda: table(10))
    assert cache._total == sum(kept.nbytes for kept in cache._tables.values()) == 14 * table(10).nbytes
    assert sum(len(keys) for keys in cache._versions.values()) == len(cache._tables) == 14
