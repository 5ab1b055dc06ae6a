"""A workspace on servers is kept small: `gc` removes what nothing reaches and nothing else, and `size` adds up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.counting import DATASET, counted, step
from tests.support.images import folder_of_images
from tests.support.servers import S3, Postgres

import calotype as ct
from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.reliability import service as reliability
from calotype.store import Store
from calotype.store.media.objects import object_name

ANA = Actor(id="test:ana", name="ana")


@pytest.fixture
def team(postgres: Postgres, s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """A workspace on PostgreSQL and in a bucket, with a table of many parts."""
    place = s3.fresh()
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.endpoint)
    folder_of_images(tmp_path / "one", 1)
    wiring.create(ANA, tmp_path / "w", catalog=postgres.fresh(), storage=place.url).close()
    with ct.open(tmp_path / "w", actor=ANA) as ws:
        ds = ws.create(DATASET)
        ds.add_images(tmp_path / "one", licence="CC0-1.0")
        ds.commit("first")
    store = wiring.open_at(tmp_path / "w")
    for _ in range(4):
        step(ANA, store)
    datasets.commit(ANA, DATASET, "counted", store=store)
    yield store
    store.close()


def test_gc_removes_what_nothing_reaches_and_nothing_else(
    team: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = team.media.put(b"nobody names me").sha256
    old = f"{'0' * 32}/samples.lance/data/x.lance"
    team.tables.storage._bucket.put(old, b"of a dataset that is gone")  # type: ignore[attr-defined]
    named = {entry.sha256 for entry in team.media.stored.entries()} - {loose}
    for later_s in (5, 10):  # buckets tell times in whole seconds
        monkeypatch.setattr(reliability, "now_us", lambda later_s=later_s: now_us() + later_s * 1_000_000)
        done = reliability.gc(ANA, store=team, grace_s=0, always_compact=True)
    assert {entry.sha256 for entry in team.media.stored.entries()} == named
    assert (done.removed["media"], done.removed["folder"]) == (1, 1)
    assert not team.tables.storage.list_files("0" * 32)
    found = reliability.verify(ANA, store=team, deep=True)
    assert (found.problems, found.untidy) == ((), ())
    assert counted(datasets.read(ANA, DATASET, store=team)) == 4
    assert counted(datasets.read(ANA, f"{DATASET}@main~1", store=team)) == 0
    assert step(ANA, team) == 5


def test_size_adds_up(team: Store) -> None:
    found = reliability.size(ANA, store=team)
    media = sum(entry.n_bytes for entry in team.media.stored.entries())
    tables = sum(entry.n_bytes for entry in team.tables.storage.list_files())
    assert found.parts["media"] + found.parts["media_unreachable"] == media > 0
    assert sum(size for name, size in found.parts.items() if name.startswith("tables")) == tables > 0
    assert found.parts["tables_other"] >= 0


def test_repair_takes_lost_media_and_table_files_from_a_backup(team: Store, tmp_path: Path) -> None:
    assert reliability.backup(ANA, str(tmp_path / "b"), store=team).ok
    (sample,) = datasets.read(ANA, DATASET, store=team).iter_samples()
    size = team.media.stored.n_bytes(sample.media_sha256)
    team.media.stored._bucket.put(f"sha256/{object_name(sample.media_sha256)}", b"?" * (size or 0))  # type: ignore[attr-defined]
    for entry in [one for one in team.tables.storage.list_files() if "/data/" in one.name]:
        team.tables.storage.remove(entry.name)
    assert reliability.verify(ANA, store=team, deep=True).problems
    done = reliability.repair(ANA, store=team, source=tmp_path / "b", dry_run=False, deep=True)
    assert done.ok
    assert reliability.verify(ANA, store=team, deep=True).problems == ()
