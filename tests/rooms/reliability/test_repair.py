"""`repair` shows a plan, mends what can be mended from what is there or from a source, and leaves evidence alone."""

from __future__ import annotations

import os
import shutil

import pytest

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.reliability import service
from calotype.reliability.repair_source import SourceNotFound
from calotype.store.tables.tables import Tables


def test_an_intact_workspace_needs_no_repair(shop, owner, n_events):
    before = n_events()
    assert service.repair(owner, store=shop, dry_run=False).plan == ()
    assert n_events() == before


def test_only_who_maintains_the_workspace_may_repair(shop):
    with pytest.raises(NotPermitted):
        service.repair(Actor("x", "x", roles=("auditor",)), store=shop)


def test_images_are_restored_from_the_original_folder(shop, owner, tmp_path):
    first, second = [s.media_sha256 for s in datasets.read(owner, "shop@v1", store=shop).iter_samples()][:2]
    shop.media.path(first).unlink()
    shop.media.path(second).write_bytes(b"x" * shop.media.path(second).stat().st_size)
    shown = service.repair(owner, store=shop, source=tmp_path / "first", deep=True)
    assert [one.can for one in shown.plan] == [True, True]
    assert not shop.media.has(first)
    done = service.repair(owner, store=shop, source=tmp_path / "first", dry_run=False, deep=True)
    assert (done.n_repaired, done.ok) == (2, True)
    assert shop.media.read(second, verify=True)
    with pytest.raises(SourceNotFound):
        service.repair(owner, store=shop, source=tmp_path / "nowhere")


def test_an_image_that_is_not_in_the_source_is_reported_as_lost(shop, owner, tmp_path):
    sample = next(datasets.read(owner, "shop@v1", store=shop).iter_samples())
    shop.media.path(sample.media_sha256).unlink()
    done = service.repair(owner, store=shop, source=tmp_path / "second", dry_run=False)
    assert (done.n_repaired, done.ok, [one.can for one in done.plan]) == (0, False, [False])


def test_table_files_are_restored_from_a_copy(shop, owner, tmp_path):
    shutil.copytree(shop.root, tmp_path / "copy")
    for file in (shop.folder / "tables").rglob("data/*.lance"):
        file.unlink()
    object.__setattr__(shop, "tables", Tables(shop.folder / "tables"))
    assert not service.verify(owner, store=shop).ok
    done = service.repair(owner, store=shop, source=tmp_path / "copy", dry_run=False)
    assert done.ok
    assert datasets.read(owner, "shop", store=shop).count() == {"samples": 6, "annotations": 9}


def test_a_branch_whose_commit_is_missing_is_reset_to_the_previous_one(shop, owner, sql):
    sql("DELETE FROM commits WHERE message = 'six'")
    done = service.repair(owner, store=shop, dry_run=False)
    assert (done.n_repaired, done.ok) == (1, True)
    assert [made.message for made in datasets.log(owner, "shop", store=shop)] == ["three"]
    assert datasets.read(owner, "shop", store=shop).count()["samples"] == 3


def test_missing_tags_and_old_temporary_files_are_repaired(shop, owner):
    for tag in (shop.folder / "tables").rglob("_refs/tags/c-*.json"):
        tag.unlink()
    old, young = (shop.folder / "media" / "incoming" / name for name in ("old", "young"))
    old.write_bytes(b"")
    young.write_bytes(b"")
    os.utime(old, (1, 1))
    assert {problem.kind for problem in service.verify(owner, store=shop).untidy} == {
        "tag-missing",
        "stale-files",
    }
    done = service.repair(owner, store=shop, dry_run=False)
    assert done.left is not None and (done.ok, done.left.untidy) == (True, ())
    assert (old.exists(), young.exists()) == (False, True)


def test_a_broken_audit_chain_is_reported_and_left_as_it_is(shop, owner, sql, n_events):
    sql("UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    before = n_events()
    done = service.repair(owner, store=shop, dry_run=False)
    assert (done.ok, [one.can for one in done.plan]) == (False, [False])
    assert n_events() == before + 1  # the repair itself
    assert done.left is not None
    assert [problem.kind for problem in done.left.problems] == ["audit-chain-broken"]
