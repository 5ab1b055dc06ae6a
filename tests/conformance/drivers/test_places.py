"""A workspace is made on servers, found again by its folder, and refused where labels would be lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support.servers import S3, Postgres, free_port, running_s3

from calotype.app import wiring
from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError
from calotype.store.catalog.engines import TeamExtraMissing
from calotype.store.catalog.errors import CatalogUnreachable
from calotype.store.files.bucket import Bucket, BucketLocation
from calotype.store.location import OtherWorkspace, StorageFileInvalid, load_storage
from calotype.store.maintenance.bucket_probe import BucketUnsafe, probe
from calotype.store.store import WorkspaceExists, WorkspaceNotFound

ANA = Actor(id="test:ana", name="ana")


def test_a_workspace_on_servers_is_found_by_its_folder(
    postgres: Postgres, bucket: str, tmp_path: Path
) -> None:
    url = postgres.fresh()
    made = wiring.create(ANA, tmp_path / "w", catalog=url, storage=bucket)
    put = made.media.put(b"an image")
    made.close()
    assert sorted(path.name for path in (tmp_path / "w" / ".calotype").iterdir()) == ["storage.json"]
    found = wiring.open_at(tmp_path / "w")
    assert found.media.read(put.sha256) == b"an image"
    assert found.storage.catalog == url and found.storage.media == f"{bucket}/media"
    found.close()


def test_a_team_shares_a_workspace_by_its_storage_file(
    postgres: Postgres, bucket: str, tmp_path: Path
) -> None:
    made = wiring.create(ANA, tmp_path / "here", catalog=postgres.fresh(), storage=bucket)
    (tmp_path / "there" / ".calotype").mkdir(parents=True)
    text = (tmp_path / "here" / ".calotype" / "storage.json").read_text()
    (tmp_path / "there" / ".calotype" / "storage.json").write_text(text)
    other = wiring.open_at(tmp_path / "there")
    sha256 = made.media.put(b"an image").sha256
    assert other.media.read(sha256) == b"an image"
    made.close()
    other.close()


def test_no_secret_is_written_or_shown(
    postgres: Postgres, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALOTYPE_CATALOG_PASSWORD", "s3cr3t")
    store = wiring.create(ANA, tmp_path, catalog=postgres.fresh(), storage=bucket)
    text = (tmp_path / ".calotype" / "storage.json").read_text()
    assert "s3cr3t" not in text and "test-secret" not in text
    assert "s3cr3t" not in repr(store) and "test-secret" not in repr(store)
    store.close()


def test_a_database_that_holds_a_workspace_is_not_taken_for_another(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.fresh()
    wiring.create(ANA, tmp_path / "a", catalog=url).close()
    with pytest.raises(WorkspaceExists):
        wiring.create(ANA, tmp_path / "b", catalog=url)
    with pytest.raises(WorkspaceNotFound):
        wiring.open_at(tmp_path / "b")
    with pytest.raises(WorkspaceExists):
        wiring.create(ANA, tmp_path / "a", catalog=url)
    wiring.open_at(tmp_path / "a").close()


def test_a_wrong_address_can_be_put_right(postgres: Postgres, tmp_path: Path) -> None:
    with pytest.raises(CatalogUnreachable):
        wiring.create(ANA, tmp_path, catalog=f"postgresql://calotype@127.0.0.1:{postgres.port}/typo")
    wiring.create(ANA, tmp_path, catalog=postgres.fresh()).close()


def test_making_a_workspace_goes_on_after_a_crash(postgres: Postgres, tmp_path: Path) -> None:
    from calotype.store.location import Storage

    url = postgres.fresh()
    (tmp_path / ".calotype").mkdir()
    Storage(workspace="0" * 32, catalog=url).save(tmp_path / ".calotype")
    with pytest.raises(OtherWorkspace):
        wiring.open_at(tmp_path)
    wiring.create(ANA, tmp_path, catalog=url).close()
    wiring.open_at(tmp_path).close()


def test_a_folder_that_points_at_another_database_is_refused(postgres: Postgres, tmp_path: Path) -> None:
    wiring.create(ANA, tmp_path / "a", catalog=postgres.fresh()).close()
    other = postgres.fresh()
    wiring.create(ANA, tmp_path / "b", catalog=other).close()
    file = tmp_path / "a" / ".calotype" / "storage.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"catalog": other}))
    with pytest.raises(OtherWorkspace):
        wiring.open_at(tmp_path / "a")


@pytest.mark.parametrize("change", [{"format": 2}, {"password": "x"}, {"catalog": 7}])
def test_a_storage_file_of_another_kind_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    from calotype.store.location import Storage

    Storage().save(tmp_path)
    file = tmp_path / "storage.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(StorageFileInvalid):
        load_storage(tmp_path)


def test_good_servers_pass_the_probe(s3: S3) -> None:
    place = s3.fresh()
    probe(place)
    assert list(Bucket(place).entries()) == []


@pytest.mark.slow
def test_a_second_server_passes_too(s3: S3) -> None:
    with running_s3("moto") as moto:
        probe(moto.fresh())


def test_a_server_that_ignores_conditions_is_refused(s3: S3, tmp_path: Path) -> None:
    with running_s3("rclone") as rclone:
        place = rclone.fresh()
        with pytest.raises(BucketUnsafe) as caught:
            probe(place)
        assert "concurrent writers of one new object succeeded" in str(caught.value)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(BucketUnsafe):
            patch.setenv("AWS_ENDPOINT_URL", rclone.endpoint)
            wiring.create(ANA, tmp_path / "w", storage=place.url)
    assert not (tmp_path / "w" / ".calotype").exists()


def test_a_server_that_answers_ranges_in_full_is_refused(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bucket, "get_range", lambda self, name, start, end: self.get(name))
    with pytest.raises(BucketUnsafe, match="range"):
        probe(s3.fresh())


def test_a_bucket_that_is_not_there_makes_no_workspace(s3: S3, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
        with pytest.raises(CalotypeError) as caught:
            wiring.create(ANA, tmp_path / "w", storage="s3://nothing/here")
    assert caught.value.code == "bucket-failed"
    assert not os.path.lexists(tmp_path / "w" / ".calotype")


@pytest.mark.parametrize("missing", ["obstore", "pg8000"])
def test_a_missing_library_is_reported_with_the_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(TeamExtraMissing, match=r"calotype\[team\]"):
        if missing == "obstore":
            Bucket(BucketLocation("s3://bucket/x"))
        else:
            from calotype.store.catalog.catalog import Catalog

            Catalog("postgresql://ana@db.example.org/x")
