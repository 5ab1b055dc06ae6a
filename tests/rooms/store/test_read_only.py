"""A workspace on a disk that cannot be written: what reads goes on, what writes says why not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.images import draw, encode

from calotype.acquire import service as acquire
from calotype.acquire.model import ImageOptions
from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.release import service as releases
from calotype.release.model import ExportSpec
from calotype.reliability import service as reliability
from calotype.store import Store, create_workspace, open_workspace
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.errors import CatalogNotWritable
from calotype.store.catalog.read_only import WorkspaceReadOnly


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A small disk of its own, which can be filled and mounted read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a disk takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def filled(disk, tmp_path, owner) -> Store:
    """A workspace on that disk with one dataset of three images and a commit; open."""
    images = tmp_path / "images"
    images.mkdir()
    for number in range(3):
        (images / f"{number}.jpg").write_bytes(encode(draw(number)))
    store = create_workspace(owner, disk / "w")
    datasets.create(owner, "shop", store=store)
    acquire.add(owner, "shop", [images], ImageOptions(), store=store)
    datasets.commit(owner, "shop", "three", store=store)
    return store


def make_read_only(disk: Path) -> None:
    """Mount the disk so that nothing can be written."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Use up the disk to the last byte."""
    with (disk / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4_096))


@pytest.mark.parametrize("spoil", [make_read_only, fill])
def test_everything_that_reads_works(disk, filled, owner, tmp_path, spoil):
    filled.close()
    spoil(disk)
    store = open_workspace(disk / "w")
    assert [commit.message for commit in datasets.log(owner, "shop", store=store)] == ["three"]
    report = checks.check(owner, "shop", store=store)
    assert report.checks and checks.latest(owner, "shop", store=store) is None
    out = releases.export(owner, "shop", ExportSpec("coco", images="copy"), tmp_path / "out", store=store)
    assert out.samples == 3
    assert reliability.verify(owner, store=store).problems == ()
    with pytest.raises(WorkspaceReadOnly, match="full" if spoil is fill else "read-only"):
        datasets.create(owner, "other", store=store)
    store.close()


def test_what_a_killed_writer_left_in_the_log_is_read(disk, filled, owner, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(disk / "w", copy)  # while the writer has it open: the log is not yet in the database
    (copy / ".calotype" / "catalog.sqlite-shm").unlink()
    filled.close()
    shutil.rmtree(disk / "w")
    shutil.copytree(copy, disk / "w")
    assert (disk / "w" / ".calotype" / "catalog.sqlite-wal").stat().st_size > 0
    make_read_only(disk)
    store = open_workspace(disk / "w")
    assert [commit.message for commit in datasets.log(owner, "shop", store=store)] == ["three"]
    private = store.catalog._copy
    assert private is not None and private.is_dir()
    store.close()
    assert not private.exists()


def test_it_is_writable_again_once_the_disk_is(disk, filled, owner):
    filled.close()
    make_read_only(disk)
    open_workspace(disk / "w").close()
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    store = open_workspace(disk / "w")
    assert datasets.create(owner, "other", store=store).name == "other"
    store.close()


def test_a_catalog_that_must_be_upgraded_first_is_not_opened_for_reading(workspace, monkeypatch):
    workspace.close()

    def refuse(_catalog):
        raise CatalogNotWritable(detail="attempt to write a readonly database", remedy_text="grant access")

    monkeypatch.setattr(Catalog, "_migrate", refuse)
    monkeypatch.setattr("calotype.store.catalog.catalog.HEAD_REVISION", "9999")
    with pytest.raises(CatalogNotWritable, match="readonly database"):
        open_workspace(workspace.root)


def test_a_check_that_may_not_write_stores_nothing(workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    workspace.catalog.read_only = "--read-only was given"
    assert checks.check(owner, "shop", store=workspace).dataset == "shop"
    assert checks.latest(owner, "shop", store=workspace) is None
    with pytest.raises(WorkspaceReadOnly, match="--read-only was given"):
        datasets.create(owner, "other", store=workspace)
