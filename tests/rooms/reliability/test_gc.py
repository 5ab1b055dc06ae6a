"""`gc` removes what nothing reaches, in two phases; compaction changes files and no commit, ref or row."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.support.images import draw, encode

from calotype.acquire import service as acquire
from calotype.datasets import edit, rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import NotPermitted
from calotype.reliability import repository, service
from calotype.reliability.garbage_collection import compaction
from calotype.reliability.model import DurationInvalid, parse_duration_s
from calotype.store import open_workspace
from calotype.store.catalog import schema
from calotype.store.files.bucket import Entry
from calotype.store.maintenance import table_files
from calotype.store.tables.tables import TableDamaged, Tables

DAY = 86_400.0


def held(store, owner, name="shop"):
    state = datasets.read(owner, name, store=store)
    tables = {
        table: state.rows_of(table).sort_by(rows.key_of(table)).to_pylist() for table in sorted(state.pins)
    }
    return state.commit_id, state.state_sha256, tables


def everything(store, owner):
    names = ["shop", "shop@main", "shop@try+", "shop@v1", "shop@main~1"]
    return {name: held(store, owner, name) for name in names}


def gc_twice(store, owner):
    """What a run marks, the next one removes when it waits for nothing."""
    service.gc(owner, store=store, grace_s=0)
    return service.gc(owner, store=store, grace_s=0)


def test_nothing_reachable_goes_even_without_a_grace_period(shop, owner):
    before = everything(shop, owner)
    done = service.gc(owner, store=shop, grace_s=0, always_compact=True)
    assert {(one.files_after, one.refused) for one in done.compacted} == {(1, "")}
    for _ in range(3):
        service.gc(owner, store=shop, grace_s=0, always_compact=True)
    fresh = open_workspace(shop.root)
    assert everything(fresh, owner) == before
    assert service.verify(owner, store=fresh, deep=True).ok
    fresh.close()


def test_a_compacted_branch_is_not_dirty_and_goes_on(shop, owner):
    service.gc(owner, store=shop, always_compact=True)
    with pytest.raises(datasets.NothingToCommit):
        datasets.commit(owner, "shop", "again", store=shop)
    before = datasets.read(owner, "shop", store=shop)
    first = next(before.iter_samples())
    apply(owner, "shop", Change(remove_samples=[first.sample_id]), store=shop)
    made = datasets.commit(owner, "shop", "five", store=shop)
    assert datasets.diff(owner, "shop", "v1", made.id, store=shop).to_dict()["samples"]["removed"] == 1
    assert datasets.read(owner, "shop@main~1", store=shop).count()["samples"] == 6
    gc_twice(shop, owner)
    assert service.verify(owner, store=shop, deep=True).ok


def test_an_edit_removes_its_rows_and_no_others_when_a_compaction_comes_between(shop, owner, monkeypatch):
    state = datasets.read(owner, "shop", store=shop)
    first, victim, *others = sorted(state.ids())
    apply(owner, "shop", Change(remove_samples=[first]), store=shop)
    publish = edit._publish
    compacted: list[object] = []

    def compact_first(*args, **named):
        monkeypatch.undo()
        beside = open_workspace(shop.root)
        compacted.extend(service.gc(owner, store=beside, grace_s=0, always_compact=True).compacted)
        beside.close()
        return publish(*args, **named)

    monkeypatch.setattr(edit, "_publish", compact_first)
    apply(owner, "shop", Change(remove_samples=[victim]), store=shop)
    assert compacted
    again = open_workspace(shop.root)
    now = datasets.read(owner, "shop", store=again)
    assert sorted(now.ids()) == others
    assert set(now.annotations()["sample_id"].to_pylist()) <= set(others)
    assert service.verify(owner, store=again, deep=True).ok
    again.close()


def test_what_an_edit_took_away_goes_after_the_grace_period_and_not_before(shop, owner, monkeypatch):
    datasets.rollback(owner, "shop", "v1", store=shop)
    apply(owner, "shop", Change(info="x"), store=shop)
    stray = shop.media.put(b"nobody knows me")
    monkeypatch.setattr(service, "now_us", lambda: now_us() + 1_000)
    first = service.gc(owner, store=shop, grace_s=0)
    assert (first.removed["media"], shop.media.has(stray.sha256)) == (0, True)
    patient = service.gc(owner, store=shop, grace_s=14 * DAY)
    assert (patient.removed["media"], shop.media.has(stray.sha256)) == (0, True)
    monkeypatch.setattr(service, "now_us", lambda: now_us() + round(15 * DAY * 1_000_000))
    last = service.gc(owner, store=shop, grace_s=14 * DAY)
    assert (last.removed["media"], shop.media.has(stray.sha256)) == (1, False)
    assert last.freed_bytes >= len(b"nobody knows me")
    assert service.verify(owner, store=shop, deep=True).ok


def test_media_that_are_stored_again_are_kept(shop, owner):
    stray = shop.media.put(b"nobody knows me")
    service.gc(owner, store=shop, grace_s=0)
    marked = now_us()
    shop.media.put(b"nobody knows me")
    assert shop.media.stored.remove(stray.sha256, untouched_since_us=marked) is None
    assert shop.media.read(stray.sha256) == b"nobody knows me"
    assert shop.media.stored.remove(stray.sha256, untouched_since_us=now_us() + 1_000_000) == 15
    assert not shop.media.has(stray.sha256)


def test_a_mark_is_forgotten_when_the_thing_is_reachable_again(shop, owner, tmp_path):
    image = encode(draw(77), "image/png")
    sha256 = shop.media.put(image).sha256
    service.gc(owner, store=shop, grace_s=0)
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "late.png").write_bytes(image)
    acquire.add(owner, "shop", [tmp_path / "late"], store=shop)
    gc_twice(shop, owner)
    with shop.catalog.read() as conn:
        assert sha256 not in repository.marks(conn, "media")
    assert shop.media.read(sha256, verify=True) == image


def test_staged_rows_of_a_living_writer_stay(shop, owner):
    state = datasets.read(owner, "shop", store=shop)
    full = f"{state.dataset.id}/samples"
    more = rows.samples_to_arrow(list(state.iter_samples())[:1])
    staged = shop.tables.stage(full, more, schema=more.schema)
    assert len(table_files.stray_files(shop.tables, full)) == 1
    service.gc(owner, store=shop, grace_s=DAY)
    service.gc(owner, store=shop, grace_s=DAY)
    with shop.catalog.bookkeeping():
        pin = shop.tables.publish(full, pin=state.pins["samples"], schema=more.schema, staged=staged)
    assert shop.tables.count(full, pin) == 7


def test_a_temporary_file_that_its_writer_renames_meanwhile_does_not_disturb(shop, owner, monkeypatch):
    real = table_files.stray_files
    monkeypatch.setattr(
        table_files, "stray_files", lambda *a: [*real(*a), Entry(f"{a[1]}.lance/data/.tmpGone", 9, 0)]
    )
    assert gc_twice(shop, owner).removed["file"] == 0


def test_staged_rows_of_a_dead_writer_and_unpinned_versions_go(shop, owner, monkeypatch):
    state = datasets.read(owner, "shop", store=shop)
    full = f"{state.dataset.id}/samples"
    more = rows.samples_to_arrow(list(state.iter_samples())[:1])
    shop.tables.stage(full, more, schema=more.schema)
    before = table_files.versions(shop.tables, full)
    monkeypatch.setattr(service, "now_us", lambda: now_us() + 2_000_000)
    service.gc(owner, store=shop, grace_s=0)
    monkeypatch.setattr(service, "now_us", lambda: now_us() + 4_000_000)
    done = service.gc(owner, store=shop, grace_s=0)
    assert (done.removed["file"], table_files.stray_files(shop.tables, full)) == (1, [])
    assert done.removed["version"] > 0 and len(table_files.versions(shop.tables, full)) < len(before)


def test_a_commit_that_nothing_names_goes_and_its_rows_with_it(shop, owner, sql, monkeypatch):
    lost = datasets.log(owner, "shop", store=shop)[0]
    sql(
        f"UPDATE refs SET commit_id = (SELECT commit_id FROM refs WHERE name = 'v1'), "
        f"pins = (SELECT pins FROM refs WHERE name = 'v1') WHERE commit_id = '{lost.id}'"
    )
    service.gc(owner, store=shop, grace_s=DAY)
    assert datasets.read(owner, f"shop@{lost.id}", store=shop).count()["samples"] == 6, "the reflog names it"
    for days in (20, 40, 60):
        at = now_us() + round(days * DAY * 1_000_000)
        monkeypatch.setattr(service, "now_us", lambda at=at: at)
        service.gc(owner, store=shop, grace_s=14 * DAY)
    with shop.catalog.read() as conn:
        assert repository.commit(conn, lost.id) is None
    assert service.size(owner, store=shop).parts["media_unreachable"] == 0
    assert sum(1 for _ in (shop.folder / "media" / "sha256").rglob("?" * 64)) == 3
    assert service.verify(owner, store=shop, deep=True).ok


def test_folders_of_datasets_that_are_gone_go(shop, owner, monkeypatch):
    gone = shop.folder / "tables" / ("0" * 32) / "samples.lance"
    gone.mkdir(parents=True)
    (gone / "x").write_bytes(b"x" * 10)
    for ahead_s in (2, 4):
        monkeypatch.setattr(service, "now_us", lambda ahead_s=ahead_s: now_us() + ahead_s * 1_000_000)
        service.gc(owner, store=shop, grace_s=0)
    assert not gone.parent.exists()


def test_a_dry_run_changes_nothing(shop, owner, n_events):
    shop.media.put(b"nobody knows me")
    before = n_events()
    done = service.gc(owner, store=shop, grace_s=0, dry_run=True)
    assert [(one.marked, one.removed) for one in done.swept if one.kind == "media"] == [(1, 0)]
    with shop.catalog.read() as conn:
        assert conn.execute(sa.select(schema.sweeps)).all() == []
    assert n_events() == before


def test_damage_stops_the_sweep_before_anything_is_removed(shop, owner):
    stray = shop.media.put(b"nobody knows me")
    service.gc(owner, store=shop, grace_s=0)
    for file in (shop.folder / "tables").rglob("samples.lance/data/*.lance"):
        file.unlink()
    object.__setattr__(shop, "tables", Tables(shop.folder / "tables"))
    with pytest.raises(TableDamaged):
        service.gc(owner, store=shop, grace_s=0)
    assert shop.media.has(stray.sha256)


def test_compaction_gives_way_to_a_busy_writer(shop, owner, monkeypatch):
    real = table_files.stage_compaction

    def interrupted(dataset):
        staged = real(dataset)
        first = next(datasets.read(owner, "shop", store=shop).iter_samples())
        apply(owner, "shop", Change(put_samples=[first]), store=shop)
        return staged

    monkeypatch.setattr(table_files, "stage_compaction", interrupted)
    done = compaction.compact(owner, shop, always=True, progress=lambda *_: None)
    assert "busy; try again later" in {one.refused for one in done if one.table.endswith("samples")}
    assert datasets.read(owner, "shop", store=shop).count()["samples"] == 6


def test_caches_are_trimmed_by_age_to_a_size(shop, owner):
    cache = shop.folder / "cache"
    cache.mkdir()
    for at in range(4):
        (cache / str(at)).write_bytes(b"x" * 100)
        import os

        os.utime(cache / str(at), (1_000 + at, 1_000 + at))
    service.gc(owner, store=shop, cache_bytes=250)
    assert sorted(path.name for path in cache.iterdir()) == ["2", "3"]


def test_sizes_add_up_to_what_lies_on_the_disk(shop, owner):
    stray = shop.media.put(b"x" * 1_000)
    found = service.size(owner, store=shop)
    assert found.parts["media_unreachable"] == stray.n_bytes
    assert found.parts["media"] == found.datasets["shop"]["media"] > 0
    on_disk = sum(path.stat().st_size for path in shop.folder.rglob("*") if path.is_file())
    assert abs(found.total_bytes - on_disk) < 70_000  # SQLite's shared memory file may come and go
    assert found.parts["tables_live"] > 0


def test_who_may_not_maintain_may_not_sweep(shop):
    with pytest.raises(NotPermitted):
        service.gc(Actor("x", "x", roles=("curator",)), store=shop)


@pytest.mark.parametrize(("text", "wanted"), [("14d", 14 * DAY), ("36h", 129_600), ("90m", 5_400), ("5", 5)])
def test_durations_are_parsed(text, wanted):
    assert parse_duration_s(text) == wanted


def test_other_texts_are_not_durations():
    with pytest.raises(DurationInvalid):
        parse_duration_s("two weeks")
