"""A backup of a workspace on servers is one like any other: restored, it is a workspace in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.counting import DATASET, counted, step
from tests.support.images import folder_of_images
from tests.support.servers import S3, Postgres

import calotype as ct
from calotype.app import wiring
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.reliability import service as reliability
from calotype.store import Store

ANA = Actor(id="test:ana", name="ana")


@pytest.fixture
def team(postgres: Postgres, s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """A workspace on PostgreSQL and in a bucket that was moved there, with a commit and a working state."""
    place = s3.fresh()
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.endpoint)
    folder_of_images(tmp_path / "one", 1)
    wiring.create(ANA, tmp_path / "w").close()
    with ct.open(tmp_path / "w", actor=ANA) as ws:
        ds = ws.create(DATASET)
        ds.add_images(tmp_path / "one", licence="CC0-1.0")
        ds.commit("first")
    store = wiring.open_at(tmp_path / "w")
    step(ANA, store)
    reliability.move(ANA, store=store, catalog=postgres.fresh(), bucket=place.url)
    store.close()
    return wiring.open_at(tmp_path / "w")


def test_a_backup_of_a_database_and_a_bucket_is_restored_into_a_folder(team: Store, tmp_path: Path) -> None:
    target = str(tmp_path / "backups")
    first = reliability.backup(ANA, target, store=team)
    assert first.ok
    assert step(ANA, team) == 2
    second = reliability.backup(ANA, target, store=team)
    assert second.manifest.files >= first.manifest.files > second.copied_files > 0
    drilled = reliability.drill(ANA, target, store=team)
    assert (drilled.ok, drilled.verified.untidy) == (True, ())
    for at, number in ((first.manifest.id, 1), (second.manifest.id, 2)):
        into = tmp_path / f"restored-{number}"
        assert reliability.restore(ANA, target, into, at=at, deep=True).ok
        store = wiring.open_at(into)
        assert store.storage.embedded  # it is not led to where the workspace was moved
        assert counted(datasets.read(ANA, DATASET, store=store)) == number
        assert step(ANA, store) == number + 1
        store.close()
    assert step(ANA, team) == 3
    team.close()


def test_media_that_the_bucket_lost_are_reported(team: Store, tmp_path: Path) -> None:
    (sample,) = datasets.read(ANA, DATASET, store=team).iter_samples()
    assert team.media.stored.remove(sample.media_sha256, untouched_since_us=2**62) is not None
    done = reliability.backup(ANA, str(tmp_path / "backups"), store=team)
    assert done.manifest.missing_media == (sample.media_sha256,)
    team.close()
