"""Caches: a value is computed once, also by many threads, and the bytes that are kept are limited."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from calotype.browse.caches import Background, ByteCache, Text
from calotype.browse.column_cache import columns_of
from calotype.store.store import create_workspace


def test_many_threads_compute_a_value_once():
    cache: ByteCache[str, Text] = ByteCache(100)
    calls, may_end = [], Event()

    def create():
        calls.append(1)
        may_end.wait(60)
        return Text("x")

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(cache.get, "key", create) for _ in range(8)]
        may_end.set()
        assert {future.result(60).text for future in futures} == {"x"}
    assert len(calls) == 1


def test_the_values_used_least_recently_are_dropped():
    cache: ByteCache[str, Text] = ByteCache(10)
    for key in "abc":
        cache.get(key, lambda: Text("1234"))
        cache.get("a", lambda: Text("never"))
        assert cache.nbytes <= 10
    assert [key for key, _ in cache.items()] == ["a", "c"]
    assert cache.peek("b") is None


def test_a_value_larger_than_the_limit_is_handed_out_and_not_kept():
    cache: ByteCache[str, Text] = ByteCache(3)
    assert cache.get("key", lambda: Text("1234")).text == "1234"
    assert (cache.peek("key"), cache.nbytes) == (None, 0)


def test_a_failure_is_not_kept():
    cache: ByteCache[str, Text] = ByteCache(100)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: Text(str(1 / 0)))
    assert cache.get("key", lambda: Text("fine")).text == "fine"


def test_those_who_wait_for_a_failure_try_for_themselves():
    cache: ByteCache[str, Text] = ByteCache(100)
    started, may_fail, calls = Event(), Event(), []

    def create():
        calls.append(1)
        if len(calls) == 1:
            started.set()
            may_fail.wait(60)
            raise ValueError("the first one fails")
        return Text("fine")

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(cache.get, "key", create)
        assert started.wait(60)
        others = [pool.submit(cache.get, "key", create) for _ in range(3)]
        may_fail.set()
        assert {other.result(60).text for other in others} == {"fine"}
        with pytest.raises(ValueError, match="the first"):
            first.result(60)
    assert len(calls) == 2


def test_the_columns_of_a_workspace_go_with_its_store(tmp_path, owner):
    store = create_workspace(owner, tmp_path / "other")
    columns = weakref.ref(columns_of(store))
    assert columns_of(store) is columns()
    store.close()
    del store
    gc.collect()
    assert columns() is None


def test_a_call_in_the_background_runs_once_at_a_time():
    background, may_end, calls = Background(2), Event(), []

    def call():
        calls.append(1)
        return may_end.wait(60)

    first, second = background.run("key", call), background.run("key", call)
    may_end.set()
    assert first.result(60) and second.result(60)
    assert len(calls) == 1
    assert background.run("key", call).result(60)
    assert len(calls) == 2
