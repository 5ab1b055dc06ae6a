"""Failures of the catalog raise errors of Calotype; temporary files of other writers do not disturb a flush."""

from __future__ import annotations

import time

import pytest

from calotype.datasets import service as datasets
from calotype.foundation import durable
from calotype.store import open_workspace
from calotype.store.catalog import catalog
from calotype.store.catalog.errors import CatalogDamaged, CatalogNotWritable, WorkspaceBusy


def test_a_lock_that_is_held_too_long_raises_workspace_busy(workspace, owner, monkeypatch):
    monkeypatch.setattr(catalog, "BUSY_TIMEOUT_S", 0.05)
    other = open_workspace(workspace.root)
    with workspace.catalog.bookkeeping(), pytest.raises(WorkspaceBusy):
        datasets.create(owner, "shop", store=other)
    assert datasets.create(owner, "shop", store=other).name == "shop"
    other.close()


def test_a_full_disk_is_reported_and_nothing_is_stored(workspace, owner):
    engine = workspace.catalog.engine
    with engine.connect() as conn:  # the pool hands this one connection out again
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(CatalogNotWritable):
        for number in range(200):
            datasets.create(owner, f"shop-{number}", store=workspace, description="x" * 4_000)
    engine.dispose()
    names = [info.name for info in datasets.datasets(owner, store=workspace)]
    assert datasets.create(owner, f"shop-{len(names)}", store=workspace)


def test_a_damaged_catalog_is_reported(workspace, owner):
    workspace.close()
    (workspace.folder / "catalog.sqlite").write_bytes(b"not what was written" * 1_000)
    (workspace.folder / "catalog.sqlite-wal").unlink(missing_ok=True)
    with pytest.raises(CatalogDamaged):
        open_workspace(workspace.root)


def test_a_flush_ignores_files_that_another_writer_renames(tmp_path, monkeypatch):
    for name in ("mine", "theirs"):
        (tmp_path / name).write_bytes(b"x")
    flushed, real = [], durable.fsync_path

    def renaming(path):
        if path.name == "theirs":
            path.rename(tmp_path / "renamed")
        real(path)
        flushed.append(path.name)

    monkeypatch.setattr(durable, "fsync_path", renaming)
    durable.fsync_newer(tmp_path, since_ns=time.time_ns() - 10**9)
    assert sorted(flushed) == sorted(["mine", tmp_path.name])
