"""Files that survive a power cut, trees that are carried, tables kept in memory."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from calotype.store.files import durable
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

    def test_a_file_is_flushed_before_it_has_its_name_and_the_folder_after(self, tmp_path, flushed):
        durable.write_file(tmp_path / "a.json", b"new")
        assert (tmp_path / "a.json").read_bytes() == b"new"
        assert flushed == [f".a.json.{os.getpid()}.tmp", tmp_path.name]
        assert [path.name for path in tmp_path.iterdir()] == ["a.json"]

    def test_a_file_replaces_the_one_before(self, tmp_path):
        durable.write_file(tmp_path / "a", b"old")
        durable.write_file(tmp_path / "a", b"new", mode=0o600)
        assert ((tmp_path / "a").read_bytes(), (tmp_path / "a").stat().st_mode & 0o777) == (b"new", 0o600)

    def test_a_new_file_never_replaces_one(self, tmp_path):
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

    def test_folders_are_flushed_up_to_one(self, tmp_path, flushed):
        (tmp_path / "a" / "b" / "c").mkdir(parents=True)
        durable.fsync_folders(tmp_path / "a" / "b" / "c", up_to=tmp_path / "a")
        assert flushed == ["c", "b", "a"]

    def test_everything_below_a_folder_is_flushed(self, tmp_path, flushed):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "x").write_bytes(b"x")
        (tmp_path / "y").write_bytes(b"y")
        durable.fsync_everything(tmp_path)
        assert sorted(flushed) == sorted(["a", "x", "y", tmp_path.name])

    def test_only_what_changed_since_is_flushed(self, tmp_path, flushed):
        for name, at_ns in (("old", 10**9), ("new", 3 * 10**9)):
            (tmp_path / name).write_bytes(b"x")
            os.utime(tmp_path / name, ns=(at_ns, at_ns))
        durable.fsync_newer(tmp_path, since_ns=2 * 10**9)
        durable.fsync_newer(tmp_path / "nowhere", since_ns=0)
        assert flushed == ["new", tmp_path.name]

    def test_folders_directly_below_are_looked_into(self, tmp_path, flushed):
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
    """Files below a folder, as who carries them sees them."""

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

    def test_a_file_that_is_there_is_replaced(self, tree, tmp_path):
        tree.put("one", tmp_path / "mine")
        (tmp_path / "mine").write_bytes(b"other")
        tree.put("one", tmp_path / "mine")
        assert tree.fetch("one", tmp_path / "spare").read_bytes() == b"other"

    def test_what_is_not_there(self, tree, tmp_path):
        assert tree.fetch("nowhere", tmp_path / "spare") is None
        assert tree.sizes("nowhere") == {}

    def test_temporary_files_of_writers_are_left_out(self, tree, tmp_path):
        tree.put("one", tmp_path / "mine")
        (tmp_path / "tree" / ".half.tmp").write_bytes(b"x")
        assert tree.sizes() == {"one": 3}


def column(n):
    """A table of `8 * n` bytes."""
    return pa.table({"n": pa.array(range(n), pa.int64())})


class TestKept:
    """What was made of versions stays while there is room."""

    def test_it_is_made_once(self):
        kept = TableCache(1_000, 1_000)
        assert kept.get(("a", "t", 1), lambda: column(3)) is kept.get(("a", "t", 1), lambda: column(4))

    def test_the_least_used_gives_way(self):
        kept = TableCache(200, 100)
        first = kept.get(("a", "t", 1), lambda: column(10))
        kept.get(("a", "u", 1), lambda: column(10))
        kept.get(("a", "t", 1), lambda: column(10))
        kept.get(("a", "v", 1), lambda: column(10))
        assert kept.get(("a", "t", 1), lambda: column(10)) is first
        assert kept.get(("a", "u", 1), lambda: column(7)).num_rows == 7

    def test_what_is_too_large_is_made_each_time(self):
        kept = TableCache(1_000, 100)
        kept.get(("a", "t", 1), lambda: column(20))
        assert kept.get(("a", "t", 1), lambda: column(21)).num_rows == 21

    def test_of_one_table_the_newest_two_versions_stay(self):
        kept = TableCache(1_000, 1_000)
        for version in (1, 2, 3):
            kept.get(("a", "t", version), lambda: column(1))
        assert kept.get(("a", "t", 1), lambda: column(9)).num_rows == 9
        assert kept.get(("a", "t", 3), lambda: column(9)).num_rows == 1

    def test_making_may_fail_and_is_tried_again(self):
        kept = TableCache(1_000, 1_000)
        with pytest.raises(KeyError):
            kept.get(("a", "t", 1), lambda: {"a": column(1)}["nothing"])
        assert kept.get(("a", "t", 1), lambda: column(2)).num_rows == 2


def test_memory_is_given_back_while_a_stream_runs_and_nothing_of_it_is_lost():
    batches = [pa.record_batch({"n": pa.array(range(100_000))}) for _ in range(9)]
    assert list(releasing_memory(iter(batches))) == batches
    release_memory()
