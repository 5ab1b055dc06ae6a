"""Durable files, file trees, and cached tables."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from calotype.foundation import durable
from calotype.store.files.file_tree import FolderTree
from calotype.store.tables.memory import release_memory, releasing_memory
from calotype.store.tables.version_cache import TableCache


@pytest.fixture
def flushed(monkeypatch):
    """Names of the files and folders that were flushed, in order."""
    names, real = [], os.fsync

    def record(handle):
        names.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        real(handle)

    monkeypatch.setattr(os, "fsync", record)
    return names


class TestDurable:
    """Writing and flushing."""

    def test_a_file_is_flushed_before_its_rename_and_the_folder_after(self, tmp_path, flushed):
        durable.write_file(tmp_path / "a.json", b"new")
        assert (tmp_path / "a.json").read_bytes() == b"new"
        assert flushed == [f".a.json.{os.getpid()}.tmp", tmp_path.name]
        assert [path.name for path in tmp_path.iterdir()] == ["a.json"]

    def test_an_existing_file_is_replaced(self, tmp_path):
        durable.write_file(tmp_path / "a", b"old")
        durable.write_file(tmp_path / "a", b"new", mode=0o600)
        assert ((tmp_path / "a").read_bytes(), (tmp_path / "a").stat().st_mode & 0o777) == (b"new", 0o600)

    def test_write_new_never_replaces_a_file(self, tmp_path):
        durable.write_new(tmp_path / "a", b"one")
        with pytest.raises(FileExistsError):
            durable.write_new(tmp_path / "a", b"two")
        assert (tmp_path / "a").read_bytes() == b"one"

    def test_many_files_are_each_flushed(self, tmp_path, flushed):
        files = [tmp_path / f"{number:02}" for number in range(20)]
        for file in files:
            file.write_bytes(b"x")
        durable.fsync_many(files)
        assert flushed == [file.name for file in files]

    def test_folders_are_flushed_up_to_a_parent(self, tmp_path, flushed):
        (tmp_path / "a" / "b" / "c").mkdir(parents=True)
        durable.fsync_folders(tmp_path / "a" / "b" / "c", up_to=tmp_path / "a")
        assert flushed == ["c", "b", "a"]

    def test_everything_below_a_folder_is_flushed(self, tmp_path, flushed):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x").write_bytes(b"x")
        (tmp_path / "y").write_bytes(b"y")
        durable.fsync_everything(tmp_path)
        assert sorted(flushed) == sorted(["a", "x", "y", tmp_path.name])

    def test_files_that_can_be_made_again_are_written_by_one_call_where_the_file_system_is_known(
        self, tmp_path, flushed, monkeypatch
    ):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x").write_bytes(b"x")
        asked: list[int] = []

        def ask(handle):
            asked.append(os.fstat(handle).st_ino)
            return 0

        monkeypatch.setattr(durable, "_SYNCFS", ask)
        monkeypatch.setattr(durable, "_file_system", lambda _handle: 0xEF53)
        durable.sync_rebuildable(tmp_path)
        assert (asked, flushed) == ([tmp_path.stat().st_ino], [])

    @pytest.mark.parametrize("kind", [0, 0x65735546, 0x6969], ids=["unknown", "user space", "network"])
    def test_elsewhere_each_of_them_is_flushed(self, tmp_path, flushed, monkeypatch, kind):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x").write_bytes(b"x")
        monkeypatch.setattr(durable, "_file_system", lambda _handle: kind)
        durable.sync_rebuildable(tmp_path)
        assert sorted(flushed) == sorted(["a", "x", tmp_path.name])

    def test_where_the_one_call_fails_each_file_says_what_is_wrong(self, tmp_path, flushed, monkeypatch):
        (tmp_path / "x").write_bytes(b"x")
        monkeypatch.setattr(durable, "_SYNCFS", lambda _handle: -1)
        monkeypatch.setattr(durable, "_file_system", lambda _handle: 0xEF53)
        durable.sync_rebuildable(tmp_path)
        assert flushed == ["x", tmp_path.name]

    def test_the_kind_of_a_file_system_is_known_on_linux(self):
        handle = os.open("/proc", os.O_RDONLY)
        try:
            assert durable._file_system(handle) == 0x9FA0
        finally:
            os.close(handle)

    def test_only_what_changed_since_is_flushed(self, tmp_path, flushed):
        for name, at_ns in (("old", 10**9), ("new", 3 * 10**9)):
            (tmp_path / name).write_bytes(b"x")
            os.utime(tmp_path / name, ns=(at_ns, at_ns))
        durable.fsync_newer(tmp_path, since_ns=2 * 10**9)
        durable.fsync_newer(tmp_path / "nowhere", since_ns=0)
        assert flushed == ["new", tmp_path.name]

    def test_direct_subfolders_are_included(self, tmp_path, flushed):
        (tmp_path / "tags").mkdir()
        (tmp_path / "tags" / "a").write_bytes(b"x")
        durable.fsync_tree(tmp_path, since_ns=time.time_ns() - 10**10)
        durable.fsync_tree(tmp_path / "nowhere", since_ns=0)
        assert flushed == ["a", "tags", tmp_path.name]

    @pytest.mark.parametrize(("max_bytes", "read"), [(2, None), (3, b"abc"), (99, b"abc")])
    def test_a_file_is_read_unless_it_is_too_large(self, tmp_path, max_bytes, read):
        (tmp_path / "a").write_bytes(b"abc")
        assert durable.read_file(tmp_path / "a", max_bytes=max_bytes) == read

    def test_a_file_without_a_size_is_read_to_its_end(self):
        status = Path("/proc/self/status")
        assert (durable.read_file(status, max_bytes=1_000_000) or b"").startswith(b"Name:")
        assert durable.read_file(status, max_bytes=10) is None


class TestTrees:
    """Files below a folder, as backup and move see them."""

    @pytest.fixture
    def tree(self, tmp_path):
        (tmp_path / "mine").write_bytes(b"abc")
        return FolderTree(tmp_path / "tree")

    def test_a_file_is_put_listed_fetched_and_removed(self, tree, tmp_path):
        tree.put("a/b/one", tmp_path / "mine")
        tree.put("two", tmp_path / "mine")
        assert tree.sizes() == {"a/b/one": 3, "two": 3}
        assert tree.sizes("a") == {"a/b/one": 3}
        assert tree.fetch("two", tmp_path / "spare").read_bytes() == b"abc"
        tree.remove("two")
        tree.remove("two")
        assert tree.sizes() == {"a/b/one": 3}

    def test_an_existing_file_of_a_tree_is_replaced(self, tree, tmp_path):
        tree.put("one", tmp_path / "mine")
        (tmp_path / "mine").write_bytes(b"other")
        tree.put("one", tmp_path / "mine")
        assert tree.fetch("one", tmp_path / "spare").read_bytes() == b"other"

    def test_a_missing_file_or_folder(self, tree, tmp_path):
        assert tree.fetch("nowhere", tmp_path / "spare") is None
        assert tree.sizes("nowhere") == {}

    def test_temporary_files_are_not_listed(self, tree, tmp_path):
        tree.put("one", tmp_path / "mine")
        (tmp_path / "tree" / ".half.tmp").write_bytes(b"x")
        assert tree.sizes() == {"one": 3}


def column(n):
    """A table of `8 * n` bytes."""
    return pa.table({"n": pa.array(range(n), pa.int64())})


class TestTableCache:
    """Cached tables, within a memory limit."""

    def test_a_value_is_created_once(self):
        cache = TableCache(1_000, 1_000)
        assert cache.get(("a", "t", 1), lambda: column(3)) is cache.get(("a", "t", 1), lambda: column(4))

    def test_the_least_recently_used_value_is_evicted(self):
        cache = TableCache(200, 100)
        first = cache.get(("a", "t", 1), lambda: column(10))
        cache.get(("a", "u", 1), lambda: column(10))
        cache.get(("a", "t", 1), lambda: column(10))
        cache.get(("a", "v", 1), lambda: column(10))
        assert cache.get(("a", "t", 1), lambda: column(10)) is first
        assert cache.get(("a", "u", 1), lambda: column(7)).num_rows == 7

    def test_a_value_over_the_limit_is_created_each_time(self):
        cache = TableCache(1_000, 100)
        cache.get(("a", "t", 1), lambda: column(20))
        assert cache.get(("a", "t", 1), lambda: column(21)).num_rows == 21

    def test_the_newest_two_versions_of_a_table_stay(self):
        cache = TableCache(1_000, 1_000)
        for version in (1, 2, 3):
            cache.get(("a", "t", version), lambda: column(1))
        assert cache.get(("a", "t", 1), lambda: column(9)).num_rows == 9
        assert cache.get(("a", "t", 3), lambda: column(9)).num_rows == 1

    def test_a_failed_creation_is_tried_again(self):
        cache = TableCache(1_000, 1_000)
        with pytest.raises(KeyError):
            cache.get(("a", "t", 1), lambda: {"a": column(1)}["nothing"])
        assert cache.get(("a", "t", 1), lambda: column(2)).num_rows == 2


def test_memory_is_released_during_a_stream_without_losing_batches():
    batches = [pa.record_batch({"n": pa.array(range(100_000))}) for _ in range(9)]
    assert list(releasing_memory(iter(batches))) == batches
    release_memory()
