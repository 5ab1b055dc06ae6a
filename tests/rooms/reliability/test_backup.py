"""Backups are restored for real: the same commits, the same audit, the same bytes; many share what did not change."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import threading
from pathlib import Path

import pytest
from tests.support.images import folder_of_images

from calotype.acquire import service as acquire
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.reliability import repository, service
from calotype.reliability.backups import backup, contents
from calotype.reliability.backups.backup import BackupOfAnotherWorkspace
from calotype.reliability.backups.contents import BackupNotFound
from calotype.reliability.backups.restore import RestoreTargetTaken
from calotype.reliability.backups.targets import (
    BackupFileMissing,
    BackupTargetUnusable,
    BucketTarget,
    FolderTarget,
)
from calotype.store import create_workspace, open_workspace


@pytest.fixture
def target(tmp_path):
    """Where the backups go."""
    return str(tmp_path / "backups")


def held(store, owner):
    """Everything that a reader can see of the dataset."""
    states = {}
    for name in ("shop", "shop@main", "shop@try", "shop@v1", "shop@main~1"):
        state = datasets.read(owner, name, store=store)
        tables = {t: state.rows_of(t).sort_by(rows.key_of(t)).to_pylist() for t in sorted(state.pins)}
        bytes_ = [store.media.read(sample.media_sha256, verify=True) for sample in state.iter_samples()]
        states[name] = (state.commit_id, state.state_sha256, tables, bytes_)
    return states, [made.id for made in datasets.log(owner, "shop", store=store)]


def more(store, owner, tmp_path, name, *, seed):
    folder_of_images(tmp_path / name, 2, seed=seed)
    acquire.add(owner, "shop", [tmp_path / name], store=store)
    return datasets.commit(owner, "shop", name, store=store)


def test_a_restored_workspace_has_what_was_saved_and_can_be_edited(shop, owner, target, tmp_path):
    before = held(shop, owner)
    made = service.backup(owner, target, store=shop)
    more(shop, owner, tmp_path, "later", seed=50)
    done = service.restore(owner, target, tmp_path / "again", deep=True)
    assert (made.ok, done.ok, done.verified.untidy) == (True, True, ())
    again = open_workspace(tmp_path / "again")
    assert held(again, owner) == before
    more(again, owner, tmp_path, "after", seed=60)
    service.gc(owner, store=again, grace_s=0, always_compact=True)
    assert service.verify(owner, store=again, deep=True).ok
    again.close()


def test_a_second_backup_copies_what_is_new_and_both_can_be_restored(shop, owner, target, tmp_path):
    first = service.backup(owner, target, store=shop)
    again = service.backup(owner, target, store=shop)
    assert again.copied_files <= 1  # the catalog: the first backup is in its audit trail
    more(shop, owner, tmp_path, "later", seed=50)
    third = service.backup(owner, target, store=shop)
    assert 2 < third.copied_files < first.copied_files
    assert [one.id for one in service.list_backups(owner, target, store=shop)] == [
        first.manifest.id,
        again.manifest.id,
        third.manifest.id,
    ]
    old = service.restore(owner, target, tmp_path / "old", at=first.manifest.id[:20])
    new = service.restore(owner, target, tmp_path / "new")
    assert (old.ok, old.verified.commits, new.ok, new.verified.commits) == (True, 2, True, 3)


def test_a_workspace_that_went_back_and_on_does_not_confuse_its_older_backups(shop, owner, target, tmp_path):
    service.backup(owner, target, store=shop)
    one = more(shop, owner, tmp_path, "one", seed=50)
    service.backup(owner, target, store=shop)
    first, _ = service.list_backups(owner, target, store=shop)
    service.restore(owner, target, tmp_path / "back", at=first.id)
    back = open_workspace(tmp_path / "back")
    two = more(back, owner, tmp_path, "two", seed=90)  # the same version numbers with other rows
    service.backup(owner, target, store=back)
    _, second, third = service.list_backups(owner, target, store=back)
    for at, wanted in ((second.id, one.id), (third.id, two.id)):
        done = service.restore(owner, target, tmp_path / at, at=at, deep=True)
        store = open_workspace(tmp_path / at)
        assert (done.ok, datasets.log(owner, "shop", store=store)[0].id) == (True, wanted)
        assert datasets.read(owner, "shop", store=store).count()["samples"] == 8
        store.close()
    back.close()


def test_a_compacted_workspace_is_saved_with_its_stand_ins(shop, owner, target, tmp_path):
    before = held(shop, owner)
    for _ in range(2):
        service.gc(owner, store=shop, grace_s=0, always_compact=True)
    service.backup(owner, target, store=shop)
    done = service.restore(owner, target, tmp_path / "again", deep=True)
    again = open_workspace(tmp_path / "again")
    assert (done.ok, held(again, owner)) == (True, before)
    again.close()


def test_the_drill_restores_compares_and_leaves_nothing(shop, owner, target, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "drills"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "drills"))
    (tmp_path / "drills").mkdir()
    service.backup(owner, target, store=shop)
    done = service.drill(owner, target, store=shop)
    assert (done.ok, done.verified.deep, list((tmp_path / "drills").iterdir())) == (True, True, [])


def test_writers_and_gc_go_on_during_a_backup(shop, owner, target, tmp_path, monkeypatch):
    """The backup holds the state of its moment, whatever is edited, compacted and swept between its steps."""
    before = held(shop, owner)
    real = backup.Backup._copy_table
    swept = []

    def disturbed(self, table):
        apply(owner, "shop", Change(remove_samples=[_first(shop, owner)]), store=shop)
        service.gc(owner, store=shop, grace_s=0, always_compact=True)
        swept.append(service.gc(owner, store=shop, grace_s=0, always_compact=True).removed)
        real(self, table)

    monkeypatch.setattr(backup.Backup, "_copy_table", disturbed)
    service.backup(owner, target, store=shop)
    assert {count for removed in swept for count in removed.values()} == {0}, (
        "a running backup holds the sweep"
    )
    done = service.restore(owner, target, tmp_path / "again", deep=True)
    again = open_workspace(tmp_path / "again")
    assert (done.ok, held(again, owner)) == (True, before)
    again.close()
    with shop.catalog.read() as conn:
        assert repository.marks(conn, repository.HOLD) == {}


def _first(store, owner):
    return next(datasets.read(owner, "shop", store=store).iter_samples()).sample_id


def test_eight_threads_write_while_backups_are_taken(shop, owner, target, tmp_path):
    stop = threading.Event()

    def write(at):
        store = open_workspace(shop.root)
        while not stop.is_set():
            apply(owner, f"shop@{'main' if at % 2 else 'try'}", Change(info=str(at)), store=store)
        store.close()

    threads = [threading.Thread(target=write, args=[at]) for at in range(4)]
    for thread in threads:
        thread.start()
    try:
        made = [service.backup(owner, target, store=shop) for _ in range(3)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for at, one in enumerate(made):
        assert service.restore(owner, target, tmp_path / f"r{at}", at=one.manifest.id).ok


def test_an_interrupted_backup_is_none_and_the_next_one_uses_what_it_copied(shop, owner, target, monkeypatch):
    monkeypatch.setattr(backup.Backup, "_write_manifest", _fail)
    with pytest.raises(KeyboardInterrupt):
        service.backup(owner, target, store=shop)
    monkeypatch.undo()
    assert service.list_backups(owner, target, store=shop) == []
    done = service.backup(owner, target, store=shop)
    assert (done.ok, done.copied_files) == (True, 1)


def _fail(*_):
    raise KeyboardInterrupt


def test_an_interrupted_restore_is_continued(shop, owner, target, tmp_path, monkeypatch):
    made = service.backup(owner, target, store=shop)
    real, calls = contents.read_chunks, []

    def failing(place, file):
        calls.append(file.path)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return real(place, file)

    monkeypatch.setattr(contents, "read_chunks", failing)
    with pytest.raises(KeyboardInterrupt):
        service.restore(owner, target, tmp_path / "again")
    assert not (tmp_path / "again" / ".calotype").exists()
    assert service.restore(owner, target, tmp_path / "again").ok
    assert len(calls) == made.manifest.files + 1


def test_a_damaged_backup_is_refused_before_anything_is_in_place(shop, owner, target, tmp_path):
    service.backup(owner, target, store=shop)
    victim = next(path for path in Path(target, "media").rglob("?" * 64))
    victim.write_bytes(b"x" * victim.stat().st_size)
    with pytest.raises(BackupFileMissing):
        service.restore(owner, target, tmp_path / "again")
    victim.unlink()
    with pytest.raises(BackupFileMissing):
        service.drill(owner, target, store=shop)
    assert not (tmp_path / "again" / ".calotype").exists()


def test_lost_media_are_reported_and_the_rest_is_saved(shop, owner, target):
    sample = next(datasets.read(owner, "shop", store=shop).iter_samples())
    shop.media.path(sample.media_sha256).write_bytes(b"damaged")
    done = service.backup(owner, target, store=shop)
    assert (done.ok, done.manifest.missing_media) == (False, (sample.media_sha256,))
    assert service.drill(owner, target, store=shop).ok is False


def test_repair_takes_media_and_tables_from_a_folder_of_backups(shop, owner, target):
    service.backup(owner, target, store=shop)
    before = held(shop, owner)
    for file in [
        *(shop.folder / "tables").rglob("data/*"),
        *(shop.folder / "media" / "sha256").rglob("?" * 64),
    ]:
        file.unlink()
    for file in list((shop.folder / "tables").rglob("*.manifest")):
        file.unlink()
    fresh = open_workspace(shop.root)
    done = service.repair(owner, store=fresh, source=Path(target), dry_run=False)
    assert done.ok
    assert held(fresh, owner) == before
    fresh.close()


def test_backups_of_two_workspaces_do_not_mix(shop, owner, target, tmp_path):
    service.backup(owner, target, store=shop)
    other = create_workspace(owner, tmp_path / "other")
    with pytest.raises(BackupOfAnotherWorkspace):
        service.backup(owner, target, store=other)
    other.close()


def test_unusable_targets_are_refused(shop, owner, target, tmp_path):
    with pytest.raises(BackupNotFound):
        service.restore(owner, target, tmp_path / "again")
    service.backup(owner, target, store=shop)
    with pytest.raises(RestoreTargetTaken):
        service.restore(owner, target, shop.root)
    with pytest.raises(BackupNotFound):
        service.restore(owner, target, tmp_path / "again", at="ffff")
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupTargetUnusable):
        service.backup(owner, str(tmp_path / "file" / "below"), store=shop)
    with pytest.raises(NotPermitted):
        service.backup(Actor("x", "x", roles=("ml-engineer",)), target, store=shop)


def test_a_list_that_names_other_folders_is_refused(shop, owner, target):
    made = service.backup(owner, target, store=shop).manifest
    listed = gzip.compress(json.dumps(["../../evil", 1, "0" * 64, "latest", 0]).encode(), mtime=0)
    Path(target, "backups", made.id, "files.jsonl.gz").write_bytes(listed)
    forged = {**made.to_dict(), "list_sha256": hashlib.sha256(listed).hexdigest()}
    Path(target, "backups", made.id, "manifest.json").write_text(json.dumps(forged))
    (found,) = contents.list_backups(FolderTarget(Path(target)))
    with pytest.raises(BackupFileMissing):
        contents.read_file_list(FolderTarget(Path(target)), found)


def test_marks_start_again_in_a_restored_workspace(shop, owner, target, tmp_path):
    shop.media.put(b"nobody knows me")
    service.gc(owner, store=shop, grace_s=0)
    service.backup(owner, target, store=shop)
    service.restore(owner, target, tmp_path / "again")
    again = open_workspace(tmp_path / "again")
    with again.catalog.read() as conn:
        assert [repository.marks(conn, kind) for kind in ("media", "version", "hold")] == [{}, {}, {}]
    again.close()
    shutil.rmtree(tmp_path / "again")


def test_a_bucket_holds_backups_as_a_folder_does(shop, owner, tmp_path):
    """Through obstore, whose local store has the same calls as its bucket stores (extra `calotype[team]`)."""
    pytest.importorskip("obstore")
    (tmp_path / "bucket").mkdir()
    place = f"file://{tmp_path / 'bucket'}"
    first = service.backup(owner, place, store=shop)
    again = service.backup(owner, place, store=shop)
    assert (first.ok, again.copied_files <= 1) == (True, True)
    assert service.drill(owner, place, store=shop).ok
    with pytest.raises(BackupFileMissing):
        list(BucketTarget(place).chunks("nothing"))
