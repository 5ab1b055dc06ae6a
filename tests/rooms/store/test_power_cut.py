"""Power failures: new folders must be flushed, and half-written files must not block anything."""

from __future__ import annotations

import os

import pytest

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.model import Sample
from calotype.exchange import output_folder
from calotype.foundation.ids import uuid7
from calotype.reliability import service
from calotype.store import create_workspace, open_workspace
from calotype.store.maintenance import table_files


@pytest.fixture
def flushed(monkeypatch):
    """The files and folders that were flushed, in order."""
    seen, real = [], os.fsync

    def recording(handle):
        seen.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", recording)
    return seen


def add_sample(store, owner):
    media = store.media.put(uuid7().encode())
    sample = Sample(
        uuid7(), media.sha256, "one.png", width_px=1, height_px=1, mime="image/png", n_bytes=media.n_bytes
    )
    return apply(owner, "shop", Change(put_samples=[sample]), store=store)


def test_a_new_workspace_has_its_folders_flushed(owner, tmp_path, flushed):
    create_workspace(owner, tmp_path / "ws").close()
    assert {str(tmp_path), str(tmp_path / "ws"), str(tmp_path / "ws" / ".calotype")} <= set(flushed)


def test_the_folders_of_a_new_table_are_flushed_when_its_first_rows_are(workspace, owner, flushed):
    datasets.create(owner, "shop", store=workspace)
    added = add_sample(workspace, owner)
    tables = workspace.folder / "tables"
    assert {
        str(tables),
        str(tables / added.dataset.id),
        str(tables / added.dataset.id / "samples.lance"),
    } <= set(flushed)


def test_bytes_that_another_writer_just_stored_are_flushed_too(workspace, flushed):
    path = workspace.media.path(workspace.media.put(b"abc").sha256)
    flushed.clear()
    assert workspace.media.put(b"abc").new is False
    assert str(path.parent) in flushed


def test_damaged_tags_stop_neither_commits_nor_reads_nor_maintenance(workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    added = add_sample(workspace, owner)
    datasets.commit(owner, "shop", "one", store=workspace)
    add_sample(workspace, owner)
    table = f"{added.dataset.id}/samples"
    for tag in (workspace.tables.folder(table) / "_refs" / "tags").glob("*.json"):
        tag.write_bytes(b"")
    (workspace.tables.folder(table) / "_refs" / "tags" / "pin-3.json").write_bytes(b'{"vers')
    datasets.commit(owner, "shop", "two", store=workspace)
    report = service.verify(owner, store=workspace)
    assert (report.ok, [problem.kind for problem in report.untidy]) == (True, ["tag-missing"])
    service.gc(owner, store=workspace, grace_s=0, always_compact=True)
    service.repair(owner, store=workspace, dry_run=False)
    assert service.verify(owner, store=workspace, deep=True).untidy == ()
    assert len(table_files.tags(workspace.tables, table)) >= 2


@pytest.mark.parametrize("left", [0, 20, -1], ids=["empty", "short", "one byte"])
def test_a_damaged_version_stops_no_later_edit(workspace, owner, left):
    datasets.create(owner, "shop", store=workspace)
    added = add_sample(workspace, owner)
    uri = workspace.tables.folder(f"{added.dataset.id}/samples")
    newest = min((uri / "_versions").glob("*.manifest"))
    damaged = newest.with_name(
        f"{int(newest.stem) - 1:020d}.manifest"
    )  # the version after it, as Lance counts down
    damaged.write_bytes(newest.read_bytes()[:left])
    fresh = open_workspace(workspace.root)
    add_sample(fresh, owner)
    add_sample(fresh, owner)
    assert datasets.read(owner, "shop", store=fresh).count()["samples"] == 3
    assert service.verify(owner, store=fresh, deep=True).ok
    assert [path.name for path in (uri / "_torn").iterdir()] == [damaged.name]
    newest = min((uri / "_versions").glob("*.manifest"))
    (newest.with_name(f"{int(newest.stem) + 1:020d}.manifest")).write_bytes(b"")  # one below the newest
    service.gc(owner, store=fresh, grace_s=0, always_compact=True)
    assert service.verify(owner, store=fresh, deep=True).ok
    fresh.close()


def test_a_damaged_first_version_is_created_again(workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    uri = workspace.tables.folder(f"{datasets.read(owner, 'shop', store=workspace).dataset.id}/samples")
    (uri / "_versions").mkdir(parents=True)
    (uri / "_versions" / f"{2**64 - 2}.manifest").write_bytes(b"")
    add_sample(workspace, owner)
    assert datasets.read(owner, "shop", store=workspace).count()["samples"] == 1


def test_everything_in_a_release_is_flushed_before_it_gets_its_name(tmp_path, flushed):
    with output_folder.staging_folder(tmp_path / "releases" / "shop" / "1.0.0") as (temporary, target):
        (temporary / "coco" / "images").mkdir(parents=True)
        (temporary / "coco" / "images" / "a.png").write_bytes(b"x")
        output_folder.move_into_place(temporary, target)
    names = [path.removeprefix(str(tmp_path)) for path in flushed]
    aside = f"/releases/shop/{temporary.name}"
    wanted = [
        f"{aside}/coco/images/a.png",
        f"{aside}/coco/images",
        f"{aside}/coco",
        aside,
        "/releases/shop",
        "",
    ]
    assert set(wanted) <= set(names)
